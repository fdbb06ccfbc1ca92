//! A session over ssh: the words of SSH_ORIGINAL_COMMAND, split as 0.3.18 does, and what a key may not run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::faces::dokku::{perform, set_right};
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::io::Fd;
use crate::{plugins, say, settings};

/// Set by sshd to what the client asked for.
pub const ORIGINAL_COMMAND: &str = "SSH_ORIGINAL_COMMAND";

/// Commands that belong to root, to hooks and to pushes; a key may not run them (weaknesses.md, W6). `*` stands for any
/// end; of `core:*` only what `shell` holds its lines to these rules with is free.
const REFUSED: &[&str] = &[
    "receive",
    "build",
    "release",
    "deploy",
    "git-hook",
    "git-build",
    "git-build-locked",
    "cleanup",
    "trace",
    "plugins-install",
    "plugins-install-dependencies",
    "plugins-update",
    "core:*",
];

/// Changes of docker's options let a key act as root. Refused where DOKKU_SSH_DOCKER_OPTIONS is 0.
const DOCKER_OPTIONS: &[&str] = &["docker-options:add", "docker-options:remove"];

/// What xargs ends with when its command failed.
const XARGS_FAILED: i32 = 123;

/// Runs what the client asked for. `words` are those of the forced command's own line: its first word decides how `line` is split.
pub fn session(mut house: House, words: &[OsString], line: &OsStr) -> Outcome {
    let command = words.first().map(|word| word.as_bytes()).unwrap_or_default();
    if !unquotes(command) {
        return asked(&house, &split_blanks(line.as_bytes()));
    }
    house.io.stdin = Fd::null()?;
    let (words, unmatched) = split_quoted(line.as_bytes());
    let ran = asked(&house, &words);
    if let Some(text) = &unmatched {
        say::error(&house, text);
    }
    match ran {
        Err(fail) => {
            say::failure(&house, &fail);
            Err(Fail::Code(XARGS_FAILED))
        }
        Ok(()) => {
            if unmatched.is_none() {
                Ok(())
            } else {
                Err(Fail::Code(1))
            }
        }
    }
}

/// Runs a command for somebody with a key.
pub fn asked(house: &House, words: &[OsString]) -> Outcome {
    allowed(house, words)?;
    set_right(house, words);
    perform(&House { remote: true, ..house.clone() }, words)
}

/// Fails when a key may not run this command. What a plugin has in place of a command of ours is the plugin's to judge.
fn allowed(house: &House, words: &[OsString]) -> Outcome {
    let command = words.iter().find(|word| !word.as_bytes().starts_with(b"--"));
    let Some(word) = command.and_then(|word| word.to_str()) else { return Ok(()) };
    if is_refused(word) || plugins::of_root(house, word).is_some() {
        return Err(Fail::say(format!("`{word}` cannot be run over ssh; run it on the server")));
    }
    if DOCKER_OPTIONS.contains(&word) && !settings::SSH_DOCKER_OPTIONS.is_on(house)? {
        let name = settings::SSH_DOCKER_OPTIONS.name;
        return Err(Fail::say(format!("`{word}` cannot be run over ssh, since {name} is 0 on this server; run it there")));
    }
    Ok(())
}

fn is_refused(word: &str) -> bool {
    let matches = |refused: &&str| refused.strip_suffix('*').map_or(*refused == word, |start| word.starts_with(start));
    word != plugins::shell::REMOTE && REFUSED.iter().any(matches)
}

/// Does the server undo quotes for this command?
pub fn unquotes(command: &[u8]) -> bool {
    contains(command, b"config") || contains(command, b"docker-option")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Words between blanks; quotes stay as they are.
pub fn split_blanks(line: &[u8]) -> Vec<OsString> {
    let words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\n')).filter(|word| !word.is_empty());
    words.map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// Words as xargs makes them: quotes keep blanks, a backslash keeps the next byte. At a quote that is not closed in its
/// line, the words before it and xargs' complaint, since xargs runs its command with those.
pub fn split_quoted(line: &[u8]) -> (Vec<OsString>, Option<String>) {
    let (mut words, mut word, mut complaint) = (Vec::new(), None::<Vec<u8>>, None);
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(word.take()),
            b'\'' | b'"' => {
                let rest = bytes.as_slice();
                let Some(end) = rest.iter().position(|next| *next == byte).filter(|end| !rest[..*end].contains(&b'\n')) else {
                    (word, complaint) = (None, Some(unmatched(byte)));
                    break;
                };
                word.get_or_insert_default().extend(&rest[..end]);
                bytes = rest[end + 1..].iter();
            }
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            byte => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    (words.into_iter().map(OsString::from_vec).collect(), complaint)
}

fn unmatched(quote: u8) -> String {
    let kind = if quote == b'"' { "double" } else { "single" };
    format!("xargs: unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_as_xargs_does() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("config:set a 'K=x y' \"L=1\"2 M=\\ z", &["config:set", "a", "K=x y", "L=12", "M= z"], true),
            ("a '' b", &["a", "", "b"], true),
            ("a 'b c", &["a"], false),
            ("a \"b\n\"", &["a"], false),
            ("a '", &["a"], false),
        ];
        for (line, words, closed) in cases {
            let (split, complaint) = split_quoted(line.as_bytes());
            assert_eq!((split, complaint.is_none()), (words.iter().map(OsString::from).collect(), *closed), "{line:?}");
        }
    }
}

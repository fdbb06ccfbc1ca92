//! A session over ssh: the words of SSH_ORIGINAL_COMMAND, split as 0.3.18 does, and what a key may not run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::faces::dokku::perform;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::io::Fd;
use crate::say;

/// Set by sshd to what the client asked for.
pub const ORIGINAL_COMMAND: &str = "SSH_ORIGINAL_COMMAND";

/// Commands that belong to root, to hooks and to pushes; a key may not run them (weaknesses.md, W6).
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
    "core:hook",
    "core:cleanup",
    "core:retire",
];

/// What xargs ends with when its command failed.
const XARGS_FAILED: i32 = 123;

/// Runs what the client asked for. `words` are those of the forced command's own line: its first word decides how `line` is split.
pub fn session(mut house: House, words: &[OsString], line: &OsStr) -> Outcome {
    house.remote = true;
    let command = words.first().map(|word| word.as_bytes()).unwrap_or_default();
    if contains(command, b"config") || contains(command, b"docker-option") {
        house.io.stdin = Fd::null()?;
        let words = split_quoted(line.as_bytes()).map_err(|text| Fail::Said(1, text))?;
        return asked(&house, &words).map_err(|fail| {
            say::failure(&house, &fail);
            Fail::Code(XARGS_FAILED)
        });
    }
    asked(&house, &split_blanks(line.as_bytes()))
}

fn asked(house: &House, words: &[OsString]) -> Outcome {
    allowed(words)?;
    perform(house, words)
}

/// Fails when a key may not run this command.
pub fn allowed(words: &[OsString]) -> Outcome {
    let command = words.iter().find(|word| !word.as_bytes().starts_with(b"--"));
    match command.and_then(|word| word.to_str()).filter(|word| REFUSED.contains(word)) {
        Some(word) => Err(Fail::say(format!("`{word}` cannot be run over ssh; run it on the server"))),
        None => Ok(()),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Words between blanks; quotes stay as they are.
pub fn split_blanks(line: &[u8]) -> Vec<OsString> {
    let words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\n')).filter(|word| !word.is_empty());
    words.map(|word| OsString::from_vec(word.to_vec())).collect()
}

/// Words as xargs makes them: quotes keep blanks, a backslash keeps the next byte. Fails at a quote that is not closed.
pub fn split_quoted(line: &[u8]) -> Result<Vec<OsString>, String> {
    let (mut words, mut word, mut bytes) = (Vec::new(), None::<Vec<u8>>, line.iter().copied());
    while let Some(byte) = bytes.next() {
        match byte {
            b' ' | b'\t' | b'\n' => words.extend(word.take()),
            b'\'' | b'"' => {
                let part: Vec<u8> = bytes.by_ref().take_while(|next| *next != byte && *next != b'\n').collect();
                let closed = line[..line.len() - bytes.len()].last() == Some(&byte);
                if !closed || bytes.len() == line.len() {
                    return Err(unmatched(byte));
                }
                word.get_or_insert_default().extend(part);
            }
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            byte => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    Ok(words.into_iter().map(OsString::from_vec).collect())
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
        let split = |line: &str| split_quoted(line.as_bytes());
        assert_eq!(split("config:set a 'K=x y' \"L=1\"2 M=\\ z").unwrap(), ["config:set", "a", "K=x y", "L=12", "M= z"]);
        assert_eq!(split("a ''").unwrap(), ["a", ""]);
        assert!(split("a 'b").is_err());
        assert!(split("a \"b\n\"").is_err());
        assert!(split("a '").is_err());
    }
}

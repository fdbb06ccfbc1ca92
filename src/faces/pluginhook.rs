//! `pluginhook [-p] [-x] HOOK ARGS...`: the chain of a hook as a program of its own, with the flags of Go's flag package.

use std::ffi::OsString;

use nix::libc;

use crate::fail::{Fail, Outcome};
use crate::hooks;
use crate::house::House;

const USAGE: &str = "\
Usage of pluginhook:
  -p=false: Run hooks in parallel
  -x=false: Trace mode";

/// How Go's flag package ends a program that was called wrongly, or for help.
const WRONG_FLAG: i32 = 2;

/// Runs `pluginhook WORDS...` in this process's environment.
pub fn run(words: &[OsString]) -> Outcome {
    let house = House::rootless();
    let (flags, words) = Flags::parse(words).map_err(|text| Fail::Said(WRONG_FLAG, text))?;
    if house.var("PLUGIN_PATH").is_none() {
        return Err(logged("[ERROR] Unable to locate plugins: set $PLUGIN_PATH"));
    }
    let Some((hook, args)) = words.split_first() else {
        return Err(logged("[ERROR] Hook name argument is required"));
    };
    let chain = if flags.parallel { hooks::side_by_side } else { hooks::chain };
    chain(&house, &hook.to_string_lossy(), args, flags.trace || hooks::is_traced(&house))
}

#[derive(Debug, Default, PartialEq)]
struct Flags {
    parallel: bool,
    trace: bool,
}

impl Flags {
    /// The flags in front, and the words after them. Fails with the text for stderr.
    fn parse(words: &[OsString]) -> Result<(Flags, &[OsString]), String> {
        let mut flags = Flags::default();
        for (place, word) in words.iter().enumerate() {
            let text = word.to_string_lossy();
            let Some(flag) = text.strip_prefix('-').filter(|flag| !flag.is_empty()) else {
                return Ok((flags, &words[place..]));
            };
            let flag = flag.strip_prefix('-').unwrap_or(flag);
            if flag.is_empty() {
                return Ok((flags, &words[place + 1..]));
            }
            flags.set(flag, &text)?;
        }
        Ok((flags, &[]))
    }

    /// Takes `NAME` or `NAME=VALUE`; `word` is the whole word for messages.
    fn set(&mut self, flag: &str, word: &str) -> Result<(), String> {
        if flag.starts_with(['-', '=']) {
            return Err(format!("bad flag syntax: {word}\n{USAGE}"));
        }
        let (name, value) = flag.split_once('=').unwrap_or((flag, "true"));
        let place = match name {
            "p" => &mut self.parallel,
            "x" => &mut self.trace,
            "h" | "help" => return Err(USAGE.into()),
            _ => return Err(format!("flag provided but not defined: -{name}\n{USAGE}")),
        };
        *place = go_bool(value).ok_or_else(|| {
            let cause = format!("strconv.ParseBool: parsing {value:?}: invalid syntax");
            format!("invalid boolean value {value:?} for  -{name}: {cause}\n{USAGE}")
        })?;
        Ok(())
    }
}

/// The spellings that Go's strconv.ParseBool knows.
fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// A failure with the local time in front, as Go's log package prints it.
fn logged(text: &str) -> Fail {
    // SAFETY: `tm` is plain numbers; localtime_r fills it from the pointed-to time and keeps no pointer.
    let now = unsafe {
        let (seconds, mut now) = (libc::time(std::ptr::null_mut()), std::mem::zeroed::<libc::tm>());
        libc::localtime_r(&seconds, &mut now);
        now
    };
    let date = format!("{:04}/{:02}/{:02}", now.tm_year + 1900, now.tm_mon + 1, now.tm_mday);
    let time = format!("{:02}:{:02}:{:02}", now.tm_hour, now.tm_min, now.tm_sec);
    Fail::say(format!("{date} {time} {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<(Flags, Vec<String>), String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let (flags, rest) = Flags::parse(&words)?;
        Ok((flags, rest.iter().map(|word| word.to_string_lossy().into_owned()).collect()))
    }

    #[test]
    fn flags_end_where_go_ends_them() {
        let cases: &[(&[&str], bool, bool, &[&str])] = &[
            (&["demo", "-x"], false, false, &["demo", "-x"]),
            (&["-p", "-x", "demo"], true, true, &["demo"]),
            (&["--p", "--", "-x"], true, false, &["-x"]),
            (&["-", "-x"], false, false, &["-", "-x"]),
            (&["-x=T", "-x=0", "", "a"], false, false, &["", "a"]),
            (&["-x"], false, true, &[]),
        ];
        for (words, parallel, trace, rest) in cases {
            let rest = rest.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(parse(words), Ok((Flags { parallel: *parallel, trace: *trace }, rest)), "{words:?}");
        }
    }

    #[test]
    fn wrong_flags_are_named() {
        for (word, start) in [
            ("-z", "flag provided but not defined: -z\n"),
            ("-x=maybe", "invalid boolean value \"maybe\" for  -x: "),
            ("---x", "bad flag syntax: ---x\n"),
            ("-=x", "bad flag syntax: -=x\n"),
            ("-h", "Usage of pluginhook:\n"),
        ] {
            let text = parse(&[word, "demo"]).unwrap_err();
            assert!(text.starts_with(start) && text.ends_with(USAGE), "{word}: {text}");
        }
    }
}

//! The options that plugins give to docker.

use std::ffi::OsString;

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::push::facts;
use crate::{exec, hooks};

/// The words of `docker-args APP PHASE`, then of `docker-args-PHASE APP`, for `build`, `deploy` or `run`. The second's
/// output is appended to the first's with nothing between, and the whole is split at blanks, without quotes, as 0.3.18 does.
pub fn of_phase(house: &House, app: &App, phase: &str) -> Outcome<Vec<OsString>> {
    let first = hooks::ask(house, "docker-args", &[app.word(), phase.into()])?;
    let second = hooks::ask(house, &format!("docker-args-{phase}"), &[app.word()])?;
    Ok((first + &second).split_ascii_whitespace().map(OsString::from).collect())
}

/// Options that keep the log of an app's container from filling the disk, unless the app's own options, or the engine's,
/// say what becomes of logs.
pub fn of_log(house: &House, own: &[OsString]) -> Outcome<Vec<OsString>> {
    if has(own, "--log-driver") || has(own, "--log-opt") || !facts::of(house)?.logs_grow {
        return Ok(Vec::new());
    }
    Ok(exec::words(["--log-opt", "max-size=10m", "--log-opt", "max-file=3"]))
}

/// Do the app's own options say what becomes of its container when it ends?
pub fn say_what_comes_after(own: &[OsString]) -> bool {
    has(own, "--restart") || own.iter().any(|word| word == "--rm" || word == "--rm=true")
}

/// Is this option there, its value in the next word or behind a `=`?
fn has(words: &[OsString], option: &str) -> bool {
    words.iter().filter_map(|word| word.to_str()?.strip_prefix(option)).any(|rest| rest.is_empty() || rest.starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_is_found_in_both_forms() {
        for (line, found) in
            [("-v /a --restart always", true), ("--restart=no", true), ("--restarted x", false), ("-e --restart-x=1", false)]
        {
            assert_eq!(say_what_comes_after(&exec::words(line.split(' '))), found, "{line}");
        }
        assert!(say_what_comes_after(&exec::words(["--rm"])));
    }
}

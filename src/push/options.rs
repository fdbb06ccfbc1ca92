//! The options that plugins give to docker.

use std::ffi::OsString;

use crate::app::App;
use crate::fail::Outcome;
use crate::hooks;
use crate::house::House;

/// The words of `docker-args APP PHASE`, then of `docker-args-PHASE APP`, for `build`, `deploy` or `run`. The second's
/// output is appended to the first's with nothing between, and the whole is split at blanks, without quotes, as 0.3.18 does.
pub fn of_phase(house: &House, app: &App, phase: &str) -> Outcome<Vec<OsString>> {
    let first = hooks::ask(house, "docker-args", &[app.word(), phase.into()])?;
    let second = hooks::ask(house, &format!("docker-args-{phase}"), &[app.word()])?;
    Ok((first + &second).split_ascii_whitespace().map(OsString::from).collect())
}

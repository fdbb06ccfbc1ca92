//! What a build may take: time, and room on the disk.

use std::path::Path;
use std::time::Duration;

use nix::sys::statvfs::statvfs;

use crate::app::App;
use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::push::facts;
use crate::settings::{BUILD_TIMEOUT, MIN_FREE_MB};

/// Runs a command that builds, its output shown as it comes; the exit code. One that takes too long is ended.
pub fn run(house: &House, app: &App, cmd: &Cmd) -> Outcome<i32> {
    let seconds = BUILD_TIMEOUT.number(house, app);
    let limit = (seconds > 0).then(|| Duration::from_secs(seconds));
    exec::status_within(house, cmd, limit)?.ok_or_else(|| {
        let (name, setting) = (&app.name, BUILD_TIMEOUT.name);
        Fail::say(format!(
            "The build of {name} has not ended within {seconds} seconds and was stopped; nothing has been changed. If it needs more: dokku config:set {name} {setting}=SECONDS"
        ))
    })
}

/// Fails when there is too little room for a build where the engine or we keep our files.
pub fn check_room(house: &House, app: &App) -> Outcome {
    let needed = MIN_FREE_MB.number(house, app);
    if needed == 0 {
        return Ok(());
    }
    let facts = facts::of(house)?;
    let places = [facts.local_root(), Some(house.lib.as_path())];
    match places.into_iter().flatten().find_map(|place| free_mb(place).filter(|free| *free < needed).map(|free| (place, free))) {
        None => Ok(()),
        Some((place, free)) => Err(Fail::say(format!(
            "There is too little room to build {}: {free} MB are free at {}, {needed} MB must be ({}). Make room (`docker image prune`, `docker builder prune`) and try again; nothing has been changed.",
            app.name,
            place.display(),
            MIN_FREE_MB.name
        ))),
    }
}

/// What users may still write there, in megabytes; `None` where nobody can tell.
fn free_mb(place: &Path) -> Option<u64> {
    let found = statvfs(place).ok()?;
    Some(found.blocks_available().saturating_mul(found.fragment_size()) >> 20)
}

//! Who is to be stopped when: a file for each old container in DOKKU_LIB_ROOT, so that it survives a reboot, and one
//! process that waits for all of them and ends with the last.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::fcntl::Flock;
use serde::{Deserialize, Serialize};

use crate::app::{App, AppName};
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::house::House;
use crate::process::Process;
use crate::push::cleanup;
use crate::tools::docker;
use crate::{lock, operation, recovery};

/// The command of the process that waits.
pub const INNER: &str = "core:retire";

/// Held by that process.
const LOCK: &str = "retire.lock";

/// How often it looks for containers that have come to be due earlier than those it knew of.
const PERIOD: Duration = Duration::from_millis(500);

/// How soon it looks again for a push that git is about to take.
const SOON: Duration = Duration::from_millis(50);

#[derive(Serialize, Deserialize)]
struct Due {
    app: String,
    /// Milliseconds after 1970.
    at: u64,
    /// Have we started it? Then a cleanup finds it when it has ended.
    #[serde(default)]
    is_ours: bool,
}

fn dir(house: &House) -> PathBuf {
    house.lib.join("retire")
}

/// CONTAINER is a file that anybody may have written to; what it holds becomes the name of one here.
fn path(house: &House, container: &str) -> Outcome<PathBuf> {
    let is_name = container.starts_with(|c: char| c.is_ascii_alphanumeric())
        && container.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    if is_name { Ok(dir(house).join(container)) } else { Err(Fail::say(format!("{container:?} is not the id of a container"))) }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64)
}

/// Writes down that the container is to be stopped in so many seconds.
pub fn plan(house: &House, app: &App, container: &str, seconds: f64, is_ours: bool) -> Outcome {
    let at = now().saturating_add(Duration::try_from_secs_f64(seconds).unwrap_or_default().as_millis() as u64);
    let due = Due { app: app.name.as_str().to_owned(), at, is_ours };
    files::make_dir(&dir(house))?;
    let text = serde_json::to_vec(&due).map_err(anyhow::Error::from)?;
    files::replace(&path(house, container)?, &text, 0o600)
}

/// Is this container written down?
pub fn is_due(house: &House, container: &str) -> bool {
    path(house, container).is_ok_and(|path| path.exists())
}

/// Makes sure that somebody waits for what is written down, and for git to take what has been deployed.
pub fn ensure(house: &House) -> Outcome {
    if planned(house).is_empty() && !recovery::is_pending(house, |_| true) { Ok(()) } else { exec::detach_self(house, &[INNER]) }
}

/// Makes sure of it where a container should have been stopped by now: whoever was to do it has been killed.
pub fn resume(house: &House) -> Outcome {
    let late = |(_, due): &(String, Due)| due.at + (PERIOD * 2).as_millis() as u64 <= now();
    if planned(house).iter().any(late) && !lock::is_held(&house.lib.join(LOCK)) { exec::detach_self(house, &[INNER]) } else { Ok(()) }
}

fn planned(house: &House) -> Vec<(String, Due)> {
    let entries = fs::read_dir(dir(house)).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let read = |entry: &fs::DirEntry| {
        let due = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
        Some((entry.file_name().into_string().ok()?, due))
    };
    entries.iter().filter_map(read).collect()
}

/// Waits for each container's time and stops it, and for each push until git has taken it, or goes back from it; ends
/// when nothing is left, or if another process does this already.
pub fn work(house: &House) -> Outcome {
    let Some(_alone) = alone(house)? else { return Ok(()) };
    let mut known = BTreeSet::new();
    loop {
        if recovery::is_pending(house, |_| true) {
            operation::settle_all(house);
        }
        let (planned, pending) = (planned(house), recovery::is_pending(house, Process::lives));
        stay_down(house, &planned, &mut known)?;
        let next = planned.iter().map(|(_, due)| due.at).min();
        let Some(next) = next.or(pending.then(|| now() + 1)) else { return Ok(()) };
        for (container, due) in planned.iter().filter(|(_, due)| due.at <= now()) {
            stop(house, container, due)?;
        }
        thread::sleep(Duration::from_millis(next.saturating_sub(now())).min(if pending { SOON } else { PERIOD }));
    }
}

/// The lock of the one that waits. One that is found held for longer than a look of its holder takes is held by somebody
/// who has seen all that was written down before.
fn alone(house: &House) -> Outcome<Option<Flock<File>>> {
    let path = house.lib.join(LOCK);
    let began = Instant::now();
    while began.elapsed() < PERIOD * 2 {
        if let Ok(held) = lock::try_take(&path)? {
            return Ok(Some(held));
        }
        thread::sleep(SOON);
    }
    Ok(None)
}

/// An engine that is started anew must not bring back what is written down; each container that still has time is told so
/// once.
fn stay_down(house: &House, planned: &[(String, Due)], known: &mut BTreeSet<String>) -> Outcome {
    let waits = |due: &Due| due.at > now() + PERIOD.as_millis() as u64;
    let new = planned.iter().filter(|(id, due)| waits(due) && !serves(house, id, due)).map(|(id, _)| id);
    let new = new.filter(|id| known.insert(id.to_string()));
    let new: Vec<&String> = new.collect();
    if new.is_empty() { Ok(()) } else { exec::silent(house, &docker::restart_policy("no", &new)).map(drop) }
}

/// Has the container come back into service?
fn serves(house: &House, container: &str, due: &Due) -> bool {
    let app = AppName::parse(due.app.as_ref()).map(|name| App::at(house, name));
    app.and_then(|app| app.record("CONTAINER")).as_deref() == Some(container)
}

/// Stops a container, unless it has come back into service.
fn stop(house: &House, container: &str, due: &Due) -> Outcome {
    if !serves(house, container, due) {
        exec::silent(house, &docker::stop(container))?;
        if !due.is_ours {
            cleanup::take_away_unlabelled(house, container)?;
        }
    }
    files::remove(&path(house, container)?)
}

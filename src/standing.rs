//! What the engine cannot tell of an app's container: whether its user has stopped it, and in which run of the engine its
//! address was last known to be right. A file an app in DOKKU_LIB_ROOT.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;

#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Standing {
    /// The container that was stopped by ps:stop. It says nothing of a later one.
    stopped: Option<String>,
    /// The run of the engine in which the address on record was seen.
    engine: Option<String>,
    /// The container that we have started last.
    started: Option<String>,
}

fn path(house: &House, app: &App) -> PathBuf {
    house.lib.join("standing").join(app.name.as_str())
}

fn read(house: &House, app: &App) -> Standing {
    fs::read(path(house, app)).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn change(house: &House, app: &App, change: impl FnOnce(&mut Standing)) -> Outcome {
    let (before, mut standing) = (read(house, app), read(house, app));
    change(&mut standing);
    if standing == before {
        return Ok(());
    }
    files::make_dir(&house.lib.join("standing"))?;
    let text = serde_json::to_vec(&standing).map_err(anyhow::Error::from)?;
    files::replace(&path(house, app), &text, 0o644)
}

/// Notes that the user wants this container of the app to be stopped, or, with `None`, that it is to run.
pub fn stop(house: &House, app: &App, container: Option<&str>) -> Outcome {
    change(house, app, |standing| standing.stopped = container.map(str::to_owned))
}

/// Has the user stopped the app's container on record?
pub fn is_stopped(house: &House, app: &App) -> bool {
    let stopped = read(house, app).stopped;
    stopped.is_some() && stopped == app.record("CONTAINER")
}

/// Notes that the app's address on record is right.
pub fn address_is_right(house: &House, app: &App) -> Outcome {
    change(house, app, |standing| standing.engine = engine_run(house))
}

/// Notes that the app's container on record, and so its address, is one that we have just started.
pub fn started(house: &House, app: &App, container: &str) -> Outcome {
    change(house, app, |standing| {
        standing.engine = engine_run(house);
        standing.started = Some(container.to_owned());
    })
}

/// Have we started this container? Unknown counts as no.
pub fn is_ours(house: &House, app: &App, container: &str) -> bool {
    read(house, app).started.as_deref() == Some(container)
}

/// Has the engine been started anew since the app's address was last known to be right? Unknown counts as no.
pub fn engine_is_new(house: &House, app: &App) -> bool {
    let seen = read(house, app).engine;
    seen.is_some_and(|seen| engine_run(house).is_some_and(|now| now != seen))
}

/// Forgets an app.
pub fn forget(house: &House, app: &App) -> Outcome {
    files::remove(&path(house, app))
}

/// The file that an engine writes at its start and takes away at its end.
const PID_FILE: &str = "/var/run/docker.pid";

/// Where an engine listens that is not named by DOCKER_HOST.
const SOCKET: &str = "/var/run/docker.sock";

/// Tells one run of this machine's engine from the next one, at the cost of a system call. `None` for an engine elsewhere.
pub fn engine_run(house: &House) -> Option<String> {
    let named = house.var("DOCKER_HOST").map(|host| host.to_string_lossy().into_owned());
    let socket = match &named {
        Some(host) => host.strip_prefix("unix://")?,
        None => SOCKET,
    };
    // Where systemd holds the socket, only the file with the engine's number tells.
    let own = (socket == SOCKET).then(|| of_file(Path::new(PID_FILE))).flatten();
    own.or_else(|| of_file(Path::new(socket)))
}

fn of_file(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    Some(format!("{} {}.{:09} {}", path.display(), found.mtime(), found.mtime_nsec(), found.ino()))
}

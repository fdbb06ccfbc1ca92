//! Who waits for whom. A command below an operation (in a hook, say) may change another app, whose operation may be
//! waiting, in a hook of its own, for the first app: neither would ever go on.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::app::AppName;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::process::Process;

/// A process below the operations on some apps that waits for its turn at another.
#[derive(Serialize, Deserialize)]
struct Waiter {
    process: Process,
    below: Vec<String>,
    waits_for: String,
}

fn dir(house: &House) -> PathBuf {
    house.lib.join("waiting")
}

/// What this process has told others of its waiting; ends with the value.
pub struct Told(PathBuf);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Tells others that this process, below the operations on these apps, waits for that one.
pub fn tell(house: &House, below: &[AppName], app: &AppName) -> Outcome<Told> {
    let process = Process::me();
    let waiter = Waiter { process, below: below.iter().map(ToString::to_string).collect(), waits_for: app.to_string() };
    files::make_dir(&dir(house))?;
    let path = dir(house).join(process.pid.to_string());
    files::replace(&path, &serde_json::to_vec(&waiter).map_err(anyhow::Error::from)?, 0o644)?;
    Ok(Told(path))
}

/// Does the operation on `app` wait for one of those that we are below, be it by way of others?
pub fn is_circular(house: &House, below: &[AppName], app: &AppName) -> bool {
    let waiters: Vec<Waiter> = fs::read_dir(dir(house)).into_iter().flatten().flatten().filter_map(|entry| read(&entry.path())).collect();
    let mut reached = vec![app.as_str()];
    let mut place = 0;
    while let Some(at) = reached.get(place).copied() {
        let next = waiters.iter().filter(|waiter| waiter.below.iter().any(|app| app == at)).map(|waiter| waiter.waits_for.as_str());
        let new: Vec<&str> = next.filter(|app| !reached.contains(app)).collect();
        reached.extend(new);
        place += 1;
    }
    below.iter().any(|mine| reached[1..].contains(&mine.as_str()))
}

/// One that was killed leaves its word behind.
fn read(path: &Path) -> Option<Waiter> {
    let waiter: Waiter = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    if !waiter.process.lives() {
        let _ = fs::remove_file(path);
        return None;
    }
    Some(waiter)
}

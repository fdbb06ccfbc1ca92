//! One operation on an app at a time. The lock lies in DOKKU_LIB_ROOT, ends with its process, and is not held by children;
//! a dokku that was started below its holder (by a hook, by a plugin's command) works under the holder's lock.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use nix::fcntl::Flock;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::{files, lock, recovery, say};

/// Tells a dokku below the holder of which apps' operations it is a part: a line `PID START APP` for each.
const PART_OF: &str = "DOKKU_OPERATIONS";

/// A wait that lasts longer says for whom.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at a lock that is held.
const PAUSE: Duration = Duration::from_millis(20);

const DIR: &str = "operations";

/// A process, told from a later one with the same number by when it started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pid: u32,
    /// Clock ticks after boot (proc(5), /proc/PID/stat, field 22).
    start: u64,
}

impl Process {
    /// This one.
    pub fn me() -> Process {
        let pid = std::process::id();
        Process { pid, start: started(pid).unwrap_or(0) }
    }

    /// Does it still live?
    pub fn lives(&self) -> bool {
        started(self.pid) == Some(self.start)
    }
}

fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_ascii_whitespace().nth(19)?.parse().ok()
}

/// Who holds the lock, for those who wait for it.
#[derive(Serialize, Deserialize)]
struct Holder {
    process: Process,
    what: String,
    /// Seconds after 1970.
    since: u64,
}

/// Does `work` as the only one that changes the app, after what a killed predecessor left has been set right. `what` is
/// the command, as others are told who wait for it.
pub fn alone<T>(house: &House, app: &App, what: &str, work: impl FnOnce(&House) -> Outcome<T>) -> Outcome<T> {
    if is_part(house, app) {
        return work(house);
    }
    let held = wait(house, app)?;
    house.forget_look();
    write_holder(&held, what).with_context(|| format!("cannot write {}", path(house, app).display()))?;
    let inner = as_part(house, app);
    recovery::recover(&inner, app)?;
    work(&inner)
}

/// Is somebody changing the app, this process or another one?
pub fn is_under_way(house: &House, app: &App) -> bool {
    lock::is_held(&path(house, app))
}

fn path(house: &House, app: &App) -> PathBuf {
    house.lib.join(DIR).join(app.name.as_str())
}

fn read_holder(mut file: &File) -> Option<Holder> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(mut file: &File, what: &str) -> anyhow::Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let holder = Holder { process: Process::me(), what: what.to_owned(), since };
    file.set_len(0)?;
    file.rewind()?;
    Ok(file.write_all(serde_json::to_string(&holder)?.as_bytes())?)
}

/// Is this process below one that holds the app's lock? What the environment says counts only while that one lives and
/// is the holder.
fn is_part(house: &House, app: &App) -> bool {
    let lines = house.var(PART_OF).map(|lines| lines.to_string_lossy().into_owned()).unwrap_or_default();
    let claimed = lines.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ' ');
        let process = Process { pid: fields.next()?.parse().ok()?, start: fields.next()?.parse().ok()? };
        (fields.next()? == app.name.as_str()).then_some(process)
    });
    let holder = || File::open(path(house, app)).ok().and_then(|file| read_holder(&file)).map(|holder| holder.process);
    claimed.into_iter().any(|process| process.lives() && holder() == Some(process))
}

fn as_part(house: &House, app: &App) -> House {
    let me = Process::me();
    let others = house.env.get(OsStr::new(PART_OF)).map(|lines| lines.to_string_lossy().into_owned()).unwrap_or_default();
    house.with_env(PART_OF, format!("{others}{} {} {}\n", me.pid, me.start, app.name))
}

fn wait(house: &House, app: &App) -> Outcome<Flock<File>> {
    let path = path(house, app);
    files::make_dir(&house.lib.join(DIR))?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Ok(held) = lock::try_take(&path).with_context(|| format!("cannot lock {}", path.display()))? {
            return Ok(held);
        }
        sleep(PAUSE);
    }
    if let Ok(file) = File::open(&path) {
        tell(house, app, &file);
    }
    Ok(lock::take(&path).with_context(|| format!("cannot lock {}", path.display()))?)
}

fn tell(house: &House, app: &App, file: &File) {
    let Some(holder) = read_holder(file) else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let ago = now.saturating_sub(holder.since);
    say::error(
        house,
        format!("{} is busy: `{}` (process {}) began {ago} s ago. Waiting for it...", app.name, holder.what, holder.process.pid),
    );
}

/// Forgets an app that is gone, under its lock.
pub fn forget(house: &House, app: &App) -> Outcome {
    recovery::forget(house, app)?;
    files::remove(&path(house, app))
}

//! One operation on an app at a time. The lock lies in DOKKU_LIB_ROOT, ends with its process, and is not held by children;
//! a dokku that was started below its holder (by a hook, by a plugin's command) works under the holder's lock. So does one
//! whose turn would never come, since the holder waits for what it is itself below.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use nix::fcntl::Flock;
use serde::{Deserialize, Serialize};

use crate::app::{App, AppName};
use crate::fail::Outcome;
use crate::house::House;
use crate::process::Process;
use crate::{files, lock, recovery, say};

mod waiting;

/// Tells a dokku below the holder of which apps' operations it is a part: a line `PID START APP` for each.
const PART_OF: &str = "DOKKU_OPERATIONS";

/// A wait that lasts longer says for whom.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at a lock that is held.
const PAUSE: Duration = Duration::from_millis(20);

const DIR: &str = "operations";

/// Who holds the lock, for those who wait for it. The lock's file says so as long as the operation lasts: text in a file
/// that nobody holds tells of one that was killed.
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
    let held = match wait(house, app)? {
        Turn::Own(held) => held,
        Turn::Below(holder) => return work(&as_part(house, &holder, app)),
    };
    house.forget_look();
    let killed = held.metadata().is_ok_and(|data| data.len() > 0);
    write_holder(&held, what).with_context(|| format!("cannot write {}", path(house, app).display()))?;
    let inner = as_part(house, &Process::me(), app);
    // Until that has been done the file goes on telling of a killed operation.
    recovery::recover(&inner, app, killed)?;
    let done = work(&inner);
    held.set_len(0).with_context(|| format!("cannot write {}", path(house, app).display()))?;
    done
}

/// Sets right what killed operations left of the app, when they did and nobody is at it.
pub fn settle(house: &House, app: &App) -> Outcome {
    let left = || was_killed(house, app) || recovery::is_needed(house, app);
    if left() && !is_part(house, app) && !is_under_way(house, app) { alone(house, app, "recovery", |_| Ok(())) } else { Ok(()) }
}

/// The same for all apps, those that are gone among them. What cannot be set right is said, and stays for the next time.
pub fn settle_all(house: &House) {
    for name in names(house) {
        if let Err(fail) = settle(house, &App::at(house, name)) {
            say::failure(house, &fail);
        }
    }
}

/// Everything that operations or journals are known of.
fn names(house: &House) -> Vec<AppName> {
    let dirs = [house.lib.join(DIR), recovery::dir(house)];
    let entries = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten();
    let mut names: Vec<AppName> = entries.filter_map(|entry| AppName::parse(&entry.file_name())).collect();
    names.sort();
    names.dedup();
    names
}

/// Is somebody changing the app, this process or another one?
pub fn is_under_way(house: &House, app: &App) -> bool {
    lock::is_held(&path(house, app))
}

/// Did its last operation not come to its end?
fn was_killed(house: &House, app: &App) -> bool {
    fs::metadata(path(house, app)).is_ok_and(|data| data.len() > 0)
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

/// Writes over what is there: on a full disk the file still tells of a predecessor that was killed.
fn write_holder(mut file: &File, what: &str) -> anyhow::Result<()> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let holder = Holder { process: Process::me(), what: what.to_owned(), since };
    let text = serde_json::to_string(&holder)?;
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    Ok(file.set_len(text.len() as u64)?)
}

/// Is this process below one that holds the app's lock? What the environment says counts only while that one lives and
/// is the holder.
fn is_part(house: &House, app: &App) -> bool {
    below(house).contains(&app.name)
}

/// Is this process below an operation on any app?
pub fn is_nested(house: &House) -> bool {
    !below(house).is_empty()
}

/// The apps whose locks are held above this process.
fn below(house: &House) -> Vec<AppName> {
    let lines = house.var(PART_OF).map(|lines| lines.to_string_lossy().into_owned()).unwrap_or_default();
    let claimed = lines.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ' ');
        let process = Process { pid: fields.next()?.parse().ok()?, start: fields.next()?.parse().ok()? };
        Some((process, AppName::parse(fields.next()?.as_ref())?))
    });
    let is_so = |(process, name): &(Process, AppName)| process.lives() && holder(house, name) == Some(*process);
    claimed.filter(is_so).map(|(_, name)| name).collect()
}

fn holder(house: &House, name: &AppName) -> Option<Process> {
    Some(read_holder(&File::open(path(house, &App::at(house, name.clone()))).ok()?)?.process)
}

fn as_part(house: &House, holder: &Process, app: &App) -> House {
    let others = house.env.get(OsStr::new(PART_OF)).map(|lines| lines.to_string_lossy().into_owned()).unwrap_or_default();
    house.with_env(PART_OF, format!("{others}{holder} {}\n", app.name))
}

/// How a command comes to change an app.
enum Turn {
    /// As the one that holds its lock.
    Own(Flock<File>),
    /// Below the holder, which waits for us.
    Below(Process),
}

fn wait(house: &House, app: &App) -> Outcome<Turn> {
    let path = path(house, app);
    files::make_dir(&house.lib.join(DIR))?;
    let (began, below, mut told, mut is_known) = (Instant::now(), below(house), None, false);
    loop {
        if let Ok(held) = lock::try_take(&path).with_context(|| format!("cannot lock {}", path.display()))? {
            return Ok(Turn::Own(held));
        }
        if told.is_none() && !below.is_empty() {
            told = Some(waiting::tell(house, &below, &app.name)?);
        }
        if told.is_some()
            && waiting::is_circular(house, &below, &app.name)
            && let Some(holder) = holder(house, &app.name)
        {
            return Ok(Turn::Below(holder));
        }
        if !is_known && began.elapsed() >= PATIENCE {
            is_known = true;
            if let Ok(file) = File::open(&path) {
                tell(house, app, &file);
            }
        }
        if is_known && below.is_empty() {
            let held = lock::take(&path).with_context(|| format!("cannot lock {}", path.display()))?;
            return Ok(Turn::Own(held));
        }
        sleep(PAUSE);
    }
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

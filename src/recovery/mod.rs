//! The way back. What an operation is about to change is written down first, in DOKKU_LIB_ROOT; whoever comes next after
//! one that was killed puts it back and takes away what that one had made.

mod journal;
mod temporary;
mod undo;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::app::{App, AppName};
use crate::exec;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::process::Process;
use crate::push::{engine, image, lineage, probe};
use crate::retirement;
use crate::say;
use crate::tools::docker;
use journal::{Journal, Release, Saved};

pub use journal::dir;
pub use temporary::Temporary;

/// The way back from one operation, or from one part of it.
pub struct WayBack<'h> {
    house: &'h House,
    app: App,
    path: PathBuf,
    journal: Journal,
}

impl<'h> WayBack<'h> {
    fn begin(house: &'h House, app: &App, journal: impl FnOnce() -> Outcome<Journal>) -> Outcome<WayBack<'h>> {
        put_back_files(house, app)?;
        let journal = journal()?;
        Ok(WayBack { house, app: app.clone(), path: journal.write(house, app)?, journal })
    }

    /// To the release that serves.
    pub fn to_release(house: &'h House, app: &App) -> Outcome<WayBack<'h>> {
        WayBack::begin(house, app, || Ok(Journal { release: Some(release(house, app)?), ..Journal::mine() }))
    }

    /// To the release that serves, until master names the commit that the `pusher`'s client has sent; `quarantine` is
    /// where git keeps that commit till then.
    pub fn to_master(house: &'h House, app: &App, pusher: Process, commit: &str, quarantine: Option<PathBuf>) -> Outcome<WayBack<'h>> {
        WayBack::begin(house, app, || {
            let (release, dirs) = (Some(release(house, app)?), quarantine.into_iter().collect());
            Ok(Journal { owner: pusher, release, dirs, pushed: Some(commit.to_owned()), ..Journal::mine() })
        })
    }

    /// To files of the app as they are, and from directories that are about to be made.
    pub fn to_files(house: &'h House, app: &App, entries: &[&str], dirs: Vec<PathBuf>) -> Outcome<WayBack<'h>> {
        WayBack::begin(house, app, || {
            let files = entries.iter().map(|entry| Saved::of(app.path(entry))).collect::<Outcome<_>>()?;
            Ok(Journal { files, dirs, ..Journal::mine() })
        })
    }

    /// There is none: from here on the app's end is finished by whoever comes next.
    pub fn to_nothing(house: &'h House, app: &App) -> Outcome<WayBack<'h>> {
        WayBack::begin(house, app, || Ok(Journal { destroyed: true, ..Journal::mine() }))
    }

    /// Ends well: what has been done stays.
    pub fn arrived(self) -> Outcome {
        files::remove(&self.path)
    }

    /// Ends well, but it is for somebody else to say whether that stays.
    fn stay_open(self) -> Outcome {
        let done = journal::done(&self.path);
        fs::rename(&self.path, &done).with_context(|| format!("cannot write {}", done.display()))?;
        Ok(())
    }

    /// Puts back all that is remembered. What cannot be put back is said, and stays written down.
    pub fn go(self) {
        match self.journal.undo(self.house, &self.app).and_then(|()| files::remove(&self.path)) {
            Ok(()) => {}
            Err(fail) => say::failure(self.house, &fail),
        }
    }
}

fn release(house: &House, app: &App) -> Outcome<Release> {
    Ok(Release {
        container: app.record("CONTAINER"),
        image: image::id(house, app)?,
        note: Saved::of(lineage::path(house, app))?,
        port: undo::port(app)?,
    })
}

/// Runs a change of these files of an app; if it fails, or is killed, they are as before, for nginx too.
pub fn or_as_before<T>(house: &House, app: &App, entries: &[&str], change: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    or_back(WayBack::to_files(house, app, entries, Vec::new())?, change)
}

/// Runs a change; if it fails, goes back.
pub fn or_back<T>(back: WayBack, change: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    match change() {
        Ok(done) => back.arrived().map(|()| done),
        Err(fail) => {
            back.go();
            Err(fail)
        }
    }
}

/// Runs a change; if it fails, goes back, else it is left open which way it will be.
pub fn or_left_open<T>(back: WayBack, change: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    match change() {
        Ok(done) => back.stay_open().map(|()| done),
        Err(fail) => {
            back.go();
            Err(fail)
        }
    }
}

/// Does a step of this process know the way back to the release that serves?
pub fn leads_to_release(house: &House, app: &App) -> bool {
    journal::all(house, app).iter().any(|(_, journal)| journal.is_mine() && journal.release.is_some())
}

/// Did somebody who is gone leave something of the app to be set right?
pub fn is_needed(house: &House, app: &App) -> bool {
    left_behind(house, app).next().is_some()
}

fn left_behind(house: &House, app: &App) -> impl DoubleEndedIterator<Item = (PathBuf, Journal)> {
    journal::all(house, app).into_iter().filter(|(_, journal)| journal.is_left())
}

/// Is somebody who pushes into the app still to tell whether git has taken the commit that is deployed?
pub fn pushers<'h>(house: &'h House, app: &App) -> impl Iterator<Item = Process> + 'h {
    let app = app.clone();
    let pending = journal::all(house, &app).into_iter().filter(move |(_, journal)| journal.is_pending(house, &app));
    pending.map(|(_, journal)| journal.owner)
}

/// Is a push into the app being built or deployed?
pub fn is_being_pushed(house: &House, app: &App) -> bool {
    journal::all(house, app).iter().any(|(_, journal)| journal.is_of_a_build_of_a_push())
}

/// Images that a way back leads to.
pub fn images(house: &House) -> Vec<String> {
    journals(house).filter_map(|journal| journal.release?.image).collect()
}

/// Is there a push of which it is open whether git will take it, by such a process of git?
pub fn is_pending(house: &House, by: impl Fn(&Process) -> bool) -> bool {
    journals(house).any(|journal| journal.pushed.is_some() && by(&journal.owner))
}

fn journals(house: &House) -> impl Iterator<Item = Journal> {
    let names = fs::read_dir(dir(house)).into_iter().flatten().flatten().filter_map(|entry| AppName::parse(&entry.file_name()));
    let apps: Vec<App> = names.map(|name| App::at(house, name)).collect();
    apps.into_iter().flat_map(|app| journal::all(house, &app)).map(|(_, journal)| journal)
}

/// Sets right what killed operations on the app left; `killed` tells that its last operation was. Newest first, files are put
/// back; then the containers go that they had made and nobody has on record; then all else. To be called under the app's lock.
pub fn recover(house: &House, app: &App, killed: bool) -> Outcome {
    let left = without_history(house, app, left_behind(house, app).collect())?;
    if left.is_empty() && !killed {
        return Ok(());
    }
    put_back_files(house, app)?;
    remove_half_written(app);
    let strays = if app.dir.is_dir() { unrecorded(house, app)? } else { Vec::new() };
    for id in strays {
        engine::output(house, &docker::rm_force(&[&id])).or_else(|fail| gone_meanwhile(house, &id, fail))?;
    }
    for (path, journal) in left.iter().rev().filter(|(_, journal)| !journal.is_of_files()) {
        journal.undo_rest(house, app)?;
        files::remove(path)?;
    }
    Ok(())
}

/// Puts back what killed steps were changing, newest first. Below an operation that goes on, a hook's command may have been
/// killed: before the next step changes the same files, else they would be put back to what was before both.
fn put_back_files(house: &House, app: &App) -> Outcome {
    for (path, journal) in left_behind(house, app).rev().filter(|(_, journal)| journal.is_of_files()) {
        journal.undo(house, app)?;
        files::remove(&path)?;
    }
    Ok(())
}

/// Forgets journals of pushes that git has taken.
fn without_history(house: &House, app: &App, left: Vec<(PathBuf, Journal)>) -> Outcome<Vec<(PathBuf, Journal)>> {
    let mut others = Vec::new();
    for (path, journal) in left {
        if journal.is_history(house, app)? {
            journal.undo_rest(house, app)?;
            files::remove(&path)?;
        } else {
            others.push((path, journal));
        }
    }
    Ok(others)
}

fn gone_meanwhile(house: &House, id: &str, fail: crate::fail::Fail) -> Outcome<String> {
    let said = exec::captured(house, &docker::inspect_container("{{.Id}}", id))?;
    if said.code == 0 { Err(fail) } else { engine::missing_or(house, &said).map(|()| String::new()) }
}

/// Takes away files of an app that were to replace others when their writer was killed.
fn remove_half_written(app: &App) {
    [app.dir.clone(), app.path("tls"), app.path("hooks")].iter().for_each(|dir| remove_half_written_in(dir));
}

/// The same for what is no one app's.
pub fn remove_half_written_of_all(house: &House) {
    let of_ours = fs::read_dir(&house.lib).into_iter().flatten().flatten().map(|entry| entry.path());
    let of_ours = of_ours.filter(|path| path.is_dir() && *path != house.plugin_path);
    of_ours.chain([house.root.clone(), house.lib.clone()]).for_each(|dir| remove_half_written_in(&dir));
}

fn remove_half_written_in(dir: &Path) {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| writer(path).is_some_and(|pid| Process::of(pid).is_none())) {
        let _ = fs::remove_file(path);
    }
}

fn writer(path: &Path) -> Option<u32> {
    files::writer_of_half_written(path.file_name()?.to_str()?)
}

/// Our containers of the app that are not in service: of builds, and of releases that never came to serve.
pub fn unrecorded(house: &House, app: &App) -> Outcome<Vec<String>> {
    let mut ids = probe::abandoned(house)?;
    for phase in ["build", "web"] {
        let filters = [format!("label={}={}", docker::APP_LABEL, app.name), format!("label={}={phase}", docker::PHASE_LABEL)];
        ids.extend(engine::output(house, &docker::list_containers(&filters))?.lines().map(str::to_owned));
    }
    let (recorded, kept) = (app.record("CONTAINER"), app.containers_of_others(house)?);
    ids.retain(|id| Some(id) != recorded.as_ref() && !kept.contains(id) && !retirement::is_due(house, id));
    Ok(ids)
}

/// Forgets an app that is gone.
pub fn forget(house: &House, app: &App) -> Outcome {
    let dir = journal::of_app(house, app);
    if dir.is_dir() { files::remove_dir(&dir) } else { Ok(()) }
}

//! The way back. What an operation is about to change is written down first, in DOKKU_LIB_ROOT; whoever comes next after
//! one that was killed puts it back and takes away what that one had made.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::cmd::Cmd;
use crate::exec;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::nginx;
use crate::operation::Process;
use crate::push::engine;
use crate::say;
use crate::tools::docker;

/// What nginx reads of an app.
const NGINX: &str = "nginx.conf";

/// What to put back, as it lies on disk.
#[derive(Serialize, Deserialize)]
struct Journal {
    process: Process,
    /// What `dokku/APP` named: an id, or nothing.
    image: Option<Option<String>>,
    files: Vec<Saved>,
    /// Temporary directories.
    trees: Vec<PathBuf>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    path: PathBuf,
    /// `None` when there was no such file.
    content: Option<Vec<u8>>,
    mode: u32,
}

/// The way back from one operation, or from one part of it.
pub struct WayBack<'h> {
    house: &'h House,
    app: App,
    path: PathBuf,
    journal: Journal,
}

impl<'h> WayBack<'h> {
    /// With nothing on it yet.
    pub fn new(house: &'h House, app: &App) -> WayBack<'h> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{:04}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let journal = Journal { process: Process::me(), image: None, files: Vec::new(), trees: Vec::new() };
        WayBack { house, app: app.clone(), path: dir(house, app).join(name), journal }
    }

    /// Remembers what `dokku/APP` names: this id, or nothing.
    pub fn image(mut self, id: Option<String>) -> Outcome<WayBack<'h>> {
        self.journal.image = Some(id);
        self.write()
    }

    /// Remembers files of the app.
    pub fn files(mut self, entries: &[&str]) -> Outcome<WayBack<'h>> {
        self.journal.files.extend(entries.iter().map(|entry| Saved::of(self.app.path(entry))));
        self.write()
    }

    /// Remembers a temporary directory to be taken away.
    pub fn tree(mut self, path: &Path) -> Outcome<WayBack<'h>> {
        self.journal.trees.push(path.to_owned());
        self.write()
    }

    fn write(self) -> Outcome<WayBack<'h>> {
        files::make_dir(&dir(self.house, &self.app))?;
        let text = serde_json::to_vec(&self.journal).context("cannot write down what is to be put back")?;
        files::replace(&self.path, &text, 0o600)?;
        Ok(self)
    }

    /// Ends well: what has been done stays.
    pub fn arrived(self) -> Outcome {
        files::remove(&self.path)
    }

    /// Puts back all that is remembered. What cannot be put back is said, and stays written down.
    pub fn go(self) {
        match self.journal.undo(self.house, &self.app).and_then(|()| files::remove(&self.path)) {
            Ok(()) => {}
            Err(fail) => say::failure(self.house, &fail),
        }
    }
}

/// Runs a change of these files of an app; if it fails, or is killed, they are as before, for nginx too.
pub fn or_as_before<T>(house: &House, app: &App, entries: &[&str], change: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let back = WayBack::new(house, app).files(entries)?;
    match change() {
        Ok(done) => back.arrived().map(|()| done),
        Err(fail) => {
            back.go();
            Err(fail)
        }
    }
}

impl Saved {
    fn of(path: PathBuf) -> Saved {
        let mode = fs::metadata(&path).map_or(0o644, |found| found.mode() & 0o7777);
        Saved { content: fs::read(&path).ok(), path, mode }
    }

    /// True if there was something to do.
    fn put_back(&self) -> Outcome<bool> {
        if fs::read(&self.path).ok() == self.content {
            return Ok(false);
        }
        match &self.content {
            Some(content) => files::replace(&self.path, content, self.mode)?,
            None => files::remove(&self.path)?,
        }
        Ok(true)
    }
}

impl Journal {
    fn undo(&self, house: &House, app: &App) -> Outcome {
        let mut nginx_changed = false;
        for saved in self.files.iter().filter(|_| app.dir.is_dir()) {
            nginx_changed |= saved.put_back()? && saved.path.ends_with(NGINX);
        }
        if let Some(reload) = nginx::reload(house).filter(|_| nginx_changed) {
            exec::silent(house, &reload)?;
        }
        if let Some(image) = &self.image {
            name_again(house, app, image.as_deref())?;
        }
        for tree in self.trees.iter().filter(|tree| tree.is_dir()) {
            files::remove_dir(tree)?;
        }
        Ok(())
    }
}

fn name_again(house: &House, app: &App, before: Option<&str>) -> Outcome {
    let said = exec::captured(house, &docker::inspect_image("{{.Id}}", &app.image()))?;
    if said.code != 0 {
        engine::missing_or(house, &said)?;
    }
    let now = (said.code == 0).then(|| said.text());
    let cmd: Cmd = match (before, now.as_deref()) {
        (before, now) if before == now => return Ok(()),
        (Some(before), _) => docker::tag(before, &app.image()),
        (None, _) => docker::rmi(&[app.image()]),
    };
    exec::silent(house, &cmd).map(drop)
}

fn dir(house: &House, app: &App) -> PathBuf {
    house.lib.join("journal").join(app.name.as_str())
}

/// Sets right what killed operations on the app left: newest first, what they changed is put back; then the containers go
/// that they had made and nobody has on record. To be called under the app's lock.
pub fn recover(house: &House, app: &App) -> Outcome {
    let left = left_behind(house, app);
    if left.is_empty() {
        return Ok(());
    }
    for (path, journal) in left.iter().rev() {
        journal.undo(house, app)?;
        files::remove(path)?;
    }
    for id in unrecorded(house, app)? {
        exec::silent(house, &docker::rm_force(&id))?;
    }
    Ok(())
}

/// The journals of processes that are gone, in the order in which they were begun. One that cannot be read was never whole.
fn left_behind(house: &House, app: &App) -> Vec<(PathBuf, Journal)> {
    let Ok(entries) = fs::read_dir(dir(house, app)) else { return Vec::new() };
    let mut left: Vec<(std::time::SystemTime, PathBuf, Journal)> = entries
        .flatten()
        .filter_map(|entry| {
            let journal: Journal = serde_json::from_slice(&fs::read(entry.path()).ok()?).ok()?;
            let modified = entry.metadata().ok()?.modified().ok()?;
            (!journal.process.lives()).then_some((modified, entry.path(), journal))
        })
        .collect();
    left.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    left.into_iter().map(|(_, path, journal)| (path, journal)).collect()
}

/// Our containers of the app that are not in service: of builds, and of releases that never came to serve.
fn unrecorded(house: &House, app: &App) -> Outcome<Vec<String>> {
    let mut ids = Vec::new();
    for phase in ["build", "probe", "web"] {
        let filters = [format!("label={}={}", docker::APP_LABEL, app.name), format!("label={}={phase}", docker::PHASE_LABEL)];
        ids.extend(exec::captured(house, &docker::list_containers(&filters))?.text().lines().map(str::to_owned));
    }
    let recorded = app.record("CONTAINER");
    ids.retain(|id| Some(id) != recorded.as_ref() && !crate::retirement::is_due(house, id));
    Ok(ids)
}

/// Forgets an app that is gone.
pub fn forget(house: &House, app: &App) -> Outcome {
    let dir = dir(house, app);
    if dir.is_dir() { files::remove_dir(&dir) } else { Ok(()) }
}

//! What an operation is about to change, written down before it does: one small file a step in DOKKU_LIB_ROOT.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context;
use nix::errno::Errno;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::process::Process;

/// The way back from one step. What it does not name is left alone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Journal {
    /// Who does the step, and wrote this.
    pub writer: Process,
    /// When the step is done, as long as this one lives it is open whether it stays done.
    pub owner: Process,
    /// Is the step done?
    #[serde(skip)]
    pub done: bool,
    /// Files to be put back.
    pub files: Vec<Saved>,
    /// Directories to be taken away.
    pub dirs: Vec<PathBuf>,
    /// The release that served, to be put back unless another one does.
    pub release: Option<Release>,
    /// The commit that was pushed. When master names it, all of this has become history.
    pub pushed: Option<String>,
    /// An app that is being destroyed is not put back: its end is finished.
    pub destroyed: bool,
}

/// A file as it lies on disk.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    /// Where.
    pub path: PathBuf,
    /// `None` when there is no such file.
    content: Option<Vec<u8>>,
    mode: u32,
}

/// What belongs to a release beside the files that a deployment switches.
#[derive(Debug, Serialize, Deserialize)]
pub struct Release {
    /// The container on record. When there is another one, a new release has come to serve.
    pub container: Option<String>,
    /// What `dokku/APP` names: an id, or nothing.
    pub image: Option<String>,
    /// The note of which image is ours.
    pub note: Saved,
    /// DOKKU_DOCKERFILE_PORT in the app's ENV, which a build sets.
    pub port: Option<Vec<u8>>,
}

impl Journal {
    /// Of a step of this process that names nothing yet.
    pub fn mine() -> Journal {
        let me = Process::me();
        Journal { writer: me, owner: me, done: false, files: Vec::new(), dirs: Vec::new(), release: None, pushed: None, destroyed: false }
    }

    /// Is nobody there any more who will go on with it?
    pub fn is_left(&self) -> bool {
        if self.done { !self.owner.lives() } else { !self.writer.lives() }
    }

    /// Does it name files and directories, and no more?
    pub fn is_of_files(&self) -> bool {
        self.release.is_none() && self.pushed.is_none() && !self.destroyed
    }

    /// Is it of a step of this process?
    pub fn is_mine(&self) -> bool {
        !self.done && self.writer == Process::me()
    }

    /// Writes it down behind all others of the app; it is on disk when this returns. The path of its file.
    pub fn write(&self, house: &House, app: &App) -> Outcome<PathBuf> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = of_app(house, app);
        files::make_dir(&dir)?;
        let place = places(&dir).last().map_or(0, |last| last + 1);
        let path = dir.join(format!("{place:06}-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let text = serde_json::to_vec(self).context("cannot write down what is to be put back")?;
        if let Err(error) = write_through(&dir, &path, &text) {
            let _ = fs::remove_file(&path);
            return Err(anyhow::Error::from(error).context(format!("cannot write {}", path.display())).into());
        }
        Ok(path)
    }
}

fn write_through(dir: &Path, path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text)?;
    file.sync_data()?;
    File::open(dir)?.sync_all()
}

/// The directory of all journals.
pub fn dir(house: &House) -> PathBuf {
    house.lib.join("journal")
}

/// The journals of an app.
pub fn of_app(house: &House, app: &App) -> PathBuf {
    dir(house).join(app.name.as_str())
}

/// Numbers that stand in front of the journals' names, in their order.
fn places(dir: &Path) -> Vec<u64> {
    let names = fs::read_dir(dir).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut places: Vec<u64> = names.filter_map(|name| name.split('-').next()?.parse().ok()).collect();
    places.sort_unstable();
    places
}

/// All journals of an app with their files, the oldest first. One that cannot be read was killed while it was written,
/// before anything was changed; it is taken away when its process is gone.
pub fn all(house: &House, app: &App) -> Vec<(PathBuf, Journal)> {
    let mut paths: Vec<PathBuf> = fs::read_dir(of_app(house, app)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().filter_map(|path| Some((path.clone(), read(&path)?))).collect()
}

/// How the file is called from the moment on when the step is done.
pub fn done(path: &Path) -> PathBuf {
    path.with_extension(DONE)
}

const DONE: &str = "done";

fn read(path: &Path) -> Option<Journal> {
    let done = path.extension().is_some_and(|extension| extension == DONE);
    let journal = serde_json::from_slice(&fs::read(path).ok()?).ok().map(|journal| Journal { done, ..journal });
    let writer = path.file_name()?.to_str()?.split('-').nth(1)?.parse().ok();
    if journal.is_none() && writer.and_then(Process::of).is_none() {
        let _ = fs::remove_file(path);
    }
    journal
}

impl Saved {
    /// The file at this path as it is now. Fails when there is one that cannot be read: it could not be put back.
    pub fn of(path: PathBuf) -> Outcome<Saved> {
        let mode = fs::metadata(&path).map_or(0o644, |found| found.mode() & 0o7777);
        Ok(Saved { content: files::content(&path)?, path, mode })
    }

    /// Puts it back. True if there was something to do.
    pub fn put_back(&self) -> Outcome<bool> {
        if fs::read(&self.path).ok() == self.content {
            return Ok(false);
        }
        match &self.content {
            Some(content) => files::replace(&self.path, content, self.mode).or_else(|fail| self.overwrite(content).map_err(|_| fail))?,
            None => files::remove(&self.path)?,
        }
        Ok(true)
    }

    /// On a full disk there is no room beside the file, but in it. Killed in the middle of this, it is done again.
    fn overwrite(&self, content: &[u8]) -> std::io::Result<()> {
        let mut file = File::options().write(true).open(&self.path)?;
        if nix::sys::statvfs::fstatvfs(&file).is_ok_and(|disk| disk.blocks_available() > 1) {
            return Err(Errno::EIO.into());
        }
        file.write_all(content)?;
        file.set_len(content.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_put_back_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let (there, new) = (dir.path().join("there"), dir.path().join("new"));
        fs::write(&there, "one").unwrap();
        let saved = [&there, &new].map(|path| Saved::of(path.clone()).unwrap());
        fs::write(&there, "two").unwrap();
        fs::write(&new, "three").unwrap();
        assert!(saved.iter().all(|saved| saved.put_back().unwrap()));
        assert!(fs::read(&there).unwrap() == b"one" && !new.exists());
        assert!(!saved.iter().any(|saved| saved.put_back().unwrap()));
    }
}

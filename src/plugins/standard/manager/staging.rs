//! Where a plugin is made ready, so that it is put in place whole or not at all, and what a killed command left is undone.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use tempfile::TempDir;

use super::Installed;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::house::House;

/// Below PLUGIN_PATH, so that a rename puts things in place. Hooks of a directory one level deeper are nobody's.
const PREFIX: &str = ".dokku-staging-";

/// The version in the making.
const NEXT: &str = "next";
/// A directory with the name of each plugin that is being installed, and was not there before.
const INSTALLING: &str = "installing";
/// The version before, below its plugin's name.
const BEFORE: &str = "before";

/// Is this a directory of ours, no plugin?
pub fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
}

/// Nobody else changes plugins while this lives, and nothing is half done.
pub struct Lock {
    plugins: PathBuf,
    _file: Flock<File>,
}

impl Lock {
    /// Fails when another command changes plugins. What a killed one left is undone.
    pub fn take(house: &House) -> Outcome<Lock> {
        let path = &house.plugin_path;
        let open = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let file = Flock::lock(open, FlockArg::LockExclusiveNonblock).map_err(|(_, errno)| match errno {
            Errno::EWOULDBLOCK => Fail::say("Another command is changing the plugins; try again when it is done"),
            errno => std::io::Error::from(errno).into(),
        })?;
        for entry in fs::read_dir(path)?.flatten().filter(|entry| is_ours(&entry.file_name().to_string_lossy())) {
            put_back(path, &entry.path())?;
            files::remove_dir(&entry.path())?;
        }
        Ok(Lock { plugins: path.clone(), _file: file })
    }
}

/// One change of one plugin. Dropped before it is `done`, everything is as it was.
pub struct Staging<'a> {
    plugin: &'a Installed,
    dir: TempDir,
    /// Its time is a part of the lock's.
    _lock: &'a Lock,
}

impl<'a> Staging<'a> {
    /// A place to make the plugin's next version ready.
    pub fn of(lock: &'a Lock, plugin: &'a Installed) -> Outcome<Staging<'a>> {
        let path = &lock.plugins;
        let dir =
            tempfile::Builder::new().prefix(PREFIX).tempdir_in(path).with_context(|| format!("cannot write to {}", path.display()))?;
        Ok(Staging { plugin, dir, _lock: lock })
    }

    /// Where the next version is to be made.
    pub fn next(&self) -> PathBuf {
        self.dir.path().join(NEXT)
    }

    /// Puts the next version in the plugin's place.
    pub fn place(&self) -> Outcome {
        if fs::symlink_metadata(&self.plugin.dir).is_ok() {
            self.set_aside()?;
        } else {
            files::make_dir(&self.dir.path().join(INSTALLING).join(&self.plugin.name))?;
        }
        rename(&self.next(), &self.plugin.dir)
    }

    /// Takes the plugin out of its place.
    pub fn set_aside(&self) -> Outcome {
        let before = self.dir.path().join(BEFORE);
        files::make_dir(&before)?;
        rename(&self.plugin.dir, &before.join(&self.plugin.name))
    }

    /// What is in place stays.
    pub fn done(self) -> Outcome {
        for part in [INSTALLING, BEFORE].map(|part| self.dir.path().join(part)).iter().filter(|part| part.exists()) {
            rename(part, &self.dir.path().join("old"))?;
        }
        Ok(())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.plugin.dir.parent() {
            // What cannot be put back now is put back by the next command; the directory must then stay.
            if put_back(path, self.dir.path()).is_err() {
                self.dir.disable_cleanup(true);
            }
        }
    }
}

/// Undoes what is not done: new plugins go, earlier versions come back.
fn put_back(plugins: &Path, staging: &Path) -> Outcome {
    for name in names(&staging.join(INSTALLING)) {
        discard(&plugins.join(&name), staging)?;
    }
    for name in names(&staging.join(BEFORE)) {
        discard(&plugins.join(&name), staging)?;
        rename(&staging.join(BEFORE).join(&name), &plugins.join(&name))?;
    }
    Ok(())
}

/// Takes a plugin away at once, by a rename.
fn discard(plugin: &Path, staging: &Path) -> Outcome {
    if fs::symlink_metadata(plugin).is_ok() { rename(plugin, &staging.join("discarded")) } else { Ok(()) }
}

fn names(dir: &Path) -> Vec<std::ffi::OsString> {
    fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.file_name()).collect()).unwrap_or_default()
}

fn rename(from: &Path, to: &Path) -> Outcome {
    fs::rename(from, to).with_context(|| format!("cannot move {} to {}", from.display(), to.display()))?;
    Ok(())
}

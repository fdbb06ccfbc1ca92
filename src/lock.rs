//! Locks of ours, one file each below `$DOKKU_LIB_ROOT/locks`. They are held for the moment of a read and a write, never
//! while a hook of somebody else runs, so nobody waits for a hook and a command that a hook calls waits for nobody.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::app::App;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;

/// What a lock keeps from being changed by two at once.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// The files of one app.
    App(&'a App),
    /// Who has which domain, over all apps.
    Domains,
    /// What nginx reads, while nginx tries it: it must not judge one app by what another is trying.
    Nginx,
    /// What is nobody's any more, while it is taken away: an engine that is told twice at once to remove an image forgets
    /// to remove those that it was made from.
    Rubbish,
}

/// Does the work alone, after waiting for whoever is at it.
pub fn holding<T>(house: &House, what: Of, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let path = path(house, what);
    files::make_dir(path.parent().expect("a lock lies in a directory"))?;
    let lock = take(&path).with_context(|| format!("cannot lock {}", path.display()))?;
    let done = work();
    drop(lock);
    done
}

/// Takes the lock of an app away with the app.
pub fn forget(house: &House, app: &App) -> Outcome {
    holding(house, Of::App(app), || files::remove(&path(house, Of::App(app))))
}

fn path(house: &House, what: Of) -> PathBuf {
    let name = match what {
        Of::App(app) => format!("app-{}", app.name),
        Of::Domains => "domains".into(),
        Of::Nginx => "nginx".into(),
        Of::Rubbish => "rubbish".into(),
    };
    house.lib.join("locks").join(name)
}

/// The lock on this file, which is made if need be; waits for whoever has it. The file is closed in children (O_CLOEXEC),
/// so none of them goes on holding it.
pub fn take(path: &Path) -> anyhow::Result<Flock<File>> {
    loop {
        let lock = Flock::lock(open(path)?, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
        if is_found(&lock, path) {
            return Ok(lock);
        }
    }
}

/// The same without waiting: the file as it is, unlocked, when somebody else has it.
pub fn try_take(path: &Path) -> anyhow::Result<Result<Flock<File>, File>> {
    loop {
        match Flock::lock(open(path)?, FlockArg::LockExclusiveNonblock) {
            Ok(lock) if is_found(&lock, path) => return Ok(Ok(lock)),
            Ok(_) | Err((_, Errno::EINTR)) => {}
            Err((file, Errno::EWOULDBLOCK)) => return Ok(Err(file)),
            Err((_, errno)) => return Err(errno.into()),
        }
    }
}

/// Does somebody have the lock on this file?
pub fn is_held(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(Flock::lock(file, FlockArg::LockSharedNonblock), Err((_, Errno::EWOULDBLOCK)))
}

fn open(path: &Path) -> std::io::Result<File> {
    File::options().create(true).truncate(false).read(true).write(true).open(path)
}

/// Is the file that we hold the one that others find at this path? It may have been taken away meanwhile.
fn is_found(held: &File, path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| held.metadata().is_ok_and(|held| held.ino() == found.ino()))
}

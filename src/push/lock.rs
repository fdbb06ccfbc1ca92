//! One build of an app at a time: `APP/.build.lock`, as 0.3.18 and those who hold it from outside know it.

use std::fs::File;

use anyhow::Context;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::say;

/// Takes the lock, waiting for it if need be. It is released with the value, or with this process; children do not hold it.
pub fn build(house: &House, app: &App) -> Outcome<Flock<File>> {
    let path = app.path(".build.lock");
    let open = || File::options().create(true).append(true).open(&path);
    let file = open().with_context(|| format!("cannot open {}", path.display()))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(lock),
        Err((file, Errno::EWOULDBLOCK)) => {
            say::line(house, format!("{} is currently being deployed or locked. Waiting...", app.name))?;
            Ok(Flock::lock(file, FlockArg::LockExclusive)
                .map_err(|(_, errno)| errno)
                .with_context(|| format!("cannot lock {}", path.display()))?)
        }
        Err((_, errno)) => Err(anyhow::Error::from(errno).context(format!("cannot lock {}", path.display())).into()),
    }
}

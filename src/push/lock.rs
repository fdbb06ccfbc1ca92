//! One build of an app at a time: `APP/.build.lock`, as 0.3.18 and those who hold it from outside know it.

use std::fs::File;

use anyhow::Context;
use nix::fcntl::Flock;

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::{lock, say};

/// Takes the lock, waiting for it if need be. It is released with the value, or with this process; children do not hold it.
pub fn build(house: &House, app: &App) -> Outcome<Flock<File>> {
    let path = app.path(".build.lock");
    if let Ok(held) = lock::try_take(&path).with_context(|| format!("cannot lock {}", path.display()))? {
        return Ok(held);
    }
    say::line(house, format!("{} is currently being deployed or locked. Waiting...", app.name))?;
    Ok(lock::take(&path).with_context(|| format!("cannot lock {}", path.display()))?)
}

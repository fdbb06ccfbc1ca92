//! Temporary directories that do not outlive a killed process for long: they are written down before they are made.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;

use super::{WayBack, say};
use crate::app::App;
use crate::fail::{Fail, Outcome};
use crate::house::House;

/// A directory with all that is in it, gone with the value.
pub struct Temporary<'h> {
    path: PathBuf,
    back: Option<WayBack<'h>>,
}

impl<'h> Temporary<'h> {
    /// In TMPDIR, for an operation on the app; only its owner may enter it.
    pub fn make(house: &'h House, app: &App) -> Outcome<Temporary<'h>> {
        let base = house.temp_dir();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = base.join(format!("dokku-{}-{now}", std::process::id()));
        let back = WayBack::to_files(house, app, &[], vec![path.clone()])?;
        match DirBuilder::new().mode(0o700).create(&path).with_context(|| format!("cannot make a directory in {}", base.display())) {
            Ok(()) => Ok(Temporary { path, back: Some(back) }),
            Err(error) => back.arrived().and(Err(Fail::Other(error))),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        let Some(back) = self.back.take() else { return };
        let house = back.house;
        let removed = fs::remove_dir_all(&self.path).with_context(|| format!("cannot remove {}", self.path.display()));
        if let Err(fail) = removed.map_err(Fail::Other).and_then(|()| back.arrived()) {
            say::failure(house, &fail);
        }
    }
}

//! Certificates in backups.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::certificates::{self, CERTIFICATE, KEY};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::plugins::app_backup;
use crate::{files, hooks, say};

/// `backup-export VERSION DIR`: passes on what others name, then names each `DIR/APP/tls/server.*`.
pub fn export(house: &House, args: &Args) -> Outcome {
    hooks::pass_on(house)?;
    for dir in tls_dirs(Path::new(args.word(1))) {
        for path in server_files(&dir) {
            say::raw(house, &[path.as_os_str().as_bytes(), b"\n"].concat())?;
        }
    }
    Ok(())
}

/// `backup-import VERSION FROM TO`: certificates that nginx could use, with their keys. 0.3.18 put them beside the apps.
pub fn import(house: &House, args: &Args) -> Outcome {
    let (from, to) = (Path::new(args.word(1)), Path::new(args.word(2)));
    for dir in tls_dirs(from) {
        let target = to.join(dir.strip_prefix(from).unwrap_or(&dir));
        if let Err(reason) = import_pair(&dir, &target)? {
            say::error(house, format!("{} is not imported: {reason}", target.display()));
        }
    }
    Ok(())
}

fn import_pair(dir: &Path, target: &Path) -> Outcome<Result<(), String>> {
    let plain = |name: &str| fs::symlink_metadata(dir.join(name)).is_ok_and(|data| data.is_file());
    if !plain(CERTIFICATE) || !plain(KEY) {
        return Ok(Err(format!("it takes both {CERTIFICATE} and {KEY}")));
    }
    if let Err(reason) = certificates::usable(&read(&dir.join(CERTIFICATE))?) {
        return Ok(Err(reason));
    }
    files::make_dir(target)?;
    for name in [CERTIFICATE, KEY] {
        let mode = fs::metadata(dir.join(name))?.permissions().mode() & 0o755;
        files::replace(&target.join(name), &read(&dir.join(name))?, mode)?;
    }
    Ok(Ok(()))
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).map_err(|error| Fail::say(format!("cannot read {}: {error}", path.display())))
}

/// `DIR/*/tls`, in the order of names.
fn tls_dirs(dir: &Path) -> Vec<PathBuf> {
    app_backup::apps(dir).into_iter().map(|name| dir.join(name).join("tls")).filter(|path| path.is_dir()).collect()
}

/// `server.*` in a directory, in the order of names.
fn server_files(dir: &Path) -> Vec<PathBuf> {
    let mut names = app_backup::apps(dir);
    names.retain(|name| name.as_os_str().as_bytes().starts_with(b"server."));
    names.into_iter().map(|name| dir.join(name)).collect()
}

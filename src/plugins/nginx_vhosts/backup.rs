//! Certificates in backups.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::certificates::{self, CERTIFICATE, KEY};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::{files, hooks, say};

/// `backup-export VERSION DIR`: passes on what others name, then names each `DIR/APP/tls/server.*`.
pub fn export(house: &House, args: &Args) -> Outcome {
    hooks::pass_on(house)?;
    for dir in tls_dirs(Path::new(args.word(1))) {
        let mut files = names(&dir);
        files.retain(|path| path.file_name().is_some_and(|name| name.as_bytes().starts_with(b"server.")));
        for path in files {
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

/// `DIR/*/tls`, in the order of names, as a shell lists them.
fn tls_dirs(dir: &Path) -> Vec<PathBuf> {
    names(dir).into_iter().map(|path| path.join("tls")).filter(|path| path.is_dir()).collect()
}

/// Entries that are not hidden, in byte order.
fn names(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let visible = entries.iter().filter(|entry| !entry.file_name().as_bytes().starts_with(b"."));
    let mut paths: Vec<PathBuf> = visible.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

//! Export of what an installation cannot make again, and its import. Plugins say what that is; most keep a file an app.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Plugin;
use crate::args::Args;
use crate::fail::Outcome;
use crate::house::House;
use crate::{files, hooks, say};

/// The table of `backup`.
pub const PLUGIN: Plugin = Plugin { name: "backup", help: Some("backup"), commands: &[], hooks: &[] };

/// A `backup-export VERSION DIR` hook for a file that every app may have: `ENV`, or with a `*` at its end `tls/server.*`.
/// Passes its input on and names those there are.
pub fn export(house: &House, args: &Args, file: &str) -> Outcome {
    hooks::pass_on(house)?;
    for path in of_apps(Path::new(args.word(1)), file) {
        say::raw(house, &[path.as_os_str().as_bytes(), b"\n"].concat())?;
    }
    Ok(())
}

/// The `backup-import VERSION FROM TO APPS` hook for the same file: puts those of the backup into the apps.
pub fn import(_house: &House, args: &Args, file: &str) -> Outcome {
    let (from, to) = (Path::new(args.word(1)), Path::new(args.word(2)));
    for path in of_apps(from, file).into_iter().filter(|path| path.is_file()) {
        put(&path, &to.join(path.strip_prefix(from).unwrap_or(&path)))?;
    }
    Ok(())
}

fn put(from: &Path, to: &Path) -> Outcome {
    let read = || anyhow::Ok((fs::read(from)?, fs::metadata(from)?.permissions().mode() & 0o777));
    let (content, mode) = read().with_context(|| format!("cannot read {}", from.display()))?;
    if let Some(dir) = to.parent().filter(|dir| !dir.exists() && dir.parent().is_some_and(Path::exists)) {
        fs::create_dir(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    }
    files::replace(to, &content, mode)
}

/// `DIR/*/FILE` as a shell expands it.
fn of_apps(dir: &Path, file: &str) -> Vec<PathBuf> {
    let (inner, name) = file.rsplit_once('/').unwrap_or((".", file));
    entries(dir, "*").into_iter().flat_map(|app| entries(&if inner == "." { app } else { app.join(inner) }, name)).collect()
}

/// What is in a directory under a name, or under names that begin with what stands before a `*`; in order, nothing hidden.
fn entries(dir: &Path, name: &str) -> Vec<PathBuf> {
    let Some(start) = name.strip_suffix('*') else {
        let path = dir.join(name);
        return path.symlink_metadata().is_ok().then_some(path).into_iter().collect();
    };
    let names = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let fitting = names.filter(|found| found.as_bytes().starts_with(start.as_bytes()) && !found.as_bytes().starts_with(b"."));
    let mut paths: Vec<PathBuf> = fitting.map(|found| dir.join(found)).collect();
    paths.sort();
    paths
}

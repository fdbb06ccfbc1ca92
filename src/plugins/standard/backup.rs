//! What the installation itself has in a backup: its names, and who may come in by which key.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;

use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::plugins::backup;
use crate::{files, hooks, say};

const KEYS: &str = ".ssh/authorized_keys";

/// backup-check VERSION FROM TO APPS: no app may be there already.
pub fn check(house: &House, args: &Args) -> Outcome {
    let apps = backup::listed(house, args.word(3))?;
    let there: Vec<_> = apps.into_iter().filter(|app| Path::new(args.word(2)).join(app.name.as_str()).is_dir()).collect();
    for app in &there {
        say::line(house, format!("Trying to import application {} which already exists.", app.name))?;
    }
    if there.is_empty() { Ok(()) } else { Err(Fail::Code(1)) }
}

/// backup-export VERSION DIR: passes its input on and names our own files.
pub fn export(house: &House, args: &Args) -> Outcome {
    hooks::pass_on(house)?;
    for name in [".sshcommand", KEYS, "HOSTNAME", "VHOST"] {
        let path = Path::new(args.word(1)).join(name);
        if path.is_file() {
            say::raw(house, &[path.as_os_str().as_bytes(), b"\n"].concat())?;
        }
    }
    Ok(())
}

/// backup-import VERSION FROM TO APPS: puts them back. Keys are added to those that are there.
pub fn import(_house: &House, args: &Args) -> Outcome {
    let (from, to) = (Path::new(args.word(1)), Path::new(args.word(2)));
    for name in [".sshcommand", "HOSTNAME", "VHOST"] {
        if from.join(name).is_file() {
            files::replace(&to.join(name), &read(&from.join(name))?, 0o644)?;
        }
    }
    if from.join(KEYS).is_file() { import_keys(&from.join(KEYS), &to.join(KEYS)) } else { Ok(()) }
}

fn import_keys(from: &Path, to: &Path) -> Outcome {
    let dir = to.parent().context("keys without a directory")?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let known = if to.exists() { read(to)? } else { Vec::new() };
    files::replace(to, &merged(&read(from)?, &known), 0o600)?;
    let protect = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
    Ok(protect(dir, 0o700).and_then(|()| protect(to, 0o600))?)
}

/// The imported lines, then those that were there and are not among them.
fn merged(imported: &[u8], known: &[u8]) -> Vec<u8> {
    let lines = |text: &'_ [u8]| text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut all = lines(imported);
    let more: Vec<_> = lines(known).into_iter().filter(|line| !all.contains(line)).collect();
    all.extend(more);
    all.into_iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect()
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    Ok(fs::read(path).with_context(|| format!("cannot read {}", path.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_merged_without_doubles() {
        assert_eq!(merged(b"a\nb", b"b\nc\n"), b"a\nb\nc\n");
        assert_eq!(merged(b"", b"c\n"), b"c\n");
    }
}

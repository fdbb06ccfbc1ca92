//! What core plugins put into a backup and take from one: files of all apps, known by their place in the app's directory.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::args::Args;
use crate::fail::Outcome;
use crate::house::House;
use crate::{files, hooks, say};

/// The hook `backup-export VERSION BASE`: passes its input on, then names the files `BASE/APP/ENTRY` that are there.
pub fn export(house: &House, args: &Args, entries: &[&str]) -> Outcome {
    hooks::pass_on(house)?;
    found(Path::new(args.word(1)), entries).iter().try_for_each(|(_, path)| say::line(house, path.to_string_lossy()))
}

/// The hook `backup-import VERSION FROM TO`: copies the files `FROM/APP/ENTRY` to `TO/APP/ENTRY`. Only plain files are
/// taken, since a link in a backup may lead anywhere.
pub fn import(args: &Args, entries: &[&str]) -> Outcome {
    let (from, to) = (Path::new(args.word(1)), Path::new(args.word(2)));
    for (name, path) in found(from, entries) {
        let read = || Ok::<_, std::io::Error>((fs::read(&path)?, fs::metadata(&path)?.mode() & 0o777));
        let (content, mode) = read().with_context(|| format!("cannot read {}", path.display()))?;
        files::replace(&to.join(name), &content, mode)?;
    }
    Ok(())
}

/// Plain files, an entry after the other, in the order of the apps' names: their paths below `base` and whole.
fn found(base: &Path, entries: &[&str]) -> Vec<(PathBuf, PathBuf)> {
    let apps = apps(base);
    let names = entries.iter().flat_map(|entry| apps.iter().map(move |app| app.join(entry)));
    let files = names.map(|name| (name.clone(), base.join(name)));
    files.filter(|(_, path)| fs::symlink_metadata(path).is_ok_and(|data| data.is_file())).collect()
}

/// Names that are not hidden, as a shell's `*` finds them, but for `tls`, which is no app.
pub fn apps(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let mut names: Vec<PathBuf> = entries.iter().map(|entry| entry.file_name().into()).collect();
    names.retain(|name| !name.as_os_str().as_encoded_bytes().starts_with(b".") && name != Path::new("tls"));
    names.sort();
    names
}

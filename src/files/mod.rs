//! One format a file: pure parsing and printing. Here: reading small files, and the one way to replace a file.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use anyhow::Context;

pub mod authorized_keys;
pub mod backup;
pub mod certificate;
pub mod checks;
pub mod docker_env;
pub mod docker_options;
pub mod dockerfile;
pub mod env;
pub mod passwd;
pub mod remotes;
pub mod server_name;
pub mod template;
pub mod variables;
pub mod vhost;

/// The first line of a small file; `None` when there is no file or nothing in it.
pub fn first_line(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().next().filter(|line| !line.is_empty()).map(str::to_owned)
}

/// A small file's text without the newlines at its end; `None` when it cannot be read.
pub fn text(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    Some(String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned())
}

/// Makes a directory, and those above it, unless it is there.
pub fn make_dir(path: &Path) -> Result<(), crate::fail::Fail> {
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(())
}

/// Removes a file; one that is not there is no error.
pub fn remove(path: &Path) -> Result<(), crate::fail::Fail> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow::Error::from(error).context(format!("cannot remove {}", path.display())).into())
        }
        _ => Ok(()),
    }
}

/// Removes a directory with all that is in it.
pub fn remove_dir(path: &Path) -> Result<(), crate::fail::Fail> {
    fs::remove_dir_all(path).with_context(|| format!("cannot remove {}", path.display()))?;
    Ok(())
}

/// Replaces a file's content whole or not at all: a temporary file beside it, then rename. An existing file's owner
/// and mode are kept; a new one gets `mode`. A link is followed, so that it stays one.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), crate::fail::Fail> {
    let mode = fs::metadata(path).map_or(mode, |old| old.mode() & 0o7777);
    replace_with_mode(path, content, mode)
}

/// The same, and only the owner may read the file from then on.
pub fn replace_private(path: &Path, content: &[u8]) -> Result<(), crate::fail::Fail> {
    replace_with_mode(path, content, 0o600)
}

/// How files are called that are to replace others; the number of the process that writes them follows.
const HALF_WRITTEN: &str = ".dokku-";

/// The number of the process that writes, or wrote, the file of this name to replace another one with it.
pub fn writer_of_half_written(name: &str) -> Option<u32> {
    name.strip_prefix(HALF_WRITTEN)?.split_once('-')?.0.parse().ok()
}

fn replace_with_mode(path: &Path, content: &[u8], mode: u32) -> Result<(), crate::fail::Fail> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    write_beside(&target, content, mode).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

fn write_beside(path: &Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    let dir = path.parent().context("no directory")?;
    let mut file = tempfile::Builder::new().prefix(&format!("{HALF_WRITTEN}{}-", std::process::id())).tempfile_in(dir)?;
    file.write_all(content)?;
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    if let Ok(old) = fs::metadata(path) {
        // Only root can give a file away; for everybody else the owner is already the same.
        let _ = std::os::unix::fs::chown(file.path(), Some(old.uid()), Some(old.gid()));
    }
    file.persist(path)?;
    Ok(())
}

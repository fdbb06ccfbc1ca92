//! One format a file: pure parsing and printing. Here: reading small files, and the one way to replace a file.

use std::fs;
use std::io::{Read, Write};
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

/// The first line of a small file (see `first_line_of`); `None` when there is no file or nothing in it.
pub fn first_line(path: &Path) -> Option<String> {
    first_line_of(&small(path).ok()?)
}

/// The first line that is not blank, without the blanks around it, as a shell makes a word of it; `None` when there is none.
pub fn first_line_of(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

/// A small file's text without the newlines at its end; `None` when it cannot be read.
pub fn text(path: &Path) -> Option<String> {
    let text = small(path).ok()?;
    Some(String::from_utf8_lossy(&text).trim_end_matches('\n').to_owned())
}

/// What is in a file; `None` when there is no such file. Fails when there is one that cannot be read: whoever went on with
/// nothing in its place would leave it out, or write that back.
pub fn content(path: &Path) -> Result<Option<Vec<u8>>, crate::fail::Fail> {
    match fs::read(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(crate::fail::Fail::from(anyhow::Error::from(error).context(format!("cannot read {}", path.display())))),
    }
}

/// The largest file that is read of a tree that a stranger filled, in bytes.
const LARGEST_OF_A_STRANGER: u64 = 4 << 20;

/// A file of a tree that a stranger filled; `None` when there is none. A link is followed within the tree only: whoever
/// pushes one to `/etc/passwd`, another app's key or `/dev/zero` gets nothing.
pub fn of_stranger(tree: &Path, name: &str) -> Result<Option<Vec<u8>>, crate::fail::Fail> {
    let real = |path: &Path| fs::canonicalize(path).ok();
    let inside = |(tree, path): (std::path::PathBuf, std::path::PathBuf)| path.starts_with(tree).then_some(path);
    let found = real(tree).zip(real(&tree.join(name))).and_then(inside).filter(|path| path.is_file());
    let Some(path) = found else { return Ok(None) };
    let mut content = Vec::new();
    let read = fs::File::open(&path).and_then(|file| file.take(LARGEST_OF_A_STRANGER + 1).read_to_end(&mut content));
    read.with_context(|| format!("cannot read {name}"))?;
    if content.len() as u64 > LARGEST_OF_A_STRANGER {
        return Err(crate::fail::Fail::say(format!("{name} is larger than {LARGEST_OF_A_STRANGER} bytes")));
    }
    Ok(Some(content))
}

/// The bytes of a file that most often fits a page: three calls of the system then, where `fs::read` makes five.
fn small(path: &Path) -> std::io::Result<Vec<u8>> {
    let (mut file, mut page) = (fs::File::open(path)?, [0; 4096]);
    let count = file.read(&mut page)?;
    let mut content = page[..count].to_vec();
    // A read that does not fill the buffer has reached the end of a plain file.
    if count == page.len() {
        file.read_to_end(&mut content)?;
    }
    Ok(content)
}

/// Does this small file hold these bytes and no more?
pub fn holds(path: &Path, content: &[u8]) -> bool {
    let mut found = vec![0; content.len() + 1];
    fs::File::open(path).and_then(|mut file| file.read(&mut found)).is_ok_and(|count| found[..count] == *content)
}

/// Makes a directory, and those above it, unless it is there.
pub fn make_dir(path: &Path) -> Result<(), crate::fail::Fail> {
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    Ok(())
}

/// Has the disk of this directory no room left? Some programs say only what they could not do.
pub fn disk_is_full(dir: &Path) -> bool {
    nix::sys::statvfs::statvfs(dir).is_ok_and(|disk| disk.blocks_available() == 0)
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

/// Replaces a file's content whole or not at all, in a power cut too: a temporary file beside it, on the disk, then rename. An existing file's owner
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
    // After a power cut the name must not stand for a file whose content never came to the disk.
    file.as_file().sync_data()?;
    if let Ok(old) = fs::metadata(path) {
        // Only root can give a file away; for everybody else the owner is already the same.
        let _ = std::os::unix::fs::chown(file.path(), Some(old.uid()), Some(old.gid()));
    }
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_out_of_a_stranger_s_tree_lead_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("sub")).unwrap();
        fs::write(dir.path().join("secret"), "s").unwrap();
        fs::write(tree.join("sub/env"), "A=1\n").unwrap();
        let targets =
            [("inside", "sub/env"), ("up", "../secret"), ("device", "/dev/zero"), ("dir", "sub"), ("nowhere", "x"), ("loop", "loop")];
        targets.iter().for_each(|(name, target)| symlink(target, tree.join(name)).unwrap());
        symlink(dir.path().join("secret"), tree.join("absolute")).unwrap();
        for name in ["up", "absolute", "device", "dir", "nowhere", "loop", "missing"] {
            assert_eq!(of_stranger(&tree, name).unwrap(), None, "{name}");
        }
        for name in ["inside", "sub/env"] {
            assert_eq!(of_stranger(&tree, name).unwrap().as_deref(), Some(b"A=1\n".as_slice()), "{name}");
        }
        fs::File::create(tree.join("big")).unwrap().set_len(LARGEST_OF_A_STRANGER + 1).unwrap();
        assert!(of_stranger(&tree, "big").unwrap_err().to_string().contains("larger"));
    }
}

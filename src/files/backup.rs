//! A backup: a tar of files by their absolute paths without the first slash, beside two files of its own.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};
use tar::{Builder, EntryType, Header};

/// Holds the version of the format, which is 1.
pub const VERSION: &str = ".dokku_backup_version";
/// Holds the names of all directories of DOKKU_ROOT, hidden ones too, a line each.
pub const APPS: &str = ".dokku_backup_apps";

/// More members than any backup has.
const MOST_MEMBERS: usize = 100_000;

/// A backup in the making.
pub struct Packer<W: Write>(Builder<W>);

impl<W: Write> Packer<W> {
    /// An empty one.
    pub fn new(to: W) -> Packer<W> {
        let mut builder = Builder::new(to);
        builder.follow_symlinks(false);
        Packer(builder)
    }

    /// Adds a file, or a directory with all in it. A link to a file goes in as the file.
    pub fn add(&mut self, path: &Path) -> anyhow::Result<()> {
        let name = path.strip_prefix("/").unwrap_or(path);
        let kind = fs::metadata(path).with_context(|| format!("cannot back up {}", path.display()))?;
        let added = if kind.is_dir() {
            self.0.append_dir_all(name, path)
        } else {
            ensure!(kind.is_file(), "cannot back up {}: it is neither a file nor a directory", path.display());
            File::open(path).and_then(|mut file| self.0.append_file(name, &mut file))
        };
        added.with_context(|| format!("cannot back up {}", path.display()))
    }

    /// Adds a file of the backup's own.
    pub fn add_text(&mut self, name: &str, text: &[u8]) -> io::Result<()> {
        let mut header = Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        self.0.append_data(&mut header, name, text)
    }

    /// Ends it.
    pub fn finish(self) -> io::Result<W> {
        self.0.into_inner()
    }
}

/// Unpacks the files and directories of a backup below `dir`, which is empty, and nowhere else; gives the paths of the
/// members it left out: links, devices and such, and those that are not `wanted`. Fails for what is no tar, leads out
/// of `dir`, or holds more than `room` bytes.
pub fn unpack(archive: impl Read, dir: &Path, room: u64, wanted: impl Fn(&Path) -> bool) -> anyhow::Result<BTreeSet<PathBuf>> {
    let mut archive = tar::Archive::new(archive);
    let (mut left_out, mut held) = (BTreeSet::new(), 0);
    for (count, entry) in archive.entries().context("this is no tar archive")?.enumerate() {
        let mut entry = entry.context("this is no tar archive, or not all of one")?;
        let path = inner(&entry.path()?)?;
        held += entry.size();
        ensure!(count < MOST_MEMBERS, "the archive has more than {MOST_MEMBERS} members");
        ensure!(held <= room, "the archive holds more than {room} bytes, half of what is free in {}", dir.display());
        match entry.header().entry_type() {
            _ if !wanted(&path) => drop(left_out.insert(path)),
            EntryType::Directory => fs::create_dir_all(dir.join(&path)).with_context(|| unusable(&path))?,
            EntryType::Regular | EntryType::Continuous => {
                let mode = entry.header().mode().unwrap_or(0o644);
                write(&mut entry, &dir.join(&path), mode).with_context(|| unusable(&path))?;
            }
            EntryType::XGlobalHeader => {}
            _ => drop(left_out.insert(path)),
        }
    }
    Ok(left_out)
}

/// A member's path below the place of unpacking.
fn inner(path: &Path) -> anyhow::Result<PathBuf> {
    let mut inner = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => inner.push(name),
            Component::ParentDir => bail!("the archive has a member with `..` in its path: {}", path.display()),
            _ => {}
        }
    }
    Ok(inner)
}

fn unusable(path: &Path) -> String {
    format!("cannot unpack {}", path.display())
}

/// No link is ever made below the place of unpacking, so none is followed here.
fn write(from: &mut impl Read, path: &Path, mode: u32) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode & 0o777 | 0o600).open(path)?;
    io::copy(from, &mut file).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(members: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, content) in members {
            let mut header = Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            // As a stranger writes it, who does not keep to the crate's rules for paths.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            if *kind == EntryType::Symlink {
                header.set_link_name("/tmp").unwrap();
            }
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn unpacked(archive: &[u8], room: u64) -> (tempfile::TempDir, anyhow::Result<BTreeSet<PathBuf>>) {
        let dir = tempfile::tempdir().unwrap();
        let result = unpack(archive, &dir.path().join("in"), room, |path| path != Path::new("unwanted"));
        (dir, result)
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "content").unwrap();
        let mut packer = Packer::new(Vec::new());
        packer.add(&file).unwrap();
        packer.add_text(VERSION, b"1\n").unwrap();
        let (out, result) = unpacked(&packer.finish().unwrap(), 100);
        assert!(result.unwrap().is_empty());
        let root = out.path().join("in");
        assert_eq!(fs::read(root.join(VERSION)).unwrap(), b"1\n");
        assert_eq!(fs::read(root.join(file.strip_prefix("/").unwrap())).unwrap(), b"content");
    }

    #[test]
    fn nothing_leaves_the_place_of_unpacking() {
        let (out, result) = unpacked(&packed(&[("/abs/x", EntryType::Regular, b"1"), ("./y", EntryType::Regular, b"2")]), 100);
        assert!(result.is_ok() && out.path().join("in/abs/x").is_file() && out.path().join("in/y").is_file());
        let (out, result) = unpacked(&packed(&[("../up", EntryType::Regular, b"1")]), 100);
        assert!(result.unwrap_err().to_string().contains("`..`") && !out.path().join("up").exists());
    }

    #[test]
    fn links_and_devices_are_left_out() {
        let kinds = [EntryType::Symlink, EntryType::Link, EntryType::Char, EntryType::Block, EntryType::Fifo];
        for kind in kinds {
            let (out, result) = unpacked(&packed(&[("link", kind, b""), ("link/in", EntryType::Regular, b"1")]), 100);
            assert_eq!(result.unwrap(), [PathBuf::from("link")].into(), "{kind:?}");
            assert!(out.path().join("in/link/in").is_file() && !Path::new("/tmp/in").exists());
        }
    }

    #[test]
    fn what_is_unwanted_too_big_or_no_archive_stays_outside() {
        let (out, result) = unpacked(&packed(&[("unwanted", EntryType::Regular, b"1")]), 100);
        assert!(result.unwrap().contains(Path::new("unwanted")) && !out.path().join("in/unwanted").exists());
        let (_out, result) = unpacked(&packed(&[("a", EntryType::Regular, b"12"), ("b", EntryType::Regular, b"3")]), 2);
        assert!(result.unwrap_err().to_string().contains("more than 2 bytes"));
        let (_out, result) = unpacked(b"hello\n", 100);
        assert!(result.is_err());
    }
}

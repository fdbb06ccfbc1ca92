//! Moving the app's tree and giving it to its user, at the price of as few copies as the filesystem allows.

use crate::account::Account;
use crate::failure::{Context, Failure};
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::Path;

/// Moves everything in directory `from` to `to`, which may be there but must be empty.
///
/// A rename where it can be one. It cannot where `from` lies in a layer below the container's own, as after a
/// `docker commit`, or where something is mounted in it: then the contents are copied, and what cannot be
/// removed from `from` stays there.
pub fn move_contents(from: &Path, to: &Path) -> Result<(), Failure> {
    let described = || format!("move {} to {}", from.display(), to.display());
    let _ = fs::remove_dir(to);
    match fs::rename(from, to) {
        Ok(()) => Ok(()),
        Err(error) if is_unmovable(&error) => {
            copy_contents(from, to).context(described)?;
            remove_contents(from);
            Ok(())
        }
        Err(error) => Err(error).context(described),
    }
}

/// Removes everything in a directory that can be removed, as `rm -rf DIRECTORY/*` would.
pub fn remove_contents(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let _ = if is_directory { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
    }
}

/// Gives a file, or a directory with all it holds, to the account. What is its own already costs a look only.
pub fn give(path: &Path, owner: &Account) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if metadata.uid() != owner.uid || metadata.gid() != owner.gid {
        lchown(path, Some(owner.uid), Some(owner.gid))?;
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            give(&entry?.path(), owner)?;
        }
    }
    Ok(())
}

fn is_unmovable(error: &io::Error) -> bool {
    let exists = [ErrorKind::DirectoryNotEmpty, ErrorKind::AlreadyExists];
    let busy = [ErrorKind::CrossesDevices, ErrorKind::ResourceBusy];
    exists.contains(&error.kind()) || busy.contains(&error.kind())
}

/// Copies a tree with its permissions; what is no file, directory or link is left out.
pub fn copy_contents(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_contents(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("from/sub/empty")).unwrap();
        fs::write(root.path().join("from/sub/run"), "x").unwrap();
        fs::set_permissions(root.path().join("from/sub/run"), fs::Permissions::from_mode(0o750)).unwrap();
        symlink("nowhere", root.path().join("from/link")).unwrap();
        root
    }

    fn assert_moved(root: &Path) {
        let mode = fs::metadata(root.join("to/sub/run")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
        assert!(root.join("to/sub/empty").is_dir());
        assert_eq!(fs::read_link(root.join("to/link")).unwrap(), Path::new("nowhere"));
        assert!(!root.join("from/sub").exists());
    }

    #[test]
    fn a_tree_is_renamed() {
        let root = tree();
        fs::create_dir(root.path().join("to")).unwrap();
        move_contents(&root.path().join("from"), &root.path().join("to")).unwrap();
        assert_moved(root.path());
        assert!(!root.path().join("from").exists());
    }

    #[test]
    fn a_tree_that_cannot_be_renamed_is_copied() {
        let root = tree();
        fs::create_dir(root.path().join("to")).unwrap();
        fs::write(root.path().join("to/there"), "before").unwrap();
        move_contents(&root.path().join("from"), &root.path().join("to")).unwrap();
        assert_moved(root.path());
    }

    #[test]
    fn a_missing_tree_is_named() {
        let failure = move_contents(Path::new("/nonexistent/a"), Path::new("/nonexistent/b"));
        assert!(format!("{failure:?}").contains("move /nonexistent/a to /nonexistent/b"));
    }
}

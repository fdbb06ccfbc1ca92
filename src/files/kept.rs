//! Files as they were before a change, for the case that the change does not last.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::fail::Fail;
use crate::files;

/// Contents and modes of some files, and which of them were not there.
pub struct Kept(Vec<(PathBuf, Option<Content>)>);

type Content = (Vec<u8>, u32);

impl Kept {
    /// Reads the files. One that is there and cannot be read is an error: it could not be put back.
    pub fn of(paths: impl IntoIterator<Item = PathBuf>) -> Result<Kept, Fail> {
        paths.into_iter().map(|path| read(&path).map(|content| (path, content))).collect::<Result<_, _>>().map(Kept)
    }

    /// Puts every file back whose content has changed, and removes those that were not there.
    pub fn put_back(&self) -> Result<(), Fail> {
        for (path, content) in &self.0 {
            match content {
                Some((bytes, _)) if fs::read(path).is_ok_and(|now| now == *bytes) => {}
                Some((bytes, mode)) => files::replace(path, bytes, *mode)?,
                None => files::remove(path)?,
            }
        }
        Ok(())
    }
}

fn read(path: &PathBuf) -> Result<Option<Content>, Fail> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some((bytes, fs::metadata(path)?.permissions().mode() & 0o7777))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow::Error::from(error).context(format!("cannot read {}", path.display())).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("a"), "old").unwrap();
        fs::set_permissions(path("a"), fs::Permissions::from_mode(0o640)).unwrap();
        let kept = Kept::of(["a", "b"].map(path)).unwrap();
        fs::remove_file(path("a")).unwrap();
        fs::write(path("b"), "new").unwrap();
        kept.put_back().unwrap();
        assert_eq!(fs::read(path("a")).unwrap(), b"old");
        assert_eq!(fs::metadata(path("a")).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(!path("b").exists());
    }
}

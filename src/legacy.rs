//! The docker of 2015: where its wrapper stands (`faces/docker`), and the PATH on which others' hooks and commands find it.

use std::env::{join_paths, split_paths};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::house::House;

/// `0` takes the wrapper away; plugins then meet the engine's own client.
pub const SWITCH: &str = "DOKKU_LEGACY_DOCKER";

/// Below DOKKU_LIB_ROOT: a directory for the wrapper alone, since whatever else lay in it would be found first as well.
const DIR: &str = "compat";

/// `$DOKKU_LIB_ROOT/compat`.
pub fn dir(lib: &Path) -> PathBuf {
    lib.join(DIR)
}

/// Is the wrapper installed, and not switched off?
pub fn is_on(house: &House) -> bool {
    house.var(SWITCH).is_none_or(|value| value != "0") && dir(&house.lib).join("docker").exists()
}

/// The PATH for a file that is not ours: the wrapper, then all else. `None` when there is nothing to change.
pub fn path(house: &House) -> Option<OsString> {
    let path = house.var("PATH").filter(|_| is_on(house))?;
    join_paths(std::iter::once(dir(&house.lib)).chain(split_paths(&path))).ok()
}

/// Our own PATH: a plugin that calls dokku hands us the one that it was given.
pub fn without(path: &OsStr, lib: &Path) -> OsString {
    let dir = dir(lib);
    if !split_paths(path).any(|entry| entry == dir) {
        return path.to_owned();
    }
    join_paths(split_paths(path).filter(|entry| *entry != dir)).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_path_is_what_it_was_before() {
        let lib = Path::new("/var/lib/dokku");
        for (path, left) in [("/var/lib/dokku/compat:/usr/bin:/bin", "/usr/bin:/bin"), ("/usr/bin::/bin", "/usr/bin::/bin"), ("", "")] {
            assert_eq!(without(OsStr::new(path), lib), left);
        }
    }
}

//! Where things are inside the image: the paths of buildstep's contract.

use std::env;
use std::path::{Path, PathBuf};

/// The paths that the builder, buildpacks and dokku agree on.
pub struct Layout {
    root: PathBuf,
    cache: PathBuf,
}

impl Layout {
    /// The layout of the running system. DOKKU_BUILDER_ROOT puts it under another directory, for tests;
    /// CACHE_PATH names another cache, as dokku does.
    pub fn from_environment() -> Layout {
        let root = env::var_os("DOKKU_BUILDER_ROOT").map_or_else(|| "/".into(), PathBuf::from);
        let cache = env::var_os("CACHE_PATH").filter(|path| !path.is_empty());
        Layout { cache: cache.map_or_else(|| root.join("cache"), PathBuf::from), root }
    }

    /// A layout below `root`, with its own cache.
    #[cfg(test)]
    pub fn under(root: &Path) -> Layout {
        Layout { cache: root.join("cache"), root: root.into() }
    }

    /// The app: its source before the build, its home from then on.
    pub fn app(&self) -> PathBuf {
        self.root.join("app")
    }

    /// BUILD_DIR of buildpacks; it becomes the app's home after the build.
    pub fn build(&self) -> PathBuf {
        self.root.join("tmp/build")
    }

    /// ENV_DIR of buildpacks: a file for each variable.
    pub fn env(&self) -> PathBuf {
        self.root.join("tmp/env")
    }

    /// CACHE_DIR of buildpacks, kept from build to build.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// The buildpacks of the image, tried in byte order; fetched ones are put beside them.
    pub fn buildpacks(&self) -> PathBuf {
        self.root.join("tmp/buildpacks")
    }

    /// All of /tmp, emptied after the build.
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Holds /build/builder, which is of no use in an app's image.
    pub fn programs(&self) -> PathBuf {
        self.root.join("build")
    }

    /// Starts a process type: `/start TYPE`.
    pub fn start(&self) -> PathBuf {
        self.root.join("start")
    }

    /// Runs a command as the app would: `/exec COMMAND...`.
    pub fn exec(&self) -> PathBuf {
        self.root.join("exec")
    }

    /// A file of the account database: `passwd`, `group` or `shadow`.
    pub fn accounts(&self, file: &str) -> PathBuf {
        self.root.join("etc").join(file)
    }
}

//! `build-env`.

use super::Plugin;

/// The table of `build-env`.
pub const PLUGIN: Plugin = Plugin { name: "build-env", help: None, commands: &[], hooks: &[] };

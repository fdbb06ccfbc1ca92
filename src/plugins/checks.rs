//! The checks of a new container before it serves.

use super::Plugin;

/// The table of `checks`.
pub const PLUGIN: Plugin = Plugin { name: "checks", help: None, commands: &[], hooks: &[] };

//! Options for docker, by phase.

use super::Plugin;

/// The table of `docker-options`.
pub const PLUGIN: Plugin = Plugin { name: "docker-options", help: None, commands: &[], hooks: &[] };

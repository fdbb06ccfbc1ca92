//! `dokku shell`.

use super::Plugin;

/// The table of `shell`.
pub const PLUGIN: Plugin = Plugin { name: "shell", help: Some("shell"), commands: &[], hooks: &[] };

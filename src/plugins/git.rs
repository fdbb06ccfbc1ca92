//! `git`.

use super::Plugin;

/// The table of `git`.
pub const PLUGIN: Plugin = Plugin { name: "git", help: Some("git"), commands: &[], hooks: &[] };

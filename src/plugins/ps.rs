//! `ps`.

use super::Plugin;

/// The table of `ps`.
pub const PLUGIN: Plugin = Plugin { name: "ps", help: Some("ps"), commands: &[], hooks: &[] };

//! `apps`.

use super::Plugin;

/// The table of `apps`.
pub const PLUGIN: Plugin = Plugin { name: "apps", help: Some("apps"), commands: &[], hooks: &[] };

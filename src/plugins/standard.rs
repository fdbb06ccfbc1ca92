//! `00_dokku-standard`.

use super::Plugin;

/// The table of `00_dokku-standard`.
pub const PLUGIN: Plugin = Plugin { name: "00_dokku-standard", help: None, commands: &[], hooks: &[] };

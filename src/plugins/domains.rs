//! The domains of an app.

use super::Plugin;

/// The table of `domains`.
pub const PLUGIN: Plugin = Plugin { name: "domains", help: Some("domains"), commands: &[], hooks: &[] };

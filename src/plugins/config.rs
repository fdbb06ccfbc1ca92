//! Variables of an app.

use super::Plugin;

/// The table of `config`.
pub const PLUGIN: Plugin = Plugin { name: "config", help: Some("config"), commands: &[], hooks: &[] };

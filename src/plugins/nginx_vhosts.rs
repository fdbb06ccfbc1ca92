//! nginx in front of the apps.

use super::Plugin;

/// The table of `nginx-vhosts`.
pub const PLUGIN: Plugin = Plugin { name: "nginx-vhosts", help: Some("nginx"), commands: &[], hooks: &[] };

//! `backup:export`, `backup:import`.

use super::Plugin;

/// The table of `backup`.
pub const PLUGIN: Plugin = Plugin { name: "backup", help: Some("backup"), commands: &[], hooks: &[] };

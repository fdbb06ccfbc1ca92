//! Copies of whole directories.

use std::path::Path;

use crate::cmd::Cmd;

/// Copies a directory with all that is in it, owners, modes and links kept, to a path that is not there yet.
pub fn whole(from: &Path, to: &Path) -> Cmd {
    Cmd::new("cp").args(["-a", "-T", "--"]).args([from, to])
}

//! The faces of the one program, by argv\[0\].

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::fail::Outcome;

pub mod client;
pub mod docker;
pub mod dokku;
pub mod pluginhook;
pub mod ssh;
pub mod sshcommand;

/// Runs the face that `program` names; `dokku` for any name that is none.
pub fn run(program: &OsStr, words: &[OsString]) -> Outcome {
    match Path::new(program).file_name().and_then(OsStr::to_str) {
        Some("docker") => docker::run(words),
        Some("pluginhook") => pluginhook::run(words),
        Some("sshcommand") => sshcommand::run(words),
        Some("dokku-client" | "dokku_client.sh") => client::run(words),
        _ => dokku::run(words),
    }
}

//! OpenSSH's own programs.

use std::ffi::OsString;

use crate::cmd::Cmd;

/// Prints size, fingerprint, comment and type of the public key on stdin; fails when it is none.
pub fn fingerprint() -> Cmd {
    Cmd::new("ssh-keygen").args(["-l", "-f", "-"])
}

/// Runs words as a command of dokku's on a server, on a terminal of its own if `tty`.
pub fn command(tty: bool, host: &str, port: Option<&str>, words: &[OsString]) -> Cmd {
    let port = port.into_iter().flat_map(|port| ["-p", port]);
    Cmd::new("ssh").args(tty.then_some("-t")).args(port).arg(format!("dokku@{host}")).arg("--").args(words)
}

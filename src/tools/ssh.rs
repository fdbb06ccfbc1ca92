//! OpenSSH's own programs.

use crate::cmd::Cmd;

/// Prints size, fingerprint, comment and type of the public key on stdin; fails when it is none.
pub fn fingerprint() -> Cmd {
    Cmd::new("ssh-keygen").args(["-l", "-f", "-"])
}

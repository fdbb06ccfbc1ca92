//! Accounts of the system: finding them, making them.

use std::path::Path;

use crate::cmd::Cmd;

/// Prints the account's line of passwd(5), from whatever the name service knows; ends with 2 when there is none.
pub fn lookup(user: &str) -> Cmd {
    Cmd::new("getent").args(["passwd", user])
}

/// Makes a user without a password, in Debian's way.
pub fn adduser(user: &str) -> Cmd {
    Cmd::new("adduser").args(["--disabled-password", "--gecos", "", user])
}

/// The same where there is no adduser. A password of `*` fits none, and unlike useradd's own `!` lets keys in.
pub fn useradd(user: &str) -> Cmd {
    Cmd::new("useradd").args(["-m", "-s", "/bin/bash", "-p", "*", user])
}

/// Gives everything in a home to its user; links themselves, never what they point to.
pub fn own(user: &str, home: &Path) -> Cmd {
    Cmd::new("chown").args(["-R", "-P", user]).arg(home)
}

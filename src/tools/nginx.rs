//! nginx, through sudo: exactly the commands that the sudoers file allows.

use crate::cmd::{Cmd, Limit};

/// Where packages of nginx put it.
pub const PROGRAM: &str = "/usr/sbin/nginx";
/// Where most of them put a script that starts it and makes it reload.
pub const INIT_SCRIPT: &str = "/etc/init.d/nginx";

fn sudo() -> Cmd {
    Cmd::new("sudo").limit(Limit::Brief)
}

/// Tries the whole configuration.
pub fn test() -> Cmd {
    sudo().args([PROGRAM, "-t"])
}

/// Takes the configuration into use; `None` on a DOKKU_DISTRO that has no known way.
pub fn reload(distro: &str) -> Option<Cmd> {
    match distro {
        "ubuntu" => Some(sudo().args([INIT_SCRIPT, "reload"])),
        "opensuse" => Some(sudo().args(["/sbin/service", "nginx", "reload"])),
        _ => None,
    }
}

/// The same, where there is no init script.
pub fn signal_reload() -> Cmd {
    sudo().args([PROGRAM, "-s", "reload"])
}

/// Prints the version on stderr.
pub fn version() -> Cmd {
    Cmd::new(PROGRAM).arg("-v").limit(Limit::Brief)
}

/// The line of sudoers that lets user dokku run what is above.
pub fn sudoers(distro: &str) -> String {
    let reload = match distro {
        "opensuse" => "/sbin/service nginx reload".to_owned(),
        _ => format!("{INIT_SCRIPT} reload"),
    };
    format!("%dokku ALL=(ALL) NOPASSWD:{reload}, {PROGRAM} -t, {PROGRAM} -s reload\n")
}

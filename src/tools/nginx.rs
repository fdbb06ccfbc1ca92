//! nginx, through sudo: exactly the commands that the sudoers file allows.

use crate::cmd::Cmd;

/// Tries the whole configuration.
pub fn test() -> Cmd {
    Cmd::new("sudo").args(["/usr/sbin/nginx", "-t"])
}

/// Takes the configuration into use; `None` on a DOKKU_DISTRO that has no known way.
pub fn reload(distro: &str) -> Option<Cmd> {
    match distro {
        "ubuntu" => Some(Cmd::new("sudo").args(["/etc/init.d/nginx", "reload"])),
        "opensuse" => Some(Cmd::new("sudo").args(["/sbin/service", "nginx", "reload"])),
        _ => None,
    }
}

//! The package managers of Debian, Ubuntu and openSUSE.

use crate::cmd::Cmd;

/// Fetches the lists of packages.
pub fn apt_update() -> Cmd {
    apt().args(["-qq", "update"])
}

/// Installs packages without a question; configuration files that somebody edited stay.
pub fn apt_install(names: &[&str]) -> Cmd {
    let keep = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"];
    apt().args(["-qq", "-y"]).args(keep).arg("install").args(names)
}

/// Installs packages without a question.
pub fn zypper_install(names: &[&str]) -> Cmd {
    Cmd::new("zypper").args(["-q", "in", "-y"]).args(names)
}

/// Lists the files of a package that are not as the package has them.
pub fn dpkg_verify(package: &str) -> Cmd {
    Cmd::new("dpkg").args(["--verify", package])
}

fn apt() -> Cmd {
    Cmd::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive")
}

//! What an installation gives nginx. Runs as root; what is there stays, be it 0.3.18's or a user's own.

use super::etc::Etc;
use super::installed::Version;
use crate::args::Args;
use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::nginx as service;
use crate::tools::{nginx, packages};

/// The hook `dependencies`.
pub fn dependencies(house: &House, _: &Args) -> Outcome {
    if !service::is_missing() && which::which("dig").is_ok() {
        return Ok(());
    }
    match house.distro.as_str() {
        "ubuntu" => {
            exec::run(house, &packages::apt_update())?;
            exec::run(house, &packages::apt_install(&["nginx", "bind9-dnsutils"]))
        }
        "opensuse" => exec::run(house, &packages::zypper_install(&["nginx", "bind-utils"])),
        _ => Ok(()),
    }
}

/// The hook `install`. All of it or, when nginx refuses what was laid down, nothing.
pub fn run(house: &House, _: &Args) -> Outcome {
    if service::is_missing() {
        return Err(Fail::say(service::MISSING));
    }
    let mut etc = Etc::at("/etc");
    etc.allow_user_dokku(&house.distro)?;
    let laid = etc.lay(house, Version::installed(house), &|| is_untouched(house));
    laid.and_then(|()| try_configuration(house)).or_else(|fail| {
        etc.take_back()?;
        Err(fail)
    })?;
    service::start(house)
}

fn try_configuration(house: &House) -> Outcome {
    let said = exec::captured(house, &Cmd::new(nginx::PROGRAM).arg("-t"))?;
    let complaint = String::from_utf8_lossy(&said.stderr);
    let what = format!("{}\nnginx refuses its configuration with what dokku adds to it; nothing has been added", complaint.trim_end());
    if said.code == 0 { Ok(()) } else { Err(Fail::Said(said.code, what)) }
}

/// Is Debian's default site as the package has it?
fn is_untouched(house: &House) -> bool {
    let said = exec::captured(house, &packages::dpkg_verify("nginx-common"));
    said.is_ok_and(|said| said.code != 127 && !String::from_utf8_lossy(&said.stdout).contains("sites-available/default"))
}

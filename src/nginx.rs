//! nginx as a running service: trying its configuration and having it taken into use.

use std::path::Path;

use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, Outcome, from_code};
use crate::files;
use crate::house::House;
use crate::tools::nginx;
use workers::OldWorkers;

mod workers;

/// Where nginx notes its master's process, unless somebody has told it otherwise.
const PID_FILE: &str = "/run/nginx.pid";

/// Has nginx read its configuration again, by the command that `run` is given, and returns when the new one is in force for
/// whoever asks then. `None` on a DOKKU_DISTRO that has no known way.
pub fn reload<T>(house: &House, run: impl FnOnce(&Cmd) -> Outcome<T>) -> Outcome<Option<T>> {
    let Some(reload) = way_to_reload(house) else { return Ok(None) };
    let old = OldWorkers::of(Path::new("/proc"), Path::new(PID_FILE));
    let ran = run(&reload)?;
    old.let_go();
    Ok(Some(ran))
}

/// The same with nothing on stdout, as 0.3.18's plugins do it; its failure is theirs.
pub fn reload_hushed(house: &House) -> Outcome {
    reload(house, |reload| from_code(exec::status_hushed(house, reload)?)).map(drop)
}

fn way_to_reload(house: &House) -> Option<Cmd> {
    // Some packages of nginx bring no init script; the sudoers file allows the direct way too.
    let direct = house.distro == "ubuntu" && !Path::new(nginx::INIT_SCRIPT).exists() && Path::new(nginx::PROGRAM).exists();
    if direct { Some(nginx::signal_reload()) } else { nginx::reload(&house.distro) }
}

/// Tries the whole configuration. The failure says what nginx complains of, with its code.
pub fn test(house: &House) -> Outcome {
    let tried = exec::captured(house, &nginx::test())?;
    if tried.code == 0 {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&[tried.stdout, tried.stderr].concat()).trim_end().to_owned();
    Err(Fail::Said(tried.code, if is_missing() { MISSING.to_owned() } else { complaint }))
}

/// Tries the whole configuration, then has it taken into use.
pub fn take_into_use(house: &House) -> Outcome {
    test(house)?;
    reload(house, |reload| {
        let told = exec::captured(house, reload)?;
        match told.code {
            0 => Ok(()),
            code => {
                let complaint = String::from_utf8_lossy(&told.stderr);
                let what = format!("{}\nnginx could not be reloaded (`{}`): is it running?", complaint.trim_end(), reload.line());
                Err(Fail::Said(code, what.trim_start().to_owned()))
            }
        }
    })
    .map(drop)
}

/// Has a running nginx read its configuration, or starts it: through systemd where that runs, else by its init script,
/// which works without an init too, else directly. As root.
pub fn start(house: &House) -> Outcome {
    let ways: &[Cmd] = if Path::new("/run/systemd/system").is_dir() {
        &[Cmd::new("systemctl").args(["reload-or-restart", "nginx"])]
    } else if Path::new(nginx::INIT_SCRIPT).exists() {
        &[Cmd::new(nginx::INIT_SCRIPT).arg("start"), Cmd::new(nginx::INIT_SCRIPT).arg("reload")]
    } else if is_running() {
        &[Cmd::new(nginx::PROGRAM).args(["-s", "reload"])]
    } else {
        &[Cmd::new(nginx::PROGRAM)]
    };
    for way in ways {
        let said = exec::captured(house, way)?;
        if said.code != 0 {
            let complaint = String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).trim().to_owned();
            return Err(Fail::Said(said.code, format!("nginx does not start (`{}`): {}", way.line(), logged().unwrap_or(complaint))));
        }
    }
    Ok(())
}

/// The last thing that kept nginx from starting, from its log; its init script says only that something did.
fn logged() -> Option<String> {
    let log = files::text(Path::new("/var/log/nginx/error.log"))?;
    let said = |word: &str| log.lines().rev().find(|line| line.contains("[emerg]") && line.contains(word));
    // `bind() to 0.0.0.0:80 failed (98: Address already in use)` comes before `still could not bind()`.
    said("failed (").or_else(|| said("")).map(str::to_owned)
}

/// Does nginx run, as far as its usual file tells?
pub fn is_running() -> bool {
    let pid = files::first_line(Path::new(PID_FILE));
    pid.is_some_and(|pid| !pid.trim().is_empty() && Path::new("/proc").join(pid.trim()).exists())
}

/// Said when there is no nginx.
pub const MISSING: &str = "nginx is not installed: there is no /usr/sbin/nginx. `dokku plugins-install-dependencies` as root installs it.";

/// Is there no nginx on this machine?
pub fn is_missing() -> bool {
    !Path::new(nginx::PROGRAM).exists()
}

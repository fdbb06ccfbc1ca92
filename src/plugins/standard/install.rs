//! The install hook: HOSTNAME, VHOST and the job that brings the apps back after a boot. Runs as root.

use std::path::Path;

use crate::args::Args;
use crate::cmd::Cmd;
use crate::fail::Outcome;
use crate::house::House;
use crate::{exec, files};

/// Fills in what is missing; what is there stays.
pub fn run(house: &House, _: &Args) -> Outcome {
    let hostname = house.root.join("HOSTNAME");
    if !hostname.exists() {
        let name = exec::output(house, &Cmd::new("hostname").arg("-f"))?;
        files::replace(&hostname, &name.stdout, 0o644)?;
    }
    let vhost = house.root.join("VHOST");
    if !vhost.exists() && is_in_dns(house, &files::text(&hostname).unwrap_or_default())? {
        files::replace(&vhost, &std::fs::read(&hostname)?, 0o644)?;
    }
    boot_job(house)
}

fn is_in_dns(house: &House, name: &str) -> Outcome<bool> {
    if which::which("dig").is_err() {
        return Ok(false);
    }
    Ok(!exec::output(house, &Cmd::new("dig").args(["+short", name]))?.text().is_empty())
}

const UPSTART: &str = "description \"Dokku app redeploy service\"\n\nstart on filesystem and started docker\n\nscript\n  sleep 2 # give docker some time\n  sudo -i -u dokku /usr/local/bin/dokku ps:restartall\nend script\n";

const SYSTEMD: &str = "[Unit]\nDescription=Dokku app redeploy service\nAfter=docker.service network-online.target nginx.service\nWants=network-online.target\n\n[Service]\nType=oneshot\nUser=dokku\nExecStart=/usr/local/bin/dokku ps:restartall\n\n[Install]\nWantedBy=multi-user.target\n";

const SYSV: &str = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides:          dokku-redeploy\n# Required-Start:    $remote_fs $network docker\n# Required-Stop:\n# Default-Start:     2 3 4 5\n# Default-Stop:\n# Short-Description: Dokku app redeploy service\n### END INIT INFO\n[ \"$1\" = start ] || exit 0\nsu - dokku -c '/usr/local/bin/dokku ps:restartall' > /dev/null 2>&1 &\n";

/// One job for whatever init is there: upstart as 0.3.18, else systemd, else sysvinit.
fn boot_job(house: &House) -> Outcome {
    if Path::new("/etc/init").is_dir() {
        return files::replace(Path::new("/etc/init/dokku-redeploy.conf"), UPSTART.as_bytes(), 0o644);
    }
    if Path::new("/etc/systemd/system").is_dir() {
        files::replace(Path::new("/etc/systemd/system/dokku-redeploy.service"), SYSTEMD.as_bytes(), 0o644)?;
        if Path::new("/run/systemd/system").is_dir() {
            exec::silent(house, &Cmd::new("systemctl").args(["enable", "dokku-redeploy.service"]))?;
        }
        return Ok(());
    }
    if Path::new("/etc/init.d").is_dir() {
        files::replace(Path::new("/etc/init.d/dokku-redeploy"), SYSV.as_bytes(), 0o755)?;
        exec::silent(house, &Cmd::new("update-rc.d").args(["dokku-redeploy", "defaults"]))?;
    }
    Ok(())
}

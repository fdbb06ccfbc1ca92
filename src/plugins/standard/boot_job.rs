//! The job that brings the apps back after a boot, and where systemd is after each start of the engine: `dokku ps:restore`
//! under whatever init is there. Where there is none, the next command on an app does it (`plugins/ps/restore.rs`). An
//! nginx that a broken file of one app has kept from starting is started when that app has been set aside.

use std::path::Path;

use crate::cmd::Cmd;
use crate::exec;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;

/// docker.service counts as started when the engine answers; its restart after a crash counts as a start, too.
const SYSTEMD: &str = "\
[Unit]
Description=Apps of dokku run, and nginx knows where
After=docker.service nginx.service

[Service]
Type=oneshot
User=dokku
ExecStart=/usr/local/bin/dokku ps:restore
ExecStartPost=-+/bin/sh -c 'systemctl --quiet is-enabled nginx && systemctl start nginx'

[Install]
WantedBy=docker.service
";

const UPSTART: &str = "\
description \"Apps of dokku run, and nginx knows where\"

start on filesystem and started docker

script
  i=0; until docker version > /dev/null 2>&1 || [ $i -ge 60 ]; do sleep 1; i=$((i + 1)); done
  sudo -i -u dokku /usr/local/bin/dokku ps:restore || true
  invoke-rc.d nginx start || true
end script
";

const SYSV: &str = "\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          dokku-redeploy
# Required-Start:    $remote_fs $network docker
# Required-Stop:
# Should-Start:      nginx
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: Apps of dokku run, and nginx knows where
### END INIT INFO
[ \"$1\" = start ] || exit 0
(
  i=0; until docker version || [ $i -ge 60 ]; do sleep 1; i=$((i + 1)); done
  su - dokku -c '/usr/local/bin/dokku ps:restore'
  invoke-rc.d nginx start
) > /dev/null 2>&1 &
";

/// Installs it, under the name that 0.3.18's had.
pub fn install(house: &House, root: &Path) -> Outcome {
    let is_dir = |path: &str| root.join(path).is_dir();
    let systemd_runs = is_dir("run/systemd/system");
    if !systemd_runs && is_dir("etc/init") {
        return files::replace(&root.join("etc/init/dokku-redeploy.conf"), UPSTART.as_bytes(), 0o644);
    }
    if is_dir("etc/systemd/system") {
        files::replace(&root.join("etc/systemd/system/dokku-redeploy.service"), SYSTEMD.as_bytes(), 0o644)?;
        // Not `enable`: what an older version enabled it for must go.
        exec::silent(house, &Cmd::new("systemctl").arg("--root").arg(root).args(["reenable", "dokku-redeploy.service"]))?;
    }
    if systemd_runs {
        exec::silent(house, &Cmd::new("systemctl").arg("daemon-reload"))?;
    } else if is_dir("etc/init.d") {
        files::replace(&root.join("etc/init.d/dokku-redeploy"), SYSV.as_bytes(), 0o755)?;
        exec::silent(house, &Cmd::new("update-rc.d").args(["dokku-redeploy", "defaults"]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Env;
    use crate::io::Io;

    /// What there is after an install on a machine with these directories.
    fn installed(dirs: &[&str]) -> Vec<String> {
        let machine = tempfile::tempdir().unwrap();
        dirs.iter().for_each(|dir| std::fs::create_dir_all(machine.path().join(dir)).unwrap());
        // No program is found on such a PATH: only files are looked at.
        let env = Env::from([("DOKKU_ROOT".into(), "/nowhere".into()), ("PATH".into(), "/nowhere".into())]);
        install(&House::from_env(env, Io::of_process()).unwrap(), machine.path()).unwrap();
        let there = |path: &&str| machine.path().join(path).exists();
        let all = ["etc/init/dokku-redeploy.conf", "etc/systemd/system/dokku-redeploy.service", "etc/init.d/dokku-redeploy"];
        all.into_iter().filter(there).map(str::to_owned).collect()
    }

    #[test]
    fn each_init_gets_its_own() {
        assert_eq!(installed(&["etc/init", "etc/init.d"]), ["etc/init/dokku-redeploy.conf"]);
        assert_eq!(installed(&["etc/init", "etc/systemd/system", "run/systemd/system"]), ["etc/systemd/system/dokku-redeploy.service"]);
        let both = ["etc/systemd/system/dokku-redeploy.service", "etc/init.d/dokku-redeploy"];
        assert_eq!(installed(&["etc/init.d", "etc/systemd/system"]), both);
        assert!(installed(&["etc"]).is_empty());
    }
}

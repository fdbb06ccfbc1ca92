//! scripts/install on a machine where it has run before.

use std::process::Command;

use crate::harness::Output;

#[test]
fn installing_again_changes_nothing() {
    let before = installed_files();
    script("scripts/install --no-builder-image </dev/null").succeeds();
    assert_eq!(before, installed_files());
}

#[test]
fn nginx_that_cannot_have_port_80_is_told_who_has_it() {
    // Seen from there, the nginx that runs is some other program.
    let start_nginx = ". scripts/lib/say.sh; . scripts/lib/packages.sh; . scripts/lib/services.sh; have_systemd() { false; }; start_nginx";
    script(&format!("unshare --mount bash -euc 'mount --bind /dev/null /run/nginx.pid; {start_nginx}'")).fails().shows("port 80 is taken");
}

/// Checksums of what an installation writes, but for the key entries, which other stories add to.
fn installed_files() -> String {
    let files = "~dokku/{HOSTNAME,VHOST,VERSION,.sshcommand} /etc/nginx/nginx.conf /etc/nginx/conf.d /etc/sudoers.d /var/lib/dokku/plugins /usr/local/bin/dokku";
    script(&format!("find {files} -type f -printf '%m %p ' -exec sha256sum {{}} ';'")).succeeds().stdout
}

fn script(line: &str) -> Output {
    Output::of(Command::new("bash").args(["-c", line]).current_dir(env!("CARGO_MANIFEST_DIR")))
}

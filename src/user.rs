//! Becoming user dokku, as whom everything but installing runs.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};

use crate::cmd::Cmd;
use crate::exec;
use crate::fail::Outcome;
use crate::files::passwd::{self, User};
use crate::house::{House, USER};
use crate::plugins;

/// Goes on as user dokku: directly when root, else by starting again through sudo. Installing and updating stay who they are.
pub fn become_dokku(house: House, words: &[OsString]) -> Outcome<House> {
    let Some(dokku) = passwd::user(USER).filter(|user| user.uid != geteuid().as_raw()) else {
        return Ok(house);
    };
    if changes_plugins(&house, words) {
        return Ok(house);
    }
    if geteuid().is_root() { switch(house, &dokku) } else { Err(through_sudo(&house, words)) }
}

/// Is this one of the commands that stay who they are? They are about plugins, whatever app has the name of one.
pub fn changes_plugins(house: &House, words: &[OsString]) -> bool {
    let Some(word) = words.first() else { return false };
    let added = word.to_str().is_some_and(|name| plugins::of_root(house, name).is_some());
    added || word.as_bytes().starts_with(b"plugins-install") || word == "plugins-update"
}

/// What sudo does for root, without its start-up time.
fn switch(mut house: House, user: &User) -> Outcome<House> {
    let groups: Vec<Gid> = passwd::groups(USER, user.gid).into_iter().map(Gid::from_raw).collect();
    let became = setgroups(&groups).and_then(|()| setgid(Gid::from_raw(user.gid))).and_then(|()| setuid(Uid::from_raw(user.uid)));
    became.context("cannot become user dokku")?;
    let caller = house.env.get(std::ffi::OsStr::new("USER")).cloned().unwrap_or_else(|| "root".into());
    let mut set = |name: &str, value: OsString| house.env.insert(name.into(), value);
    set("SUDO_USER", caller);
    set("SUDO_UID", "0".into());
    set("SUDO_GID", "0".into());
    set("USER", USER.into());
    set("LOGNAME", USER.into());
    set("HOME", user.home.clone().into_os_string());
    Ok(house)
}

fn through_sudo(house: &House, words: &[OsString]) -> crate::fail::Fail {
    let program = std::env::current_exe().unwrap_or_else(|_| "dokku".into());
    exec::replace(house, &Cmd::new("sudo").args(["-u", USER, "-E", "-H"]).arg(program).args(words))
}

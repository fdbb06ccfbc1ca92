//! `plugins:uninstall NAME`.

use super::install::run;
use super::staging::{Lock, Staging};
use super::{Installed, need_root};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::{files, say};

/// Takes a plugin away, after its own `uninstall` if it has one. What it keeps in apps and containers stays.
pub fn uninstall(house: &House, args: &Args) -> Outcome {
    if args.lacks(0) {
        return Err(Fail::say("Say which plugin: dokku plugins:uninstall <plugin>"));
    }
    need_root("plugins:uninstall", args.words)?;
    let lock = Lock::take(house)?;
    let plugin = Installed::named(house, args.word(0))?;
    if plugin.is_core() {
        return Err(Fail::say(format!("Plugin {} comes with dokku and stays", plugin.name)));
    }
    let staging = Staging::of(&lock, &plugin)?;
    run(house, &plugin, "uninstall", "still installed")?;
    if plugin.dir.is_symlink() {
        files::remove(&plugin.dir)?;
    } else {
        staging.set_aside()?;
    }
    staging.done()?;
    say::info1(house, format!("{} is uninstalled", plugin.name))
}

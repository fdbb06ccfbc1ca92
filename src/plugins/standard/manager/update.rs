//! `plugins:update [NAME]`.

use super::install::run;
use super::staging::{Lock, Staging};
use super::{Installed, check, need_root};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::tools::{copy, git};
use crate::{exec, say};

/// Brings one plugin, or all that are git checkouts of others, to what their branch has now. Ends with 1 when one cannot
/// be updated; that one stays as it was.
pub fn update(house: &House, args: &Args) -> Outcome {
    need_root("plugins:update", args.words)?;
    let lock = Lock::take(house)?;
    if !args.lacks(0) {
        return one(house, &lock, &Installed::named(house, args.word(0))?);
    }
    let all = Installed::all(house).into_iter().filter(|plugin| !plugin.is_core() && plugin.is_checkout() && !plugin.dir.is_symlink());
    let failed = all.map(|plugin| one(house, &lock, &plugin)).filter_map(Result::err).inspect(|fail| say::failure(house, fail)).count();
    if failed == 0 { Ok(()) } else { Err(Fail::Code(1)) }
}

fn one(house: &House, lock: &Lock, plugin: &Installed) -> Outcome {
    let name = &plugin.name;
    if plugin.is_core() {
        return Err(Fail::say(format!("Plugin {name} comes with dokku: scripts/install updates it")));
    }
    if plugin.dir.is_symlink() || !plugin.is_checkout() {
        return Err(Fail::say(format!("Plugin {name} is no git checkout of its own: it can only be updated by hand")));
    }
    let staging = Staging::of(lock, plugin)?;
    let next = staging.next();
    exec::run(house, &copy::whole(&plugin.dir, &next))?;
    let head = |dir| exec::captured(house, &git::revision(dir, "HEAD")).map(|said| said.text());
    if exec::status(house, &git::pull(&next))? != 0 {
        return Err(Fail::say(format!("Plugin {name} stays as it was: its branch cannot be moved forward")));
    }
    if head(&next)? == head(&plugin.dir)? {
        return say::info1(house, format!("{name} is up to date"));
    }
    say::info1(house, format!("Updating {name}"))?;
    staging.place()?;
    for hook in ["dependencies", "install", "update"] {
        run(house, plugin, hook, "as it was before")?;
    }
    staging.done()?;
    check::report(house, plugin).map(drop)
}

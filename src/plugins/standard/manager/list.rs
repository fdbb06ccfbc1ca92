//! `plugins:list`.

use super::super::super::ALL;
use super::{HOOKS, Installed, is_executable};
use crate::args::Args;
use crate::fail::Outcome;
use crate::hooks;
use crate::house::House;
use crate::tools::git;
use crate::{exec, io, say};

/// Each plugin with whose it is, the version of its git checkout, its hooks and its commands.
pub fn list(house: &House, _: &Args) -> Outcome {
    say::info2_quiet(house, format!("Plugins in {}", house.plugin_path.display()))?;
    Installed::all(house).iter().try_for_each(|plugin| entry(house, plugin))
}

fn entry(house: &House, plugin: &Installed) -> Outcome {
    let whose = if plugin.is_core() { "core" } else { "third party" };
    let version = version(house, plugin)?;
    say::line(house, format!("{:<23} {whose:<12} {version}", plugin.name).trim_end())?;
    let hooks: Vec<&str> = HOOKS.iter().copied().filter(|hook| is_executable(&plugin.dir.join(hook))).collect();
    let changed: Vec<&str> = changed(house, plugin);
    for (title, words) in [("hooks", hooks.join(" ")), ("commands", commands(house, plugin)?.join(" ")), ("changed", changed.join(" "))] {
        if !words.is_empty() {
            say::verbose(house, format!("{title}: {words}"))?;
        }
    }
    Ok(())
}

/// What git calls the commit: a tag, or the start of its id; ` (changed)` when the files are others. Empty without a checkout.
fn version(house: &House, plugin: &Installed) -> Outcome<String> {
    if !plugin.is_checkout() {
        return Ok(String::new());
    }
    Ok(exec::captured(house, &git::describe(&plugin.dir))?.text())
}

/// Core files that are not the installed ones any more, and those that somebody took away.
fn changed(house: &House, plugin: &Installed) -> Vec<&'static str> {
    let Some(table) = ALL.iter().find(|known| known.name == plugin.name) else { return Vec::new() };
    let commands = (!table.commands.is_empty()).then_some("commands");
    let names = commands.into_iter().chain(table.hooks.iter().map(|hook| hook.name));
    names.filter(|hook| !hooks::ours(house, &plugin.name, hook)).collect()
}

/// The first word of each line of the plugin's help.
fn commands(house: &House, plugin: &Installed) -> Outcome<Vec<String>> {
    if let Some(table) = ALL.iter().find(|known| known.name == plugin.name) {
        let named = table.commands.iter().chain(table.added).filter(|command| !command.help.is_empty());
        return Ok(named.map(|command| command.name.to_owned()).collect());
    }
    let path = plugin.dir.join("commands");
    if !is_executable(&path) {
        return Ok(Vec::new());
    }
    let mut asking = house.clone();
    (asking.io.stdin, asking.io.stderr) = (io::Fd::null()?, io::Fd::null()?);
    let said = exec::filtered(&asking, &hooks::program(&asking, &path, &exec::words(["help"])));
    let text = said.map(|said| said.stdout).unwrap_or_default();
    Ok(String::from_utf8_lossy(&text)
        .lines()
        .filter_map(|line| line.strip_prefix("    ")?.split_whitespace().next())
        .map(str::to_owned)
        .collect())
}

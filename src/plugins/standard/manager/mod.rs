//! `plugins:*`: what the plugins of this server are, whether they can work, and their coming and going. 0.3.18 had people
//! clone and remove directories by hand.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::PathBuf;

use nix::unistd::{AccessFlags, access, geteuid};

use super::super::{ALL, Command};
use crate::fail::{Fail, Outcome};
use crate::house::House;

mod check;
mod docker_uses;
mod install;
mod list;
mod staging;
mod uninstall;
mod update;

/// Commands that 0.3.18 lacks.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "plugins:check",
        help: &[("plugins:check [<plugin>]", "Tell what keeps third-party plugins from working")],
        run: check::check,
    },
    Command {
        name: "plugins:install",
        help: &[("plugins:install <git-url> [<plugin>]", "Install a plugin (as root)")],
        run: install::install,
    },
    Command { name: "plugins:list", help: &[("plugins:list", "List plugins with their versions, hooks and commands")], run: list::list },
    Command { name: "plugins:uninstall", help: &[("plugins:uninstall <plugin>", "Remove a plugin (as root)")], run: uninstall::uninstall },
    Command { name: "plugins:update", help: &[("plugins:update [<plugin>]", "Update a plugin, or all (as root)")], run: update::update },
];

/// Every hook that dokku fires. Plugins fire others among themselves.
const HOOKS: &[&str] = &[
    "backup-check",
    "backup-export",
    "backup-import",
    "bind-external-ip",
    "check-deploy",
    "dependencies",
    "docker-args",
    "docker-args-build",
    "docker-args-deploy",
    "docker-args-run",
    "git-post-pull",
    "git-pre-pull",
    "install",
    "nginx-hostname",
    "nginx-pre-reload",
    "post-build",
    "post-build-buildstep",
    "post-build-dockerfile",
    "post-delete",
    "post-deploy",
    "post-domains-update",
    "post-release",
    "post-release-buildstep",
    "post-release-dockerfile",
    "pre-build",
    "pre-build-buildstep",
    "pre-build-dockerfile",
    "pre-delete",
    "pre-deploy",
    "pre-release",
    "pre-release-buildstep",
    "pre-release-dockerfile",
    "receive-app",
    "update",
];

/// Where plugins find their functions: not in the table, since it has neither commands nor hooks.
const COMMON: &str = "common";

/// A directory below PLUGIN_PATH.
struct Installed {
    name: String,
    dir: PathBuf,
}

impl Installed {
    /// All of them in byte order. Hidden ones too: their hooks are fired like any other's.
    fn all(house: &House) -> Vec<Installed> {
        let entries = fs::read_dir(&house.plugin_path).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
        let names = entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut all: Vec<Installed> = names.filter(|name| !staging::is_ours(name)).map(|name| Installed::at(house, &name)).collect();
        all.retain(|plugin| plugin.dir.is_dir());
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    /// The plugin of this name. Fails when there is none.
    fn named(house: &House, word: &OsStr) -> Outcome<Installed> {
        let name = word.to_string_lossy();
        let plugin = Installed::at(house, &name);
        if is_name(&name) && plugin.dir.is_dir() { Ok(plugin) } else { Err(Fail::say(format!("Plugin {name} is not installed"))) }
    }

    fn at(house: &House, name: &str) -> Installed {
        Installed { name: name.to_owned(), dir: house.plugin_path.join(name) }
    }

    fn is_core(&self) -> bool {
        is_core(&self.name)
    }

    /// Files of this plugin that dokku starts: `commands` and hooks, be they able to start or not.
    fn hooks(&self) -> Vec<(&'static str, PathBuf)> {
        let files = std::iter::once("commands").chain(HOOKS.iter().copied()).map(|hook| (hook, self.dir.join(hook)));
        files.filter(|(_, path)| fs::symlink_metadata(path).is_ok()).collect()
    }

    /// Is the directory itself a git checkout, not just a part of one?
    fn is_checkout(&self) -> bool {
        self.dir.join(".git").exists()
    }
}

fn is_core(name: &str) -> bool {
    name == COMMON || ALL.iter().any(|plugin| plugin.name == name)
}

/// One path component that git, shells and people can live with; hidden plugins have such a name too.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('-') && name != "." && name != ".." && !name.contains(['/', '\n'])
}

fn is_executable(path: &std::path::Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

/// Fails unless root runs this: a plugin's directory and what its install does are root's.
fn need_root(command: &str, words: &[OsString]) -> Outcome {
    if geteuid().is_root() {
        return Ok(());
    }
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    Err(Fail::say(format!("{command} needs root: sudo dokku {command} {}", words.join(" ")).trim_end()))
}

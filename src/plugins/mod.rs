//! The core plugins. Each has one table: its commands and hooks. Dispatch, help, stubs and tests come from it.

use std::ffi::OsStr;

use crate::app::{App, AppName};
use crate::args::Args;
use crate::fail::{Fail, NOT_IMPLEMENTED, Outcome};
use crate::hooks::{self, Others};
use crate::house::House;
use crate::{operation, say};

pub mod app_backup;
/// For a table: a command that changes the app it is given, as the only one that does so at a time.
macro_rules! changing {
    ($run:expr) => {
        |house, args| $crate::plugins::alone(house, args, $run)
    };
}

pub mod apps;
pub mod backup;
pub mod build_env;
pub mod checks;
pub mod config;
pub mod docker_options;
pub mod domains;
pub mod git;
pub mod nginx_vhosts;
pub mod ps;
pub mod shell;
pub mod standard;

/// A command's or hook's function: the words after its name go in; it prints on the house's streams.
pub type Run = fn(&House, &Args) -> Outcome;

/// A core plugin.
pub struct Plugin {
    /// The directory's name below PLUGIN_PATH.
    pub name: &'static str,
    /// The word before `:help`, for plugins that answer to it.
    pub help: Option<&'static str>,
    /// The commands of its `commands` file, in the order of the help.
    pub commands: &'static [Command],
    /// Commands that 0.3.18 lacks. Each stands back where somebody else's `commands` file contains its name.
    pub added: &'static [Command],
    /// Its hooks but for `commands`.
    pub hooks: &'static [Hook],
}

/// A command of a core plugin.
pub struct Command {
    /// Its name; one that ends in `*` answers to every name that begins so, if no other does.
    pub name: &'static str,
    /// Lines of the help: usage and one line of explanation. Internal commands have none.
    pub help: &'static [(&'static str, &'static str)],
    /// What it does.
    pub run: Run,
}

/// A hook of a core plugin.
pub struct Hook {
    /// The file's name.
    pub name: &'static str,
    /// What it does.
    pub run: Run,
}

/// All core plugins, in byte order of their names. `common` has no hooks; its functions are for others.
pub const ALL: &[&Plugin] = &[
    &standard::PLUGIN,
    &apps::PLUGIN,
    &backup::PLUGIN,
    &build_env::PLUGIN,
    &checks::PLUGIN,
    &config::PLUGIN,
    &docker_options::PLUGIN,
    &domains::PLUGIN,
    &git::PLUGIN,
    &nginx_vhosts::PLUGIN,
    &ps::PLUGIN,
    &shell::PLUGIN,
];

/// The function behind a core hook, `commands` among them.
pub fn find(plugin: &OsStr, hook: &str) -> Option<Run> {
    let plugin = ALL.iter().find(|known| OsStr::new(known.name) == plugin)?;
    if hook == "commands" {
        return (!plugin.commands.is_empty()).then(|| commands_of(plugin.name));
    }
    plugin.hooks.iter().find(|known| known.name == hook).map(|known| known.run)
}

/// Commands that 0.3.18 lacks and that root runs as root. Other people's `commands` files, which run as user dokku, are
/// not asked about them.
pub const AS_ROOT: &[&str] = &["plugins:install", "plugins:uninstall", "plugins:update"];

/// The function of such a command, unless a plugin had it first.
pub fn of_root(house: &House, name: &str) -> Option<Run> {
    let command = ALL.iter().flat_map(|plugin| plugin.added).find(|command| command.name == name)?;
    (AS_ROOT.contains(&name) && !Others::of(house).know(name)).then_some(command.run)
}

/// The bytes of a core hook's file: it hands over to us, be it run or sourced.
pub fn stub(plugin: &OsStr, hook: &str) -> Vec<u8> {
    let plugin = plugin.to_string_lossy();
    format!("#!/usr/bin/env bash\ndokku core:hook {plugin}/{hook} \"$@\"\n").into_bytes()
}

/// The `commands` file of a plugin as a function; one a plugin, since a function pointer carries no data.
fn commands_of(plugin: &str) -> Run {
    macro_rules! faces {
        ($($module:ident),*) => {
            match plugin {
                $(name if name == $module::PLUGIN.name => |house, args| answer(&$module::PLUGIN, house, args),)*
                _ => |_, _| Err(Fail::Code(NOT_IMPLEMENTED)),
            }
        };
    }
    faces!(standard, apps, backup, config, docker_options, domains, git, nginx_vhosts, ps, shell)
}

fn answer(plugin: &Plugin, house: &House, args: &Args) -> Outcome {
    let name = args.text(0);
    if name == "help" || plugin.help.is_some_and(|word| name.strip_suffix(":help") == Some(word)) {
        hooks::pass_on(house)?;
        return say::raw(house, help(plugin, house).as_bytes());
    }
    let command = plugin.commands.iter().find(|command| command.answers(&name));
    match command.or_else(|| plugin.added.iter().find(|command| command.name == name && !Others::of(house).know(&name))) {
        Some(command) => (command.run)(house, &Args { name: &name, words: args.from(1) }),
        None => Err(Fail::Code(NOT_IMPLEMENTED)),
    }
}

impl Command {
    fn answers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => self.name == name,
        }
    }
}

/// Runs a command as the only one that changes the app named by its first word. What is wrong with that word, it says itself.
pub fn alone(house: &House, args: &Args, run: Run) -> Outcome {
    match AppName::parse(args.word(0)).map(|name| App::at(house, name)).filter(|app| app.dir.is_dir()) {
        Some(app) => operation::alone(house, &app, args.name, |house| run(house, args)),
        None => run(house, args),
    }
}

fn help(plugin: &Plugin, house: &House) -> String {
    let others = if plugin.added.is_empty() { Others::default() } else { Others::of(house) };
    let added = plugin.added.iter().filter(|command| !others.know(command.name));
    let lines = plugin.commands.iter().chain(added).flat_map(|command| command.help);
    lines.map(|(usage, text)| help_line(usage, text)).collect()
}

/// One line of the help: usage padded to 47 columns.
pub fn help_line(usage: &str, text: &str) -> String {
    format!("    {usage:<47} {text}\n")
}

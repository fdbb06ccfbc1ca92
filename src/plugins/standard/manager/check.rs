//! `plugins:check`: files that cannot start, `commands` that spoil others' commands, and docker as it is no more.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::{Installed, docker_uses, is_executable};
use crate::args::Args;
use crate::fail::{Fail, NOT_IMPLEMENTED, Outcome};
use crate::house::House;
use crate::{exec, hooks, io, say};

/// A command that no plugin has.
const NOBODYS: &str = "plugins-check:nobodys-command";
/// A line of help as if it came from another plugin.
const OTHERS_HELP: &str = "    plugins-check:line-of-another-plugin";

/// Checks one plugin or all that are not the core's; ends with 1 when there is something to tell.
pub fn check(house: &House, args: &Args) -> Outcome {
    let plugins = match args.lacks(0) {
        true => Installed::all(house).into_iter().filter(|plugin| !plugin.is_core()).collect(),
        false => vec![Installed::named(house, args.word(0))?],
    };
    let mut fine = true;
    for plugin in plugins {
        fine &= report(house, &plugin)?;
    }
    if fine { Ok(()) } else { Err(Fail::Code(1)) }
}

/// Says what is wrong with a plugin. True when nothing is.
pub fn report(house: &House, plugin: &Installed) -> Outcome<bool> {
    let mut found: Vec<String> = plugin.hooks().iter().filter_map(|(hook, path)| start(house, hook, path)).collect();
    if is_executable(&plugin.dir.join("commands")) && !plugin.is_core() {
        found.extend(commands(house, &plugin.dir.join("commands"))?);
    }
    found.extend(docker_uses::of(house, &plugin.dir));
    say::info1(house, format!("{}: {}", plugin.name, if found.is_empty() { "nothing to tell" } else { "look at this" }))?;
    found.iter().try_for_each(|text| say::warn(house, text))?;
    Ok(found.is_empty())
}

/// Why a file cannot start, and what that leads to.
fn start(house: &House, hook: &str, path: &Path) -> Option<String> {
    let is_commands = hook == "commands";
    if path.is_dir() {
        return Some(format!("{hook}: is a directory"));
    }
    let Ok(text) = fs::read(path) else { return Some(format!("{hook}: cannot be read; a link to nowhere?")) };
    if !is_executable(path) {
        let follows = if is_commands { "every command of dokku ends with 126" } else { "it is skipped" };
        return Some(format!("{hook}: is not executable, so {follows}; chmod +x {}", path.display()));
    }
    if text.starts_with(b"\x7fELF") {
        return None;
    }
    let Some(line) = text.strip_prefix(b"#!") else {
        let follows = if is_commands { "its help is not shown, though bash runs its commands" } else { "it is skipped" };
        return Some(format!("{hook}: has no #! line, so {follows}"));
    };
    let line = String::from_utf8_lossy(line.split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned();
    let missing = missing_interpreter(house, &line)?;
    let follows = if is_commands { "every command of dokku ends with 127" } else { "it is skipped" };
    Some(format!("{hook}: its interpreter {missing:?} is not here, so {follows}"))
}

/// The program that a `#!` line asks for, if there is none. A blank but space and tab is part of the name, as for the kernel.
fn missing_interpreter(house: &House, line: &str) -> Option<String> {
    let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    let interpreter = words.next().unwrap_or_default();
    if !is_executable(Path::new(interpreter)) {
        return Some(interpreter.to_owned());
    }
    let program = words.find(|word| !word.starts_with('-') && !word.contains('='))?;
    let path = house.var("PATH").unwrap_or_default();
    (interpreter.ends_with("/env") && which::which_in(program, Some(path), "/").is_err()).then(|| program.to_owned())
}

/// How a `commands` file treats what is not its own.
fn commands(house: &House, path: &Path) -> Outcome<Vec<String>> {
    let (unknown, _) = try_out(house, path, &[NOBODYS], b"")?;
    let (help, shown) = try_out(house, path, &["help"], format!("{OTHERS_HELP}\n").as_bytes())?;
    let unknown = match unknown {
        NOT_IMPLEMENTED => None,
        0 => Some("commands: ends with 0 for a command that is not its own, so dokku never says that there is no such command".to_owned()),
        code => Some(format!(
            "commands: ends with {code} for a command that is not its own, so dokku ends there and later plugins are not asked"
        )),
    };
    let passed_on = String::from_utf8_lossy(&shown).lines().any(|line| line == OTHERS_HELP);
    let help = match help {
        0 if passed_on => None,
        0 => Some("commands: does not pass its input on at `help`, so the help of plugins before it is lost".to_owned()),
        code => Some(format!("commands: ends with {code} at `help`, so dokku shows no help at all")),
    };
    Ok(unknown.into_iter().chain(help).collect())
}

/// Runs the file as dokku would; its exit code (a file that cannot start ends with 0: it is skipped) and its output.
fn try_out(house: &House, path: &Path, words: &[&str], input: &[u8]) -> Outcome<(i32, Vec<u8>)> {
    let mut trial = house.clone();
    (trial.io.stdin, trial.io.stderr) = (io::scratch(input)?, io::Fd::null()?);
    let words: Vec<OsString> = exec::words(words);
    match exec::filtered(&trial, &hooks::program(&trial, path, &words)) {
        Ok(said) => Ok((exec::code_of(said.status), said.stdout)),
        // Dispatch gives such a file to bash, and the help passes it over: `start` has told.
        Err(_) => Ok((if words.len() == 1 && words[0] == NOBODYS { NOT_IMPLEMENTED } else { 0 }, input.to_vec())),
    }
}

//! Hooks and commands of all plugins: ours in process, everybody else's as programs.
//! The rules are pluginhook's (progrium, 2014) and those of 0.3.18's command dispatch.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::args::Args;
use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, NOT_IMPLEMENTED, Outcome};
use crate::house::House;
use crate::io::{self, Fd};
use crate::plugins::{self, Run};
use crate::say;

/// One plugin's file for a hook.
pub struct Hook {
    /// `$PLUGIN_PATH/PLUGIN/HOOK`.
    pub path: PathBuf,
    /// The function, when the file is our untouched stub.
    pub ours: Option<Run>,
}

/// The files for a hook, in byte order of the plugins' names. Hidden directories count for hooks, not for commands.
pub fn files(house: &House, hook: &str, hidden: bool) -> Vec<Hook> {
    let Ok(entries) = fs::read_dir(&house.plugin_path) else { return Vec::new() };
    let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.retain(|name| hidden || !name.as_bytes().starts_with(b"."));
    names.sort();
    names.iter().filter_map(|name| file_of(house, name, hook)).collect()
}

fn file_of(house: &House, plugin: &OsStr, hook: &str) -> Option<Hook> {
    let path = house.plugin_path.join(plugin).join(hook);
    let ours = plugins::find(plugin, hook).filter(|_| is_stub(&path, plugin, hook));
    (ours.is_some() || fs::symlink_metadata(&path).is_ok()).then_some(Hook { path, ours })
}

/// Is the file byte for byte what we install, and may it be executed?
fn is_stub(path: &PathBuf, plugin: &OsStr, hook: &str) -> bool {
    fs::read(path).is_ok_and(|found| found == plugins::stub(plugin, hook))
        && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Does anybody but the core implement this hook? Only then can anybody see what lies between two steps.
pub fn observed(house: &House, hook: &str) -> bool {
    files(house, hook, true).iter().any(|file| file.ours.is_none())
}

/// Do only our untouched `commands` files answer commands?
pub fn only_core_commands(house: &House) -> bool {
    files(house, "commands", false).iter().all(|file| file.ours.is_some())
}

/// Does the untouched core hook of this plugin stand in its place?
pub fn ours(house: &House, plugin: &str, hook: &str) -> bool {
    is_stub(&house.plugin_path.join(plugin).join(hook), OsStr::new(plugin), hook)
}

/// Fires a hook with our streams. Its code ends the chain; the output of all but the last file feeds the next.
pub fn fire(house: &House, hook: &str, args: &[OsString]) -> Outcome {
    chain(house, files(house, hook, true), hook, args)
}

/// Fires a hook with empty input and returns what the last file prints, without the newlines at the end.
pub fn ask(house: &House, hook: &str, args: &[OsString]) -> Outcome<String> {
    let mut inner = house.clone();
    inner.io.stdin = Fd::null()?;
    collect(&inner, |house| fire(house, hook, args))
}

/// What `work` prints, without the newlines at the end. Our own functions and their children are heard alike.
pub fn collect(house: &House, work: impl FnOnce(&House) -> Outcome) -> Outcome<String> {
    let (inner, heard) = listening(house)?;
    work(&inner)?;
    Ok(String::from_utf8_lossy(&io::contents(&heard)?).trim_end_matches('\n').to_owned())
}

fn listening(house: &House) -> Outcome<(House, Fd)> {
    let (mut inner, heard) = (house.clone(), io::scratch(b"")?);
    inner.io.stdout = heard.clone();
    Ok((inner, heard))
}

fn chain(house: &House, files: Vec<Hook>, hook: &str, args: &[OsString]) -> Outcome {
    let mut step = house.clone();
    if step.io.stdin.is_terminal() {
        step.io.stdin = Fd::null()?;
    }
    let last = files.len().saturating_sub(1);
    for (place, file) in files.into_iter().enumerate() {
        if place == last {
            step.io.stdout = house.io.stdout.clone();
            return link(&step, &file, hook, args);
        }
        step.io.stdin = io::scratch(&link_output(&step, &file, hook, args)?)?;
    }
    Ok(())
}

fn link(house: &House, file: &Hook, hook: &str, args: &[OsString]) -> Outcome {
    match file.ours {
        Some(run) => run(house, &Args { name: hook, words: args }),
        None => match exec::try_status(house, &program(file, args)) {
            Ok(code) => ended(code),
            Err(_) => Ok(()),
        },
    }
}

fn link_output(house: &House, file: &Hook, hook: &str, args: &[OsString]) -> Outcome<Vec<u8>> {
    match file.ours {
        Some(_) => {
            let (inner, heard) = listening(house)?;
            link(&inner, file, hook, args)?;
            Ok(io::contents(&heard)?)
        }
        None => match exec::filtered(house, &program(file, args)) {
            Ok(said) => ended(said.code).map(|()| said.stdout),
            Err(_) => Ok(Vec::new()),
        },
    }
}

fn program(file: &Hook, args: &[OsString]) -> Cmd {
    Cmd::new(&file.path).args(args)
}

/// pluginhook ends with 255 when a hook was killed.
fn ended(code: i32) -> Outcome {
    match code {
        0 => Ok(()),
        code if code > 128 => Err(Fail::Code(255)),
        code => Err(Fail::Code(code)),
    }
}

/// Offers a command to every plugin, as `dokku COMMAND ...` does: 10 means "not mine", 0 goes on, any other code ends it.
pub fn dispatch(house: &House, words: &[OsString]) -> Outcome {
    let mut answered = false;
    for file in files(house, "commands", false) {
        match answer(house, &file, words)? {
            NOT_IMPLEMENTED => {}
            0 => answered = true,
            code => return Err(Fail::Code(code)),
        }
    }
    if answered { Ok(()) } else { unknown(house, words) }
}

fn answer(house: &House, file: &Hook, words: &[OsString]) -> Outcome<i32> {
    let Some(run) = file.ours else {
        return exec::status(house, &program(file, words));
    };
    let result = run(house, &Args { name: "commands", words });
    Ok(match result {
        Ok(()) => 0,
        Err(fail) => {
            say::failure(house, &fail);
            fail.code()
        }
    })
}

fn unknown(house: &House, words: &[OsString]) -> Outcome {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    say::warn(house, format!("`{}` is not a dokku command.", words.join(" ")))?;
    say::warn(house, "See `dokku help` for a list of available commands.")?;
    Err(Fail::Code(1))
}

/// `dokku COMMAND ...` as one core command calls another: main commands directly, all else by dispatch.
pub fn call<W: AsRef<OsStr>>(house: &House, words: &[W]) -> Outcome {
    crate::faces::dokku::perform(house, &exec::words(words))
}

/// Passes stdin on, as each link of a chain must that only adds to it.
pub fn pass_on(house: &House) -> Outcome {
    say::raw(house, &house.io.stdin.read_all()?)
}

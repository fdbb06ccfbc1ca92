//! Hooks and commands of all plugins: ours in process, everybody else's as programs.
//! The rules are pluginhook's (progrium, 2014) and those of 0.3.18's command dispatch.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::mpsc;
use std::thread;

use crate::args::Args;
use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, NOT_IMPLEMENTED, Outcome, from_code};
use crate::house::House;
use crate::io::{self, Fd};
use crate::plugins::{self, Run};
use crate::{files, legacy, say};

/// One plugin's file for a hook.
pub struct Hook {
    /// `$PLUGIN_PATH/PLUGIN/HOOK`.
    pub path: PathBuf,
    /// The function, when the file is our untouched stub.
    pub ours: Option<Run>,
}

/// The files for a hook, in byte order of the plugins' names. Hidden directories count for hooks, not for commands.
pub fn list(house: &House, hook: &str, hidden: bool) -> Vec<Hook> {
    let Ok(entries) = fs::read_dir(&house.plugin_path) else { return Vec::new() };
    let mut names: Vec<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.retain(|name| hidden || !name.as_bytes().starts_with(b"."));
    names.sort();
    names.iter().filter_map(|name| file_of(house, name, hook)).collect()
}

fn file_of(house: &House, plugin: &OsStr, hook: &str) -> Option<Hook> {
    let path = house.plugin_path.join(plugin).join(relative(hook)?);
    let ours = plugins::find(plugin, hook).filter(|_| is_stub(&path, plugin, hook));
    (ours.is_some() || fs::symlink_metadata(&path).is_ok()).then_some(Hook { path, ours })
}

/// A hook may be asked for by any name; it is looked for below the plugin's directory whatever that name is.
fn relative(hook: &str) -> Option<&str> {
    let name = hook.trim_start_matches('/');
    (!name.is_empty() && !name.split('/').any(|part| part == "..")).then_some(name)
}

/// Is the file byte for byte what we install, and may it be executed?
fn is_stub(path: &Path, plugin: &OsStr, hook: &str) -> bool {
    files::holds(path, &plugins::stub(plugin, hook)) && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Does anybody but the core implement this hook? Only then can anybody see what lies between two steps.
pub fn observed(house: &House, hook: &str) -> bool {
    list(house, hook, true).iter().any(|file| file.ours.is_none())
}

/// Do only our untouched `commands` files answer commands?
pub fn only_core_commands(house: &House) -> bool {
    list(house, "commands", false).iter().all(|file| file.ours.is_some())
}

/// The texts of all `commands` files that are not ours.
#[derive(Default)]
pub struct Others(Vec<Vec<u8>>);

impl Others {
    /// Reads them.
    pub fn of(house: &House) -> Others {
        let others = list(house, "commands", false).into_iter().filter(|file| file.ours.is_none());
        Others(others.filter_map(|file| fs::read(file.path).ok()).collect())
    }

    /// Does one of them contain this name? Then a command that 0.3.18 lacks is theirs.
    pub fn know(&self, command: &str) -> bool {
        let name = command.as_bytes();
        self.0.iter().any(|text| text.windows(name.len()).any(|window| window == name))
    }
}

/// Does the untouched core hook of this plugin stand in its place?
pub fn ours(house: &House, plugin: &str, hook: &str) -> bool {
    is_stub(&house.plugin_path.join(plugin).join(hook), OsStr::new(plugin), hook)
}

/// Fires a hook with our streams. Its code ends the chain; the output of all but the last file feeds the next.
pub fn fire(house: &House, hook: &str, args: &[OsString]) -> Outcome {
    if house.trace() {
        show(house, OsStr::new("pluginhook"), &[&[hook.into()], args].concat());
    }
    chain(house, hook, args, is_traced(house))
}

/// Does the caller want to see what each hook is called with?
pub fn is_traced(house: &House) -> bool {
    house.env.get(OsStr::new("PLUGINHOOK_TRACE")).is_some_and(|value| !value.is_empty())
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

/// One after the other: all that a file prints is the input of the next, and only the last one's output is ours.
pub fn chain(house: &House, hook: &str, args: &[OsString], traced: bool) -> Outcome {
    let links = list(house, hook, true);
    let mut step = house.clone();
    step.io.stdin = first_input(house)?;
    for (place, file) in links.iter().enumerate() {
        if traced {
            show(house, file.path.as_os_str(), args);
        }
        let Some(next) = links.get(place + 1) else { return link(&step, file, hook, args) };
        step.io.stdin = link_output(&step, file, hook, args)?.input_of(next)?;
    }
    Ok(())
}

/// All at once, each one's output piped to the next. The first one that fails ends it, and leaves the others running.
pub fn side_by_side(house: &House, hook: &str, args: &[OsString], traced: bool) -> Outcome {
    let links = list(house, hook, true);
    let (tell, told) = mpsc::channel();
    let mut input = first_input(house)?;
    for (place, file) in links.iter().enumerate() {
        if traced {
            show(house, file.path.as_os_str(), args);
        }
        let (next, output) = if place + 1 == links.len() { (Fd::null()?, house.io.stdout.clone()) } else { io::pipe()? };
        let child = exec::spawn_with(house, &program(house, &file.path, args), input.stdio()?, output.stdio()?);
        let (tell, drain) = (tell.clone(), if place == 0 { None } else { Some(input.file()?) });
        thread::spawn(move || {
            let code = child.and_then(|mut child| child.wait()).map_or(0, code_of_hook);
            let _ = tell.send(code);
            // Whoever still writes to a hook that has ended must neither wait nor be killed.
            drain.map(|mut pipe| std::io::copy(&mut pipe, &mut std::io::sink()))
        });
        input = next;
    }
    drop(tell);
    told.iter().try_for_each(from_code)
}

/// The caller's input, unless that is a terminal.
fn first_input(house: &House) -> Outcome<Fd> {
    Ok(if house.io.stdin.is_terminal() { Fd::null()? } else { house.io.stdin.clone() })
}

fn show(house: &House, program: &OsStr, args: &[OsString]) {
    say::error_bytes(house, &[b"+ ", joined(std::iter::once(program).chain(args.iter().map(OsString::as_os_str))).as_slice()].concat());
}

/// Words with blanks between them, as a shell's `$*`.
fn joined<'a>(words: impl Iterator<Item = &'a OsStr>) -> Vec<u8> {
    words.map(OsStr::as_bytes).collect::<Vec<_>>().join(b" ".as_slice())
}

fn link(house: &House, file: &Hook, hook: &str, args: &[OsString]) -> Outcome {
    match file.ours {
        Some(run) => run(house, &Args { name: hook, words: args }),
        // What cannot be started is passed over in silence.
        None => exec::try_status(house, &program(house, &file.path, args)).map_or(Ok(()), |status| from_code(code_of_hook(status))),
    }
}

/// What a link of a chain has printed.
enum Printed {
    /// By a function of ours: a scratch file.
    Scratch(Fd),
    /// By a program.
    Bytes(Vec<u8>),
}

impl Printed {
    /// As the input of the next link: a pipe for a program, as in pluginhook.
    fn input_of(self, next: &Hook) -> std::io::Result<Fd> {
        match (self, next.ours) {
            (Printed::Scratch(fd), Some(_)) => io::rewound(fd),
            (Printed::Scratch(fd), None) => io::piped(io::contents(&fd)?),
            (Printed::Bytes(data), Some(_)) => io::scratch(&data),
            (Printed::Bytes(data), None) => io::piped(data),
        }
    }
}

fn link_output(house: &House, file: &Hook, hook: &str, args: &[OsString]) -> Outcome<Printed> {
    match file.ours {
        Some(_) => {
            let (inner, heard) = listening(house)?;
            link(&inner, file, hook, args)?;
            Ok(Printed::Scratch(heard))
        }
        None => match exec::filtered(house, &program(house, &file.path, args)) {
            Ok(output) => from_code(code_of_hook(output.status)).map(|()| Printed::Bytes(output.stdout)),
            Err(_) => Ok(Printed::Bytes(Vec::new())),
        },
    }
}

/// Somebody else's file; it finds the docker that it was written for.
pub fn program(house: &House, path: &Path, args: &[OsString]) -> Cmd {
    let cmd = Cmd::new(path).args(args);
    match legacy::path(house) {
        Some(path) => cmd.env("PATH", path),
        None => cmd,
    }
}

/// 255 for a hook that was killed, as in pluginhook.
fn code_of_hook(status: ExitStatus) -> i32 {
    status.code().unwrap_or(255)
}

/// Offers a command to every plugin, as `dokku COMMAND ...` does: 10 means "not mine", 0 goes on, any other code ends it.
pub fn dispatch(house: &House, words: &[OsString]) -> Outcome {
    let mut answered = false;
    for file in list(house, "commands", false) {
        match answer(house, &file, words)? {
            NOT_IMPLEMENTED => {}
            0 => answered = true,
            code => return Err(Fail::Code(code)),
        }
    }
    if answered { Ok(()) } else { unknown(house, words) }
}

fn answer(house: &House, file: &Hook, words: &[OsString]) -> Outcome<i32> {
    let Some(run) = file.ours else { return ask_program(house, &program(house, &file.path, words)) };
    let result = run(house, &Args { name: "commands", words });
    Ok(match result {
        Ok(()) => 0,
        Err(fail) => {
            say::failure(house, &fail);
            fail.code()
        }
    })
}

fn ask_program(house: &House, program: &Cmd) -> Outcome<i32> {
    if house.trace() {
        show(house, &program.program, &program.args);
    }
    match exec::try_status(house, program) {
        Ok(status) => Ok(exec::code_of(status)),
        // Bash runs what has no `#!` as a script of its own, and has a code and a text for all that it cannot run.
        Err(_) => {
            let bash = Cmd::new("bash").args(["-c", "\"$@\"", "dokku"]).arg(&program.program).args(&program.args);
            exec::status(house, &Cmd { env: program.env.clone(), ..bash })
        }
    }
}

fn unknown(house: &House, words: &[OsString]) -> Outcome {
    let asked = joined(words.iter().map(OsString::as_os_str));
    say::raw(house, &[b" !    `", asked.as_slice(), b"` is not a dokku command.\n"].concat())?;
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

/// What earlier links of a chain have printed, without the newlines at its end, for a link that adds words to it.
pub fn input(house: &House) -> Outcome<String> {
    Ok(String::from_utf8_lossy(&house.io.stdin.read_all()?).trim_end_matches('\n').to_owned())
}

//! The only spawner. A `Cmd` goes in; what it said and how it ended comes out.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::Signal;

use crate::cmd::Cmd;
pub use crate::cmd::Said;
use crate::fail::{Fail, Outcome, from_code};
use crate::house::House;
use crate::io::Fd;
use crate::say;
use limit::{Watch, ended_within, finish, hung, said_of_hung};

mod limit;

pub use limit::HUNG;

/// Runs with our streams; the exit code as a shell sees it (127: no such program, 126: cannot be run).
pub fn status(house: &House, cmd: &Cmd) -> Outcome<i32> {
    let mut command = with_streams(house, prepare(house, cmd))?;
    match command.spawn() {
        Ok(child) => match finish(house, cmd, child)? {
            Some(output) => Ok(code_of(output.status)),
            None => {
                say::error(house, hung(house, cmd));
                Ok(HUNG)
            }
        },
        Err(error) => cannot_start(house, cmd, &error),
    }
}

/// The same for at most so long; `None` for a command that took longer and was ended.
pub fn status_within(house: &House, cmd: &Cmd, limit: Option<Duration>) -> Outcome<Option<i32>> {
    let Some(limit) = limit else { return status(house, cmd).map(Some) };
    let mut command = with_streams(house, prepare(house, cmd))?;
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return cannot_start(house, cmd, &error).map(Some),
    };
    Ok(ended_within(child, limit)?.map(code_of))
}

/// Runs with our input, and with an output and an error stream that nobody can close on it: when whoever reads ours goes,
/// the command goes on, unheard.
pub fn status_unheard(house: &House, cmd: &Cmd) -> Outcome<i32> {
    let mut command = prepare(house, cmd);
    command.stdin(house.io.stdin.stdio()?).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return cannot_start(house, cmd, &error),
    };
    drop(command);
    let pumps =
        [child.stdout.take().map(|from| pass_on(from, &house.io.stdout)), child.stderr.take().map(|from| pass_on(from, &house.io.stderr))];
    let code = code_of(wait(child)?);
    for pump in pumps.into_iter().flatten() {
        pump?.join().map_err(|_| anyhow::anyhow!("the output of `{}` broke off", cmd.line()))?;
    }
    Ok(code)
}

/// Passes on all that comes, to its end, whether somebody listens or not.
fn pass_on(mut from: impl Read + Send + 'static, to: &Fd) -> std::io::Result<JoinHandle<()>> {
    let to = to.file()?;
    Ok(std::thread::spawn(move || {
        let to = Fd::own(to);
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count) = from.read(&mut buffer) {
            if count == 0 {
                return;
            }
            let _ = to.write_all(&buffer[..count]);
        }
    }))
}

/// Runs with our streams; a code other than 0 is a failure of that code.
pub fn run(house: &House, cmd: &Cmd) -> Outcome {
    status(house, cmd).and_then(from_code)
}

/// Runs without input and with its output thrown away; only the exit code counts.
pub fn silent(house: &House, cmd: &Cmd) -> Outcome<i32> {
    let mut quiet = house.clone();
    let null = crate::io::Fd::null()?;
    quiet.io = crate::io::Io { stdin: null.clone(), stdout: null.clone(), stderr: null };
    status(&quiet, cmd)
}

/// Runs with our stdin and stderr and with its stdout thrown away.
pub fn status_hushed(house: &House, cmd: &Cmd) -> Outcome<i32> {
    let mut hushed = house.clone();
    hushed.io.stdout = crate::io::Fd::null()?;
    status(&hushed, cmd)
}

/// Runs `first | second`, stderr of both going to ours; the code of the last that failed, as with bash's pipefail.
pub fn pipe(house: &House, first: &Cmd, second: &Cmd) -> Outcome<i32> {
    let (reader, writer) = std::io::pipe()?;
    let mut left = house.clone();
    left.io.stdout = crate::io::Fd::own(writer);
    let mut right = house.clone();
    right.io.stdin = crate::io::Fd::own(reader);
    let mut command = with_streams(&left, prepare(&left, first))?;
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return cannot_start(house, first, &error),
    };
    drop((command, left));
    let last = status(&right, second)?;
    drop(right);
    let code = code_of(wait(child)?);
    Ok(if last != 0 { last } else { code })
}

/// Runs without input; stdout is kept, stderr goes to ours.
pub fn output(house: &House, cmd: &Cmd) -> Outcome<Said> {
    let mut command = prepare(house, cmd);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(house.io.stderr.stdio()?);
    collect(house, cmd, command)
}

/// Runs without input; stdout and stderr are kept.
pub fn captured(house: &House, cmd: &Cmd) -> Outcome<Said> {
    let mut command = prepare(house, cmd);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    collect(house, cmd, command)
}

/// The same for a command that answers for a stranger: of its stdout no more than `most` bytes are kept, and if it goes on
/// writing it is cut off.
pub fn captured_at_most(house: &House, cmd: &Cmd, most: u64) -> Outcome<Said> {
    let mut command = prepare(house, cmd);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(not_started(cmd, &error)),
    };
    drop(command);
    let watch = Watch::over(house, cmd, &child);
    let (stdout, errors) = (child.stdout.take().expect("stdout is piped"), listen(child.stderr.take().expect("stderr is piped")));
    let mut kept = Vec::new();
    stdout.take(most).read_to_end(&mut kept)?;
    let code = code_of(wait(child)?);
    if watch.ended() {
        return Ok(said_of_hung(house, cmd));
    }
    Ok(Said { code, stdout: kept, stderr: errors.join().unwrap_or_default() })
}

/// Keeps what a child says on stderr while we are busy with its other streams.
fn listen(mut stderr: std::process::ChildStderr) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        text
    })
}

/// Runs a command that only looks, and keeps what it says. When it was the last to run, it would say the same again:
/// then it is not run.
pub fn look(house: &House, cmd: &Cmd) -> Outcome<Said> {
    if let Some((_, said)) = house.last_look.borrow().as_ref().filter(|(last, _)| last == cmd) {
        return Ok(said.clone());
    }
    let said = captured(house, cmd)?;
    // A look that failed may not fail again.
    if said.code == 0 {
        *house.last_look.borrow_mut() = Some((cmd.clone(), said.clone()));
    }
    Ok(said)
}

/// Runs a hook with our stdin and stderr; stdout is kept up to the moment when its last holder closes it.
/// A start may fail without a word: a file that is not executable, or without `#!`.
pub fn filtered(house: &House, cmd: &Cmd) -> std::io::Result<Output> {
    let mut command = untraced(house, cmd);
    command.stdin(house.io.stdin.stdio()?).stdout(Stdio::piped()).stderr(house.io.stderr.stdio()?);
    let child = command.spawn()?;
    drop(command);
    child.wait_with_output()
}

/// Runs with what `feed` writes as its input; stdout is thrown away, stderr is kept. Nothing is held whole in memory.
pub fn fed(house: &House, cmd: &Cmd, feed: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Outcome<Said> {
    let mut command = prepare(house, cmd);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(not_started(cmd, &error)),
    };
    drop(command);
    let watch = Watch::over(house, cmd, &child);
    let listener = listen(child.stderr.take().expect("stderr is piped"));
    let mut pipe = std::io::BufWriter::with_capacity(1 << 16, child.stdin.take().expect("stdin is piped"));
    let fed = feed(&mut pipe).and_then(|()| pipe.flush());
    drop(pipe);
    let code = code_of(wait(child)?);
    if watch.ended() {
        return Ok(said_of_hung(house, cmd));
    }
    let stderr = listener.join().unwrap_or_default();
    match fed {
        // The reader's own exit code says better what a broken pipe means.
        Err(error) if error.kind() != ErrorKind::BrokenPipe || code == 0 => {
            Err(anyhow::Error::from(error).context(format!("writing to `{}`", cmd.line())).into())
        }
        _ => Ok(Said { code, stdout: Vec::new(), stderr }),
    }
}

/// Runs without input while `consume` reads its stdout, which is never held whole. A command that is not done when
/// `consume` has read enough is cut off. What it said on stderr, and how it ended, comes beside what was made of it.
pub fn read<T>(house: &House, cmd: &Cmd, consume: impl FnOnce(&mut dyn Read) -> T) -> Outcome<(T, Said)> {
    let heard = crate::io::scratch(b"")?;
    let mut command = prepare(house, cmd);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(heard.stdio()?);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok((consume(&mut std::io::empty()), not_started(cmd, &error))),
    };
    let watch = Watch::over(house, cmd, &child);
    let mut output = child.stdout.take().expect("stdout is piped");
    let result = consume(&mut output);
    drop(output);
    let code = code_of(wait(child)?);
    if watch.ended() {
        return Ok((result, said_of_hung(house, cmd)));
    }
    Ok((result, Said { code, stdout: Vec::new(), stderr: crate::io::contents(&heard)? }))
}

/// This program again, as `dokku WORDS...`.
fn ourselves<S: AsRef<OsStr>>(house: &House, words: &[S]) -> (Cmd, Command) {
    // Not by its path: an upgrade may have put another file there meanwhile. Where we are may soon be no more.
    let cmd = Cmd::new("/proc/self/exe").args(words).dir("/");
    let mut command = prepare(house, &cmd);
    command.arg0("dokku");
    (cmd, command)
}

/// Starts `dokku WORDS...` with our streams and hands over the child.
pub fn start_self<S: AsRef<OsStr>>(house: &House, words: &[S]) -> Outcome<Child> {
    let (cmd, command) = ourselves(house, words);
    Ok(with_streams(house, command)?.spawn().with_context(|| format!("cannot start `{}`", cmd.line()))?)
}

/// Starts this program again as `dokku WORDS...` and does not wait for it.
pub fn detach_self<S: AsRef<OsStr>>(house: &House, words: &[S]) -> Outcome {
    let (cmd, command) = ourselves(house, words);
    spawn_detached(&cmd, command)
}

/// Starts a command and does not wait for it.
pub fn detach(house: &House, cmd: &Cmd) -> Outcome {
    spawn_detached(cmd, prepare(house, cmd))
}

/// In a session of its own, without streams, so that it outlives us.
fn spawn_detached(cmd: &Cmd, mut command: Command) -> Outcome {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // SAFETY: setsid is async-signal-safe and touches no memory of ours.
    unsafe { command.pre_exec(|| Ok(nix::unistd::setsid().map(drop)?)) };
    command.spawn().map(drop).with_context(|| format!("cannot start `{}`", cmd.line()))?;
    Ok(())
}

/// From now on Ctrl-C ends the command that runs, not us.
pub fn survive_interrupts() {
    extern "C" fn nothing(_: i32) {}
    let handler = nix::sys::signal::SigHandler::Handler(nothing);
    // SAFETY: the handler does nothing. Unlike an ignored signal, a handled one is back to its default in children.
    let _ = unsafe { nix::sys::signal::signal(Signal::SIGINT, handler) };
}

/// Becomes the command. Returns only when that cannot be done.
pub fn replace(house: &House, cmd: &Cmd) -> Fail {
    let mut command = prepare(house, cmd);
    let error = command.exec();
    Fail::Said(code_of_error(&error), format!("{}: {}", cmd.program.to_string_lossy(), reason(cmd, &error)))
}

/// Becomes the command without a trace of ours. Returns only when that cannot be done.
pub fn become_silently(house: &House, cmd: &Cmd) -> Fail {
    let error = untraced(house, cmd).exec();
    Fail::Said(code_of_error(&error), format!("{}: {}", cmd.program.to_string_lossy(), reason(cmd, &error)))
}

/// Starts the command that we stand in for, with our input. When we are killed it gets SIGTERM, as if it had been meant.
pub fn stand_in(house: &House, cmd: &Cmd, stdout: Stdio, stderr: Stdio) -> std::io::Result<Child> {
    let mut command = untraced(house, cmd);
    command.stdin(house.io.stdin.stdio()?).stdout(stdout).stderr(stderr);
    // SAFETY: prctl is async-signal-safe and touches no memory of ours.
    unsafe { command.pre_exec(|| Ok(nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?)) };
    command.spawn()
}

/// Runs a hook with our streams. Its start may fail without a word.
pub fn try_status(house: &House, cmd: &Cmd) -> std::io::Result<ExitStatus> {
    with_streams(house, untraced(house, cmd))?.spawn()?.wait()
}

/// Starts a hook and hands over the child; for hooks that run side by side.
pub fn spawn_with(house: &House, cmd: &Cmd, stdin: Stdio, stdout: Stdio) -> std::io::Result<Child> {
    let mut command = untraced(house, cmd);
    command.stdin(stdin).stdout(stdout).stderr(house.io.stderr.stdio()?);
    command.spawn()
}

/// The exit code as a shell sees it.
pub fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn prepare(house: &House, cmd: &Cmd) -> Command {
    if house.trace() {
        say::error(house, format!("+ {}", cmd.line()));
    }
    untraced(house, cmd)
}

fn untraced(house: &House, cmd: &Cmd) -> Command {
    house.forget_look();
    let mut command = Command::new(&cmd.program);
    command.args(&cmd.args).env_clear().envs(house.env.iter());
    if let Some(dir) = cmd.dir.as_ref().or(house.dir.as_ref()) {
        command.current_dir(dir);
    }
    for (name, value) in &cmd.env {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// With our streams as its own.
fn with_streams(house: &House, mut command: Command) -> std::io::Result<Command> {
    command.stdin(house.io.stdin.stdio()?).stdout(house.io.stdout.stdio()?).stderr(house.io.stderr.stdio()?);
    Ok(command)
}

fn collect(house: &House, cmd: &Cmd, mut command: Command) -> Outcome<Said> {
    match command.spawn() {
        Ok(child) => {
            drop(command);
            let output = finish(house, cmd, child)?;
            let said = |output: Output| Said { code: code_of(output.status), stdout: output.stdout, stderr: output.stderr };
            Ok(output.map_or_else(|| said_of_hung(house, cmd), said))
        }
        Err(error) => Ok(not_started(cmd, &error)),
    }
}

fn wait(mut child: Child) -> std::io::Result<ExitStatus> {
    child.wait()
}

fn cannot_start(house: &House, cmd: &Cmd, error: &std::io::Error) -> Outcome<i32> {
    say::error(house, format!("{}: {}", cmd.program.to_string_lossy(), reason(cmd, error)));
    Ok(code_of_error(error))
}

fn not_started(cmd: &Cmd, error: &std::io::Error) -> Said {
    let text = format!("{}: {}\n", cmd.program.to_string_lossy(), reason(cmd, error));
    Said { code: code_of_error(error), stdout: Vec::new(), stderr: text.into_bytes() }
}

/// What a shell makes of a program that cannot be started.
pub fn code_of_error(error: &std::io::Error) -> i32 {
    if error.kind() == ErrorKind::NotFound { 127 } else { 126 }
}

fn reason(cmd: &Cmd, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound if !cmd.program.as_bytes().contains(&b'/') => "command not found".into(),
        ErrorKind::NotFound => "No such file or directory".into(),
        ErrorKind::PermissionDenied => "Permission denied".into(),
        _ => error.to_string(),
    }
}

/// Arguments as owned strings.
pub fn words<I>(words: I) -> Vec<OsString>
where
    I: IntoIterator,
    I::Item: AsRef<std::ffi::OsStr>,
{
    words.into_iter().map(|word| std::ffi::OsStr::from_bytes(word.as_ref().as_bytes()).to_owned()).collect()
}

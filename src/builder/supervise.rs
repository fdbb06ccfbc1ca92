//! The first process of a container: passes signals on to the program it is there for, and ends as that ends.
//!
//! A program that is process 1 itself never dies of a signal that it does not handle, and leaves zombies; as the
//! child of this one it gets each signal as its own, and `docker stop` takes no longer than the program does.

use crate::failure::{Context, Outcome};
use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, killpg, signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, isatty, setpgid, tcsetpgrp};
use std::io::{self, stdin};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};

/// Runs the command in a process group of its own, in the foreground of the terminal if there is one, and
/// returns its exit code: 128 and the signal's number when it died of a signal.
///
/// When it died of a signal that was passed on, what it leaves behind gets the signal too and is waited for:
/// `cd x && ./server; true` is a shell, which dies at once, and a server, which wants to end well.
pub fn run(command: &mut Command) -> Outcome {
    let signals = forwarded();
    signals.thread_block().context(|| "block signals")?;
    let program = command.get_program().to_owned();
    // SAFETY: between fork and exec the closure makes system calls only.
    unsafe { command.pre_exec(stand_alone) };
    let child = command.spawn().context(|| format!("run {}", program.display()))?;
    Supervisor { child: Pid::from_raw(child.id().cast_signed()), forwarded: None, ended: None }.watch(&signals)
}

/// The exit code that a shell gives for a status.
pub fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

struct Supervisor {
    child: Pid,
    forwarded: Option<Signal>,
    ended: Option<WaitStatus>,
}

impl Supervisor {
    fn watch(mut self, signals: &SigSet) -> Outcome {
        loop {
            match signals.wait().context(|| "wait for signals")? {
                Signal::SIGCHLD => {
                    let alone = self.reap();
                    if let Some(code) = self.outcome(alone) {
                        return Ok(code);
                    }
                }
                other => self.forward(other),
            }
        }
    }

    fn forward(&mut self, signal: Signal) {
        self.forwarded = Some(signal);
        let _ = match self.ended {
            None => kill(self.child, signal),
            Some(_) => killpg(self.child, signal),
        };
    }

    /// Collects all that have ended, and says whether nobody is left.
    fn reap(&mut self) -> bool {
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => return false,
                Ok(status) if status.pid() == Some(self.child) => {
                    self.ended = Some(status);
                    if let Some(signal) = self.orphaning_signal() {
                        let _ = killpg(self.child, signal);
                    }
                }
                Err(Errno::ECHILD) => return true,
                _ => {}
            }
        }
    }

    /// The signal that was passed on and that the child did not survive.
    fn orphaning_signal(&self) -> Option<Signal> {
        match self.ended {
            Some(WaitStatus::Signaled(_, signal, _)) => self.forwarded.filter(|sent| *sent == signal),
            _ => None,
        }
    }

    /// The exit code, once there is nothing more to wait for.
    fn outcome(&self, alone: bool) -> Option<i32> {
        match self.ended? {
            WaitStatus::Exited(_, code) => Some(code),
            WaitStatus::Signaled(_, signal, _) if alone || self.orphaning_signal().is_none() => Some(128 + signal as i32),
            _ => None,
        }
    }
}

/// All signals that a program may want to hear of; those that report its own faults and those that stop a
/// background process at its terminal are left alone.
fn forwarded() -> SigSet {
    use Signal::*;
    let own = [SIGFPE, SIGILL, SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGSYS, SIGTTIN, SIGTTOU];
    Signal::iterator().filter(|signal| !own.contains(signal)).collect()
}

/// In the child: all signals heard again, and a process group of its own, which the terminal's keys reach.
fn stand_alone() -> io::Result<()> {
    SigSet::empty().thread_set_mask()?;
    let own = Pid::from_raw(0);
    setpgid(own, own)?;
    if isatty(stdin()).unwrap_or(false) {
        // SAFETY: ignoring and restoring a signal's default are plain system calls.
        unsafe { signal(Signal::SIGTTOU, SigHandler::SigIgn)? };
        let _ = tcsetpgrp(stdin(), Pid::this());
        unsafe { signal(Signal::SIGTTOU, SigHandler::SigDfl)? };
    }
    Ok(())
}

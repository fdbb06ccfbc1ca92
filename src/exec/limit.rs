//! What takes too long is ended: no call of docker, git or nginx can hang a command of ours and its lock.

use std::process::{Child, ExitStatus, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use super::Said;
use crate::cmd::{Cmd, Limit};
use crate::house::House;

/// The code of a command that was ended because it hung, as timeout(1) has it.
pub const HUNG: i32 = 124;

/// Seconds that a command may take which asks or tells one thing; DOKKU_CALL_TIMEOUT in the environment sets others.
const BRIEF: u64 = 120;

/// How much longer a command may take that moves many files.
const LONGER: u64 = 5;

/// How long a command that was ended may take to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long one that is ended gently may take over it.
const TIME_TO_TIDY_UP: Duration = Duration::from_secs(5);

fn time(house: &House, cmd: &Cmd) -> Option<Duration> {
    let set = || house.var("DOKKU_CALL_TIMEOUT")?.to_str()?.trim().parse().ok();
    let seconds = |times: u64| Some(Duration::from_secs(set().unwrap_or(BRIEF).max(1).saturating_mul(times)));
    match cmd.limit {
        Limit::Never => None,
        Limit::Brief => seconds(1),
        Limit::Long => seconds(LONGER),
    }
}

/// What is said of it.
pub fn hung(house: &House, cmd: &Cmd) -> String {
    let seconds = time(house, cmd).unwrap_or_default().as_secs();
    format!("`{}` has not ended within {seconds} seconds and is not waited for any longer", cmd.line())
}

/// The same as the answer of the command.
pub fn said_of_hung(house: &House, cmd: &Cmd) -> Said {
    Said { code: HUNG, stdout: Vec::new(), stderr: format!("{}\n", hung(house, cmd)).into_bytes() }
}

/// Waits for a child's end and for what it still says; `None` for one that took too long and was ended. One that cannot
/// be ended, since it runs as root, is left alone.
pub fn finish(house: &House, cmd: &Cmd, child: Child) -> std::io::Result<Option<Output>> {
    let Some(limit) = time(house, cmd) else { return child.wait_with_output().map(Some) };
    let (pid, (tell, told)) = (pid(&child), mpsc::channel());
    thread::spawn(move || tell.send(child.wait_with_output()));
    if let Ok(output) = told.recv_timeout(limit) {
        return output.map(Some);
    }
    let _ = kill(pid, Signal::SIGKILL);
    let _ = told.recv_timeout(LAST_WORDS);
    Ok(None)
}

/// Waits so long for a child, then ends it, gently at first. `None` for one that had to be ended.
pub fn ended_within(mut child: Child, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
    if ends_within(&child, limit) {
        return child.wait().map(Some);
    }
    let _ = kill(pid(&child), Signal::SIGTERM);
    if !ends_within(&child, TIME_TO_TIDY_UP) {
        let _ = kill(pid(&child), Signal::SIGKILL);
    }
    child.wait().map(|_| None)
}

/// It is left to be waited for, so that its number stays its own.
fn ends_within(child: &Child, limit: Duration) -> bool {
    let (pid, (tell, told)) = (pid(child), mpsc::channel());
    thread::spawn(move || {
        while waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) == Err(Errno::EINTR) {}
        let _ = tell.send(());
    });
    told.recv_timeout(limit).is_ok()
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

/// Ends a command that takes too long while somebody writes to it or reads from it.
pub struct Watch {
    ended: Arc<AtomicBool>,
    _until_dropped: Sender<()>,
}

impl Watch {
    /// Watches this child, if the command has a limit.
    pub fn over(house: &House, cmd: &Cmd, child: &Child) -> Watch {
        let (ended, (sender, dropped)) = (Arc::new(AtomicBool::new(false)), mpsc::channel());
        if let Some(limit) = time(house, cmd) {
            let (pid, ended) = (pid(child), Arc::clone(&ended));
            thread::spawn(move || {
                if dropped.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                    ended.store(true, Ordering::SeqCst);
                    let _ = kill(pid, Signal::SIGKILL);
                }
            });
        }
        Watch { ended, _until_dropped: sender }
    }

    /// Was it ended?
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

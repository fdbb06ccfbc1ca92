//! A command for many apps, several at a time, each in a process of its own; what they print is shown in the order of
//! the apps.

use std::fs::File;
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::process::Child;
use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::house::House;
use crate::io::{self, Fd};

/// Between two looks at those that run.
const PAUSE: Duration = Duration::from_millis(10);

/// Fewer at a time is no gain: most of a restart is waiting for the engine and for the app.
const FEWEST: usize = 2;

/// Runs `dokku COMMAND APP` for each of the apps, no more at a time than the machine has processors; their exit codes.
pub fn run(house: &House, command: &str, apps: &[App]) -> Outcome<Vec<i32>> {
    let width = thread::available_parallelism().map_or(FEWEST, NonZero::get).max(FEWEST);
    let (mut waiting, mut jobs, mut codes) = (apps.iter(), Vec::<Job>::new(), Vec::new());
    while codes.len() < apps.len() {
        let mut running = 0;
        for job in &mut jobs {
            running += usize::from(job.code()?.is_none());
        }
        for app in waiting.by_ref().take(width.saturating_sub(running)) {
            jobs.push(Job::start(house, command, app)?);
        }
        let turn = &mut jobs[codes.len()];
        // Its end first: what it printed before that is all that there is.
        let code = turn.code()?;
        turn.show(house)?;
        match code {
            Some(code) => codes.push(code),
            None => thread::sleep(PAUSE),
        }
    }
    Ok(codes)
}

/// One app's process.
struct Job {
    child: Child,
    stdout: Heard,
    stderr: Heard,
}

impl Job {
    fn start(house: &House, command: &str, app: &App) -> Outcome<Job> {
        let (mut inner, stdout, stderr) = (house.clone(), Heard::new()?, Heard::new()?);
        inner.io = io::Io { stdin: Fd::null()?, stdout: stdout.fd.clone(), stderr: stderr.fd.clone() };
        Ok(Job { child: exec::start_self(&inner, &[command, app.name.as_str()])?, stdout, stderr })
    }

    /// Its exit code, when it has ended.
    fn code(&mut self) -> Outcome<Option<i32>> {
        Ok(self.child.try_wait()?.map(exec::code_of))
    }

    fn show(&mut self, house: &House) -> Outcome {
        self.stdout.show(&house.io.stdout)?;
        self.stderr.show(&house.io.stderr)
    }
}

/// What a process prints on a stream, and how much of it has been shown.
struct Heard {
    fd: Fd,
    file: File,
    shown: u64,
}

impl Heard {
    fn new() -> Outcome<Heard> {
        let fd = io::scratch(b"")?;
        Ok(Heard { file: fd.file()?, fd, shown: 0 })
    }

    fn show(&mut self, to: &Fd) -> Outcome {
        let mut buffer = [0; 4096];
        // At a place of our own: the process writes where it left off.
        while let count @ 1.. = self.file.read_at(&mut buffer, self.shown)? {
            to.write_all(&buffer[..count])?;
            self.shown += count as u64;
        }
        Ok(())
    }
}

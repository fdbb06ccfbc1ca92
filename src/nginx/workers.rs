//! nginx's workers. It lets the old ones go in its own time after it was told to reload, and until then they answer too.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::files;

/// How long old workers are waited for at most; a reload that fails after the configuration was tried (an address that is in
/// use) leaves them where they are.
const PATIENCE: Duration = Duration::from_secs(2);

const PAUSE: Duration = Duration::from_millis(2);

/// What a worker calls itself, and what it adds when it has closed the sockets that it listened on (`ngx_process_cycle.c`).
const WORKER: &str = "nginx: worker process";
const LEAVING: &str = "is shutting down";

/// The workers that take connections before nginx is told to reload, and what their master was like then. Where two tell it at
/// once, the first one's workers may not know of what the second has written: let one wait before the other begins.
pub struct OldWorkers {
    /// `/proc`.
    proc: PathBuf,
    master: String,
    state: Option<String>,
    pids: Vec<String>,
}

impl OldWorkers {
    /// Those of the nginx whose process stands in `pid_file`, by what `proc` tells of it; none where nginx does not run or
    /// the system does not tell.
    pub fn of(proc: &Path, pid_file: &Path) -> OldWorkers {
        let master = files::text(pid_file).unwrap_or_default().trim().to_owned();
        let mut workers = OldWorkers { proc: proc.into(), master, state: None, pids: Vec::new() };
        workers.state = workers.state();
        let children = workers.about_master(&format!("task/{}/children", workers.master)).unwrap_or_default();
        workers.pids = children.split_whitespace().map(str::to_owned).filter(|pid| workers.takes_connections(pid)).collect();
        workers
    }

    /// Waits until none of them takes connections any more, two seconds at most: whoever asks from then on is answered
    /// under the configuration that the master was told to read. Where nobody has told it anything, there is no waiting.
    pub fn let_go(&self) {
        let end = Instant::now() + PATIENCE;
        while self.state() != self.state && self.pids.iter().any(|pid| self.takes_connections(pid)) && Instant::now() < end {
            std::thread::sleep(PAUSE);
        }
    }

    fn takes_connections(&self, pid: &str) -> bool {
        let title = files::text(&self.proc.join(pid).join("cmdline")).unwrap_or_default();
        title.starts_with(WORKER) && !title.contains(LEAVING)
    }

    /// What the kernel says of the master: its pending signals and how often it has run, so that a signal shows.
    fn state(&self) -> Option<String> {
        self.about_master("status")
    }

    fn about_master(&self, entry: &str) -> Option<String> {
        let known = !self.master.is_empty() && self.master.bytes().all(|byte| byte.is_ascii_digit());
        known.then(|| files::text(&self.proc.join(&self.master).join(entry))).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A `/proc` with a master, two workers, one of them leaving, and a process that manages a cache.
    fn machine() -> (tempfile::TempDir, PathBuf) {
        let proc = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let file = proc.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        write("nginx.pid", "10\n");
        write("10/status", "SigPnd: 0\n");
        write("10/task/10/children", "11 12 13 ");
        write("11/cmdline", "nginx: worker process\0\0");
        write("12/cmdline", "nginx: worker process is shutting down\0");
        write("13/cmdline", "nginx: cache manager process\0");
        let pid_file = proc.path().join("nginx.pid");
        (proc, pid_file)
    }

    #[test]
    fn those_that_leave_or_do_other_work_take_no_connections() {
        let (proc, pid_file) = machine();
        assert_eq!(OldWorkers::of(proc.path(), &pid_file).pids, ["11"]);
        for text in ["", "\n", "99\n", "../10\n"] {
            fs::write(&pid_file, text).unwrap();
            assert!(OldWorkers::of(proc.path(), &pid_file).pids.is_empty(), "{text:?}");
        }
        assert!(OldWorkers::of(proc.path(), Path::new("/nonexistent")).pids.is_empty());
    }

    #[test]
    fn a_master_that_nobody_has_told_anything_is_not_waited_for() {
        let (proc, pid_file) = machine();
        let began = Instant::now();
        OldWorkers::of(proc.path(), &pid_file).let_go();
        assert!(began.elapsed() < PATIENCE);
    }

    #[test]
    fn old_workers_are_waited_for_until_they_say_that_they_leave_or_the_end_of_patience() {
        let (proc, pid_file) = machine();
        let workers = OldWorkers::of(proc.path(), &pid_file);
        fs::write(proc.path().join("10/status"), "SigPnd: 1\n").unwrap();
        fs::write(proc.path().join("10/task/10/children"), "11 12 13 14").unwrap();
        let began = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(50));
                fs::write(proc.path().join("11/cmdline"), "nginx: worker process is shutting down").unwrap();
            });
            workers.let_go();
        });
        assert!(began.elapsed() >= Duration::from_millis(50));
        fs::write(proc.path().join("11/cmdline"), "nginx: worker process").unwrap();
        let began = Instant::now();
        workers.let_go();
        assert!(began.elapsed() >= PATIENCE);
    }
}

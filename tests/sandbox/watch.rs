//! Steps whose outside programs are watched: one of their calls fails or hangs, or all of them are killed at it.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Sandbox, Step, build};

/// What a step may leave running ends sooner.
const LONGEST: Duration = Duration::from_secs(20);

/// What a sandbox holds that steps change.
const STATE: &[&str] = &["home", "lib", "docker", "tmp", "calls", "client"];

impl Sandbox {
    /// Runs a program in a process group of its own. `what` is `none`, or `before N`, `during N`, `after N` (the group is killed
    /// then),
    /// `fail N`, `hang N`, of the calls of outside programs, counted from 1.
    pub fn watched<W: AsRef<std::ffi::OsStr>>(&self, what: &str, program: &str, words: impl IntoIterator<Item = W>) -> Step<'_> {
        build::watch(self);
        for log in ["watch", "watch-ended"] {
            let _ = fs::remove_file(self.dir().join("calls").join(log));
        }
        let session = nix::unistd::getsid(None).expect("our session");
        let mut command = self.command(program);
        let path = command.get_envs().find_map(|(name, value)| (name == "PATH").then_some(value?.to_owned())).expect("a PATH");
        let path = [self.dir().join("watched").as_os_str(), &path].join(std::ffi::OsStr::new(":"));
        command
            .args(words)
            .env("PATH", path)
            .env("GIT_EXEC_PATH", self.dir().join("watched/git-core"))
            .env("WATCH", format!("{session} {what}"))
            .process_group(0);
        Step::done(self, command, std::mem::take(&mut self.stdin.borrow_mut()))
    }

    /// The outside programs that the last watched step has called, with their words.
    pub fn watched_calls(&self) -> Vec<String> {
        self.calls("watch")
    }

    /// Waits until nothing runs any more that a step has left behind it. Fails the story where something does not end.
    pub fn settles(&self) -> &Sandbox {
        let began = Instant::now();
        while let Some(line) = self.running_still() {
            assert!(began.elapsed() < LONGEST, "still running: {line}");
            sleep(Duration::from_millis(5));
        }
        self
    }

    /// A process that has the sandbox's state in its environment.
    fn running_still(&self) -> Option<String> {
        let mine = format!("DOKKU_LIB_ROOT={}\0", self.dir().join("lib").display());
        let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
        let theirs =
            |path: &PathBuf| fs::read(path.join("environ")).is_ok_and(|env| env.windows(mine.len()).any(|part| part == mine.as_bytes()));
        let found =
            processes.filter(|path| path.file_name().is_some_and(|name| name.as_encoded_bytes()[0].is_ascii_digit())).find(theirs)?;
        Some(String::from_utf8_lossy(&fs::read(found.join("cmdline")).unwrap_or_default()).replace('\0', " "))
    }

    /// Keeps the state as it is, for `goes_back`.
    pub fn keeps_state(&self) -> &Sandbox {
        self.copy_state(self.dir(), &self.dir().join("kept"))
    }

    /// Everything is as it was when it was kept.
    pub fn goes_back(&self) -> &Sandbox {
        self.copy_state(&self.dir().join("kept"), self.dir())
    }

    fn copy_state(&self, from: &std::path::Path, to: &std::path::Path) -> &Sandbox {
        fs::create_dir_all(to).expect("a directory");
        for name in STATE.iter().filter(|name| from.join(name).exists()) {
            let _ = fs::remove_dir_all(to.join(name));
            let copied = Command::new("/bin/cp").arg("-a").arg(from.join(name)).arg(to.join(name)).status();
            assert!(copied.is_ok_and(|status| status.success()), "{name} can be copied");
        }
        self
    }
}

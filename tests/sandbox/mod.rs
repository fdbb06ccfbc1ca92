//! A machine for one story: DOKKU_ROOT, plugins, fakes of the programs outside, and the program under test.
//!
//! ```ignore
//! Sandbox::new()
//!     .app("a")
//!     .file("a/ENV", "export K='1'\n")
//!     .run(["config:get", "a", "K"])
//!     .shows("1\n")
//!     .run(["config:get", "a", "NOPE"])
//!     .shows("[exit 1]\n");
//! ```
//!
//! Everything takes `&self`, so that a story is one chain or, from `let s = Sandbox::new();`, a few. `run` does a step
//! at once; what it gives must be judged by `shows` (stdout, stderr and exit code in one text) or one of its kin.
#![allow(dead_code)] // each test file is a crate of its own and uses a part of this

mod build;
pub mod deeds;
mod docker;
mod files;
pub mod killed;
mod push;
mod step;
mod watch;
mod whole;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dokku::files::passwd::{self, User};
use tempfile::TempDir;

pub use push::RECEIVE;
pub use step::Step;

/// The temporary machine; gone when it is dropped.
pub struct Sandbox {
    dir: TempDir,
    /// User dokku, when the tests run as root and the machine has one: the program becomes that user too.
    user: Option<User>,
    env: RefCell<Vec<(String, String)>>,
    stdin: RefCell<Vec<u8>>,
}

const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Sandbox {
    /// HOSTNAME is `dokku.test`; there is no app, no VHOST and no plugin but the core's.
    pub fn new() -> Sandbox {
        let dir = tempfile::Builder::new().prefix("dokku-story-").tempdir().expect("a directory for the story");
        let sandbox = Sandbox { dir, user: user(), env: RefCell::default(), stdin: RefCell::default() };
        build::machine(&sandbox);
        sandbox.file("HOSTNAME", "dokku.test\n").file("VERSION", "v0.3.18\n");
        sandbox
    }

    /// The directory that all of it lies in; `$SANDBOX` in what `shows` compares.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// DOKKU_ROOT; `$HOME` in what `shows` compares.
    pub fn home(&self) -> PathBuf {
        self.dir().join("home")
    }

    /// A variable for all steps from here on.
    pub fn env(&self, name: &str, value: &str) -> &Sandbox {
        self.env.borrow_mut().push((name.into(), value.into()));
        self
    }

    /// The input of the next step; that of all others is empty.
    pub fn stdin(&self, text: impl AsRef<[u8]>) -> &Sandbox {
        *self.stdin.borrow_mut() = text.as_ref().to_vec();
        self
    }

    /// Runs `dokku WORDS...`.
    pub fn run<W: AsRef<std::ffi::OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Step<'_> {
        self.run_program("dokku", words)
    }

    /// Runs `dokku` with the words of a line, split at blanks.
    pub fn run_line(&self, line: &str) -> Step<'_> {
        self.run(line.split_whitespace())
    }

    /// Runs a program by its name: `pluginhook`, `sshcommand`, `git`, `bash`.
    pub fn run_program<W: AsRef<std::ffi::OsStr>>(&self, program: &str, words: impl IntoIterator<Item = W>) -> Step<'_> {
        let mut command = self.command(program);
        command.args(words);
        Step::done(self, command, std::mem::take(&mut self.stdin.borrow_mut()))
    }

    /// Runs several `dokku` commands at the same time and waits for all; true for each that ended with 0.
    pub fn run_together(&self, lines: &[String]) -> Vec<bool> {
        let start =
            |line: &String| self.command("dokku").args(line.split_whitespace()).stdout(Stdio::null()).spawn().expect("dokku starts");
        let children: Vec<_> = lines.iter().map(start).collect();
        children.into_iter().map(|mut child| child.wait().expect("a child of ours").success()).collect()
    }

    /// A command in the sandbox's environment: nothing of the caller's is left.
    pub fn command(&self, program: &str) -> Command {
        self.hand_over();
        let path = format!("{dir}/fakes:{dir}/bin:{SYSTEM_PATH}", dir = self.dir().display());
        let found = path.split(':').map(|dir| Path::new(dir).join(program)).find(|path| path.exists());
        let mut command = Command::new(found.unwrap_or_else(|| panic!("there is no {program}")));
        command.env_clear().current_dir(self.home()).env("PATH", path).env("LANG", "C.UTF-8").env("USER", "dokku");
        let places = [("HOME", "home"), ("DOKKU_ROOT", "home"), ("PLUGIN_PATH", "plugins"), ("DOKKU_LIB_ROOT", "lib"), ("TMPDIR", "tmp")];
        command.envs(places.map(|(name, place)| (name, self.dir().join(place))));
        // Where the fake engine runs since: the machine's own, be it there or not, is nothing to a story.
        command.env("DOCKER_HOST", format!("unix://{}", self.dir().join("engine").display()));
        command.envs(self.env.borrow().iter().cloned());
        if let Some(user) = &self.user {
            use std::os::unix::process::CommandExt;
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

/// As whom commands run, if not as ourselves. Fails where the program would start itself again through sudo.
fn user() -> Option<User> {
    let (user, me) = (passwd::user("dokku")?, nix::unistd::geteuid());
    if user.uid == me.as_raw() {
        return None;
    }
    assert!(me.is_root(), "this machine has a user dokku: run the tests as that user or as root");
    Some(user)
}

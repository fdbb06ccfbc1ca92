//! A command as a value: what to run, not the running of it; and what it said.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// A program with its arguments, as `exec` will start it. Building one has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmd {
    /// Name (looked up on the children's PATH) or path.
    pub program: OsString,
    /// Arguments after argv\[0\].
    pub args: Vec<OsString>,
    /// Variables that are set (`Some`) or taken away (`None`) for this command alone.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// Working directory, the caller's when `None`.
    pub dir: Option<PathBuf>,
    /// How long it may take.
    pub limit: Limit,
}

/// How long a command may take before it counts as hanging; `exec` knows the times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    /// As long as it likes: it is somebody else's work, or somebody looks on.
    #[default]
    Never,
    /// It asks or tells one thing.
    Brief,
    /// It moves the files of an app or an image.
    Long,
}

impl Cmd {
    /// A command without arguments.
    pub fn new(program: impl AsRef<OsStr>) -> Cmd {
        Cmd { program: program.as_ref().into(), args: Vec::new(), env: Vec::new(), dir: None, limit: Limit::Never }
    }

    /// With one more argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Cmd {
        self.args.push(arg.as_ref().into());
        self
    }

    /// With more arguments.
    pub fn args<I>(mut self, args: I) -> Cmd
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// With a variable of its own.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Cmd {
        self.env.push((name.as_ref().into(), Some(value.as_ref().into())));
        self
    }

    /// Without a variable of ours.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Cmd {
        self.env.push((name.as_ref().into(), None));
        self
    }

    /// Started in `dir`.
    pub fn dir(mut self, dir: impl Into<PathBuf>) -> Cmd {
        self.dir = Some(dir.into());
        self
    }

    /// That may take only so long.
    pub fn limit(mut self, limit: Limit) -> Cmd {
        self.limit = limit;
        self
    }

    /// The words as one line, for traces and messages.
    pub fn line(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.args);
        words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }
}

/// What a command said, and how it ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// As a shell sees it: 128 plus the number for death by a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error; empty when it went straight to ours.
    pub stderr: Vec<u8>,
}

impl Said {
    /// Standard output as text, without the newlines at its end.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }
}

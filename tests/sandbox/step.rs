//! One command of a story, done: what it printed, how it ended.

use std::process::{Command, Output};
use std::time::Duration;

use super::Sandbox;

/// A step that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// What a command gave; to be judged.
#[must_use = "a step must be judged: .shows(...), .succeeds() or .fails(...)"]
pub struct Step<'a> {
    sandbox: &'a Sandbox,
    output: Output,
}

impl<'a> Step<'a> {
    /// Runs the command to its end.
    pub(super) fn done(sandbox: &'a Sandbox, command: Command, stdin: Vec<u8>) -> Step<'a> {
        let mut command = assert_cmd::Command::from_std(command);
        let output = command.write_stdin(stdin).timeout(LIMIT).output().expect("the command runs");
        Step { sandbox, output }
    }

    /// The whole of it: stdout, then `[stderr]` and what was there, then `[exit N]`, the last two only where they are
    /// not empty or 0. The sandbox's paths are `$HOME` (DOKKU_ROOT) and `$SANDBOX`.
    #[track_caller]
    pub fn shows(self, expected: &str) -> &'a Sandbox {
        let seen = self.text();
        assert!(seen == expected, "expected:\n{expected}\nseen:\n{seen}");
        self.sandbox
    }

    /// Ended with 0, whatever it printed.
    #[track_caller]
    pub fn succeeds(self) -> &'a Sandbox {
        assert_eq!(self.code(), 0, "{}", self.text());
        self.sandbox
    }

    /// Ended with another code than 0, and said this, among other things, on stdout or stderr.
    #[track_caller]
    pub fn fails(self, part: &str) -> &'a Sandbox {
        assert!(self.code() != 0 && self.text().contains(part), "expected to fail with:\n{part}\nseen:\n{}", self.text());
        self.sandbox
    }

    /// What `shows` compares.
    pub fn text(&self) -> String {
        let part = |bytes: &[u8]| self.sandbox.neutral(&String::from_utf8_lossy(bytes));
        let (mut text, stderr) = (part(&self.output.stdout), part(&self.output.stderr));
        if !stderr.is_empty() {
            text += &format!("[stderr]\n{stderr}");
        }
        if self.code() != 0 {
            text += &format!("[exit {}]\n", self.code());
        }
        text
    }

    /// stdout, byte for byte.
    pub fn stdout(&self) -> &[u8] {
        &self.output.stdout
    }

    /// The exit code as a shell sees it.
    pub fn code(&self) -> i32 {
        dokku::exec::code_of(self.output.status)
    }
}

//! What a command said, and what a story expects of it.

use std::process::Command;

/// How a command ended and what it wrote, standard output first.
#[derive(Debug)]
pub struct Output {
    what: String,
    code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Runs `command` to its end, with empty standard input unless it was given one.
    pub fn of(command: &mut Command) -> Output {
        let what = format!("{command:?}");
        let output = command.output().unwrap_or_else(|e| panic!("{what}: {e}"));
        Output {
            what,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Expects exit status 0.
    #[track_caller]
    pub fn succeeds(self) -> Output {
        assert_eq!(self.code, Some(0), "{self}");
        self
    }

    /// Expects an exit status of its own (not a signal) other than 0.
    #[track_caller]
    pub fn fails(self) -> Output {
        assert!(self.code.is_some_and(|code| code != 0), "{self}");
        self
    }

    /// Expects `words` in what was written, on either stream.
    #[track_caller]
    pub fn shows(self, words: &str) -> Output {
        assert!(self.contains(words), "{words:?} is not shown by {self}");
        self
    }

    /// Expects a line that has all of `words`.
    #[track_caller]
    pub fn shows_line(self, words: &[&str]) -> Output {
        let mut lines = self.stdout.lines().chain(self.stderr.lines());
        assert!(lines.any(|line| words.iter().all(|word| line.contains(word))), "no line with {words:?} in {self}");
        self
    }

    /// Expects that `words` were not written.
    #[track_caller]
    pub fn hides(self, words: &str) -> Output {
        assert!(!self.contains(words), "{words:?} is shown by {self}");
        self
    }

    /// Whether the exit status was 0.
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    fn contains(&self, words: &str) -> bool {
        self.stdout.contains(words) || self.stderr.contains(words)
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\nexit {:?}\n{}{}", self.what, self.code, self.stdout, self.stderr)
    }
}

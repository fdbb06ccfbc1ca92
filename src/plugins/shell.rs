//! `dokku shell`: a line a command, edited on a terminal, read plainly otherwise.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustyline::error::ReadlineError;
use rustyline::history::{History as _, MemHistory};
use rustyline::{Config, Editor};

use super::{Command, Plugin};
use crate::args::Args;
use crate::cmd::Cmd;
use crate::fail::Outcome;
use crate::house::House;
use crate::{exec, files, say};

/// The table of `shell`.
pub const PLUGIN: Plugin = Plugin {
    name: "shell",
    help: Some("shell"),
    commands: &[Command { name: "shell", help: &[("shell", "Spawn dokku shell")], run: shell }],
    added: &[],
    hooks: &[],
};

/// Runs a command under the rules for people with a key: `dokku core:remote COMMAND ...`.
pub const REMOTE: &str = "core:remote";

const PROMPT: &str = "dokku> ";

/// Lines that are remembered, as bash does.
const REMEMBERED: usize = 500;

/// Reads commands until there are no more, or `quit` or `exit`. One that fails does not end it.
fn shell(house: &House, _: &Args) -> Outcome {
    exec::survive_interrupts();
    let home = house.var("HOME").map_or_else(|| house.root.clone(), PathBuf::from);
    let mut history = History::load(home.join(".dokku_history"));
    let mut reader = Reader::of(house, &history)?;
    while let Some(line) = reader.line(house)? {
        let words = words(&line);
        let Some(first) = words.first() else { continue };
        let command = match first.to_str() {
            Some("quit" | "exit") => None,
            Some("clear") => Some(Cmd::new("clear")),
            _ => Some(dokku(house, &words)),
        };
        let line = words.join(OsStr::new(" ")).to_string_lossy().into_owned();
        reader.remember(&line);
        history.add(line);
        match command {
            // A process of its own: it can be interrupted, and reads dokkurc as it is by now.
            Some(command) => drop(exec::status(house, &command)?),
            None => return Ok(()),
        }
    }
    say::raw(house, b"\n")
}

fn dokku(house: &House, words: &[OsString]) -> Cmd {
    Cmd::new("dokku").args(house.remote.then_some(REMOTE)).args(words)
}

/// A line's words, as a shell's `read` and splitting make them, but for names of files.
fn words(line: &[u8]) -> Vec<OsString> {
    let (mut plain, mut bytes) = (Vec::new(), line.iter());
    while let Some(byte) = bytes.next() {
        plain.extend(if *byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    let parts = plain.split(|byte| matches!(byte, b' ' | b'\t' | b'\n')).filter(|part| !part.is_empty());
    parts.map(|part| OsStr::from_bytes(part).to_owned()).collect()
}

/// Where lines come from.
enum Reader {
    /// A terminal, with editing.
    Terminal(Box<Editor<(), MemHistory>>),
    /// Anything else. What a command is to read follows its line.
    Plain,
}

impl Reader {
    fn of(house: &House, history: &History) -> Outcome<Reader> {
        if !house.has_tty() {
            return Ok(Reader::Plain);
        }
        let mut editor = Editor::with_history(Config::default(), MemHistory::new()).context("cannot use the terminal")?;
        for line in &history.lines {
            editor.history_mut().add(line).context("cannot remember lines")?;
        }
        Ok(Reader::Terminal(Box::new(editor)))
    }

    /// The next line; `None` at the end.
    fn line(&mut self, house: &House) -> Outcome<Option<Vec<u8>>> {
        match self {
            Reader::Plain => Ok(house.io.stdin.read_line()?),
            Reader::Terminal(editor) => match editor.readline(PROMPT) {
                Ok(line) => Ok(Some(line.into_bytes())),
                Err(ReadlineError::Interrupted) => Ok(Some(Vec::new())),
                Err(ReadlineError::Eof) => Ok(None),
                Err(error) => Err(anyhow::Error::from(error).context("cannot read from the terminal").into()),
            },
        }
    }

    fn remember(&mut self, line: &str) {
        if let Reader::Terminal(editor) = self {
            let _ = editor.add_history_entry(line);
        }
    }
}

/// `~/.dokku_history`: a line each, the oldest first, as bash keeps it.
struct History {
    file: PathBuf,
    lines: Vec<String>,
}

impl History {
    fn load(file: PathBuf) -> History {
        let text = fs::read(&file).unwrap_or_default();
        History { lines: String::from_utf8_lossy(&text).lines().map(str::to_owned).collect(), file }
    }

    /// Remembers a line that is not the last one again. A home that cannot be written to stops nobody.
    fn add(&mut self, line: String) {
        if self.lines.last() != Some(&line) {
            self.lines.push(line);
            self.lines.drain(..self.lines.len().saturating_sub(REMEMBERED));
            let _ = self.save(&self.file);
        }
    }

    fn save(&self, file: &Path) -> Outcome {
        files::replace(file, (self.lines.join("\n") + "\n").as_bytes(), 0o600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_split_as_a_shell_reads_it() {
        for (line, expected) in
            [("", vec![]), ("  a\tb ", vec!["a", "b"]), (r"a\ b \\c", vec!["a", "b", r"\c"]), ("'a  b' *", vec!["'a", "b'", "*"])]
        {
            assert_eq!(words(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn history_holds_no_line_twice_in_a_row() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history");
        fs::write(&file, "apps\nls\n").unwrap();
        let mut history = History::load(file.clone());
        for line in ["ls", "apps", "apps"] {
            history.add(line.into());
        }
        assert_eq!(fs::read_to_string(&file).unwrap(), "apps\nls\napps\n");
        (0..600).for_each(|count| history.add(count.to_string()));
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), REMEMBERED);
    }
}

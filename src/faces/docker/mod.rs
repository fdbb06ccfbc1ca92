//! `docker` for third-party plugins: the command line of early 2015 on an engine of today. What the engine's client still
//! does as it did then is left to it, in our place and untouched; what it does no more is run as asked and its output mended.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, Outcome, from_code};
use crate::house::House;
use crate::{legacy, say};

mod attach;
mod inspect;
mod line;
mod listing;
mod run;

use line::Line;

/// The client that comes after us on the PATH.
struct Client {
    house: House,
    program: PathBuf,
}

/// Runs `docker WORDS...`.
pub fn run(words: &[OsString]) -> Outcome {
    let client = Client::next(House::rootless())?;
    if client.house.var(legacy::SWITCH).is_some_and(|value| value == "0") {
        return client.take_over(words);
    }
    let line = Line::parse(words);
    match line.verb() {
        "run" => run::run(&client, &line),
        "attach" => attach::attach(&client, &line),
        "inspect" => inspect::inspect(&client, &line),
        "ps" if line.is_plain_list() => client.mended(&line, listing::containers),
        "port" => client.mended(&line, listing::ports),
        "commit" | "import" => client.mended(&line, listing::id),
        "images" if line.is_plain_list() => client.take_over(&line.with_options(&["--format", listing::IMAGES])),
        "build" => client.build(&line),
        _ => client.take_over(&line.words),
    }
}

impl Client {
    fn next(house: House) -> Outcome<Client> {
        let path = house.var("PATH").unwrap_or_default();
        let itself = identity(Path::new("/proc/self/exe"));
        let found = std::env::split_paths(&path).map(|dir| dir.join("docker")).find(|file| is_program(file) && identity(file) != itself);
        let program = found.ok_or_else(|| Fail::Said(127, "docker: command not found".into()))?;
        Ok(Client { house, program })
    }

    fn cmd<W: AsRef<std::ffi::OsStr>>(&self, words: &[W]) -> Cmd {
        Cmd::new(&self.program).args(words)
    }

    /// Becomes the client: its streams, signals and exit code are its own.
    fn take_over(&self, words: &[OsString]) -> Outcome {
        Err(exec::become_silently(&self.house, &self.cmd(words)))
    }

    /// Plugins look for `Successfully built ID` in the output, which only the classic builder prints.
    fn build(&self, line: &Line) -> Outcome {
        let cmd = self.cmd(&line.words);
        let chosen = self.house.var("DOCKER_BUILDKIT").is_some();
        Err(exec::become_silently(&self.house, &if chosen { cmd } else { cmd.env("DOCKER_BUILDKIT", "0") }))
    }

    /// Runs the client with our input and stderr, and keeps what it prints.
    fn heard(&self, words: &[OsString]) -> Outcome<Output> {
        Ok(exec::stand_in(&self.house, &self.cmd(words), Stdio::piped(), self.house.io.stderr.stdio()?)?.wait_with_output()?)
    }

    /// One line that the client prints about a container; nothing when it cannot tell.
    fn asked(&self, words: &[&str]) -> String {
        exec::captured(&self.quiet(), &self.cmd(words)).map(|said| said.text()).unwrap_or_default()
    }

    /// For calls that nobody asked for: they leave no trace either.
    fn quiet(&self) -> House {
        let mut house = self.house.clone();
        house.env.remove(std::ffi::OsStr::new("DOKKU_TRACE"));
        house
    }

    /// Runs the client and prints what `mend` makes of its output, or the output itself when there is nothing to mend.
    fn mended(&self, line: &Line, mend: fn(&str) -> Option<String>) -> Outcome {
        let output = self.heard(&line.words)?;
        let mended = std::str::from_utf8(&output.stdout).ok().and_then(mend);
        say::raw(&self.house, mended.as_ref().map_or(output.stdout.as_slice(), String::as_bytes))?;
        from_code(exec::code_of(output.status))
    }
}

/// Tells files apart whatever their names: the wrapper is a link to this program.
fn identity(file: &Path) -> Option<(u64, u64)> {
    file.metadata().ok().map(|data| (data.dev(), data.ino()))
}

fn is_program(file: &Path) -> bool {
    file.is_file() && nix::unistd::access(file, nix::unistd::AccessFlags::X_OK).is_ok()
}

//! Stands in front of every outside program of a watched step, in `SANDBOX/watched`: counts and logs the calls, then
//! lets one fail or hang, or kills the whole process group before, during or after it.
//!
//! What is wanted is in WATCH: `SESSION WHAT NUMBER`. Calls of other sessions, that is, of what a step leaves running
//! behind it, are passed through.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getsid};

/// The longest hang; whoever waits gives up long before.
const HANG: Duration = Duration::from_secs(60);

/// How long a call has been under way that is killed during it.
const DURING: Duration = Duration::from_millis(60);

fn main() {
    let me = std::env::current_exe().expect("the watch knows where it is");
    let (dir, name) = (me.parent().expect("a directory"), me.file_name().expect("a name").to_owned());
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let mut real = Command::new(real(dir, &name));
    real.args(&words);
    let wanted = std::env::var("WATCH").expect("WATCH is set in watched steps");
    let (session, wanted) = wanted.split_once(' ').expect("SESSION WHAT NUMBER");
    if getsid(None).expect("our session").to_string() != session {
        panic!("{}", real.exec());
    }
    let logs = dir.ancestors().map(|dir| dir.join("calls")).find(|logs| logs.is_dir()).expect("SANDBOX/calls");
    let line: Vec<_> = words.iter().map(|word| word.to_string_lossy().replace('\n', "\\n")).collect();
    let line = format!("{} {}", name.to_string_lossy(), line.join(" "));
    let number = count(&logs.join("watch"), &line);
    match wanted.split_once(' ') {
        Some((what, at)) if at == number.to_string() => begin(what, &line, own_limit(&name, &words)),
        _ => {}
    }
    if wanted == format!("during {number}") {
        let child = real.spawn();
        sleep(DURING);
        kill_group();
        drop(child);
    }
    let status = real.status().unwrap_or_else(|error| panic!("{line}: {error}"));
    if wanted == format!("after {}", count(&logs.join("watch-ended"), &line)) {
        kill_group();
    }
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

/// The program of this name that is found behind us.
fn real(dir: &Path, name: &OsStr) -> PathBuf {
    let watches = [dir, &dir.join("git-core"), dir.parent().expect("a directory")];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .filter(|other| !watches.iter().any(|dir| other == dir))
        .map(|other| other.join(name))
        .find(|path| path.exists());
    found.unwrap_or_else(|| panic!("there is no {}", name.to_string_lossy()))
}

/// Adds a line to the log; how many there are then.
fn count(log: &Path, line: &str) -> usize {
    let file = File::options().create(true).append(true).read(true).open(log).expect("the log can be opened");
    let mut file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, errno)| errno).expect("the log can be locked");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("the log is text");
    writeln!(file, "{line}").expect("the log can be written");
    text.lines().count() + 1
}

/// How long curl waits for an answer, as its words tell it; it knows no end when that is 0.
fn own_limit(name: &OsStr, words: &[OsString]) -> Option<Duration> {
    let value = words.iter().skip_while(|word| *word != "--max-time").nth(1).filter(|_| name == "curl")?;
    value.to_str()?.parse().ok().map(Duration::from_secs_f64).filter(|limit| !limit.is_zero())
}

fn begin(what: &str, line: &str, own_limit: Option<Duration>) {
    match (what, own_limit) {
        ("before", _) => kill_group(),
        ("fail", _) => {
            eprintln!("made to fail: {line}");
            exit(1);
        }
        ("hang", Some(limit)) => {
            sleep(limit);
            eprintln!("curl: (28) made to time out: {line}");
            exit(28);
        }
        ("hang", None) => {
            sleep(HANG);
            exit(1);
        }
        _ => {}
    }
}

fn kill_group() {
    kill(Pid::from_raw(0), Signal::SIGKILL).expect("the group is ours");
    sleep(HANG);
}

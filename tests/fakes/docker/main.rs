//! A `docker` for stories: keeps images and containers in files beside itself, logs every call, and fails, answers
//! or hangs where the story says so. Containers run nothing; their files and variables are real.
//!
//! It stands in `SANDBOX/fakes`; its state is in `SANDBOX/docker`: `rules.json`, `engine.json` and `files/ID`; its log is
//! `SANDBOX/calls/docker`, a line each.

use std::io::Write;
use std::path::PathBuf;
use std::process::exit;
use std::time::Duration;

use engine::Engine;

mod engine;
mod options;
mod rules;
mod template;
mod verbs;

/// How a call ends badly: docker's exit code and its message.
pub struct Failure(i32, String);

/// What a verb prints on stdout.
pub type Answer = Result<String, Failure>;

/// docker's usual failure, exit code 1.
pub fn failure<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure(1, text.into()))
}

/// The longest hang; a story ends its processes long before.
const HANG: Duration = Duration::from_secs(60);

fn main() {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    match perform(&state_dir(), &words) {
        Ok(text) => print!("{text}"),
        Err(Failure(code, text)) => {
            eprintln!("{text}");
            exit(code);
        }
    }
}

fn state_dir() -> PathBuf {
    let program = std::env::current_exe().expect("the fake knows where it is");
    program.ancestors().nth(2).expect("the fake is in SANDBOX/fakes").join("docker")
}

fn perform(dir: &std::path::Path, words: &[String]) -> Answer {
    if std::env::var_os("FAKE_DOCKER_SILENT").is_none() {
        log(dir, words);
    }
    let rule = rules::first(dir, &words.join(" "));
    if rule.hangs {
        std::thread::sleep(HANG);
    }
    if let Some(failure) = rule.failure {
        print!("{}", rule.stdout);
        return Err(Failure(failure.0, failure.1));
    }
    let mut engine = Engine::open(dir);
    let answer = verbs::perform(&mut engine, words, &rule.stdout)?;
    engine.save();
    Ok(answer)
}

fn log(dir: &std::path::Path, words: &[String]) {
    let mut file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(dir.with_file_name("calls").join("docker"))
        .expect("the log can be written");
    let line: Vec<String> = words.iter().map(|word| word.replace('\n', "\\n")).collect();
    // In one piece: others write to it at the same time.
    file.write_all(format!("{}\n", line.join(" ")).as_bytes()).expect("the log can be written");
}

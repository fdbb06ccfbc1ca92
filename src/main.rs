//! argv\[0\] chooses the face. The one place that prints an error and chooses the exit code.

use std::ffi::OsString;
use std::process::exit;

use dokku::faces;

fn main() {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    let program = if words.is_empty() { OsString::new() } else { words.remove(0) };
    if let Err(fail) = faces::run(&program, &words) {
        if let Some(text) = fail.text() {
            eprintln!("{text}");
        }
        exit(fail.code());
    }
}

//! Usage: stopwatch ROUNDS COMMAND...
//!
//! Runs the commands (each one argument, its words split at blanks) in turn, ROUNDS times, without input or output, and
//! prints the median of the times of each, in microseconds, a line each. A command that fails ends it, unless its first
//! word is `!`.
//!
//! A shell would fork itself for each command, which takes longer than what is measured.

use std::process::{Command, Stdio, exit};
use std::time::Instant;

fn main() {
    let mut words = std::env::args().skip(1);
    let rounds: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_else(|| fail("how many rounds?"));
    let lines: Vec<String> = words.collect();
    let mut times = vec![Vec::with_capacity(rounds); lines.len()];
    for _ in 0..rounds {
        for (line, times) in lines.iter().zip(&mut times) {
            times.push(time(line));
        }
    }
    for mut times in times {
        times.sort();
        println!("{}", times[rounds / 2]);
    }
}

fn time(line: &str) -> u128 {
    let (may_fail, line) = line.strip_prefix("! ").map_or((false, line), |line| (true, line));
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let ended = command.status();
    let took = began.elapsed().as_micros();
    match ended {
        Ok(status) if status.success() || may_fail => took,
        Ok(status) => fail(&format!("`{line}` ended with {status}")),
        Err(error) => fail(&format!("`{line}` cannot be run: {error}")),
    }
}

fn fail(text: &str) -> ! {
    eprintln!("stopwatch: {text}");
    exit(1)
}

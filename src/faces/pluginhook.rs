//! `pluginhook [-p] [-x] HOOK ARGS...`: the chain of a hook as a program of its own.
use std::ffi::OsString;

use crate::fail::Outcome;
use crate::hooks;
use crate::house::House;

/// Runs `pluginhook WORDS...` in this process's environment.
pub fn run(words: &[OsString]) -> Outcome {
    let house = House::from_process()?;
    let hook = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    hooks::fire(&house, &hook, words.get(1..).unwrap_or_default())
}

//! `client`.
use std::ffi::OsString;

use crate::fail::{Fail, Outcome};

/// Runs it.
pub fn run(_words: &[OsString]) -> Outcome {
    Err(Fail::say("not yet"))
}

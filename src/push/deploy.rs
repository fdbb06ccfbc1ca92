//! `dokku deploy`.
use std::ffi::OsString;

use crate::fail::{Fail, Outcome};
use crate::house::House;

/// In the making.
pub fn command(_house: &House, _words: &[OsString]) -> Outcome {
    Err(Fail::say("not yet"))
}

//! `dokku cleanup`.
use crate::fail::{Fail, Outcome};
use crate::house::House;

/// In the making.
pub fn command(_house: &House) -> Outcome {
    Err(Fail::say("not yet"))
}

//! The end of an old container: it may finish its requests before it is stopped.

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::{retirement, say, settings};

/// Plans the container's end after DOKKU_WAIT_TO_RETIRE seconds.
pub fn plan(house: &House, app: &App, container: &str) -> Outcome {
    let wait = settings::WAIT_TO_RETIRE.text(house, app);
    retirement::plan(house, app, container, wait.trim().parse().unwrap_or(settings::WAIT_TO_RETIRE.default as f64))
}

/// Says so, and lets a process of its own wait for it.
pub fn begin(house: &House, app: &App) -> Outcome {
    say::info1(house, format!("Shutting down old container in {} seconds", settings::WAIT_TO_RETIRE.text(house, app)))?;
    retirement::ensure(house)
}

//! The end of an old container: it may finish its requests before it is stopped.

use crate::app::App;
use crate::house::House;
use crate::{retirement, say, settings};

/// Plans the container's end after DOKKU_WAIT_TO_RETIRE seconds, says so, and lets a process of its own wait for it. The new
/// release serves by now: what goes wrong here is said, and the next cleanup finds the container.
pub fn begin(house: &House, app: &App, container: &str) {
    let wait = settings::WAIT_TO_RETIRE.text(house, app);
    let seconds = wait.trim().parse().unwrap_or(settings::WAIT_TO_RETIRE.default as f64);
    let begun = retirement::plan(house, app, container, seconds)
        .and_then(|()| say::info1(house, format!("Shutting down old container in {wait} seconds")))
        .and_then(|()| retirement::ensure(house));
    if let Err(fail) = begun {
        say::failure(house, &fail);
    }
}

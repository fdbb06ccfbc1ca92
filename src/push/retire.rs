//! The end of an old container: it may finish its requests before it is stopped.

use std::ffi::OsString;
use std::thread;
use std::time::Duration;

use crate::app::App;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::tools::docker;
use crate::{exec, say, settings};

/// The command of the process that waits: `core:retire CONTAINER SECONDS`.
pub const INNER: &str = "core:retire";

/// Lets a process of its own stop the container after DOKKU_WAIT_TO_RETIRE seconds.
pub fn later(house: &House, app: &App, container: &str) -> Outcome {
    let wait = settings::WAIT_TO_RETIRE.text(house, app);
    say::info1(house, format!("Shutting down old container in {wait} seconds"))?;
    exec::detach_self(house, &[INNER, container, &wait])
}

/// Waits, then stops the container.
pub fn work(house: &House, words: &[OsString]) -> Outcome {
    let [container, wait] = words else { return Err(Fail::say("core:retire needs a container and seconds")) };
    let seconds = wait.to_string_lossy().trim().parse::<f64>().unwrap_or(settings::WAIT_TO_RETIRE.default as f64);
    thread::sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    exec::silent(house, &docker::stop(&container.to_string_lossy())).map(drop)
}

//! The end of an old container: it may finish its requests before it is stopped.

use crate::app::App;
use crate::house::House;
use crate::{retirement, say, settings};

/// The longest that a container waits for its end, in seconds: the process that waits must have one, too.
const LONGEST: f64 = 86400.0;

/// Plans the container's end after DOKKU_WAIT_TO_RETIRE seconds, says so, and lets a process of its own wait for it. The new
/// release serves by now: what goes wrong here is said, and the next cleanup finds the container, if it is one of ours.
pub fn begin(house: &House, app: &App, container: &str, is_ours: bool) {
    let wait = settings::WAIT_TO_RETIRE.text(house, app);
    let begun = retirement::plan(house, app, container, seconds(&wait), is_ours)
        .and_then(|()| say::info1(house, format!("Shutting down old container in {wait} seconds")))
        .and_then(|()| retirement::ensure(house));
    if let Err(fail) = begun {
        say::failure(house, &fail);
    }
}

fn seconds(wait: &str) -> f64 {
    wait.trim().parse().unwrap_or(settings::WAIT_TO_RETIRE.default as f64).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_waits_longer_than_a_day() {
        for (text, is) in [("60", 60.0), (" 0.5", 0.5), ("x", 60.0), ("1e9", LONGEST), ("inf", LONGEST)] {
            assert_eq!(seconds(text), is, "{text}");
        }
    }
}

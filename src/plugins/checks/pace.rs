//! How long the checks of an app wait, and how often they are tried.

use std::time::Duration;

use crate::app::App;
use crate::fail::{Fail, Outcome};
use crate::files::checks::Checks;
use crate::house::House;
use crate::settings::{self, Setting};

/// Nobody waits longer for the checks of a deployment, and no clock overflows.
pub const LONGEST: Duration = Duration::from_secs(86400);

/// The settings of one run. Texts are shown and handed to curl as they were written.
pub struct Pace {
    /// Most that passes before the first attempt; all that passes before each other one.
    pub wait: Duration,
    /// The same as it was written.
    pub wait_text: String,
    /// Longest wait for one answer.
    pub timeout: Duration,
    /// The same as it was written, without blanks.
    pub timeout_text: String,
    /// Number of attempts.
    pub attempts: u64,
    /// The same as it was written.
    pub attempts_text: String,
    /// How long a container without checks must stay up after it has answered.
    pub uptime: Duration,
    /// 0.3.18's fixed waits?
    pub patient: bool,
}

impl Pace {
    /// From CHECKS, else from the settings.
    pub fn of(house: &House, app: &App, checks: &Checks) -> Outcome<Pace> {
        let text = |own: &Option<String>, setting: &Setting| own.clone().unwrap_or_else(|| setting.text(house, app));
        let wait_text = text(&checks.wait, &settings::CHECKS_WAIT);
        let timeout_text = text(&checks.timeout, &settings::CHECKS_TIMEOUT);
        let attempts_text = text(&checks.attempts, &settings::CHECKS_ATTEMPTS);
        Ok(Pace {
            wait: seconds("WAIT", &wait_text)?,
            timeout: seconds("TIMEOUT", &timeout_text)?,
            attempts: attempts_text.trim().parse().map_err(|_| not_a("number of attempts", "ATTEMPTS", &attempts_text))?,
            uptime: Duration::from_secs(settings::CHECKS_UPTIME.number(house, app)),
            patient: settings::CHECKS_PATIENT.number(house, app) != 0,
            timeout_text: timeout_text.trim().to_owned(),
            wait_text,
            attempts_text,
        })
    }

    /// The longest that a container without checks is watched.
    pub fn longest(&self) -> Duration {
        self.wait.saturating_add(self.timeout)
    }
}

/// As `sleep` takes it: a number, perhaps with a fraction, perhaps with one of `s`, `m`, `h`, `d` after it.
fn seconds(name: &str, text: &str) -> Outcome<Duration> {
    let number = text.trim();
    let (number, unit) = match number.char_indices().last() {
        Some((at, 's')) => (&number[..at], 1.0),
        Some((at, 'm')) => (&number[..at], 60.0),
        Some((at, 'h')) => (&number[..at], 3600.0),
        Some((at, 'd')) => (&number[..at], 86400.0),
        _ => (number, 1.0),
    };
    let parsed = number.parse::<f64>().ok().and_then(|number| Duration::try_from_secs_f64(number * unit).ok());
    parsed.filter(|wait| *wait <= LONGEST).ok_or_else(|| not_a("number of seconds", name, text))
}

fn not_a(what: &str, name: &str, text: &str) -> Fail {
    Fail::say(format!("{name} is {text:?}, which is no {what}: correct it in CHECKS, or DOKKU_CHECKS_{name} in the config"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_as_sleep_reads_them() {
        for (text, millis) in [("5", 5000), ("0  ", 0), (" 1.5", 1500), ("2m", 120_000), ("0.5s", 500), (".5", 500)] {
            assert_eq!(seconds("WAIT", text).unwrap(), Duration::from_millis(millis), "{text}");
        }
        for text in ["", "x", "-1", "1 2", "1e999", "NaN", "1e19", "2d", "\"5\""] {
            assert!(seconds("WAIT", text).unwrap_err().text().unwrap().contains("WAIT"), "{text}");
        }
    }
}

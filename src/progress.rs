//! What somebody who waits is told: for what and how much longer, and afterwards how long each phase took.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::{say, settings};

/// A wait that lasts longer is told of.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Does `work`, which may take `at_most` so long; once it has taken longer than anybody likes to wait without a word, it is
/// said what it is waiting for (the words after "Waiting for") and how much longer it may be.
pub fn waiting<T>(house: &House, what: &str, at_most: Duration, work: impl FnOnce() -> T) -> T {
    impatient(PATIENCE, house, what, at_most, work)
}

fn impatient<T>(patience: Duration, house: &House, what: &str, at_most: Duration, work: impl FnOnce() -> T) -> T {
    let left = at_most.saturating_sub(patience);
    let Some(mut out) = house.io.stdout.as_fd().try_clone_to_owned().ok().map(File::from).filter(|_| !left.is_zero()) else {
        return work();
    };
    let line = format!("       Waiting for {what}, for {} s more at most\n", left.as_secs().max(1));
    let (done, end) = channel::<()>();
    let teller = thread::spawn(move || {
        if end.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            // Whoever does not listen any more is not told.
            let _ = out.write_all(line.as_bytes());
        }
    });
    let result = work();
    drop(done);
    let _ = teller.join();
    result
}

/// Does a phase of a deployment, and says afterwards how long it took, if the app's or the global config wants to know.
pub fn phase<T>(house: &House, app: &App, name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    if settings::TIMINGS.number(house, app) == 0 {
        return work();
    }
    let began = Instant::now();
    let result = work();
    say::verbose(house, format!("({name}: {:.2} s)", began.elapsed().as_secs_f64()))?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io;

    fn house() -> House {
        let mut house = House::from_env([("DOKKU_ROOT".into(), "/nowhere".into())].into(), io::Io::of_process()).unwrap();
        house.io.stdout = io::scratch(b"").unwrap();
        house
    }

    #[test]
    fn a_long_wait_tells_what_for_and_how_long_still() {
        let house = house();
        let heard = || io::contents(&house.io.stdout).unwrap();
        impatient(Duration::from_millis(1), &house, "a to answer", Duration::from_secs(30), || {
            while heard().is_empty() {
                thread::sleep(Duration::from_millis(1));
            }
        });
        assert_eq!(String::from_utf8(heard()).unwrap(), "       Waiting for a to answer, for 29 s more at most\n");
    }

    #[test]
    fn a_wait_that_cannot_be_long_is_not_told_of() {
        let house = house();
        waiting(&house, "a", PATIENCE, || thread::sleep(Duration::from_millis(1)));
        waiting(&house, "a", PATIENCE * 2, || ());
        assert!(io::contents(&house.io.stdout).unwrap().is_empty());
    }
}

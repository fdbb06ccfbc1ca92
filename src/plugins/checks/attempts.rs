//! Attempts at the pages of CHECKS: in number and text 0.3.18's; what is new is that the first need not wait in full.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Container;
use super::pace::{LONGEST, Pace};
use super::readiness::{self, Lookout};
use crate::fail::{Fail, Outcome};
use crate::files::checks::Page;
use crate::house::House;
use crate::tools::curl;
use crate::{exec, io, progress, say};

/// Between two attempts that nobody sees.
const PAUSE: Duration = Duration::from_millis(250);

/// The largest answer that is looked into, in bytes.
const LARGEST: u64 = 64 << 20;

/// What a shell says of a program that is not there.
const NO_PROGRAM: i32 = 127;

/// Tries until all pages are right or the attempts are used up.
pub fn all(house: &House, container: &Container, pages: &[Page], pace: &Pace) -> Outcome {
    let (round, began) = (Round { container, pages, pace }, Instant::now());
    let mut failed = 0;
    for number in 1..=pace.attempts {
        let of = format!("{number}/{}", pace.attempts_text);
        say::info1(house, format!("Attempt {of} Waiting for {} seconds ...", pace.wait_text))?;
        failed = if number == 1 && !pace.patient { round.first(house)? } else { round.later(house)? };
        if failed == 0 {
            break;
        }
        say::warn(house, format!("Check attempt {of} failed."))?;
        if began.elapsed() > LONGEST {
            return Err(Fail::say(format!("The checks have not passed within {} hours.", LONGEST.as_secs() / 3600)));
        }
    }
    match failed {
        0 => say::info1(house, "All checks successful!"),
        failed => Err(Fail::say(format!("Could not start due to {failed} failed checks."))),
    }
}

/// One attempt at all pages.
struct Round<'a> {
    container: &'a Container,
    pages: &'a [Page],
    pace: &'a Pace,
}

impl Round<'_> {
    /// The first attempt begins when the container answers. One that fails before `wait` is over was too early: it is
    /// repeated, unseen, until it passes, the time is up or the container has ended. The number of pages that were wrong.
    fn first(&self, house: &House) -> Outcome<usize> {
        let wait = self.pace.wait;
        let (end, mut lookout) = (Instant::now() + wait, Lookout::new(self.container));
        if !wait.is_zero() {
            readiness::await_answer(house, self.container, wait)?;
        }
        while !readiness::until(end).is_zero() {
            let (heard, mut unseen) = (io::scratch(b"")?, house.clone());
            unseen.io.stdout = heard.clone();
            let failed = self.seen(&unseen)?;
            if failed == 0 || readiness::until(end).is_zero() {
                say::raw(house, &io::contents(&heard)?)?;
                return Ok(failed);
            }
            if lookout.sees_the_end(house)? {
                break;
            }
            sleep(PAUSE.min(readiness::until(end)));
        }
        self.seen(house)
    }

    /// WAIT passes in full, unless the container has ended: what it does not answer now it never will.
    fn later(&self, house: &House) -> Outcome<usize> {
        if self.pace.patient {
            sleep(self.pace.wait);
        } else {
            readiness::pass(house, self.container, self.pace.wait)?;
        }
        self.seen(house)
    }

    /// Asks for every page and tells of it; the number of those that were wrong.
    fn seen(&self, house: &House) -> Outcome<usize> {
        let right = self.pages.iter().map(|page| self.is_right(house, page)).collect::<Outcome<Vec<_>>>()?;
        Ok(right.iter().filter(|right| !**right).count())
    }

    fn is_right(&self, house: &House, page: &Page) -> Outcome<bool> {
        let (shown, expected) = (page.shown(), &page.expected);
        say::verbose(house, "CHECKS expected result:")?;
        say::verbose(house, format!("{shown} => \"{expected}\""))?;
        let fetch = curl::fetch(&page.url(&self.container.ip, &self.container.port), page.host.as_deref(), &self.pace.timeout_text);
        let what = format!("an answer to {shown}");
        let said = progress::waiting(house, &what, self.pace.timeout, || exec::captured_at_most(house, &fetch, LARGEST))?;
        if said.stdout.len() as u64 == LARGEST {
            say::warn(house, format!("{shown}: answers with more than {LARGEST} bytes"))?;
            return Ok(false);
        }
        if said.code == NO_PROGRAM {
            return Err(Fail::say("There is no `curl` program, which asks for the pages of CHECKS: install it (`apt-get install curl`)"));
        }
        if said.code != 0 {
            say::warn(house, String::from_utf8_lossy(&said.stderr).trim_end())?;
            return Ok(false);
        }
        let right = page.is_in(without_newlines(&said.stdout));
        if !right {
            say::warn(house, format!("{shown}: expected to but did not find: \"{expected}\""))?;
        }
        Ok(right)
    }
}

/// A body without the newlines at its end, as a shell takes it.
fn without_newlines(body: &[u8]) -> &[u8] {
    let end = body.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
    &body[..end]
}

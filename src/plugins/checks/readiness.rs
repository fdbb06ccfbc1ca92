//! No blind sleeping: a container is watched from its start, so that nothing waits longer than it must.

use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Container;
use super::pace::Pace;
use crate::fail::Outcome;
use crate::house::House;
use crate::progress::waiting;
use crate::push::{deploy, engine};

/// Between two knocks at a container's port.
const KNOCK: Duration = Duration::from_millis(50);

/// Between two looks at whether a container still runs.
const LOOK: Duration = Duration::from_millis(500);

/// The longest wait for a port that neither takes a connection nor refuses it.
const SILENCE: Duration = Duration::from_secs(1);

/// Waits until a container without checks has answered at its port and has then stayed up for a while, until it has
/// ended, or until it has been watched long enough.
pub fn settle(house: &House, container: &Container, pace: &Pace) -> Outcome {
    let end = Instant::now() + pace.longest();
    if pace.patient {
        sleep(pace.longest());
    } else if !pace.longest().is_zero() && waiting(house, &knocking(container), pace.longest(), || watch(house, container, end))? {
        let uptime = pace.uptime.min(until(end));
        waiting(house, &format!("{} to stay up", container.app.name), uptime, || sleep(uptime));
    }
    Ok(())
}

/// Has it answered? Not if it has ended before, or if the time is up.
fn watch(house: &House, container: &Container, end: Instant) -> Outcome<bool> {
    let (address, mut lookout) = (own_address(house, container), Lookout::new(container));
    while !until(end).is_zero() {
        if address.is_some_and(|address| answers(&address, end)) {
            return Ok(true);
        }
        if lookout.sees_the_end(house)? {
            return Ok(false);
        }
        sleep(KNOCK.min(until(end)));
    }
    Ok(false)
}

/// Waits until the container answers at its port, but not longer than `at_most`, and not for one that has ended.
pub fn await_answer(house: &House, container: &Container, at_most: Duration) -> Outcome {
    if own_address(house, container).is_some() {
        waiting(house, &knocking(container), at_most, || watch(house, container, Instant::now() + at_most))?;
    }
    Ok(())
}

/// Lets time pass, as long as the container runs.
pub fn pass(house: &House, container: &Container, time: Duration) -> Outcome {
    let (end, mut lookout) = (Instant::now() + time, Lookout::new(container));
    while !until(end).is_zero() && !lookout.sees_the_end(house)? {
        sleep(LOOK.min(until(end)));
    }
    Ok(())
}

/// Looks from time to time whether a container has ended: nothing that is waited for can come true then.
pub struct Lookout<'a> {
    container: &'a Container,
    looked: Instant,
}

impl<'a> Lookout<'a> {
    /// The first look is not taken at once.
    pub fn new(container: &'a Container) -> Lookout<'a> {
        Lookout { container, looked: Instant::now() }
    }

    /// Has it ended, as far as it is time for a look? Fails when the engine does not answer.
    pub fn sees_the_end(&mut self, house: &House) -> Outcome<bool> {
        if self.container.id.is_empty() || self.looked.elapsed() < LOOK {
            return Ok(false);
        }
        self.looked = Instant::now();
        Ok(!engine::is_running(house, &self.container.id)?)
    }
}

fn knocking(container: &Container) -> String {
    format!("{} to take connections", container.app.name)
}

/// How long it is until then.
pub fn until(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

fn answers(address: &SocketAddr, end: Instant) -> bool {
    let patience = SILENCE.min(until(end)).max(Duration::from_millis(1));
    TcpStream::connect_timeout(address, patience).is_ok()
}

/// The container's own address: at a published port docker itself answers, whatever the container does.
fn own_address(house: &House, container: &Container) -> Option<SocketAddr> {
    let published = container.ip == deploy::PUBLISHED_IP;
    let ip = if published { deploy::address(house, &container.id).ok()? } else { container.ip.clone() };
    let port = if published { deploy::DEFAULT_PORT } else { &container.port };
    Some(SocketAddr::new(ip.parse().ok()?, port.parse().ok()?))
}

//! A bounded load on one app: 20 requests a second through nginx, each over a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::http;

const INTERVAL: Duration = Duration::from_millis(1000 / Load::A_SECOND as u64);
const LONGEST: Duration = Duration::from_secs(120);

/// A load that runs until it is stopped, 2 minutes at most.
pub struct Load {
    stop: Arc<AtomicBool>,
    requests: JoinHandle<Vec<Result<String, String>>>,
}

impl Load {
    /// So many requests at most are sent in a second.
    pub const A_SECOND: usize = 20;

    /// Begins to ask for `/` of `host`.
    pub fn start(host: &str) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let (host, stopped) = (host.to_string(), Arc::clone(&stop));
        let requests = std::thread::spawn(move || send(&host, &stopped));
        Load { stop, requests }
    }

    /// Ends the load. Returns what came back, in order: the body of each answer with status 200, or
    /// what went wrong.
    pub fn stop(self) -> Vec<Result<String, String>> {
        self.stop.store(true, Ordering::Relaxed);
        self.requests.join().expect("the load does not panic")
    }
}

fn send(host: &str, stop: &AtomicBool) -> Vec<Result<String, String>> {
    let begin = Instant::now();
    let mut answers = Vec::new();
    while !stop.load(Ordering::Relaxed) && begin.elapsed() < LONGEST {
        let next = Instant::now() + INTERVAL;
        answers.push(match http::get(host, "/") {
            Ok(answer) if answer.status == 200 => Ok(answer.body),
            Ok(answer) => Err(format!("status {}", answer.status)),
            Err(error) => Err(error.to_string()),
        });
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    answers
}

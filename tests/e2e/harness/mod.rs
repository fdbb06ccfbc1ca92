//! What the stories are told with: a server with its sshd, apps that are pushed to it, and what they
//! answer. Everything that a story makes is taken away at its end, also when it fails.

mod app;
mod engine;
mod http;
mod load;
mod output;
mod release;
mod repository;
mod sample;
mod server;
mod sshd;

pub use app::App;
pub use engine::SmallEngine;
pub use http::{Answer, get};
pub use load::Load;
pub use output::Output;
pub use release::Release;
pub use repository::{GitDaemon, Repository};
pub use sample::{base_image, dockerfile_app, procfile_app, sample};
pub use server::{Server, docker, open_to_others};
pub use sshd::{PATH, Session, Sshd};

/// Tries `check` until it is true, for at most `seconds`; says whether it became true.
pub fn within(seconds: u64, mut check: impl FnMut() -> bool) -> bool {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    while std::time::Instant::now() < end {
        if check() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    check()
}

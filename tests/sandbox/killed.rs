//! What is left of processes that were killed.

use std::process::Command;

use dokku::process::Process;

use super::Sandbox;

/// A process that has ended.
pub fn dead() -> Process {
    let mut child = Command::new("true").spawn().expect("true starts");
    let process = Process::of(child.id()).expect("a child that nobody has waited for");
    child.wait().expect("a child of ours");
    process
}

impl Sandbox {
    /// As if this process had been killed in an operation on app `a`.
    pub fn was_killed(&self, process: Process) -> &Sandbox {
        let holder = serde_json::json!({"process": process, "what": "ps:restart", "since": 0});
        self.file("../lib/operations/a", holder.to_string())
    }
}

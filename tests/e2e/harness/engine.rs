//! A Docker engine beside the machine's own, with little room.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::sshd::terminate;
use super::{Output, open_to_others, within};

/// An empty engine whose disk is a tmpfs that nobody else sees. It ends with the value.
pub struct SmallEngine {
    process: Child,
    directory: TempDir,
}

impl SmallEngine {
    /// Starts one with room for `size`, as mount's option `size` has it. It has no network.
    pub fn start(size: &str) -> SmallEngine {
        let directory = tempfile::Builder::new().prefix("dokku-e2e-engine-").tempdir().unwrap();
        open_to_others(directory.path());
        let process = start(directory.path(), size);
        let engine = SmallEngine { process, directory };
        let answers = || Output::of(Command::new("docker").args(["--host", &engine.host(), "info"])).is_success();
        assert!(within(30, answers), "the small engine does not answer");
        engine
    }

    /// Its address, for `DOCKER_HOST`.
    pub fn host(&self) -> String {
        format!("unix://{}/docker.sock", self.directory.path().display())
    }
}

fn start(directory: &Path, size: &str) -> Child {
    let script = format!(
        "mkdir disk run; mount -t tmpfs -o size={size} tmpfs disk
        exec dockerd --data-root $PWD/disk --exec-root $PWD/run --pidfile $PWD/pid --host unix://$PWD/docker.sock --group docker \
            --bridge none --iptables=false --ip6tables=false --storage-driver vfs"
    );
    // In a network namespace of its own: an engine without a bridge removes docker0, whosever it is.
    Command::new("unshare")
        .args(["--mount", "--net", "sh", "-ec", &script])
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for SmallEngine {
    fn drop(&mut self) {
        terminate(&mut self.process);
    }
}

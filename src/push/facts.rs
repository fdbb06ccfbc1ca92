//! What does not change while an engine runs: where it keeps its files, and what becomes of containers' logs. Asked once
//! for each run of the engine.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::push::engine;
use crate::standing;
use crate::tools::docker;

/// Facts about the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The run of the engine that they are true of.
    run: Option<String>,
    root: PathBuf,
    /// Has it no limit of its own for the logs of containers?
    pub logs_grow: bool,
}

impl Facts {
    /// Where its images and containers lie, if that is on this machine.
    pub fn local_root(&self) -> Option<&Path> {
        self.run.is_some().then_some(self.root.as_path())
    }
}

/// The facts. Fails when the engine does not answer.
pub fn of(house: &House) -> Outcome<Facts> {
    let (run, path) = (standing::engine_run(house), house.lib.join("engine"));
    let known = fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Facts>(&text).ok());
    if let Some(known) = known.filter(|known| run.is_some() && known.run == run) {
        return Ok(known);
    }
    let said = engine::output(house, &docker::info("{{.LoggingDriver}} {{.DockerRootDir}}"))?;
    let (driver, root) = said.split_once(' ').unwrap_or((&said, "/var/lib/docker"));
    let facts = Facts { run, root: root.into(), logs_grow: driver == "json-file" && !has_log_options() };
    files::make_dir(&house.lib)?;
    files::replace(&path, &serde_json::to_vec(&facts).map_err(anyhow::Error::from)?, 0o644)?;
    Ok(facts)
}

/// Does this machine's engine have options for logs, in its configuration or on its command line? Options that cannot be
/// read count as none.
fn has_log_options() -> bool {
    let configured = fs::read("/etc/docker/daemon.json").ok().and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
    let in_file = configured.is_some_and(|value| value.get("log-opts").is_some());
    let pid = files::first_line(Path::new("/var/run/docker.pid"));
    let line = pid.and_then(|pid| fs::read(Path::new("/proc").join(pid.trim()).join("cmdline")).ok()).unwrap_or_default();
    in_file || line.split(|byte| *byte == 0).any(|word| word.starts_with(b"--log-opt"))
}

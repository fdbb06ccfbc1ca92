//! A hundred redeploys under load: no request fails, and nothing grows.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::harness::{Kind, Machine, awaited};

const APPS: [(&str, Kind); 2] = [("one", Kind::Buildstep), ("two", Kind::Dockerfile)];
const REDEPLOYS: usize = 100;

/// Requests a second for each app.
const RATE: u32 = 10;

/// Seconds for which one program makes requests; then the next one does.
const SHIFT: u32 = 15;

/// What is counted, by lines of shell that print a number, and how much more of it there may be at the end. Repositories
/// keep what is pushed to them; an engine's memory is its garbage collector's.
const COUNTS: [(&str, &str, f64); 9] = [
    ("containers", "docker ps -aq | wc -l", 1.0),
    ("images", "docker images -aq | sort -u | wc -l", 1.0),
    ("layers of images", "ls /var/lib/docker/overlay2 /var/lib/docker/vfs/dir 2>/dev/null | grep -cv '^l$'", 1.0),
    ("files", "find /home/dokku /var/lib/dokku /tmp -path '*/objects/*' -prune -o -type f -print | wc -l", 1.0),
    (
        "bytes",
        "find /home/dokku /var/lib/dokku /tmp -path '*/objects/*' -prune -o -type f -printf '%s\\n' | awk '{s += $1} END {print s}'",
        1.02,
    ),
    ("processes", "ps -e | grep -cE ' (exe|dokku|pluginhook|docker|git|sudo|nginx)$'", 1.0),
    ("descriptors of the engine", "ls /proc/$(cat /run/docker.pid)/fd | wc -l", 1.1),
    ("descriptors of nginx", "ls /proc/$(cat /run/nginx.pid)/fd | wc -l", 1.0),
    ("memory of the engine, KiB", "awk '/^VmRSS/ {print $2}' /proc/$(cat /run/docker.pid)/status", 1.5),
];

#[test]
#[ignore = "takes minutes"]
fn a_hundred_redeploys_under_load_fail_no_request_and_leave_nothing() {
    let machine = Machine::boot();
    let redeploy = |number: usize| {
        let (app, kind) = APPS[number % APPS.len()];
        machine.sh(&machine.app(app, kind, &number.to_string())).succeeds();
    };
    machine.sh("echo \"export DOKKU_WAIT_TO_RETIRE='5'\" >> /home/dokku/ENV").succeeds();
    (0..8).for_each(redeploy);
    let before = counted(&machine);

    let (load, is_over) = (load(), AtomicBool::new(false));
    let said: Vec<String> = thread::scope(|scope| {
        let at_an_app = |(app, _)| {
            let (machine, load, is_over) = (&machine, &load, &is_over);
            scope.spawn(move || {
                let mut said = Vec::new();
                while !is_over.load(Ordering::Relaxed) {
                    said.push(machine.sh(&format!("{} 127.0.0.1:80 {app}.test {RATE} {SHIFT}", load.display())).text);
                }
                said
            })
        };
        let loads = APPS.map(at_an_app);
        (0..REDEPLOYS).for_each(redeploy);
        is_over.store(true, Ordering::Relaxed);
        loads.into_iter().flat_map(|load| load.join().unwrap()).collect()
    });
    let after = counted(&machine);

    let made = said.len() * (RATE * SHIFT) as usize;
    println!("{made} requests during {REDEPLOYS} redeploys");
    let failed: Vec<_> = said.iter().filter(|said| **said != format!("{} 0", RATE * SHIFT)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    for ((what, _, most), (before, after)) in COUNTS.iter().zip(before.into_iter().zip(after)) {
        println!("{what}: {before} before, {after} after");
        assert!(after <= before * most, "{what}: {before} before, {after} after");
    }
}

/// All counts, when what has been retired is gone.
fn counted(machine: &Machine) -> Vec<f64> {
    let is_quiet = || machine.sh("pgrep -f '^dokku '").code != Some(0);
    awaited(60, || {
        machine.sh("dokku cleanup").succeeds();
        awaited(30, is_quiet);
        machine.sh("docker ps -aq | wc -l").text == APPS.len().to_string()
    });
    COUNTS.iter().map(|(_, line, _)| machine.sh(line).succeeds().trim().parse().unwrap()).collect()
}

/// The program that makes requests.
fn load() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_dokku")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--example", "load", "--target-dir"]).arg(target.parent().unwrap());
    let built = cargo.args(target.ends_with("release").then_some("--release")).current_dir(env!("CARGO_MANIFEST_DIR")).status();
    assert!(built.unwrap().success());
    target.join("examples/load")
}

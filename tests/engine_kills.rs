//! Kills on the real engine, which goes on with what a killed client has asked of it. nginx is simulated.

mod sandbox;

use std::thread::sleep;
use std::time::Duration;

use sandbox::{RECEIVE, Sandbox};

const APP: &str = "kill-matrix";

/// Where a push is killed: the call that is looked for, and when.
const PUSHES: &[(&str, &str)] = &[
    ("docker build", "before"),
    ("docker build", "during"),
    ("docker build", "after"),
    ("docker run -d", "before"),
    ("docker run -d", "during"),
    ("docker run -d", "after"),
    ("docker logs", "during"),
    ("sudo /usr/sbin/nginx -t", "before"),
    ("sudo /etc/init.d/nginx reload", "after"),
];

fn release(s: &Sandbox, version: usize) {
    let image = s.docker(["images", "--format", "{{.Repository}}:{{.Tag}}"]);
    let is_base = |image: &&str| ["dokku-builder-base:", "debian:", "ubuntu:"].iter().any(|base| image.starts_with(base));
    let base = image.lines().find(is_base).expect("a Debian or Ubuntu image: run scripts/builder-image");
    let dockerfile = format!("FROM {base}\nCOPY . /\nRUN sleep 0.2\nCMD [\"sleep\", \"1000\"]\n");
    s.commit(&[("Dockerfile", &dockerfile), ("version", &format!("{version}\n"))]);
}

fn push<'s>(s: &'s Sandbox, what: &str) -> sandbox::Step<'s> {
    s.watched(what, "git", ["-C", "../client", "push", "-q", "--force", RECEIVE, &format!("file:///{APP}"), "master"])
}

/// The app is whole, and cleanup leaves nothing but it.
#[track_caller]
fn judge(s: &Sandbox, what: &str) {
    let whole = s.whole(APP).unwrap_or_else(|wrong| panic!("{what}: {wrong}"));
    assert_eq!(whole.version, whole.master, "{what}");
    // The engine may still be at what a client asked of it that is gone.
    sleep(Duration::from_secs(1));
    s.run_line("cleanup").succeeds().settles();
    let all = s.docker(["ps", "-a", "-q", "--no-trunc", "-f", &format!("label=dokku.app={APP}")]);
    assert_eq!(all, s.read(&format!("{APP}/CONTAINER")).trim(), "{what}");
    assert_eq!(s.tree().iter().filter(|path| path.contains(".dokku-")).count(), 0, "{what}");
}

#[test]
#[ignore = "needs root and a Docker engine"]
fn a_kill_on_the_real_engine_is_harmless() {
    let mut s = Sandbox::new();
    s.uses_engine().env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0").env("DOKKU_WAIT_TO_RETIRE", "0");
    s.file("VHOST", "dokku.test\n").run_program("git", ["init", "-q", "-b", "master", "../client"]).succeeds();
    release(&s, 0);
    let first = push(&s, "none").text();
    s.settles();
    let calls = {
        release(&s, 1);
        push(&s, "none").succeeds().settles();
        s.watched_calls()
    };
    judge(&s, &first);
    for (place, (start, when)) in PUSHES.iter().enumerate() {
        release(&s, place + 2);
        let number = calls.iter().position(|call| call.starts_with(start)).unwrap_or_else(|| panic!("{start} is not in {calls:#?}"));
        // The outermost program ends last.
        let number = if *when == "after" { number } else { number + 1 };
        let step = push(&s, &format!("{when} {number}"));
        assert_eq!(step.code(), 137, "{when} {start}: {}", step.text());
        let next = s.settles().run_line(["cleanup", &format!("urls {APP}"), "ps:restartall"][place % 3]).text();
        s.settles();
        judge(&s, &format!("{when} {start}: {next}"));
    }
    for (what, words) in [("during 4", "ps:restart"), ("after 7", "ps:restart"), ("after 3", "config:set")] {
        let step = s.watched(what, "dokku", [words, APP, "K=V"]);
        assert_eq!(step.code(), 137, "{words} {what}: {}", step.text());
        s.settles().run_line(&format!("urls {APP}")).succeeds().settles();
        judge(&s, &format!("{words} {what}"));
    }
    let step = s.watched("after 3", "dokku", ["apps:destroy", APP, "force"]);
    assert_eq!(step.code(), 137, "{}", step.text());
    s.settles().run_line("cleanup").succeeds().settles();
    let all = s.docker(["ps", "-a", "-q", "-f", &format!("label=dokku.app={APP}")]);
    let image = s.docker(["images", "-q", &format!("dokku/{APP}")]);
    assert!(all.is_empty() && image.is_empty() && !s.exists(APP), "{all} {image}");
}

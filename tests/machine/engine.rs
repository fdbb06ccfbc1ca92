//! The engine is restarted, killed, or gone.

use crate::harness::{Kind, Machine, awaited};

fn address(machine: &Machine, app: &str) -> String {
    let container = machine.read(&format!("/home/dokku/{app}/CONTAINER"));
    machine.sh(&format!("docker inspect --format '{{{{.NetworkSettings.IPAddress}}}}' {container}")).succeeds()
}

/// Two apps, and a gap below their addresses, so that an engine that gives them out anew gives out others.
fn two_apps() -> Machine {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "first");
    machine.deployed("two", Kind::Dockerfile, "second");
    machine.deployed("one", Kind::Buildstep, "first of all");
    awaited(10, || machine.running("one").len() == 1);
    machine
}

#[test]
fn after_a_restart_of_the_engine_each_app_answers_for_itself() {
    let machine = two_apps();
    let before = ["one", "two"].map(|app| address(&machine, app));
    machine.restart_engine();
    awaited(10, || ["one", "two"].iter().all(|app| machine.running(app).len() == 1));
    let after = ["one", "two"].map(|app| address(&machine, app));
    assert_ne!(before, after, "the story needs other addresses");
    let text = machine.sh("dokku ps:restore").succeeds();
    assert!(text.contains(" listens at 172.17.0."), "{text}");
    machine.is_whole("one", "first of all");
    machine.is_whole("two", "second");

    // The same without a job at the engine's start: any command on an app.
    machine.sh("docker stop $(cat /home/dokku/one/CONTAINER)");
    machine.restart_engine();
    assert_eq!(machine.sh("dokku url one").succeeds(), "http://one.test");
    machine.is_whole("one", "first of all");
}

#[test]
fn a_killed_engine_ends_what_it_finds_and_the_apps_are_started_again() {
    let machine = two_apps();
    machine.sh("dokku ps:stop two").succeeds();
    awaited(10, || machine.answer("two") == "502");
    machine.kill_engine();
    assert_eq!(machine.answer("one"), "first of all", "nothing else has ended");
    machine.sh("dokku ps:stop one").fails("The Docker engine does not answer.");
    machine.start_engine();
    assert!(machine.running("one").is_empty(), "the engine does not do it");
    machine.sh("dokku ps:restore").succeeds();
    machine.is_whole("one", "first of all");
    assert!(machine.running("two").is_empty());
    assert_eq!(machine.answer("two"), "502");
    machine.sh("dokku ps:start two").succeeds();
    machine.is_whole("two", "second");
}

#[test]
fn after_a_reboot_the_boot_job_brings_the_apps_back() {
    let machine = two_apps();
    machine.sh("dokku core:hook 00_dokku-standard/install").succeeds();
    // An old container is still waiting for its end when the power goes.
    machine.sh("dokku config:set two DOKKU_WAIT_TO_RETIRE=600").succeeds();
    machine.sh("dokku ps:restart two").succeeds();
    assert!(machine.running("two").len() >= 2);
    machine.kill_engine();
    let power_off = "for p in $(ps -eo pid=,comm= | awk '$2 ~ /^(nginx|containerd|perl|bash|dokku)/ && $1 > 1 && $1 != '$$' {print $1}'); do kill -9 $p; done; sleep 0.5; rm -rf /run/*; mkdir -p /run/sshd /run/lock";
    machine.sh(power_off);
    assert_eq!(machine.answer("one"), "000", "nobody is there");
    machine.sh("nginx > /dev/null 2>&1").succeeds();
    machine.spawn("/etc/init.d/dokku-redeploy start").wait().unwrap();
    machine.start_engine();
    awaited(20, || machine.answer("one") == "first of all" && machine.answer("two") == "second");
    machine.is_whole("one", "first of all");
    machine.sh("dokku config:set two DOKKU_WAIT_TO_RETIRE=1").succeeds();
    let units = machine.sh("readlink /etc/systemd/system/docker.service.wants/dokku-redeploy.service");
    assert_eq!(units.succeeds(), "/etc/systemd/system/dokku-redeploy.service");
}

/// Pushes an app that waits at a step, kills the engine there, and expects the release before.
fn killed_during_a_push(kind: Kind, holds: &str, is_there: &str) {
    let machine = Machine::boot();
    machine.deployed("one", kind, "before");
    let push = machine.app("one", kind, "after");
    let mut pushing = machine.spawn(&format!("cd {0}; {holds}; {push}", machine.path("one")));
    awaited(30, || machine.sh(is_there).code == Some(0));
    machine.kill_engine();
    assert!(!pushing.wait().unwrap().success());
    machine.start_engine();
    machine.sh("dokku ps:restore").succeeds();
    machine.sh("dokku config:set-norestart one A=1").succeeds();
    // What the engine could not take away then, cleaning up does.
    machine.sh("dokku cleanup").succeeds();
    awaited(10, || machine.sh("docker ps -aq -f label=dokku.app=one | wc -l").text == "1");
    machine.is_whole("one", "before");
    machine.sh(&format!("cd {}; rm -f wait; printf 'WAIT=5\\n/ .\\n' > CHECKS; {push}", machine.path("one"))).succeeds();
    machine.is_whole("one", "after");
}

#[test]
fn an_engine_that_is_killed_during_a_build_leaves_the_release_before() {
    killed_during_a_push(Kind::Buildstep, "touch wait", "docker ps -q -f label=dokku.phase=build | grep -q .");
}

#[test]
fn an_engine_that_is_killed_during_the_checks_leaves_the_release_before() {
    killed_during_a_push(
        Kind::Dockerfile,
        "printf 'WAIT=1000\\n/ never\\n' > CHECKS",
        "[ $(docker ps -q -f label=dokku.phase=web -f label=dokku.app=one | wc -l) = 2 ]",
    );
}

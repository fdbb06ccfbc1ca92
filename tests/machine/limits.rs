//! Builds that hang, disks that are full, logs that grow.

use std::time::Instant;

use crate::harness::{Kind, Machine};

#[test]
fn a_build_that_hangs_is_ended_with_its_container() {
    let machine = Machine::boot();
    for (app, kind) in [("one", Kind::Buildstep), ("two", Kind::Dockerfile)] {
        machine.deployed(app, kind, "before");
        machine.sh(&format!("dokku config:set-norestart {app} DOKKU_BUILD_TIMEOUT=3")).succeeds();
        let push = machine.app(app, kind, "after");
        let began = Instant::now();
        machine.sh(&format!("cd {}; touch wait; {push}", machine.path(app))).fails("has not ended within 3 seconds and was stopped");
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
        machine.is_whole(app, "before");
        // Nor is one there that the engine made for a step of a Dockerfile.
        let sleeping = machine.sh("docker ps -q --no-trunc | wc -l").succeeds();
        assert_eq!(sleeping, if app == "one" { "1" } else { "2" });
        machine.sh(&format!("cd {}; rm wait; {push}", machine.path(app))).succeeds();
        machine.is_whole(app, "after");
    }
}

#[test]
fn a_full_disk_is_found_before_the_build_and_named() {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "before");
    machine.sh("dokku config:set-norestart one DOKKU_MIN_FREE_MB=100000000").succeeds();
    let push = machine.app("one", Kind::Buildstep, "after");
    machine.sh(&push).fails(" MB are free at /var/lib/docker, 100000000 MB must be (DOKKU_MIN_FREE_MB)");
    machine.is_whole("one", "before");
}

#[test]
fn logs_of_apps_have_an_end_unless_the_engine_has_one() {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "before");
    let log = || machine.sh("docker inspect --format '{{json .HostConfig.LogConfig.Config}}' $(cat /home/dokku/one/CONTAINER)").succeeds();
    assert_eq!(log(), r#"{"max-file":"3","max-size":"10m"}"#);
    machine.sh(r#"mkdir -p /etc/docker; echo '{"log-opts": {"max-size": "1m"}}' > /etc/docker/daemon.json"#).succeeds();
    machine.restart_engine();
    machine.sh("dokku ps:restart one").succeeds();
    assert_eq!(log(), r#"{"max-size":"1m"}"#);
    machine.is_whole("one", "before");
}

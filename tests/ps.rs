//! `ps` and its kin.

mod sandbox;

use sandbox::Sandbox;

/// Checks that pass at once.
fn quick(s: &Sandbox) -> &Sandbox {
    s.env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0").env("DOKKU_WAIT_TO_RETIRE", "0")
}

#[test]
fn an_app_that_was_never_deployed_is_told_so() {
    let s = Sandbox::new();
    for command in ["ps", "ps:start", "ps:stop", "ps:restart"] {
        s.run([command, "nosuch"]).shows("[stderr]\nApp nosuch does not exist\n[exit 1]\n");
    }
    s.app("a");
    for command in ["ps", "ps:start", "ps:stop", "ps:restart"] {
        s.run([command, "a"]).shows("App a has not been deployed\n");
    }
}

#[test]
fn stops_and_starts() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "buildstep");
    s.run(["ps:start", "a"]).shows("App a already running\n").run(["ps:stop", "a"]).shows("Stopping a ...\n");
    assert!(s.running("a").is_empty());
    s.run(["ps:stop", "a"]).shows("App a already stopped\n").run(["ps:start", "a"]).succeeds();
    assert_eq!(s.running("a"), [s.read("a/CONTAINER").trim()]);
    s.docker_says("^exec -i ", "PID\n").run(["ps", "a"]).shows("PID\n");
}

#[test]
fn an_engine_that_is_down_is_no_stopped_app() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").docker_fails("", 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.");
    s.run(["ps:stop", "a"]).fails("The Docker engine does not answer.");
}

#[test]
fn one_app_that_fails_does_not_keep_the_others_from_restarting() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "buildstep").deployed("b", "buildstep");
    let before = s.read("b/CONTAINER");
    s.plugin("x/pre-deploy", "#!/bin/sh\n[ $1 != a ] || exit 7\n");
    s.run(["ps:restartall"]).fails("ps:restart failed for: a");
    assert_ne!(s.read("b/CONTAINER"), before);
}

#[test]
fn fifty_restarts_make_no_layers() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "buildstep").file("a/ENV", "export A='1'\n");
    for _ in 0..50 {
        s.run(["ps:restart", "a"]).succeeds();
    }
    let commits = s.docker_calls().iter().filter(|call| call.starts_with("commit")).count();
    assert!(commits <= 1, "{commits} commits");
}

#[test]
fn changed_variables_go_onto_the_built_image_not_onto_the_last_release() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "buildstep");
    let built = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    for value in ["1", "2", "3"] {
        s.run(["config:set", "a", &format!("K={value}")]).succeeds();
        assert_eq!(s.docker(["image", "inspect", "--format", "{{index .Config.Labels \"dokku.built\"}}", "dokku/a"]), built);
    }
}

//! `ps` and its kin.

mod sandbox;

use sandbox::{RECEIVE, Sandbox};

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
fn one_app_that_fails_does_not_keep_the_others_from_being_rebuilt() {
    let s = Sandbox::new();
    s.takes_pushes().deployed("a", "buildstep").commit(&[("Procfile", "web: x\n")]);
    s.run_program("git", ["-C", "../client", "push", "-q", RECEIVE, "file:///b", "master"]).succeeds();
    let before = s.read("b/CONTAINER");
    let step = s.run(["ps:rebuildall"]);
    assert!(step.text().contains("a has no branch master to build: push to it first\n"), "{}", step.text());
    step.fails("ps:rebuild failed for: a\n[exit 1]\n");
    assert_ne!(s.read("b/CONTAINER"), before);
}

/// A deployed app that is asked for its pages: curl answers when two apps wait for it, and gives up when only one does.
fn meets_another(s: &Sandbox, app: &str) {
    s.deployed(app, "buildstep").file("../tmp/tree/app/CHECKS", "WAIT=0\nATTEMPTS=1\n/\n");
    let tar = s.run_program("tar", ["-C", "../tmp/tree", "-cf", "-", "app"]).stdout().to_vec();
    let id = s.read(&format!("{app}/CONTAINER"));
    s.stdin(tar).run_program("docker", ["cp", "-", &format!("{}:/", id.trim())]).succeeds();
    s.docker(["commit", id.trim(), &format!("dokku/{app}")]);
    let dir = s.dir().display();
    s.program("curl", &format!(
        "#!/bin/sh\nmkdir -p {dir}/tmp/here; : >{dir}/tmp/here/$$\nfor i in $(seq 200); do\n  [ $(ls {dir}/tmp/here | wc -l) -lt 2 ] || exit 0\n  sleep 0.05\ndone\nexit 22\n"
    ));
}

#[test]
fn apps_are_restarted_together_and_told_of_in_the_order_of_their_names() {
    let s = Sandbox::new();
    quick(&s);
    meets_another(&s, "a");
    meets_another(&s, "b");
    let text = s.run(["ps:restartall"]).text();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in\n{text}"));
    assert!(!text.contains("[exit"), "{text}");
    assert!(place("Releasing a ...") < place("a container output") && place("end a container output") < place("Releasing b ..."), "{text}");
}

#[test]
fn with_somebody_s_hook_on_the_way_apps_are_restarted_one_after_the_other() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "buildstep").deployed("b", "buildstep");
    for hook in ["pre-deploy", "post-deploy"] {
        s.plugin(&format!("x/{hook}"), &format!("#!/bin/sh\necho {hook} $1 >>{}/tmp/order\n", s.dir().display()));
    }
    s.run(["ps:restartall"]).succeeds();
    assert_eq!(s.read("../tmp/order"), "pre-deploy a\npost-deploy a\npre-deploy b\npost-deploy b\n");
}

#[test]
fn a_restart_makes_nothing_and_asks_the_engine_little() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "buildstep").file("a/ENV", "export A='1'\n");
    s.run(["ps:restart", "a"]).succeeds().settles();
    let before = s.docker_calls().len();
    s.run(["ps:restart", "a"]).succeeds();
    let calls = s.docker_calls().split_off(before);
    // The old container is retired beside it.
    let front = calls.iter().filter(|call| !call.starts_with("stop") && !call.starts_with("update --restart=no"));
    let verbs: Vec<_> = front.map(|call| call.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(verbs, ["image", "run", "port", "cp", "ps", "logs", "update"], "{calls:#?}");
}

#[test]
fn an_image_from_elsewhere_is_looked_into_once() {
    let s = Sandbox::new();
    quick(&s).deployed("a", "");
    s.run(["ps:restart", "a"]).succeeds().run(["ps:restart", "a"]).succeeds();
    assert_eq!(s.docker_calls().iter().filter(|call| call.starts_with("create")).count(), 1);
    s.image("dokku/a", "").run(["ps:restart", "a"]).succeeds();
    assert_eq!(s.docker_calls().iter().filter(|call| call.starts_with("create")).count(), 2);
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

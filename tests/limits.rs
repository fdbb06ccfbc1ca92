//! What a build may take, what a log may take, and what an engine or a developer that goes away may not do.

mod sandbox;

use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::Sandbox;

/// A machine with app `a` pushed once, its next commit made.
fn pushed(file: &str, content: &str) -> Sandbox {
    let s = Sandbox::new();
    s.image("progrium/buildstep", "").env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0").env("DOKKU_WAIT_TO_RETIRE", "0");
    s.file("VHOST", "dokku.test\n").run_program("git", ["init", "-q", "-b", "master", "../client"]).succeeds();
    s.file(&format!("../client/{file}"), content);
    commit(&s);
    push(&s).succeeds();
    commit(&s);
    s
}

fn commit(s: &Sandbox) {
    s.run_program("git", ["-C", "../client", "add", "-A"]).succeeds();
    let name = ["-c", "user.name=n", "-c", "user.email=e@x"];
    s.run_program("git", ["-C", "../client"].into_iter().chain(name).chain(["commit", "-q", "--allow-empty", "-m", "one"])).succeeds();
}

const PUSH: [&str; 7] = ["-C", "../client", "push", "-q", "--receive-pack=dokku git-receive-pack", "file:///a", "master"];

/// Pushes as git over ssh does, with dokku at the other end.
fn push(s: &Sandbox) -> sandbox::Step<'_> {
    s.run_program("git", PUSH)
}

fn commit_of(s: &Sandbox, dir: &str) -> String {
    s.run_program("git", ["-C", dir, "rev-parse", "master"]).text()
}

#[track_caller]
fn awaited(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "it does not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The release that serves, with what nginx knows of it.
fn release(s: &Sandbox) -> Vec<String> {
    let image = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    ["CONTAINER", "IP", "PORT", "URL", "nginx.conf"].map(|file| s.read(&format!("a/{file}"))).into_iter().chain([image]).collect()
}

#[test]
fn a_build_that_hangs_ends_and_leaves_nothing() {
    for (file, content, call) in [("Procfile", "web: x\n", "^start -a"), ("Dockerfile", "FROM scratch\n", "^build")] {
        let s = pushed(file, content);
        let before = release(&s);
        s.docker_hangs(call).file("ENV", "export DOKKU_BUILD_TIMEOUT='1'\n");
        let began = Instant::now();
        push(&s).fails("The build of a has not ended within 1 seconds and was stopped; nothing has been changed.");
        assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
        assert_eq!(release(&s), before);
        assert_eq!(s.docker(["ps", "-a", "-q", "-f", "label=dokku.phase=build"]), "");
        s.docker_obeys();
        push(&s).succeeds();
        assert_ne!(release(&s), before);
    }
}

#[test]
fn a_build_that_has_time_enough_is_not_touched() {
    let s = pushed("Procfile", "web: x\n");
    s.file("a/ENV", "export DOKKU_BUILD_TIMEOUT='0'\n");
    push(&s).succeeds();
}

#[test]
fn too_little_room_is_found_before_a_build() {
    let s = pushed("Procfile", "web: x\n");
    let (before, calls) = (release(&s), s.docker_calls());
    s.file("ENV", "export DOKKU_MIN_FREE_MB='999999999'\n");
    let text = push(&s).text();
    let words = text.lines().find(|line| line.contains("There is too little room to build a: ")).unwrap_or_else(|| panic!("{text}"));
    assert!(words.contains(" MB are free at /") && words.contains("999999999 MB must be (DOKKU_MIN_FREE_MB)"), "{words}");
    let made = ["create", "run", "build", "commit"];
    let new = s.docker_calls()[calls.len()..].to_vec();
    assert!(!new.iter().any(|call| made.iter().any(|verb| call.starts_with(verb))), "{new:#?}");
    assert_eq!(release(&s), before);
    s.file("a/ENV", "export DOKKU_MIN_FREE_MB='0'\n");
    push(&s).succeeds();
}

#[test]
fn logs_have_an_end_unless_somebody_has_said_what_becomes_of_them() {
    let s = Sandbox::new();
    s.env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0").env("DOKKU_WAIT_TO_RETIRE", "0").deployed("a", "buildstep");
    let last_run = || s.docker_calls().into_iter().rfind(|call| call.starts_with("run -d")).unwrap();
    s.run(["ps:restart", "a"]).succeeds();
    assert!(last_run().contains(" --log-opt max-size=10m --log-opt max-file=3 "), "{}", last_run());
    for own in ["--log-driver=syslog", "--log-opt tag=x", "--log-driver none"] {
        s.file("a/DOCKER_OPTIONS_DEPLOY", format!("{own}\n")).run(["ps:restart", "a"]).succeeds();
        assert!(last_run().contains(own) && !last_run().contains("max-size"), "{}", last_run());
    }
}

#[test]
fn a_developer_who_hangs_up_in_the_middle_gets_a_whole_deployment() {
    let s = pushed("Procfile", "web: x\n");
    let before = release(&s);
    // Loud enough that whoever writes to a client that has gone notices.
    let hook = "#!/bin/sh\ntouch $DOKKU_ROOT/under-way\nwhile [ ! -e $DOKKU_ROOT/gone ]; do sleep 0.1; done\nseq 20000; seq 20000 >&2\n";
    s.plugin("x/pre-deploy", hook);
    let mut client = s.command("git");
    client.args(PUSH).stdout(Stdio::null()).stderr(Stdio::null());
    let mut client = client.spawn().unwrap();
    awaited(|| s.exists("under-way"));
    client.kill().unwrap();
    client.wait().unwrap();
    s.file("gone", "");
    awaited(|| release(&s) != before);
    awaited(|| commit_of(&s, "a") == commit_of(&s, "../client"));
    awaited(|| s.running("a") == [s.read("a/CONTAINER").trim()]);
    push(&s).succeeds();
}

const DOWN: &str = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";

#[test]
fn without_an_engine_each_command_says_so_and_changes_nothing() {
    let s = pushed("Procfile", "web: x\n");
    s.file("a/ENV", "export K='1'\n");
    let (before, tree) = (release(&s), s.tree());
    s.docker_fails("", 1, DOWN);
    for line in [
        "ps:stop a",
        "ps:start a",
        "ps:restart a",
        "config:set a K=2",
        "config:unset a K",
        "ps:restartall",
        "ps:rebuild a",
        "run a ls",
        "--force apps:destroy a",
    ] {
        let step = s.run_line(line);
        let text = step.text();
        assert!(text.contains("The Docker engine does not answer.") && step.code() != 0, "{line}: {text}");
    }
    push(&s).fails("The Docker engine does not answer.");
    s.has("a/ENV", "export K='1'\n").docker_obeys();
    assert_eq!(release(&s), before);
    let kept = |tree: &[String]| tree.iter().filter(|path| !path.contains("/objects/")).cloned().collect::<Vec<_>>();
    assert_eq!(kept(&s.tree()), kept(&tree));
    assert_eq!(s.running("a"), [before[0].trim()]);
    s.run(["ps:restore", "a"]).shows("       a runs\n");
}

#[test]
fn an_engine_that_cannot_tell_is_not_taken_for_one_without_the_image() {
    let s = pushed("Procfile", "web: x\n");
    let before = release(&s);
    // It comes back while the restart is being undone.
    s.docker_fails("^image inspect", 1, DOWN);
    s.run(["ps:restart", "a"]).fails("The Docker engine does not answer.");
    assert!(!s.docker_calls().iter().any(|call| call.starts_with("rmi dokku/a")));
    s.docker_obeys();
    assert_eq!(release(&s), before);
}

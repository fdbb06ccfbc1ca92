//! What one app has to do with another: nothing that the other would not like. And what a hook below an operation on an app
//! may do to that app and to others, without anybody waiting for ever.

mod sandbox;

use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sandbox::{RECEIVE, Sandbox};

/// Apps that serve version 1 of one source.
fn serving(apps: &[&str]) -> Sandbox {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]);
    for app in apps {
        assert!(push(&s, app).output().unwrap().status.success(), "{app}");
    }
    s.settles();
    s
}

fn push(s: &Sandbox, app: &str) -> Command {
    let mut command = s.command("git");
    command.args(["-C", "../client", "push", "-q", RECEIVE, &format!("file:///{app}"), "master"]);
    command
}

fn version(s: &Sandbox, app: &str) -> String {
    let whole = s.whole(app).unwrap_or_else(|wrong| panic!("{app}: {wrong}"));
    format!("{} {}", whole.version, whole.master)
}

/// The longest that two commands may take which wait for each other.
const LIMIT: Duration = Duration::from_secs(30);

/// Runs both at once, the second a moment later.
fn at_once(one: Command, other: Command) {
    let spawn = |mut command: Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    let (began, one) = (Instant::now(), spawn(one));
    sleep(Duration::from_millis(300));
    for mut child in [one, spawn(other)] {
        let ended = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if began.elapsed() > LIMIT => panic!("they wait for each other: {:?}", child.kill()),
                None => sleep(Duration::from_millis(20)),
            }
        };
        assert!(ended.success(), "{ended}");
    }
}

#[test]
fn two_apps_whose_hooks_change_each_other_do_not_wait_for_ever() {
    let s = serving(&["a", "b"]);
    s.plugin(
        "x/pre-deploy",
        "#!/bin/sh\nsleep 1\n[ $1 = a ] && dokku config:set-norestart b K=of-a || dokku config:set-norestart a K=of-b\n",
    );
    s.commit(&[("version", "2\n")]);
    at_once(push(&s, "a"), push(&s, "b"));
    s.settles();
    assert_eq!((version(&s, "a"), version(&s, "b")), ("2 2".into(), "2 2".into()));
    s.has("a/ENV", "export K='of-b'\n").has("b/ENV", "export K='of-a'\n");
    s.run_line("cleanup").succeeds().settles();
    assert_eq!(s.leftovers(&["a", "b"]), [""; 0]);
    assert_eq!(std::fs::read_dir(s.dir().join("lib/waiting")).unwrap().count(), 0);
}

#[test]
fn two_apps_whose_hooks_build_each_other_do_not_wait_for_ever() {
    let s = serving(&["a", "b"]);
    let hook = "#!/bin/sh\n[ -z \"$INNER\" ] || exit 0\nsleep 1\nexport INNER=1\n[ $1 = a ] && other=b || other=a\n\
                dokku ps:rebuild $other || echo $other >> $DOKKU_ROOT/refused\n";
    s.plugin("x/post-deploy", hook).commit(&[("version", "2\n")]);
    at_once(push(&s, "a"), push(&s, "b"));
    s.settles();
    // One at least was told that the other's push is under way; what runs is what master says.
    assert_eq!((version(&s, "a"), version(&s, "b")), ("2 2".into(), "2 2".into()));
    assert!(s.exists("refused"));
}

#[test]
fn a_hook_that_builds_its_own_app_in_a_push_builds_what_is_pushed() {
    let s = serving(&["a"]);
    s.plugin("x/post-deploy", "#!/bin/sh\n[ -z \"$INNER\" ] || exit 0\nexport INNER=1\ndokku ps:rebuild $1\n")
        .commit(&[("version", "2\n")]);
    assert!(push(&s, "a").output().unwrap().status.success());
    s.settles();
    assert_eq!(version(&s, "a"), "2 2");
}

#[test]
fn a_hook_that_builds_its_app_does_not_wait_for_a_push_that_waits_for_it() {
    let s = serving(&["a"]);
    s.plugin("x/post-domains-update", "#!/bin/sh\nsleep 1\ndokku ps:rebuild $1\n");
    s.commit(&[("version", "2\n")]);
    let mut add = s.command("dokku");
    add.args(["domains:add", "a", "more.example"]);
    at_once(add, push(&s, "a"));
    s.settles();
    assert_eq!(version(&s, "a"), "2 2");
}

#[test]
fn a_hook_of_a_push_may_build_another_app() {
    let s = serving(&["a", "b"]);
    s.plugin("x/post-deploy", "#!/bin/sh\n[ $1 = b ] && exit; dokku config:set-norestart b K=new; dokku ps:rebuild b\n");
    for round in ["2", "3"] {
        // First the other one is at the commit from which this push begins, then it is not.
        let before = s.read("b/CONTAINER");
        s.commit(&[("version", &format!("{round}\n"))]);
        let output = push(&s, "a").output().unwrap();
        assert!(output.status.success(), "{output:?}");
        s.settles();
        assert_eq!((version(&s, "a"), version(&s, "b")), (format!("{round} {round}"), "1 1".into()));
        // It was not taken back when git had taken the push.
        assert_ne!(s.read("b/CONTAINER"), before);
    }
}

#[test]
fn a_container_that_another_app_has_on_record_is_not_ended() {
    let s = serving(&["a"]);
    // A file that was copied.
    s.app("c").file("c/CONTAINER", s.read("a/CONTAINER"));
    s.run_line("apps:destroy c force").succeeds().lacks("c");
    assert_eq!(version(&s, "a"), "1 1");
    // A directory that was renamed: labels do not know.
    std::fs::rename(s.home().join("a"), s.home().join("b")).unwrap();
    s.docker(["tag", "dokku/a", "dokku/b"]);
    s.app("a").run_line("apps:destroy a force").succeeds();
    assert!(s.docker(["ps", "-q", "--no-trunc"]).contains(s.read("b/CONTAINER").trim()));
}

#[test]
fn a_path_on_record_is_no_container() {
    let s = serving(&["a"]);
    let path = s.dir().join("tmp/evil");
    s.file("a/CONTAINER", format!("{}\n", path.display())).commit(&[("version", "2\n")]);
    let output = push(&s, "a").output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stderr).contains("is not the id of a container"), "{output:?}");
    assert!(!path.exists());
}

#[test]
fn the_directory_of_certificates_is_no_app() {
    let s = serving(&["a"]);
    s.file("tls/server.crt", "x").file("tls/server.key", "y");
    for line in ["config:set-norestart tls K=V", "domains:add tls x.example", "ps:restart tls"] {
        s.run_line(line).fails("App tls does not exist");
    }
    s.run_line("apps:destroy tls force").shows("Unable to destroy tls directory\n[exit 1]\n");
    assert!(!push(&s, "tls").output().unwrap().status.success());
    let there: Vec<String> = s.tree().into_iter().filter(|path| path.starts_with("tls/")).collect();
    assert_eq!(there, ["tls/", "tls/server.crt", "tls/server.key"]);
}

#[test]
fn an_image_that_somebody_takes_away_after_a_kill_does_not_keep_the_app_from_anything() {
    let s = serving(&["a"]);
    let image = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    s.commit(&[("version", "2\n")]).keeps_state();
    let words = ["-C", "../client", "push", "-q", RECEIVE, "file:///a", "master"];
    s.watched("none", "git", words).succeeds().settles();
    let run = s.watched_calls().iter().position(|call| call.starts_with("docker run -d")).expect("a container is run") + 1;
    s.goes_back().watched(&format!("before {run}"), "git", words).text();
    s.settles();
    let old = s.read("a/CONTAINER");
    s.docker(["rm", "-f", old.trim()]);
    s.docker(["rmi", "-f", image.trim()]);
    s.run_line("config:set-norestart a K=V").succeeds();
    assert!(push(&s, "a").output().unwrap().status.success());
    s.settles();
    assert_eq!(version(&s, "a"), "2 2");
}

#[test]
fn half_a_file_of_somebody_who_is_gone_is_taken_away() {
    let s = serving(&["a"]);
    let files = ["lib/standing", "lib/released", "lib", "home"].map(|dir| format!("{dir}/.dokku-999999-x"));
    for file in &files {
        std::fs::write(s.dir().join(file), "{").unwrap();
    }
    s.run_line("cleanup").succeeds().settles();
    assert!(files.iter().all(|file| !s.dir().join(file).exists()));
}

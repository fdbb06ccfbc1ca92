//! What a killed command has left, piece by piece: the next one takes it away, and leaves alone what is not its own.
//! `tests/kills.rs` has all of it at once.

mod sandbox;

use dokku::process::Process;
use sandbox::killed::dead;
use sandbox::{RECEIVE, Sandbox};

#[test]
fn git_s_lock_on_master_does_not_outlive_the_push_that_was_killed_with_it() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds();
    // git calls it while it holds the lock; the whole process group goes.
    let hook = "#!/bin/sh\n[ \"$1\" = prepared ] || exit 0\n[ ! -e refs/heads/master.lock ] || : >../../tmp/was-locked\nkill -9 0\n";
    s.plugin("../home/a/hooks/reference-transaction", hook);
    s.commit(&[("version", "2\n")]);
    let killed = s.watched("none", "git", ["-C", "../client", "push", "-q", RECEIVE, "file:///a", "master"]);
    assert_eq!(killed.code(), 137, "{}", killed.text());
    assert!(s.settles().exists("../tmp/was-locked"));
    s.run(["urls", "a"]).succeeds().settles().lacks("a/refs/heads/master.lock").lacks("a/HEAD.lock");
    assert_eq!(s.whole("a").unwrap().version, "1");
    std::fs::remove_file(s.home().join("a/hooks/reference-transaction")).unwrap();
    s.push("master").succeeds().settles();
    assert_eq!(s.whole("a").unwrap().version, "2");
}

#[test]
fn files_that_were_half_written_go_unless_somebody_is_still_at_it() {
    let s = Sandbox::new();
    let (gone, here) = (dead().pid, std::process::id());
    let dirs = ["a", "a/tls", "a/hooks"];
    for dir in dirs {
        s.file(&format!("{dir}/.dokku-{gone}-x"), "half")
            .file(&format!("{dir}/.dokku-{here}-x"), "half")
            .file(&format!("{dir}/.other-1"), "");
    }
    s.was_killed(dead()).run(["ps", "a"]).succeeds();
    for dir in dirs {
        let there =
            [format!(".dokku-{gone}-x"), format!(".dokku-{here}-x"), ".other-1".into()].map(|name| s.exists(&format!("{dir}/{name}")));
        assert_eq!(there, [false, true, true], "{dir}");
    }
}

#[test]
fn a_container_that_was_looked_into_goes_when_whoever_looked_was_killed() {
    for (next, killed) in [("cleanup", false), ("ps a", true)] {
        let s = Sandbox::new();
        s.app("a").image("any", "");
        let made =
            |labels: &[&str]| s.docker(["create"].into_iter().chain(labels.iter().flat_map(|label| ["--label", label])).chain(["any"]));
        let by = |process: Process| made(&["dokku.app=", "dokku.phase=probe", &format!("dokku.process={process}")]);
        let (abandoned, looking) = (by(dead()), by(Process::me()));
        let theirs = made(&["dokku.phase=probe"]);
        if killed {
            s.was_killed(dead());
        }
        s.run_line(next).succeeds().settles();
        let left = s.docker(["ps", "-a", "-q", "--no-trunc"]);
        let there = [abandoned, looking, theirs].map(|id| left.contains(&id));
        assert_eq!(there, [false, true, true], "{next}");
    }
}

#[test]
fn a_container_that_docker_made_and_could_not_start_does_not_stay() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").deployed("b", "buildstep");
    let made = |app: &str| s.docker(["create", "--label", &format!("dokku.app={app}"), "--label", "dokku.phase=web", "dokku/a"]);
    let (ours, other) = (made("a"), made("b"));
    s.docker_fails("^run -d", 125, "driver failed programming external connectivity: port is already allocated");
    s.run(["ps:restart", "a"]).fails("port is already allocated");
    let left = s.docker(["ps", "-a", "-q", "--no-trunc"]);
    assert_eq!((left.contains(&ours), left.contains(&other)), (false, true));
    assert_eq!(s.running("a"), [s.read("a/CONTAINER").trim()]);
}

#[test]
fn what_git_refuses_after_it_was_deployed_is_taken_back_at_once() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]);
    s.commit(&[("version", "2\n")]).push("master").succeeds().settles();
    s.run_program("git", ["config", "-f", "a/config", "receive.denyNonFastForwards", "true"]).succeeds();
    s.run_program("git", ["-C", "../client", "reset", "-q", "--hard", "HEAD~1"]).succeeds();
    s.commit(&[("version", "3\n")]).push("+master").fails("denying non-fast-forward").settles();
    let whole = s.whole("a").unwrap();
    assert_eq!((whole.version.as_str(), whole.master.as_str()), ("2", "2"));
}

#[test]
fn a_first_push_that_git_refuses_after_it_was_deployed_ends_with_nothing_deployed() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]);
    s.plugin("../home/new/hooks/update", "#!/bin/sh\nexit 1\n");
    let refused = s.run_program("git", ["-C", "../client", "push", "-q", RECEIVE, "file:///new", "master"]);
    assert!(refused.text().contains("Application deployed") && refused.code() != 0, "{}", refused.text());
    // It may be the cleaning up that has come first.
    s.settles().lacks("new/CONTAINER").lacks("new/nginx.conf");
    assert_eq!(s.running("new"), [""; 0]);
}

#[test]
fn a_push_from_a_shallow_clone_is_refused_before_it_is_built_where_git_would_refuse_it() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).commit(&[("version", "2\n")]);
    let client = format!("file://{}", s.dir().join("client").display());
    s.run_program("git", ["clone", "-q", "--depth", "1", &client, "../shallow"]).succeeds();
    let push = |app: &str| s.run_program("git", ["-C", "../shallow", "push", "-q", RECEIVE, &format!("file:///{app}"), "master"]);

    push("new").fails("This comes from a shallow clone");
    assert!(s.docker_calls().iter().all(|call| !call.starts_with("create") && !call.starts_with("run")), "{:?}", s.docker_calls());
    s.run_program("git", ["config", "-f", "new/config", "receive.shallowUpdate", "true"]).succeeds();
    push("new").succeeds().settles();
    assert_eq!(s.whole("new").unwrap().version, "2");

    // Where the rest is known already, nothing is cut off.
    s.push("master").succeeds().settles();
    s.file("../shallow/version", "3\n");
    let commit = ["-C", "../shallow", "-c", "user.name=n", "-c", "user.email=e@x", "commit", "-q", "-a", "-m", "three"];
    s.run_program("git", commit).succeeds();
    push("a").succeeds().settles();
    assert_eq!(s.whole("a").unwrap().version, "3");
}

#[test]
fn what_runs_goes_on_when_somebody_has_lost_its_record() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds().settles();
    let serving = s.read("a/CONTAINER").trim().to_owned();
    std::fs::remove_file(s.home().join("a/CONTAINER")).unwrap();
    s.run(["cleanup"]).succeeds().settles();
    assert_eq!(s.running("a"), [serving]);
    // Until there is a release again, which it is not a part of.
    s.commit(&[("version", "2\n")]).push("master").succeeds().settles();
    s.run(["cleanup"]).succeeds().settles();
    assert_eq!(s.whole("a").unwrap().version, "2");
}

#[test]
fn what_a_killed_command_of_a_hook_was_changing_is_put_back_before_the_operation_above_it_changes_it() {
    for hook in ["x/pre-build", "x/pre-deploy", "00/post-deploy", "x/post-deploy"] {
        let s = Sandbox::new();
        s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds().settles();
        s.plugin(hook, "#!/bin/sh\ndokku domains:add $1 more.example || echo killed >$DOKKU_ROOT/a/SEEN\n");
        s.plugin("x/post-domains-update", "#!/bin/sh\nkill -9 $PPID\n");
        s.commit(&[("version", "2\n")]).push("master").succeeds().settles().has("a/SEEN", "killed\n");
        std::fs::remove_file(s.dir().join("plugins").join(hook)).unwrap();
        s.run(["config:set-norestart", "a", "K=V"]).succeeds().settles();
        s.run(["cleanup"]).succeeds().settles();
        let whole = s.whole("a").unwrap_or_else(|wrong| panic!("{hook}: {wrong}"));
        assert_eq!((whole.version.as_str(), s.leftovers(&["a"])), ("2", Vec::new()), "{hook}");
    }
}

#[test]
fn a_push_that_deletes_master_is_told_what_it_would_end() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds();
    s.settles().push(":master").fails("`dokku apps:destroy a` ends the app");
    assert_eq!(s.settles().whole("a").unwrap().version, "1");
}

//! `git`: repositories, the pre-receive hook, builds of what was pushed.

mod sandbox;

use nix::fcntl::{Flock, FlockArg};
use sandbox::Sandbox;

const NONE: &str = "0000000000000000000000000000000000000000";

/// A container with these labels that has ended, of an image that is nobody's.
fn ended(s: &Sandbox, labels: &[&str]) -> String {
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    let id = s.docker(["run", "-d"].into_iter().chain(labels).chain(["progrium/buildstep"]));
    s.docker(["stop", &id]);
    id
}

/// An image that has lost its name to another one.
fn nameless(s: &Sandbox, name: &str, app: Option<&str>) -> String {
    let id = s.docker(["create", "progrium/buildstep"]);
    let label = app.map(|app| format!("LABEL dokku.app={app}"));
    let change = label.iter().flat_map(|label| ["--change", label]);
    let image = s.docker(["commit"].into_iter().chain(change).chain([id.as_str(), name]));
    s.docker(["rm", &id]);
    s.image(name, "");
    image
}

#[test]
fn other_branches_get_a_warning_and_no_deployment() {
    let s = Sandbox::new();
    s.app("a").stdin(format!("{NONE} {NONE} refs/heads/next\n")).run(["git-hook", "a"]).shows(
        "\x1b[1G\x1b[K-----> WARNING: deploy did not complete, you must push to master.\n\x1b[1G\x1b[K-----> for example, try 'git push <dokku> next:master'\n",
    );
    assert!(s.docker_calls().is_empty());
}

#[test]
fn a_push_makes_the_app_and_deploys_it() {
    let s = Sandbox::new();
    s.takes_pushes();
    s.commit(&[("Procfile", "web: x\n"), (".env", "A=1\n")]);
    let text = s.push("master").text();
    assert_eq!(s.running("a"), [s.read("a/CONTAINER").trim()], "{text}");
    for line in [
        "-----> Cleaning up...",
        "-----> Building a from buildstep...",
        "-----> building",
        "-----> Releasing a...",
        "-----> Deploying a...",
        "=====> Application deployed:",
    ] {
        assert!(text.contains(&format!("\x1b[1G{line}")), "{line} is not in\n{text}");
    }
    assert_eq!(
        s.read("a/hooks/pre-receive").lines().last(),
        Some(format!("cat | DOKKU_ROOT=\"{}\" dokku git-hook a", s.home().display()).as_str())
    );
    assert!(s.read("a/URLS").contains("http://a.dokku.test"));
}

#[test]
fn nobody_looking_means_one_container_and_one_commit() {
    let s = Sandbox::new();
    s.takes_pushes();
    s.commit(&[("Procfile", "web: x\n")]);
    s.push("master").succeeds();
    let calls = s.docker_calls();
    let count = |verb: &str| calls.iter().filter(|call| call.starts_with(verb)).count();
    assert_eq!((count("create"), count("commit"), count("run")), (1, 1, 1), "{calls:#?}");
}

#[test]
fn a_push_asks_the_engine_no_more_than_it_must() {
    let s = Sandbox::new();
    s.takes_pushes();
    for text in ["web: x\n", "web: y\n"] {
        s.commit(&[("Procfile", text)]);
        s.push("master").succeeds();
    }
    let calls = s.docker_calls();
    let first = calls.iter().rposition(|call| call.starts_with("create")).expect("a build");
    // What is taken away or retired beside it is no part of the push.
    let beside =
        |call: &&String| ["ps -a", "images", "rmi", "rm", "stop", "update --restart=no"].iter().any(|start| call.starts_with(start));
    let verbs: Vec<_> = calls[first..].iter().filter(|call| !beside(call)).map(|call| call.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(verbs, ["create", "cp", "start", "cp", "commit", "image", "run", "container", "cp", "ps", "logs", "update"], "{calls:#?}");
}

#[test]
fn phases_tell_how_long_they_took_when_asked_to() {
    let s = Sandbox::new();
    s.takes_pushes().app("a").file("a/ENV", "export DOKKU_TIMINGS='1'\n");
    s.commit(&[("Procfile", "web: x\n")]);
    let text = s.push("master").text();
    for phase in ["build", "release", "start", "checks", "switch"] {
        assert!(text.contains(&format!("\x1b[1G       ({phase}: ")), "{phase} is not in\n{text}");
    }
}

#[test]
fn a_hook_that_looks_sees_the_image_it_expects() {
    let s = Sandbox::new();
    s.takes_pushes();
    s.plugin(
        "x/pre-build",
        "#!/bin/sh\nid=$(docker create dokku/$1 true); docker cp $id:/app/Procfile - | tar -xO; docker rm $id >/dev/null\n",
    );
    s.plugin("x/post-release", "#!/bin/sh\nid=$(docker create dokku/$1 true); docker cp $id:/app/.profile.d/00-global-env.sh - | tar -xO; docker rm $id >/dev/null\n");
    s.commit(&[("Procfile", "web: seen\n")]);
    let text = s.push("master").text();
    assert!(text.contains("web: seen") && text.contains("export CURL_TIMEOUT=30"), "{text}");
}

#[test]
fn a_failing_build_leaves_the_old_release_as_it_was() {
    let s = Sandbox::new();
    s.takes_pushes();
    s.commit(&[("Procfile", "web: x\n")]);
    s.push("master").succeeds();
    let image = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    let (tree, container) = (s.tree(), s.read("a/CONTAINER"));
    s.docker_obeys().docker_fails("^start -a", 3, "no compiler");
    s.commit(&[("Procfile", "web: y\n")]);
    s.push("master").fails("no compiler");
    assert_eq!(s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]), image);
    assert_eq!(s.read("a/CONTAINER"), container);
    assert_eq!(s.running("a"), [container.trim()]);
    assert_eq!(
        s.tree().iter().filter(|path| !path.contains("/objects/")).count(),
        tree.iter().filter(|path| !path.contains("/objects/")).count()
    );
    assert_eq!(s.docker(["ps", "-a", "-q", "-f", "label=dokku.phase=build"]), "");
}

#[test]
fn a_failing_post_deploy_hook_puts_everything_back() {
    let s = Sandbox::new();
    s.takes_pushes();
    s.commit(&[("Procfile", "web: x\n")]);
    s.push("master").succeeds();
    let records = ["CONTAINER", "IP", "PORT", "URL", "nginx.conf", "URLS", "VHOST"];
    let before = records.map(|entry| s.read(&format!("a/{entry}")));
    let image = || s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    let master = || s.run_program("git", ["-C", "a", "rev-parse", "refs/heads/master"]).text();
    let (old_image, old_master) = (image(), master());
    s.plugin("zz/post-deploy", "#!/bin/sh\necho not today >&2; exit 6\n");
    s.commit(&[("Procfile", "web: y\n")]);
    s.push("master").fails("not today");
    assert_eq!(records.map(|entry| s.read(&format!("a/{entry}"))), before);
    assert_eq!(s.running("a"), [before[0].trim()]);
    assert_eq!((image(), master()), (old_image, old_master));
}

#[test]
fn cleaning_up_takes_what_is_ours_and_nothing_of_other_people() {
    let s = Sandbox::new();
    s.takes_pushes().deployed("b", "buildstep");
    let (ended, nameless) = (|labels: &[&str]| ended(&s, labels), nameless(&s, "elsewhere/x", None));
    // Of somebody who knows nothing of us, of one whose label is like ours, and of another installation in the same engine.
    let theirs = [ended(&[]), ended(&["dokku.phase=run"]), ended(&["dokku.app=elsewhere", "dokku.phase=web"])];
    let stopped = s.read("b/CONTAINER").trim().to_owned();
    s.docker(["stop", &stopped]);
    s.commit(&[("Procfile", "web: x\n")]).push("master").succeeds();
    let old = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    let ours = [s.read("a/CONTAINER").trim().to_owned(), ended(&["dokku.app=a", "dokku.phase=run"])];
    s.commit(&[("Procfile", "web: y\n")]).push("master").succeeds();
    s.settles().run(["cleanup"]).succeeds().settles();
    let (containers, images) = (s.docker(["ps", "-a", "-q", "--no-trunc"]), s.docker(["images", "-q", "--no-trunc"]));
    assert_eq!(ours.each_ref().map(|id| containers.contains(id)), [false; 2]);
    assert_eq!(theirs.each_ref().map(|id| containers.contains(id)), [true; 3]);
    assert!(containers.contains(&stopped), "another app's container has gone");
    assert_eq!([&old, &nameless].map(|id| images.contains(id)), [false, true]);
}

#[test]
fn cleaning_up_leaves_to_a_build_under_way_what_it_has_made() {
    let s = Sandbox::new();
    s.takes_pushes().app("a").file("../lib/operations/a", "");
    let made = [ended(&s, &["dokku.app=a", "dokku.phase=build"]), ended(&s, &["dokku.app=a", "dokku.phase=web"])];
    let image = nameless(&s, "dokku/a", Some("a"));
    let there = || {
        s.run(["cleanup"]).succeeds().settles();
        let (containers, images) = (s.docker(["ps", "-a", "-q", "--no-trunc"]), s.docker(["images", "-q", "--no-trunc"]));
        (made.each_ref().map(|id| containers.contains(id)), images.contains(&image))
    };
    let lock = std::fs::File::open(s.dir().join("lib/operations/a")).unwrap();
    let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno).unwrap();
    assert_eq!(there(), ([true; 2], true));
    drop(lock);
    assert_eq!(there(), ([false; 2], false));
}

#[test]
fn leaves_no_work_tree_behind() {
    let s = Sandbox::new();
    s.takes_pushes();
    s.commit(&[("Procfile", "web: x\n")]);
    s.push("master").succeeds();
    s.docker_fails("^commit", 1, "no space left on device");
    s.commit(&[("Procfile", "web: y\n")]);
    s.push("master").fails("no space left on device");
    let left: Vec<_> = std::fs::read_dir(s.dir().join("tmp")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_new_app_needs_a_name_that_docker_takes() {
    let s = Sandbox::new();
    let before = s.tree();
    for name in ["'../x'", "'a;b'", "'UPPER'", "'nested/app'", "'z|touch${IFS}/x;#'", "'tls'"] {
        s.run(["git-receive-pack", name]).fails("cannot be the name of an app");
    }
    assert_eq!(s.tree(), before);
}

#[test]
fn waits_for_whoever_builds_already() {
    let s = Sandbox::new();
    s.app("a");
    let lock = s.home().join("a/.build.lock");
    let mut holder = s.command("flock").arg(&lock).args(["sleep", "1"]).spawn().unwrap();
    while s.command("flock").arg("-n").arg(&lock).arg("true").status().unwrap().success() {}
    let text = s.run(["git-build", "a", NONE]).text();
    assert!(text.starts_with("a is currently being deployed or locked. Waiting...\n"), "{text}");
    holder.wait().unwrap();
}

#[test]
fn a_failing_build_of_a_dockerfile_leaves_the_port_of_the_old_release() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Dockerfile", "FROM x\nEXPOSE 3001\n")]).push("master").succeeds();
    s.docker_obeys().docker_fails("^build", 1, "no such command").commit(&[("Dockerfile", "FROM x\nEXPOSE 3002\n")]);
    s.push("master").fails("no such command").has("a/ENV", "export DOKKU_DOCKERFILE_PORT='3001'\n");
}

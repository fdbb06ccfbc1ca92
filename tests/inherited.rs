//! What a server has after years with 0.3.18, and with people who edit its files: no label on what runs, files with blanks,
//! DOS line ends or no end at all, DOKKU_ROOT under version control, a git that names new branches otherwise.

mod sandbox;

use std::process::{Child, Stdio};
use std::time::Duration;

use sandbox::{RECEIVE, Sandbox};

/// App `a` as 0.3.18 has deployed it: nothing of it carries a label.
fn deployed_by_0_3_18(s: &Sandbox) -> String {
    s.image("dokku/a", "");
    let id = s.docker(["run", "-d", "-e", "PORT=5000", "dokku/a", "/start", "web"]);
    s.file("a/CONTAINER", format!("{id}\n")).file("a/IP", "172.17.0.9\n").file("a/PORT", "5000\n");
    s.file("a/URL", "http://dokku.test:5000\n");
    id
}

fn serving() -> Sandbox {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds().settles();
    s
}

#[test]
fn what_0_3_18_has_started_goes_with_its_image_when_it_has_been_replaced() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]);
    // As long as git has not taken the push, the image is a way back and stays.
    s.env("DOKKU_WAIT_TO_RETIRE", "1");
    let old = deployed_by_0_3_18(&s);
    let image = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    let theirs = s.docker(["run", "-d", "progrium/buildstep"]);
    s.docker(["stop", &theirs]);
    s.push("master").succeeds().settles();
    assert_eq!(s.whole("a").unwrap().version, "1");
    let containers = s.docker(["ps", "-a", "-q", "--no-trunc"]);
    assert!(!containers.contains(&old) && containers.contains(&theirs), "{containers}");
    let images = s.docker(["images", "-a", "-q", "--no-trunc"]);
    assert!(!images.contains(&image), "{images}");
}

#[test]
fn an_image_of_0_3_18_that_has_its_name_still_stays() {
    let s = Sandbox::new();
    s.takes_pushes();
    let old = deployed_by_0_3_18(&s);
    let image = s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]);
    s.run(["deploy", "a"]).succeeds().settles();
    assert!(!s.docker(["ps", "-a", "-q", "--no-trunc"]).contains(&old));
    assert_eq!(s.docker(["image", "inspect", "--format", "{{.Id}}", "dokku/a"]), image);
}

#[test]
fn a_container_on_record_is_a_word_whatever_stands_around_it() {
    for text in ["ID\r\n", "ID \n", " ID\n", "\nID\n", "ID"] {
        let s = Sandbox::new();
        s.takes_pushes();
        let old = deployed_by_0_3_18(&s);
        s.file("a/CONTAINER", text.replace("ID", &old)).run(["ps:restart", "a"]).succeeds().settles();
        assert!(!s.docker(["ps", "-q", "--no-trunc"]).contains(&old), "{text:?}");
        let new = s.read("a/CONTAINER").trim().to_owned();
        s.file("a/CONTAINER", text.replace("ID", &new)).run(["ps:stop", "a"]).shows("Stopping a ...\n");
        assert_eq!(s.docker(["ps", "-q", "--no-trunc"]), "", "{text:?}");
    }
}

#[test]
fn several_domains_in_one_line_of_vhost_are_several_domains() {
    let s = serving();
    s.file("a/VHOST", "a.dokku.test other.example\n \n").run(["ps:restart", "a"]).succeeds().settles();
    assert!(s.read("a/nginx.conf").contains("server_name a.dokku.test other.example ;"));
    assert!(s.read("a/URLS").ends_with("\nhttp://a.dokku.test\nhttp://other.example\n"));
    s.app("b").run(["domains:add", "b", "other.example"]).fails("other.example belongs to app a");
    s.run(["domains:remove", "a", "a.dokku.test"]).succeeds().has("a/VHOST", "other.example\n \n");
}

#[test]
fn a_home_under_version_control_is_no_app_s_repository() {
    let s = Sandbox::new();
    s.run_program("git", ["init", "-q", "-b", "master", "."]).succeeds();
    let commit = ["-c", "user.name=n", "-c", "user.email=e@x", "commit", "-q", "--allow-empty", "-m", "home"];
    s.run_program("git", commit).succeeds();
    s.app("a").run(["ps:rebuild", "a"]).shows("[stderr]\nhint: a has no branch master to build: push to it first\n[exit 1]\n");
}

#[test]
fn the_branch_that_is_deployed_is_the_repository_s_whatever_git_calls_new_ones() {
    let s = Sandbox::new();
    s.file(".gitconfig", "[init]\n\tdefaultBranch = main\n");
    s.takes_pushes()
        .commit(&[("Procfile", "web: x\n"), ("version", "1\n")])
        .push("master")
        .succeeds()
        .has("a/HEAD", "ref: refs/heads/master\n");
}

/// Starts a command whose input stays open, and waits until it is at its question.
fn left_open(s: &Sandbox, words: &[&str]) -> Child {
    let mut command = s.command("dokku");
    let child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    child
}

#[test]
fn whoever_leaves_a_question_open_keeps_nobody_from_the_app() {
    let s = serving();
    for words in [["apps:destroy", "a"], ["nginx:import-ssl", "a"]] {
        let mut asking = left_open(&s, &words);
        s.run(["config:set-norestart", "a", "K=V"]).shows("-----> Setting config vars\n       K: V\n");
        assert!(asking.try_wait().unwrap().is_none(), "{words:?} did not wait");
        // An answer that does not come.
        drop(asking.stdin.take());
        assert!(!asking.wait().unwrap().success());
    }
    assert!(s.run_program("git", ["-C", "../client", "push", "-q", RECEIVE, "file:///a", "master:other"]).code() == 0);
    s.whole("a").unwrap();
}

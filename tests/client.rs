//! The client on a developer's own machine: the same program where no dokku is installed.

mod sandbox;

use sandbox::{Sandbox, Step};

/// A repository with one commit on `branch`, in the directory that steps run in.
fn repository(branch: &str) -> Sandbox {
    let s = Sandbox::new();
    s.answers("ssh", "", 0, "", "");
    s.env("GIT_CONFIG_GLOBAL", "/dev/null");
    s.run_program("git", ["init", "-q", "-b", branch]).succeeds();
    let commit = ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "x"];
    s.run_program("git", commit).succeeds();
    s
}

fn with_remote(name: &str, address: &str) -> Sandbox {
    let s = repository("master");
    s.run_program("git", ["remote", "add", name, address]).succeeds();
    s
}

fn client<'a>(s: &'a Sandbox, words: &[&str]) -> Step<'a> {
    s.run_program("dokku-client", words)
}

/// What ssh is called with for these words.
#[track_caller]
fn sends(s: &Sandbox, words: &[&str], expected: &str) {
    client(s, words).shows("");
    assert_eq!(s.calls("ssh").last().unwrap(), expected, "{words:?}");
}

#[test]
fn without_a_server_it_says_what_to_do() {
    let help = "==> Configure the DOKKU_HOST environment variable or run dokku from a repository with a git remote named dokku\n\
                --> i.e. git remote add dokku dokku@<dokku-host>:<app-name>\n[exit 20]\n";
    client(&Sandbox::new(), &["apps"]).shows(help);
    client(&repository("master"), &["apps"]).shows(help);
    client(&with_remote("origin", "dokku@host:app"), &["apps"]).shows(help);
}

#[test]
fn the_remote_names_server_and_app() {
    let s = with_remote("dokku", "dokku@host:web");
    sends(&s, &["logs", "-t"], "dokku@host -- logs web -t");
    sends(&s, &["config"], "dokku@host -- config web");
    sends(&s, &["apps"], "dokku@host -- apps");
    sends(&s, &[], "dokku@host --");
    sends(&s, &["apps:destroy"], "dokku@host -- apps:destroy web");
    sends(&s, &["--force", "apps:destroy"], "dokku@host -- --force apps:destroy web");
    sends(&s, &["apps:destroy", "other"], "dokku@host -- apps:destroy other");
    sends(&s, &["docker-options:add", "deploy", "-v /a:/b"], "dokku@host -- docker-options:add web deploy -v\\ /a:/b");
    let s = with_remote("dokku-staging", "ssh://dokku@host:2222/web");
    sends(&s, &["ps"], "-p 2222 dokku@host -- ps web");
}

#[test]
fn the_environment_names_server_and_port() {
    let s = with_remote("origin", "dokku@Host:web");
    s.env("DOKKU_HOST", "host").env("DOKKU_PORT", "2222");
    sends(&s, &["ps"], "-p 2222 dokku@host -- ps web");
    s.env("DOKKU_HOST", "other");
    sends(&s, &["ps", "web"], "-p 2222 dokku@other -- ps web");
    let s = Sandbox::new();
    s.answers("ssh", "", 0, "answer\n", "").env("DOKKU_HOST", "host");
    client(&s, &["version"]).shows("answer\n[stderr]\nThis is not a git repository\n");
}

#[test]
fn the_exit_code_is_the_commands_own() {
    let s = with_remote("dokku", "dokku@host:web");
    s.env("DOKKU_HOST", "down").answers("ssh", "", 0, "", "");
    let s = Sandbox::new();
    s.env("DOKKU_HOST", "host").answers("ssh", "nope", 1, "out\n", "err\n");
    client(&s, &["nope"]).shows("out\n[stderr]\nThis is not a git repository\nerr\n[exit 1]\n");
}

/// An ssh that does what sshd and the forced command do on the server, which is the sandbox itself.
const LOOP: &str = r#"#!/bin/bash
echo "$*" >>"${0%/*}/../calls/ssh"
while [[ $1 != -- ]]; do shift; done; shift
line="$*"; set -f; set -- $line
SSH_ORIGINAL_COMMAND=$line exec dokku "$@"
"#;

#[test]
fn values_arrive_as_they_were_given() {
    let s = with_remote("dokku", "dokku@host:web");
    s.program("ssh", LOOP).app("web");
    for value in ["plain", "two  words", "it's", "say \"hi\"", "back\\slash", "tab\there", "", "$(id) `id` * ; &"] {
        client(&s, &["config:set", &format!("K={value}")]).succeeds();
        client(&s, &["config:get", "K"]).shows(&format!("{value}\n"));
    }
    // As people had to quote for 0.3.18, whose client joined all words to one line.
    client(&s, &["config:set", "K=\"old", "habit\""]).succeeds();
    client(&s, &["config:get", "K"]).shows("old habit\n");
}

#[test]
fn apps_create_with_a_name_adds_the_remote_where_there_is_none() {
    let s = repository("master");
    s.env("DOKKU_HOST", "host");
    client(&s, &["apps:create", "web"]).shows("-----> Dokku remote added at host\n-----> Application name is web\n");
    s.run_program("git", ["remote", "get-url", "dokku"]).shows("dokku@host:web\n");
    sends(&s, &["apps:create", "other"], "dokku@host -- apps:create other");
    s.run_program("git", ["remote", "get-url", "dokku"]).shows("dokku@host:web\n");
}

#[test]
fn apps_create_that_fails_adds_nothing() {
    let s = repository("master");
    s.env("DOKKU_HOST", "host").program("ssh", "#!/bin/sh\necho Name is already taken; exit 1\n");
    client(&s, &["apps:create", "web"]).shows("Name is already taken\n[exit 1]\n");
    client(&s, &["apps:create"]).fails("[exit 1]");
    s.run_program("git", ["remote"]).shows("");
}

#[test]
fn apps_create_without_a_name_finds_one_and_pushes() {
    for (branch, pushed) in [("master", "master"), ("main", "HEAD:refs/heads/master")] {
        let s = repository(branch);
        let git = "#!/bin/bash\n[[ $1 == push ]] || exec /usr/bin/git \"$@\"\necho \"pushed ${*:2}\"\nexit 6\n";
        s.env("DOKKU_HOST", "host").env("DOKKU_PORT", "22").program("git", git);
        let text = client(&s, &["apps:create"]).text();
        let address = s.run_program("git", ["remote", "get-url", "dokku"]).text();
        let name = address.trim().strip_prefix("ssh://dokku@host:22/").unwrap();
        let expected = format!("-----> Dokku remote added at host\n-----> Application name is {name}\npushed dokku {pushed}\n[exit 6]\n");
        assert_eq!(text, expected);
        assert_eq!(s.calls("ssh"), ["-p 22 dokku@host -- apps"]);
        client(&s, &["apps:create"]).fails("!      Dokku remote not added! Do you already have a dokku remote?");
    }
}

#[test]
fn a_terminal_is_asked_for_where_there_is_one() {
    let s = with_remote("dokku", "dokku@host:web");
    s.run_program("script", ["-qec", "dokku-client run bash", "/dev/null"]).succeeds();
    assert_eq!(s.calls("ssh"), ["-t dokku@host -- run web bash"]);
}

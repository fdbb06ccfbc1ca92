//! Trees that are pushed: links, names and submodules that lead out of them.

use std::fs;
use std::os::unix::fs::symlink;

use crate::fort::Fort;

/// A machine on which `mine` can be pushed, with a client beside it.
fn machine() -> Fort {
    let fort = Fort::new();
    let s = &fort.s;
    s.image("progrium/buildstep", "").docker_says("^start -a", "built\n");
    for (name, value) in [("DOKKU_CHECKS_WAIT", "0"), ("DOKKU_CHECKS_TIMEOUT", "0"), ("DOKKU_WAIT_TO_RETIRE", "0")] {
        s.env(name, value);
    }
    s.run_program("/usr/bin/git", ["init", "-q", "-b", "master", "../client"]).succeeds();
    fort
}

/// Commits all that lies in the client and pushes it, as git over ssh does.
fn push(fort: &Fort) -> String {
    let git = |words: &[&str]| fort.s.run_program("/usr/bin/git", ["-C", "../client"].iter().chain(words)).text();
    let committed = git(&["add", "-A"]) + &git(&["-c", "user.name=n", "-c", "user.email=e@x", "commit", "-q", "-m", "one"]);
    committed + &git(&["push", "-q", "--receive-pack=dokku git-receive-pack", "file:///mine", "master"])
}

fn client(fort: &Fort, path: &str) -> std::path::PathBuf {
    fort.s.dir().join("client").join(path)
}

/// The files of the image that was built, as one tar.
fn built(fort: &Fort) -> Vec<u8> {
    let id = fort.s.read("mine/CONTAINER").trim().to_owned();
    fort.s.run_program("docker", ["cp", &format!("{id}:/app"), "-"]).stdout().to_vec()
}

const MAY_CHANGE: &[&str] = &["home/mine/", "home/ENV", "client/"];

#[test]
fn a_link_out_of_the_tree_shows_nothing_of_the_host() {
    for name in [".env", "Procfile", "CHECKS", ".buildpacks", "sub", ".profile.d", ".release"] {
        for target in ["victim/ENV", "../precious/file", ".ssh/authorized_keys", "../precious"] {
            let fort = machine();
            let secret = fort.s.home().join(target);
            fort.s
                .file("../precious/file", "the-secret\n")
                .file("victim/ENV", "export S='the-secret'\n")
                .file(".ssh/authorized_keys", "the-secret\n");
            fort.s.file("../client/Readme", "x");
            symlink(&secret, client(&fort, name)).unwrap();
            fort.unharmed(&format!("{name} -> {target}"), MAY_CHANGE, || {
                let text = push(&fort);
                assert!(!text.contains("the-secret"), "{name} -> {target}: {text}");
                text
            });
            // The fake docker puts nothing behind a link, where the engine replaces it.
            if name == ".profile.d" {
                continue;
            }
            let tar = built(&fort);
            assert!(!tar.windows(10).any(|window| window == b"the-secret"), "{name} -> {target} shows what it leads to");
        }
    }
}

#[test]
fn a_link_to_a_device_ends_in_nothing() {
    for name in [".env", "Dockerfile"] {
        let fort = machine();
        fort.s.file("../client/Procfile", "web: x\n");
        symlink("/dev/zero", client(&fort, name)).unwrap();
        fort.unharmed(name, MAY_CHANGE, || push(&fort));
        assert!(fort.s.exists("mine/CONTAINER"), "{name}");
    }
}

#[test]
fn a_link_within_the_tree_is_followed() {
    let fort = machine();
    fort.s.file("../client/config/env", "FROM_LINK=1\n");
    symlink("config/env", client(&fort, ".env")).unwrap();
    fort.unharmed(".env", MAY_CHANGE, || push(&fort));
    assert!(built(&fort).windows(11).any(|window| window == b"FROM_LINK=1"));
}

#[test]
fn odd_names_in_a_tree_are_names() {
    let fort = machine();
    for name in [
        "$(canary)",
        "`canary`",
        ";canary",
        "-rf",
        "--",
        "a\nb",
        "a b",
        "\u{1b}[2J",
        "*",
        "~",
        "..x",
        "%s",
        "nginx.conf",
        "hooks/pre-receive",
        "VHOST",
        "CONTAINER",
        "ENV",
    ] {
        fort.s.file(&format!("../client/{name}"), "canary\n");
    }
    fort.s.file("../client/Procfile", "web: x\n");
    fort.unharmed("a tree", MAY_CHANGE, || push(&fort));
    assert!(!fort.s.read("mine/CONTAINER").contains("canary") && !fort.s.read("mine/hooks/pre-receive").contains("canary\n"));
}

#[test]
fn a_submodule_brings_no_program_along() {
    let urls = [
        "ext::sh -c canary",
        "ext::canary",
        "-ucanary",
        "--upload-pack=canary",
        "ssh://-oProxyCommand=canary/x",
        "$(canary)",
        "file:///nowhere",
        "../../precious",
        ".",
    ];
    for (place, url) in urls.iter().enumerate() {
        for (key, path) in [("sub", "sub"), ("../../x", "sub"), ("sub", "-x"), ("a/../../../hooks", "sub")] {
            let fort = machine();
            let modules =
                format!("[submodule \"{key}\"]\n\tpath = {path}\n\turl = {url}\n\tupdate = !canary\n\tfetchRecurseSubmodules = true\n");
            fort.s.file("../client/.gitmodules", modules).file("../client/Procfile", "web: x\n");
            let commit = fort.s.run_program(
                "/usr/bin/git",
                ["-C", "../client", "update-index", "--add", "--cacheinfo", &format!("160000,{},sub", "1".repeat(40))],
            );
            commit.succeeds();
            fort.unharmed(&format!("{url} as {key} at {path}"), MAY_CHANGE, || {
                let git = |words: &[&str]| fort.s.run_program("/usr/bin/git", ["-C", "../client"].iter().chain(words)).text();
                let made = git(&["add", ".gitmodules", "Procfile"])
                    + &git(&["-c", "user.name=n", "-c", "user.email=e@x", "commit", "-q", "-m", "one"]);
                made + &git(&["push", "-q", "--receive-pack=dokku git-receive-pack", "file:///mine", "master"])
            });
            assert!(fs::read_dir(fort.s.dir().join("tmp")).unwrap().next().is_none(), "{url}");
            if place > 1 {
                break;
            }
        }
    }
}

#[test]
fn a_port_that_is_none_does_not_get_into_addresses() {
    let fort = machine();
    fort.s.deployed("full", "dockerfile");
    let before = fort.s.read("full/CONTAINER");
    for port in ["80@evil.example", "5000/x", "80;}", "-1", "65536", "$(canary)", "80 81", "80\n81", "a"] {
        fort.run(["config:set-norestart", "full", &format!("DOKKU_DOCKERFILE_PORT={port}")]).succeeds();
        fort.s.file("VHOST", "dokku.test\n");
        fort.unharmed(port, &["home/full/"], || {
            let step = fort.run(["ps:restart", "full"]);
            assert!(step.code() != 0 && step.text().contains("is no port"), "{port}: {}", step.text());
            step.text()
        });
        assert_eq!(fort.s.read("full/CONTAINER"), before, "{port}");
    }
}

//! A file that is there and cannot be read (root's own, a bad disk) is neither left out of a release nor written over.

mod sandbox;

use std::fs;
use std::os::unix::fs::symlink;

use sandbox::{RECEIVE, Sandbox};

/// What is done to an app that serves version 1, and which file of its cannot be read then.
const DEEDS: &[(&str, &str)] = &[
    ("config:set a K=V", "a/ENV"),
    ("ps:restart a", "a/ENV"),
    ("ps:restart a", "ENV"),
    ("ps:rebuild a", "a/ENV"),
    ("ps:rebuild a", "ENV"),
    ("docker-options:add a deploy --memory=1g", "a/DOCKER_OPTIONS_DEPLOY"),
    ("docker-options:remove a deploy --memory=1g", "a/DOCKER_OPTIONS_DEPLOY"),
    ("docker-options a", "a/DOCKER_OPTIONS_DEPLOY"),
    ("ps:restart a", "a/DOCKER_OPTIONS_DEPLOY"),
    ("domains a", "a/VHOST"),
    ("domains:add a x.test", "a/VHOST"),
    ("domains:remove a a.dokku.test", "a/VHOST"),
    ("domains:add a x.test", "a/nginx.conf"),
    ("deploy a", "a/CONTAINER"),
];

#[test]
fn what_cannot_be_read_is_named_and_stays_and_so_does_what_serves() {
    let s = Sandbox::new();
    s.file("VHOST", "dokku.test\n").takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]);
    s.run_program("git", ["-C", "../client", "push", "-q", RECEIVE, "file:///a", "master"]).succeeds();
    s.run_line("config:set-norestart a LANG=C").succeeds();
    s.run_line("docker-options:add a deploy --memory=2g").succeeds();
    s.run_line("ps:restart a").succeeds().settles();
    for (deed, file) in DEEDS {
        let (path, kept) = (s.home().join(file), s.home().join(file).with_extension("kept"));
        fs::rename(&path, &kept).unwrap();
        // Whoever reads this file gets an error of the device, root too.
        symlink("/proc/self/mem", &path).unwrap();
        s.run_line(deed).fails(&format!("cannot read $HOME/{file}: "));
        assert!(path.is_symlink(), "{deed} has written over {file}");
        fs::rename(&kept, &path).unwrap();
        s.settles();
        let whole = s.whole("a").unwrap_or_else(|wrong| panic!("{deed} without {file}: {wrong}"));
        assert_eq!((whole.version.as_str(), whole.master.as_str()), ("1", "1"), "{deed} without {file}");
    }
    s.run_line("ps:restart a").succeeds().settles();
    s.has("a/ENV", "export LANG='C'\n").has("a/DOCKER_OPTIONS_DEPLOY", "--memory=2g\n").has("a/VHOST", "a.dokku.test\n");
}

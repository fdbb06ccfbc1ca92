//! What changes an app, each thing made ready to be done, with what must be true of the app whether it is done or not.

use std::fs;

use super::{RECEIVE, Sandbox, Step};

/// One of them.
pub struct Deed {
    /// For messages.
    pub name: &'static str,
    ready: fn(&Sandbox),
    words: &'static [&'static str],
    stdin: fn(&Sandbox) -> Vec<u8>,
    judge: fn(&Sandbox) -> Result<(), String>,
}

/// All of them.
pub const DEEDS: &[Deed] = &[
    Deed { name: "push of a buildstep app", ready: |s| pushed(s, BUILDSTEP), words: PUSH, stdin: nothing, judge: serves_master },
    Deed { name: "push of a Dockerfile app", ready: |s| pushed(s, DOCKERFILE), words: PUSH, stdin: nothing, judge: dockerfile },
    Deed { name: "first push", ready: first_push, words: PUSH, stdin: nothing, judge: all_or_nothing },
    Deed { name: "ps:restart", ready: deployed, words: &["dokku", "ps:restart", "a"], stdin: nothing, judge: serves_one },
    Deed { name: "config:set", ready: deployed, words: &["dokku", "config:set", "a", "K=new"], stdin: nothing, judge: config },
    Deed { name: "domains:add", ready: deployed, words: &["dokku", "domains:add", "a", "more.example"], stdin: nothing, judge: serves_one },
    Deed { name: "apps:destroy", ready: deployed, words: &["dokku", "apps:destroy", "a", "force"], stdin: nothing, judge: destroyed },
    Deed { name: "nginx:import-ssl", ready: deployed, words: &["dokku", "nginx:import-ssl", "a"], stdin: certificate, judge: serves_one },
    Deed { name: "backup:import", ready: backed_up, words: &["dokku", "backup:import", "../b.tar"], stdin: nothing, judge: imported },
    Deed { name: "cleanup", ready: littered, words: &["dokku", "core:cleanup"], stdin: nothing, judge: serves_one },
    Deed { name: "retiring", ready: littered, words: &["dokku", "core:retire"], stdin: nothing, judge: serves_one },
    Deed { name: "push with checks and somebody's hook", ready: checked, words: PUSH, stdin: nothing, judge: serves_master },
];

const PUSH: &[&str] = &["git", "-C", "../client", "push", "-q", RECEIVE, "file:///a", "master"];

type Files = fn(&str) -> Vec<(&'static str, String)>;

const BUILDSTEP: Files = |version| vec![("Procfile", "web: x\n".into()), ("version", format!("{version}\n"))];

const CHECKED: Files = |version| [BUILDSTEP(version), vec![("CHECKS", "/\n".into())]].concat();

const DOCKERFILE: Files =
    |version| vec![("Dockerfile", format!("FROM scratch\nEXPOSE 300{version}\n")), ("version", format!("{version}\n"))];

impl Deed {
    /// Lays down what is there before.
    pub fn ready(&self, s: &Sandbox) {
        (self.ready)(s);
        s.settles();
    }

    /// Does it under the watch (see `Sandbox::watched`).
    pub fn done<'s>(&self, s: &'s Sandbox, what: &str) -> Step<'s> {
        s.stdin((self.stdin)(s)).watched(what, self.words[0], &self.words[1..])
    }

    /// Is everything whole, be it done or not?
    pub fn judge(&self, s: &Sandbox) -> Result<(), String> {
        (self.judge)(s)
    }
}

fn nothing(_: &Sandbox) -> Vec<u8> {
    Vec::new()
}

fn commit(s: &Sandbox, files: Files, version: &str) {
    let files = files(version);
    s.commit(&files.iter().map(|(path, content)| (*path, content.as_str())).collect::<Vec<_>>());
}

/// Version 1 is deployed, version 2 is to be pushed.
fn pushed(s: &Sandbox, files: Files) {
    s.takes_pushes();
    commit(s, files, "1");
    s.push("master").succeeds();
    commit(s, files, "2");
}

/// The same, with a page that must answer at the first attempt, and with a plugin for whose hook the image is committed.
fn checked(s: &Sandbox) {
    s.plugin("x/post-build", "#!/bin/sh\n").answers("curl", "", 0, "", "");
    pushed(s, CHECKED);
    s.env("DOKKU_CHECKS_ATTEMPTS", "1").env("DOKKU_CHECKS_TIMEOUT", "1");
}

fn first_push(s: &Sandbox) {
    s.takes_pushes();
    commit(s, BUILDSTEP, "1");
}

/// Version 1 is deployed, with a variable.
fn deployed(s: &Sandbox) {
    s.takes_pushes();
    commit(s, BUILDSTEP, "1");
    s.push("master").succeeds();
    s.run(["config:set", "a", "K=old"]).succeeds();
}

/// There is something to be cleaned up: a release that was retired, and one whose time has come while nobody waited for it,
/// as after a reboot.
fn littered(s: &Sandbox) {
    deployed(s);
    s.run(["ps:restart", "a"]).succeeds().settles();
    let id = s.docker(["run", "-d", "--label", "dokku.app=a", "--label", "dokku.phase=web", "dokku/a"]);
    s.file(&format!("../lib/retire/{}", id.trim()), r#"{"app":"a","at":1}"#);
}

fn backed_up(s: &Sandbox) {
    deployed(s);
    s.file("c/ENV", "export A='1'\n").file("c/VHOST", "c.example\n").file("d/ENV", "export B='2'\n");
    s.run(["backup:export", "../b.tar"]).succeeds();
    for app in ["c", "d"] {
        fs::remove_dir_all(s.home().join(app)).expect("an app's directory");
    }
    // Then those that are there already are not asked about.
    let list = s.dir().join("tmp/list");
    fs::create_dir(&list).expect("a directory");
    fs::write(list.join(".dokku_backup_apps"), "c\nd\n").expect("a list");
    s.run_program("tar", ["--delete", "-f", "../b.tar", ".dokku_backup_apps"]).succeeds();
    s.run_program("tar", ["-rf", "../b.tar", "-C", "../tmp/list", ".dokku_backup_apps"]).succeeds();
    fs::remove_dir_all(list).expect("our directory");
}

fn certificate(_: &Sandbox) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, fixture) in [("server.crt", "one.crt"), ("server.key", "one.key")] {
        let path = format!("{}/tests/fixtures/tls/{fixture}", env!("CARGO_MANIFEST_DIR"));
        tar.append_path_with_name(path, name).expect("a fixture");
    }
    tar.into_inner().expect("an archive")
}

fn agree(what: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn serves_master(s: &Sandbox) -> Result<(), String> {
    let whole = s.whole("a")?;
    agree(&format!("{whole:?}"), whole.version == whole.master)
}

fn serves_one(s: &Sandbox) -> Result<(), String> {
    let whole = s.whole("a")?;
    agree(&format!("{whole:?}"), whole.version == "1" && whole.master == "1")
}

fn dockerfile(s: &Sandbox) -> Result<(), String> {
    serves_master(s)?;
    let (env, port) = (s.read("a/ENV"), s.read("a/PORT"));
    let whole = s.whole("a")?;
    agree(&format!("{env} {port} {whole:?}"), env.contains(port.trim()) && port.trim().ends_with(&whole.version))
}

fn all_or_nothing(s: &Sandbox) -> Result<(), String> {
    if s.exists("a/CONTAINER") {
        return serves_master(s);
    }
    let left = ["IP", "PORT", "URL", "nginx.conf"].map(|entry| s.exists(&format!("a/{entry}")));
    let image = s.docker(["images", "-q", "-f", "reference=dokku/a"]);
    agree(&format!("{left:?} {image:?}"), left == [false; 4] && image.is_empty() && !s.exists("a/refs/heads/master"))
}

fn config(s: &Sandbox) -> Result<(), String> {
    serves_one(s)?;
    let text = s.read("a/ENV");
    agree(&text, text.contains("export K='old'\n") != text.contains("export K='new'\n"))
}

fn destroyed(s: &Sandbox) -> Result<(), String> {
    if s.exists("a") {
        return serves_one(s);
    }
    let containers = s.docker(["ps", "-a", "-q", "-f", "label=dokku.app=a"]);
    let image = s.docker(["images", "-q", "-f", "reference=dokku/a"]);
    agree(&format!("{containers} {image}"), containers.is_empty() && image.is_empty())
}

fn imported(s: &Sandbox) -> Result<(), String> {
    serves_one(s)?;
    let there = ["c", "d"]
        .map(|app| s.exists(&format!("{app}/ENV")) && s.exists(&format!("{app}/hooks/pre-receive")) && s.exists(&format!("{app}/HEAD")));
    let gone = ["c", "d"].map(|app| !s.exists(app));
    agree(&format!("{there:?} {gone:?}"), there == [true; 2] || gone == [true; 2])
}

//! Names of apps.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use dokku::app::AppName;

use crate::corpus::{Case, cases, is_long};
use crate::fort::{Fort, refused};

/// Commands with a name in them; none of them may find an app of that name, or make one.
const COMMANDS: &[&[&str]] = &[
    &["apps:destroy", "NAME", "force"],
    &["config", "NAME"],
    &["config:get", "NAME", "K"],
    &["config:set", "NAME", "K=1"],
    &["config:set-norestart", "NAME", "K=1"],
    &["config:unset", "NAME", "K"],
    &["domains", "NAME"],
    &["domains:add", "NAME", "a.example.org"],
    &["domains:clear", "NAME"],
    &["domains:remove", "NAME", "a.example.org"],
    &["domains:setup", "NAME"],
    &["docker-options", "NAME"],
    &["docker-options:add", "NAME", "deploy", "--privileged"],
    &["docker-options:remove", "NAME", "deploy", "--privileged"],
    &["nginx:build-config", "NAME"],
    &["nginx:import-ssl", "NAME"],
    &["logs", "NAME"],
    &["logs", "NAME", "-t"],
    &["run", "NAME", "canary"],
    &["ps", "NAME"],
    &["ps:start", "NAME"],
    &["ps:stop", "NAME"],
    &["ps:restart", "NAME"],
    &["ps:rebuild", "NAME"],
    &["url", "NAME"],
    &["urls", "NAME"],
    &["delete", "NAME"],
    &["git-upload-pack", "NAME"],
    &["git-build", "NAME"],
    &["deploy", "NAME"],
    &["release", "NAME", "buildstep"],
];

/// Hooks with a name in them, as other plugins fire them.
const HOOKS: &[&str] = &["pre-delete", "post-delete", "bind-external-ip", "post-deploy", "check-deploy", "docker-args-run", "pre-build"];

fn is_missing(case: &Case) -> bool {
    case.text.is_empty()
}

#[test]
fn none_becomes_an_app() {
    let fort = Fort::new();
    for case in cases(&fort.s, "names.txt").iter().filter(|case| !is_missing(case)) {
        let shown = case.shown();
        fort.unharmed(&shown, &[], || {
            let step = fort.run(["apps:create".into(), case.word()]);
            refused(&shown, &step, "cannot be the name of an app");
            step.text()
        });
        // git asks for `/web` where people write ssh://dokku@host/web.
        let is_address = case.text.strip_prefix(b"/").is_some_and(|name| AppName::for_new_app(OsStr::from_bytes(name)).is_ok());
        fort.unharmed(&shown, if is_address { &["home/"] } else { &[] }, || {
            let quoted = [b"git-receive-pack ".as_slice(), &dokku::files::env::quoted(&case.text)].concat();
            let step = fort.over_ssh(&quoted);
            assert_ne!(step.code(), 0, "{shown}: {}", step.text());
            step.text()
        });
        let started = fort.started();
        assert!(is_address || started.is_empty(), "{shown} started {started:?}");
    }
}

/// Each command meets some of the names; all of them, and all hooks too, when the long tests are asked for.
#[test]
fn no_command_takes_one_for_an_app() {
    let fort = Fort::new();
    let step = if is_long() { 1 } else { 11 };
    for (place, case) in cases(&fort.s, "names.txt").iter().enumerate() {
        for words in COMMANDS.iter().skip(place % step).step_by(step) {
            let shown = format!("{} {}", words[0], case.shown());
            fort.unharmed(&shown, &[], || {
                let step = fort.run(words.iter().map(|word| if *word == "NAME" { case.word() } else { (*word).into() }));
                assert_ne!(step.code(), 0, "{shown}: {}", step.text());
                step.text()
            });
        }
        for hook in HOOKS.iter().skip(place % step).step_by(step) {
            let shown = format!("{hook} {}", case.shown());
            fort.unharmed(&shown, &["home/ENV"], || fort.s.run_program("pluginhook", [(*hook).into(), case.word()]).text());
        }
    }
    assert!(fort.started().iter().all(|program| program == "git-shell" || program == "git"), "nobody else is needed");
}

#[test]
fn an_app_that_has_an_odd_name_already_is_no_code() {
    let fort = Fort::new();
    for name in ["a;canary", "$(canary)", "x y", "`canary`", "it's", "a|canary", "UPPER"] {
        fort.unharmed(name, &[&format!("home/{name}"), "tmp/"], || {
            fort.s.app(name).file(&format!("{name}/ENV"), "");
            let made = fort.over_ssh(&[b"git-receive-pack ".as_slice(), &dokku::files::env::quoted(name.as_bytes())].concat()).text();
            let hook = fort.s.home().join(name).join("hooks/pre-receive").display().to_string();
            let pushed = fort.s.stdin("x y refs/heads/next\n").run_program("bash", [hook]).text();
            assert!(pushed.contains("you must push to master"), "{name}: {made}{pushed}");
            let set = fort.run(["config:set-norestart", name, "K=1"]).text() + &fort.run(["config:get", name, "K"]).text();
            assert!(set.ends_with("1\n"), "{name}: {set}");
            made + &pushed + &set + &fort.run(["apps:destroy", name, "force"]).text()
        });
        assert!(!fort.s.exists(name), "{name}");
    }
}

#[test]
fn a_hook_of_0_3_18_with_an_odd_name_in_it_is_mended_before_it_runs() {
    let fort = Fort::new();
    let hook = "#!/usr/bin/env bash\nset -e; set -o pipefail;\n\ncat | DOKKU_ROOT=\"/x\" dokku git-hook a;canary\n";
    fort.s.file("a;canary/hooks/pre-receive", hook).file("a;canary/refs/x", "");
    fort.unharmed("a push", &["home/a;canary/"], || fort.over_ssh(b"git-receive-pack 'a;canary'").text());
    assert!(fort.s.read("a;canary/hooks/pre-receive").ends_with("dokku git-hook 'a;canary'\n"));
}

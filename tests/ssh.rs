//! A session over ssh: how the words of a key's command are taken, and what a key may not run.

mod sandbox;

use std::fs;

use sandbox::{Sandbox, Step};

/// What sshd starts for a key: the forced command with the client's words, split by a shell and not unquoted.
fn over_ssh<'a>(s: &'a Sandbox, line: &str) -> Step<'a> {
    let words = [format!("SSH_ORIGINAL_COMMAND={line}"), "NAME=joe".into(), "dokku".into()];
    s.run_program("env", words.into_iter().chain(line.split_whitespace().map(str::to_owned)))
}

/// A plugin with commands `show` and `show-config`, which tell what they are given.
fn machine() -> Sandbox {
    let s = Sandbox::new();
    let script = "#!/bin/sh\ncase $1 in show*) ;; *) exit 10 ;; esac\nfor word; do echo \"[$word]\"; done; cat\n";
    s.plugin("show/commands", script).app("a");
    s
}

#[test]
fn words_are_split_at_blanks_and_quotes_stay() {
    let s = machine();
    over_ssh(&s, "show 'a  b' \"c\" \\d").shows("[show]\n['a]\n[b']\n[\"c\"]\n[\\d]\n");
    s.stdin("in\n").run_program("env", ["SSH_ORIGINAL_COMMAND=show x", "dokku", "show"]).shows("[show]\n[x]\nin\n");
    over_ssh(&s, "--quiet   show").shows("[show]\n");
}

#[test]
fn commands_with_config_in_their_name_are_split_as_xargs_does() {
    let s = machine();
    s.stdin("unseen");
    over_ssh(&s, "show-config 'a  b'\"c\" \\d\\ e ''").shows("[show-config]\n[a  bc]\n[d e]\n[]\n");
    s.file("a/ENV", "export K='1'\n");
    over_ssh(&s, "config:get a NOPE").shows("[exit 123]\n");
    over_ssh(&s, "config:get nosuch K").shows("[stderr]\nApp nosuch does not exist\n[exit 123]\n");
    let text = over_ssh(&s, "show-config one 'two three").text();
    assert!(text.starts_with("[show-config]\n[one]\n[stderr]\nxargs: unmatched single quote") && text.ends_with("[exit 1]\n"), "{text}");
}

#[test]
fn the_original_command_is_not_handed_on_but_the_name_is() {
    let s = Sandbox::new();
    s.plugin("env/commands", "#!/bin/sh\n[ \"$1\" = env ] || exit 10\necho \"[$SSH_ORIGINAL_COMMAND] [$NAME]\"\n");
    over_ssh(&s, "env").shows("[] [joe]\n");
    s.run_program("env", ["SSH_ORIGINAL_COMMAND=", "dokku", "env"]).shows("[] []\n");
}

#[test]
fn a_key_may_not_run_what_belongs_to_root_hooks_and_pushes() {
    let s = machine();
    s.plugin("000-all/commands", "#!/bin/sh\necho \"ran $*\"\n");
    let refused = [
        "receive",
        "build",
        "release",
        "deploy",
        "git-hook",
        "git-build",
        "git-build-locked",
        "cleanup",
        "trace",
        "plugins-install",
        "plugins-install-dependencies",
        "plugins-update",
        "core:hook",
        "core:cleanup",
        "core:retire",
    ];
    for command in refused {
        for line in [format!("{command} a"), format!("--quiet --force {command} a"), format!("core:remote {command} a")] {
            over_ssh(&s, &line).shows(&format!("[stderr]\n`{command}` cannot be run over ssh; run it on the server\n[exit 1]\n"));
        }
    }
    over_ssh(&s, "config 'deploy'").fails("deploy");
}

#[test]
fn hooks_and_plugins_of_a_session_run_what_they_always_ran() {
    let s = machine();
    s.plugin("mine/commands", "#!/bin/sh\n[ \"$1\" = mine ] || exit 10\ndokku trace on\n");
    over_ssh(&s, "mine").shows("Enabling dokku trace\n").has(".dokkurc/DOKKU_TRACE", "export DOKKU_TRACE=1\n");
}

#[test]
fn a_flag_given_by_a_key_is_no_way_to_root() {
    let s = machine();
    let before = s.tree();
    for line in [
        "apps:create ../../x",
        "apps:destroy ../../x force",
        "apps:destroy .ssh force",
        "git-receive-pack '../../x'",
        "git-upload-pack '/etc'",
    ] {
        assert_ne!(over_ssh(&s, line).code(), 0, "{line}");
    }
    assert_eq!(s.tree(), before);
    assert!(fs::symlink_metadata(s.dir().join("x")).is_err());
}

#[test]
fn a_word_with_a_blank_in_it_is_no_service_of_git() {
    let s = machine();
    // git runs what its config says before it reads a byte. A pushed tree may hold such a one as long as it is built.
    let repository = s.home().join("a/cache/evil").display().to_string();
    s.run_program("git", ["init", "-q", "--bare", &repository]).succeeds();
    let command = format!("touch {}/was-here; :", s.dir().display());
    s.run_program("git", ["-C", &repository, "config", "core.alternateRefsCommand", &command]).succeeds();
    s.run_program("git", ["init", "-q", "--bare", &format!("{repository}/other")]).succeeds();
    s.file("a/cache/evil/objects/info/alternates", format!("{repository}/other/objects\n"));
    for service in ["git-receive-pack", "git-upload-pack", "git-upload-archive"] {
        let text = over_ssh(&s, &format!("\"--config\" \"{service} '{repository}'\"")).text();
        assert!(!s.dir().join("was-here").exists(), "{service} ran what the repository says");
        assert!(text.contains("is no service of git"), "{text}");
    }
}

//! Plugins of 2013 to 2015 (tests/fixtures/plugins) and what they do to the core's own files, on simulated docker.

#[path = "fixtures/plugins/native/program.rs"]
mod program;
mod sandbox;

use std::path::Path;
use std::process::Command;

use sandbox::Sandbox;

/// A machine with these fixture plugins.
fn with(names: &[&str]) -> Sandbox {
    let s = Sandbox::new();
    for name in names {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plugins").join(name);
        let copied = Command::new("cp").arg("-rT").arg(from).arg(s.dir().join("plugins").join(name)).status();
        assert!(copied.is_ok_and(|status| status.success()), "{name} can be copied");
    }
    s
}

fn native(s: &Sandbox) {
    std::fs::create_dir(s.dir().join("plugins/native")).expect("a directory");
    for hook in ["commands", "relay"] {
        std::fs::copy(program::native_plugin(), s.dir().join("plugins/native").join(hook)).expect("the compiled plugin");
    }
}

#[test]
fn links_and_volumes_are_chained() {
    let s = with(&["cable", "shelf"]);
    s.app("a").run_line("cable:add a redis_a redis").shows("-----> a reaches redis_a as redis\n");
    s.file("a/SHELF", "/h:/c\n# x\n/h2:/c2");
    s.run_program("pluginhook", ["docker-args", "a", "deploy"]).shows(" --link redis_a:redis -v /h:/c -v /h2:/c2\n");
    s.run_program("pluginhook", ["docker-args", "a", "build"]).shows(" --link redis_a:redis\n");
    s.run_line("cable:add b x").shows("App b does not exist\n[exit 1]\n");
}

#[test]
fn an_app_runs_with_what_plugins_ask_for() {
    let s = with(&["cable", "shelf"]);
    s.deployed("a", "buildstep").file("a/CABLES", "redis_a:redis\n").file("a/SHELF", "/h:/c\n");
    s.run_line("run a env").succeeds();
    let calls = s.docker_calls();
    let asked = |call: &&String| call.contains(" --link redis_a:redis -v /h:/c ") && call.ends_with(" dokku/a /exec env");
    assert_eq!(calls.iter().filter(asked).count(), 1, "{calls:#?}");
}

#[test]
fn a_gate_knows_who_pushes() {
    let s = with(&["gate"]);
    s.image("dokku/a", "buildstep").app("a").run_line("gate:open a alice").shows("").env("NAME", "bob");
    s.run_line("gate:open a bob").shows("[stderr]\nOnly the server's own people open gates, not bob\n[exit 1]\n");
    s.run_program("pluginhook", ["pre-build", "a"]).fails("bob may not push to a");
    s.env("NAME", "alice").run_program("pluginhook", ["pre-build", "a"]).succeeds();
    s.run_line("nosuch").shows("");
}

#[test]
fn a_page_stands_in_front_of_an_app() {
    let s = with(&["pause"]);
    s.app("a").run_line("pause:on a").shows("-----> a is paused\n");
    s.has("a/nginx.conf.d/pause.conf", "location ~ .* {\n  return 503 \"a is paused\\n\";\n}\n");
    s.run_line("pause:off a").shows("-----> a goes on\n").lacks("a/nginx.conf.d/pause.conf");
    assert_eq!(s.calls("sudo"), ["/etc/init.d/nginx reload", "/etc/init.d/nginx reload"]);
    s.run_line("pause:on b").shows("[stderr]\nApp b does not exist\n[exit 1]\n");
    s.stdin("before\n").run_line("pause:help").succeeds();
}

#[test]
fn a_keepsake_travels_in_the_backup() {
    let s = with(&["keepsake"]);
    s.app("a").app("b").file("a/KEEPSAKE", "a ring\n");
    let names = s.run_program("pluginhook", ["backup-export", "1", s.home().to_str().unwrap()]).text();
    assert!(names.lines().any(|name| name == "$HOME/a/KEEPSAKE"), "{names}");
    let tar = s.run_line("backup:export").stdout().to_vec();
    s.run_line("apps:destroy a force").succeeds();
    s.run_line("apps:destroy b force").succeeds();
    s.stdin(&tar).run_line("backup:import -").succeeds();
    s.has("a/KEEPSAKE", "a ring\n");
}

#[test]
fn a_command_of_the_core_is_wrapped() {
    let s = with(&["0-audit"]);
    s.app("a").app("b").file("a/PROTECTED", "").env("NAME", "alice");
    s.run_line("apps:destroy a force").shows("a is protected\n[exit 1]\n");
    assert!(s.exists("a/PROTECTED"));
    s.run_line("apps:destroy b force").succeeds();
    assert!(!s.exists("b"));
    s.run_line("audit").shows("alice: apps:destroy a force\nalice: apps:destroy b force\n");
}

#[test]
fn plugins_are_written_in_anything() {
    let s = with(&["snake"]);
    native(&s);
    s.stdin(b"\0\xff").run(["snake", "a b", "c\nd", "", "é"]).shows("4 ['a b', 'c\\nd', '', 'é'] 2\n");
    s.run(["native", "a b", ""]).shows("native, with 2 words\n");
    let help = s.run(["help"]).text();
    assert!(help.contains("    snake <words>") && help.contains("    native <words>") && help.contains("    config:get"), "{help}");
    let passed = s.stdin(b"\xc3\x28\0").run_program("pluginhook", ["relay"]).stdout().to_vec();
    assert_eq!(passed, b"\xc3\x28\0\0native\xfe\n\0snake\xff\n");
}

#[test]
fn six_hooks_pass_on_what_they_get() {
    let s = Sandbox::new();
    let data: Vec<u8> = (0..1_000_000_u32).map(|number| (number * 7 % 256) as u8).collect();
    for place in 1..=6 {
        s.plugin(&format!("p{place}/through"), "#!/bin/sh\ncat\n");
    }
    let passed = s.stdin(&data).run_program("pluginhook", ["through"]).stdout().to_vec();
    assert!(passed == data, "{} bytes came through", passed.len());
    s.plugin("p3/through", "#!/bin/sh\necho mine\n");
    s.stdin(&data).run_program("pluginhook", ["through"]).shows("mine\n");
    s.plugin("p4/through", "#!/bin/sh\nkill -9 $$\n");
    s.stdin(&data).run_program("pluginhook", ["through"]).shows("[exit 255]\n");
}

#[test]
fn a_process_left_behind_holds_up_nobody_who_does_not_read_it() {
    let s = Sandbox::new();
    s.plugin("p/commands", "#!/bin/sh\n[ $1 = stay ] || exit 10\nsleep 30 >/dev/null 2>&1 &\necho done\n");
    let begin = std::time::Instant::now();
    s.run(["stay"]).shows("done\n");
    assert!(begin.elapsed().as_secs() < 20);
}

#[test]
fn a_core_hook_that_was_moved_away_is_gone() {
    let s = with(&["herald"]);
    let hook = s.dir().join("plugins/git/receive-app");
    std::fs::rename(&hook, hook.with_extension("bak")).unwrap();
    s.plugin("herald/receive-app", "#!/bin/sh\necho only herald: $*\n");
    s.run_program("pluginhook", ["receive-app", "a", "r"]).shows("only herald: a r\n");
}

#[test]
fn a_core_hook_can_be_deleted_and_replaced() {
    let s = Sandbox::new();
    s.app("a").run_program("pluginhook", ["bind-external-ip", "a"]).shows("true\n");
    s.plugin("nginx-vhosts/bind-external-ip", "#!/bin/sh\necho mine for $1\n");
    s.run_program("pluginhook", ["bind-external-ip", "a"]).shows("mine for a\n");
    s.remove_plugin("nginx-vhosts/bind-external-ip").run_program("pluginhook", ["bind-external-ip", "a"]).shows("");
}

#[test]
fn a_core_hook_can_be_sourced_and_copied_elsewhere() {
    let s = Sandbox::new();
    s.app("a").plugin(
        "mine/ask",
        "#!/usr/bin/env bash\nset -e\nsource \"$PLUGIN_PATH/nginx-vhosts/bind-external-ip\"\necho and then, in ${0##*/}\n",
    );
    s.run_program("pluginhook", ["ask", "a"]).shows("true\nand then, in ask\n");
    std::fs::rename(s.dir().join("plugins/nginx-vhosts"), s.dir().join("plugins/my-nginx")).unwrap();
    s.run_program("pluginhook", ["bind-external-ip", "a"]).shows("true\n");
    s.run_line("nginx:build-config nosuch").shows("[stderr]\nApp nosuch does not exist\n[exit 1]\n");
}

#[test]
fn a_hidden_plugin_has_hooks_but_no_commands() {
    let s = with(&["cable"]);
    s.app("a").file("a/CABLES", "x:y\n");
    std::fs::rename(s.dir().join("plugins/cable"), s.dir().join("plugins/.cable")).unwrap();
    s.run_program("pluginhook", ["docker-args", "a", "deploy"]).shows(" --link x:y\n");
    s.run_line("cable:add a b").fails("is not a dokku command");
}

#[test]
fn hooks_see_what_they_saw() {
    let s = Sandbox::new();
    let shown = "DOKKU_DISTRO DOKKU_IMAGE DOKKU_NOT_IMPLEMENTED_EXIT DOKKU_ROOT DOKKU_VALID_EXIT PLUGIN_PATH NAME DOKKU_QUIET_OUTPUT APP IMAGE FROM_RC";
    s.plugin(
        "p/commands",
        &format!("#!/bin/bash\n[[ $1 == show ]] || exit 10\nfor name in {shown}; do echo \"$name=${{!name-unset}}\"; done; pwd\n"),
    );
    s.file("dokkurc", "export FROM_RC=1\n").env("NAME", "alice");
    s.run(["show"]).shows(
        "DOKKU_DISTRO=ubuntu
DOKKU_IMAGE=progrium/buildstep
DOKKU_NOT_IMPLEMENTED_EXIT=10
DOKKU_ROOT=$HOME
DOKKU_VALID_EXIT=0
PLUGIN_PATH=$SANDBOX/plugins
NAME=alice
DOKKU_QUIET_OUTPUT=unset
APP=unset
IMAGE=unset
FROM_RC=1
$HOME
",
    );
}

#[test]
fn everybodys_hooks_run_as_root_at_an_install() {
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    use std::os::unix::process::CommandExt;
    let s = Sandbox::new();
    s.plugin("p/update", "#!/bin/sh\necho updating as $(id -un); dokku x:install\n");
    s.plugin("p/commands", "#!/bin/sh\n[ $1 = x:install ] || exit 10\necho installing as $(id -un)\n");
    let mut command = s.command("dokku");
    let output = command.arg("plugins-update").uid(0).gid(0).output().unwrap();
    let user = if dokku::files::passwd::user("dokku").is_some() { "dokku" } else { "root" };
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("updating as root\ninstalling as {user}\n"));
}

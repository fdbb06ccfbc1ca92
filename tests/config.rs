//! `config`, `config:get`, `config:set`, `config:unset`, and what containers get of it.

mod sandbox;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use sandbox::Sandbox;

/// Values that a shell, sed or docker would make something else of.
const HOSTILE: &[&[u8]] = &[
    b"it's",
    b"'quoted'",
    b"'; touch $HOME/pwned; '",
    b"$(touch $HOME/pwned) `touch $HOME/pwned`",
    b"one\ntwo",
    b"\nexport INJECTED='1'",
    b"one\\ntwo \\\\ \\t",
    b"  many   blanks  ",
    b"a#b=c&d;e|f*?[x]~!\"",
    "na\u{ef}ve \u{2603}".as_bytes(),
    b"ends with return\r",
    b"",
];

fn assignment(key: &str, value: &[u8]) -> OsString {
    OsString::from_vec([key.as_bytes(), b"=", value].concat())
}

#[test]
fn shows_variables_in_a_table_or_as_shell_words() {
    Sandbox::new()
        .file("a/ENV", "export A='1'\nexport LONGER='two words'\n# note\nexport BARE=x\n")
        .run(["config", "a"])
        .shows("=====> a config vars\nA:      1\nLONGER: two words\nBARE:   x\n")
        .run(["--quiet", "config", "a"])
        .shows("A:      1\nLONGER: two words\nBARE:   x\n")
        .run(["config", "a", "--shell"])
        .shows("A='1' LONGER='two words' BARE=x\n");
}

#[test]
fn further_lines_of_a_value_stand_below_the_first() {
    Sandbox::new()
        .app("a")
        .run(["config:set-norestart", "a", "KEY=one\ntwo", "B=x"])
        .shows("-----> Setting config vars\n       KEY: one\n            two\n       B:   x\n")
        .run(["config", "a"])
        .shows("=====> a config vars\nB:   x\nKEY: one\n     two\n");
}

#[test]
fn says_what_is_missing() {
    Sandbox::new()
        .app("a")
        .run(["config:get", "a"])
        .shows("Usage: dokku config:get APP KEY\nMust specify KEY.\n[exit 1]\n")
        .run(["config:set", "a", ""])
        .shows("Usage: dokku config:set APP KEY1=VALUE1 [KEY2=VALUE2 ...]\nMust specify KEY and VALUE to set.\n[exit 1]\n")
        .run(["config:set", "a", "NO_VALUE"])
        .shows("Usage: dokku config:set APP KEY1=VALUE1 [KEY2=VALUE2 ...]\nMust specify KEY and VALUE to set.\n[exit 1]\n")
        .run(["config:unset", "a"])
        .shows("Usage: dokku config:unset APP KEY1 [KEY2 ...]\nMust specify KEY to unset.\n[exit 1]\n")
        .run(["config:set", "b", "A=1"])
        .shows("[stderr]\nApp b does not exist\n[exit 1]\n")
        .run(["config"])
        .shows("Please specify an app to run the command on\n[exit 1]\n");
}

#[test]
fn a_key_that_is_not_set_fails_unless_nothing_is() {
    let s = Sandbox::new();
    s.app("a").run(["config:get", "a", "K"]).shows("").has("a/ENV", "");
    assert_eq!(s.mode("a/ENV"), 0o644);
    s.run(["config", "a"]).shows("a has no config vars\n[exit 1]\n");
    s.file("a/ENV", "export KEY='1'\n")
        .run(["config:get", "a", "K"])
        .shows("[exit 1]\n")
        .run(["config:get", "a", "K.*"])
        .shows("[exit 1]\n");
}

#[test]
fn writes_sorted_lines_that_only_dokku_may_read_and_only_when_they_change() {
    let s = Sandbox::new();
    s.file("a/ENV", "export C='3'\n\nexport B='old'\n").run(["config:set-norestart", "a", "B=new", "A=1"]).succeeds();
    s.has("a/ENV", "export A='1'\nexport B='new'\nexport C='3'\n");
    assert_eq!(s.mode("a/ENV"), 0o600);
    s.file("b/ENV", "export A='1'\n").run(["config:set-norestart", "b", "A=1"]).succeeds();
    assert_eq!(s.mode("b/ENV"), 0o644);
}

#[test]
fn unsets_whole_keys_also_odd_ones() {
    Sandbox::new()
        .file("a/ENV", "export A='1'\nexport AB='2'\nexport A-B='3'\nexport C='4'\n")
        .run(["config:unset-norestart", "a", "A A-B", "NOPE"])
        .shows("-----> Unsetting A\n-----> Unsetting A-B\n-----> Unsetting NOPE\n")
        .has("a/ENV", "export AB='2'\nexport C='4'\n");
}

#[test]
fn keys_are_names_of_variables() {
    let s = Sandbox::new();
    s.file("a/ENV", "export A='1'\n");
    for key in ["1bad-key", "A.B", "A B", "", "A/!etouch pwned;#", "A\nB", "é"] {
        s.run(["config:set-norestart", "a", "GOOD=1", &format!("{key}=1")]).fails("cannot be a config key");
    }
    s.has("a/ENV", "export A='1'\n");
    assert_eq!(s.tree(), ["HOSTNAME", "VERSION", "a/", "a/ENV"]);
}

#[test]
fn any_value_comes_back_as_it_was() {
    let s = Sandbox::new();
    s.app("a");
    for value in HOSTILE.iter().copied().chain([b"\xff\xfe\x01".as_slice()]) {
        s.run([OsStr::new("config:set-norestart"), OsStr::new("a"), &assignment("K", value), OsStr::new("Z=last")]).succeeds();
        let step = s.run(["config:get", "a", "K"]);
        assert_eq!(step.stdout(), [value, b"\n"].concat(), "{}", OsStr::from_bytes(value).display());
        s.run(["config:get", "a", "Z"]).shows("last\n").run(["config:get", "a", "INJECTED"]).shows("[exit 1]\n");
        let sourced = s.run_program("bash", ["-c", "set -eu; . a/ENV; printf %s \"$K\""]);
        assert_eq!(sourced.stdout(), value, "{}", OsStr::from_bytes(value).display());
    }
    s.lacks("pwned");
}

#[test]
fn an_app_s_variables_do_not_touch_dokku_itself() {
    Sandbox::new()
        .app("a")
        .run(["config:set-norestart", "a", "PATH=/nowhere", "DOKKU_ROOT=/nowhere", "PLUGIN_PATH=/nowhere"])
        .succeeds()
        .run(["config:get", "a", "PATH"])
        .shows("/nowhere\n");
}

#[test]
fn setting_restarts_what_was_deployed_and_only_that() {
    Sandbox::new()
        .app("a")
        .run(["config:set", "a", "K=1"])
        .shows("-----> Setting config vars\n       K: 1\n-----> Restarting app a\nApp a has not been deployed\n")
        .run(["config:unset", "a", "K"])
        .shows("-----> Unsetting K\n-----> Restarting app a\nApp a has not been deployed\n");
}

#[test]
fn a_plugin_is_asked_too() {
    Sandbox::new()
        .app("a")
        .plugin("x/commands", "#!/bin/sh\n[ \"$1\" = config:set-norestart ] || exit 10\necho \"x heard $2 $3\"\n")
        .run(["config:set", "a", "K=1"])
        .shows("-----> Setting config vars\n       K: 1\nx heard a K=1\n-----> Restarting app a\nApp a has not been deployed\n");
}

#[test]
fn ten_at_once_lose_nothing() {
    let s = Sandbox::new();
    s.app("a");
    let lines: Vec<String> = (0..10).map(|n| format!("config:set-norestart a K{n}={n}")).collect();
    assert_eq!(s.run_together(&lines), [true; 10]);
    assert_eq!(s.read("a/ENV"), (0..10).map(|n| format!("export K{n}='{n}'\n")).collect::<String>());
}

#[test]
fn a_lock_goes_with_its_app() {
    let s = Sandbox::new();
    s.app("a").run(["config:set-norestart", "a", "K=1"]).succeeds();
    assert!(s.dir().join("lib/locks/app-a").exists());
    s.run(["apps:destroy", "a", "force"]).succeeds();
    assert!(!s.dir().join("lib/locks/app-a").exists());
}

#[test]
fn an_env_that_cannot_be_read_is_not_overwritten() {
    let s = Sandbox::new();
    s.app("a").file("a/ENV/file", "");
    s.run(["config:set-norestart", "a", "K=1"]).fails("cannot read $HOME/a/ENV").run(["config:get", "a", "K"]).fails("cannot read");
    assert!(s.exists("a/ENV/file"));
}

/// A deployed app whose next deployments take no time.
fn deployed(source: &str) -> Sandbox {
    let s = Sandbox::new();
    s.deployed("a", source);
    for name in ["DOKKU_CHECKS_WAIT", "DOKKU_CHECKS_TIMEOUT", "DOKKU_WAIT_TO_RETIRE"] {
        s.env(name, "0");
    }
    s
}

#[test]
fn values_reach_the_container_of_a_dockerfile_app() {
    let s = deployed("dockerfile");
    for value in HOSTILE {
        s.run([OsStr::new("config:set"), OsStr::new("a"), &assignment("K", value), OsStr::new("Z=last")]).succeeds();
        let env = s.container_env(s.read("a/CONTAINER").trim());
        assert_eq!((env["K"].as_bytes(), env["Z"].as_str()), (*value, "last"));
        assert!(!env.contains_key("INJECTED"));
    }
    s.lacks("pwned");
}

#[test]
fn a_value_that_docker_cannot_carry_stops_the_deployment() {
    let s = deployed("dockerfile");
    let before = s.read("a/CONTAINER");
    s.run([OsStr::new("config:set"), OsStr::new("a"), &assignment("K", b"\xff")]).fails("The value of K of a is not UTF-8");
    assert_eq!((s.read("a/CONTAINER"), s.running("a").len()), (before, 1));
}

#[test]
fn values_reach_the_start_of_a_buildstep_app() {
    let s = deployed("buildstep");
    for value in HOSTILE.iter().copied().chain([b"\xff\xfe".as_slice()]) {
        s.run([OsStr::new("config:set"), OsStr::new("a"), &assignment("K", value)]).succeeds();
        let tar = s.run_program("docker", ["cp", &format!("{}:/app/.profile.d/01-app-env.sh", s.read("a/CONTAINER").trim()), "-"]);
        let sourced = s.stdin(tar.stdout()).run_program("bash", ["-c", "tar -xO > script; . ./script; printf %s \"$K\""]);
        assert_eq!(sourced.stdout(), value, "{}", OsStr::from_bytes(value).display());
    }
    s.lacks("pwned");
}

#[test]
fn what_0_3_18_wrote_with_quotes_is_not_run_in_the_container() {
    let s = deployed("buildstep");
    s.file("a/ENV", "export A='x'; touch $HOME/pwned; ''\nexport E='it's'\n");
    s.run(["ps:restart", "a"]).succeeds();
    let tar = s.run_program("docker", ["cp", &format!("{}:/app/.profile.d/01-app-env.sh", s.read("a/CONTAINER").trim()), "-"]);
    let sourced = s.stdin(tar.stdout()).run_program("bash", ["-c", "tar -xO > script; . ./script; printf '%s|' \"$A\" \"$E\""]);
    sourced.shows("x'; touch $HOME/pwned; '|it's|");
    s.lacks("pwned");
}

#[test]
fn what_people_wrote_into_env_means_to_the_container_what_it_meant() {
    let s = deployed("buildstep");
    let written = "export A='x' \nexport B='it'\"'\"'s'\nexport C='z' # why\nexport D='dos'\r\n";
    s.file("a/ENV", written).run(["config:get", "a", "A"]).shows("x\n");
    s.run(["ps:restart", "a"]).succeeds().has("a/ENV", written);
    let tar = s.run_program("docker", ["cp", &format!("{}:/app/.profile.d/01-app-env.sh", s.read("a/CONTAINER").trim()), "-"]);
    let sourced =
        s.stdin(tar.stdout()).run_program("bash", ["-c", "tar -xO > script; . ./script; printf '%s|' \"$A\" \"$B\" \"$C\" \"$D\""]);
    sourced.shows("x|it's|z|dos|");
    s.run(["config:set-norestart", "a", "E=1"]).succeeds();
    s.has("a/ENV", "export A='x'\nexport B='it'\"'\"'s'\nexport C='z' # why\nexport D='dos'\nexport E='1'\n");
}

#[test]
fn docker_is_given_a_file_of_variables_unless_the_image_is_buildstep_s() {
    let s = Sandbox::new();
    s.image("dokku/a", "dockerfile").image("dokku/b", "buildstep").file("ENV", "export A='global'\nexport G='1'\n").app("b");
    s.file("a/ENV", "export A='own'\nexport M='one\ntwo'\n");
    for phase in ["docker-args-deploy", "docker-args-run"] {
        s.stdin("-v /x:/y\n").run_program("pluginhook", [phase, "a"]).shows("-v /x:/y --env-file=$HOME/a/DOCKERFILE_ENV_FILE\n");
        s.stdin("-v /x:/y\n").run_program("pluginhook", [phase, "b"]).shows("-v /x:/y\n").lacks("b/DOCKERFILE_ENV_FILE");
    }
    s.has("a/DOCKERFILE_ENV_FILE", "G=1\nA=own\n");
}

#[test]
fn backups_hold_every_env() {
    let s = Sandbox::new();
    s.file("a/ENV", "export A='1'\n").app("b").file(".x/ENV", "").file("from/a/ENV", "export A='2'\n");
    let step = s.stdin("before\n").run_program("bash", ["-c", "$PLUGIN_PATH/config/backup-export 1 $DOKKU_ROOT"]);
    step.shows("before\n$HOME/a/ENV\n");
    s.run_program("bash", ["-c", "$PLUGIN_PATH/config/backup-import 1 $DOKKU_ROOT/from $DOKKU_ROOT"])
        .shows("")
        .has("a/ENV", "export A='2'\n");
}

#[test]
fn a_link_in_a_backup_is_not_followed() {
    let s = Sandbox::new();
    s.app("a").file("secret", "s").app("from").app("from/a");
    std::os::unix::fs::symlink(s.home().join("secret"), s.home().join("from/a/ENV")).unwrap();
    s.run_program("bash", ["-c", "$PLUGIN_PATH/config/backup-import 1 $DOKKU_ROOT/from $DOKKU_ROOT"]).shows("").lacks("a/ENV");
}

//! Keys and values of the config: to the file and back, into containers, and never into dokku's own environment.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;

use crate::corpus::{Case, cases, every_case};
use crate::fort::{Fort, refused};

fn assignment(key: &str, value: &[u8]) -> OsString {
    OsString::from_vec([key.as_bytes(), b"=", value].concat())
}

fn values(fort: &Fort) -> Vec<Case> {
    let mut all = cases(&fort.s, "values.txt");
    all.extend(cases(&fort.s, "values-bytes.txt"));
    all
}

#[test]
fn keys_that_are_no_names_are_refused() {
    let fort = Fort::new();
    for case in cases(&fort.s, "keys.txt") {
        let word = OsString::from_vec([case.text.as_slice(), b"=1"].concat());
        for command in ["config:set", "config:set-norestart"] {
            fort.unharmed(&case.shown(), &["home/mine/ENV"], || {
                let step = fort.run([OsStr::new(command), "mine".as_ref(), "GOOD=1".as_ref(), &word]);
                refused(&case.shown(), &step, "cannot be a config key");
                step.text()
            });
        }
        assert_eq!(fort.s.read("mine/ENV"), "", "{}", case.shown());
    }
    assert_eq!(fort.started(), [""; 0]);
}

#[test]
fn a_key_may_be_as_long_as_it_likes() {
    let fort = Fort::new();
    let key = "K".repeat(100_000);
    let text = fort.run(["config:set-norestart", "mine", &format!("{key}=one\ntwo"), "A=1"]).succeeds().run(["config", "mine"]).text();
    assert!(text.contains(&format!("{key}: one\n")) && !text.contains("panicked"));
}

#[test]
fn every_value_comes_back() {
    let fort = Fort::new();
    for case in values(&fort) {
        fort.unharmed(&case.shown(), &["home/mine/ENV"], || {
            let set = fort.run([OsStr::new("config:set-norestart"), "mine".as_ref(), &assignment("K", &case.text), "Z=last".as_ref()]);
            assert_eq!(set.code(), 0, "{}", case.shown());
            let got = fort.run(["config:get", "mine", "K"]);
            assert!(got.stdout() == [case.text.as_slice(), b"\n"].concat(), "{}: {}", case.shown(), got.text());
            let others = fort.run(["config:get", "mine", "Z"]).text() + &fort.run(["config:get", "mine", "INJECTED"]).text();
            assert_eq!(others, "last\n[exit 1]\n", "{}", case.shown());
            String::new()
        });
    }
    assert_eq!(fort.started(), [""; 0]);
}

/// Over ssh a client quotes a value as xargs undoes it.
#[test]
fn every_value_that_fits_into_a_line_comes_back_over_ssh() {
    let fort = Fort::new();
    for case in values(&fort).iter().filter(|case| case.text.len() < 30_000) {
        let escaped: Vec<u8> = case.text.iter().flat_map(|byte| [b'\\', *byte]).collect();
        let line = [b"config:set-norestart mine K=".as_slice(), &escaped].concat();
        fort.unharmed(&case.shown(), &["home/mine/ENV"], || {
            let set = fort.over_ssh(&line);
            assert_eq!(set.code(), 0, "{}: {}", case.shown(), set.text());
            let got = fort.over_ssh(b"config:get mine K");
            assert!(got.stdout() == [case.text.as_slice(), b"\n"].concat(), "{}: {}", case.shown(), got.text());
            String::new()
        });
    }
}

/// An app with all values of these files in its config, deployed anew.
fn with_values(fort: &Fort, source: &str, values: &[Case]) {
    fort.s.deployed("full", source);
    for name in ["DOKKU_CHECKS_WAIT", "DOKKU_CHECKS_TIMEOUT", "DOKKU_WAIT_TO_RETIRE"] {
        fort.s.env(name, "0");
    }
    for (place, case) in values.iter().enumerate() {
        fort.run([OsStr::new("config:set-norestart"), "full".as_ref(), &assignment(&format!("K{place}"), &case.text)]).succeeds();
    }
    fort.run(["ps:restart", "full"]).succeeds();
}

#[test]
fn every_value_reaches_a_dockerfile_app_and_what_runs_beside_it() {
    let fort = Fort::new();
    let values = cases(&fort.s, "values.txt");
    with_values(&fort, "dockerfile", &values);
    let web = fort.s.container_env(fort.s.read("full/CONTAINER").trim());
    fort.run(["run", "full", "env"]).succeeds();
    let run = fort.s.docker(["ps", "-a", "-q", "--no-trunc", "-f", "label=dokku.app=full", "-f", "label=dokku.phase=run"]);
    let run = fort.s.container_env(&run);
    for (place, case) in values.iter().enumerate() {
        for (kind, env) in [("web", &web), ("run", &run)] {
            assert!(env[&format!("K{place}")].as_bytes() == case.text, "{kind}: {}", case.shown());
        }
    }
    let own = |name: &str| name.starts_with('K') || name == "PORT";
    assert_eq!(web.keys().filter(|name| !own(name)).count(), 0, "{:?}", web.keys());
}

#[test]
fn every_value_reaches_a_buildstep_app() {
    let fort = Fort::new();
    let values = values(&fort);
    with_values(&fort, "buildstep", &values);
    let tar = fort.s.run_program("docker", ["cp", &format!("{}:/app/.profile.d/01-app-env.sh", fort.s.read("full/CONTAINER").trim()), "-"]);
    fort.s.stdin(tar.stdout()).run_program("/bin/bash", ["-c", "/bin/tar -xO >script"]).succeeds();
    let told = fort.s.run_program("/bin/bash", ["-c", "set -eu; . ./script; for n in ${!K*}; do printf '%s=%s\\0' \"$n\" \"${!n}\"; done"]);
    let env: std::collections::BTreeMap<&[u8], &[u8]> = told
        .stdout()
        .split(|byte| *byte == 0)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let equals = pair.iter().position(|byte| *byte == b'=').expect("a pair");
            (&pair[..equals], &pair[equals + 1..])
        })
        .collect();
    for (place, case) in values.iter().enumerate() {
        assert!(env[format!("K{place}").as_bytes()] == case.text, "{}", case.shown());
    }
    assert_eq!(env.len(), values.len());
}

#[test]
fn a_value_that_docker_cannot_carry_is_named_and_nothing_is_deployed() {
    let fort = Fort::new();
    fort.s.deployed("full", "dockerfile");
    let before = fort.s.read("full/CONTAINER");
    for case in cases(&fort.s, "values-bytes.txt") {
        let step = fort.run([OsStr::new("config:set"), "full".as_ref(), &assignment("K", &case.text)]);
        assert!(step.code() != 0 && step.text().contains("The value of K of full is not UTF-8"), "{}", step.text());
    }
    assert_eq!(fort.s.read("full/CONTAINER"), before);
}

/// Set for an app and for all apps, such variables change nothing of what dokku does.
#[test]
fn an_app_s_variables_are_not_dokku_s() {
    let fort = Fort::new();
    fort.s.deployed("full", "dockerfile");
    for name in ["DOKKU_CHECKS_WAIT", "DOKKU_CHECKS_TIMEOUT", "DOKKU_WAIT_TO_RETIRE"] {
        fort.s.env(name, "0");
    }
    let variables = every_case(&fort.s, "variables.txt");
    let words = ["config:set-norestart".into(), "full".into()].into_iter().chain(variables.iter().map(Case::word));
    fort.run(words).succeeds();
    for command in [
        &["ps:restart", "full"][..],
        &["domains:add", "full", "a.example.org"],
        &["run", "full", "env"],
        &["logs", "full"],
        &["urls", "full"],
    ] {
        fort.unharmed(command[0], &["home/full/", "home/ENV"], || {
            let step = fort.run(command);
            assert_eq!(step.code(), 0, "{}", step.text());
            step.text()
        });
    }
    for call in fort.s.docker_calls() {
        assert!(!call.contains("evil/image") && !call.contains("tcp://"), "{call}");
    }
    fort.run(["apps"]).shows("=====> My Apps\nfull\nmine\nother\nvictim\n");
    assert!(fort.run(["config:get", "full", "PATH"]).text() == "/nowhere\n");
    assert_eq!(fort.started(), [""; 0]);
}

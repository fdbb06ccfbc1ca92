//! Options for docker: words for docker, and for nobody else.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::corpus::cases;
use crate::fort::Fort;

#[test]
fn docker_gets_the_words_and_nobody_runs_them() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep");
    for case in cases(&fort.s, "docker-options.txt") {
        let shown = case.shown();
        fort.unharmed(&shown, &["home/full/"], || {
            let added = fort.run([OsStr::new("docker-options:add"), "full".as_ref(), "run".as_ref(), OsStr::from_bytes(&case.text)]);
            assert_eq!(added.code(), 0, "{shown}: {}", added.text());
            let given = fort.s.run_program("pluginhook", ["docker-args-run", "full"]);
            let written = dokku::files::docker_options::words(&fort.s.read("full/DOCKER_OPTIONS_RUN"));
            assert_eq!(String::from_utf8_lossy(given.stdout()).trim(), written.trim(), "{shown}");
            let ran = fort.run(["run", "full", "true"]).text();
            let removed = fort.run([OsStr::new("docker-options:remove"), "full".as_ref(), "run".as_ref(), OsStr::from_bytes(&case.text)]);
            ran + &removed.text()
        });
        // What holds several lines is several options, and each is taken away by its own.
        if !case.text.contains(&b'\n') {
            assert_eq!(fort.s.read("full/DOCKER_OPTIONS_RUN"), "", "{shown}");
        }
        fort.s.file("full/DOCKER_OPTIONS_RUN", "");
    }
    assert_eq!(fort.started(), [""; 0]);
}

#[test]
fn an_administrator_may_keep_them_from_people_with_a_key() {
    let fort = Fort::new();
    let lines: [&[u8]; 3] = [
        b"docker-options:add mine deploy --privileged",
        b"docker-options:remove mine deploy x",
        b"--quiet docker-options:add mine build,deploy,run -v /:/host",
    ];
    let each_is_refused = |where_from: &str| {
        for line in lines {
            fort.unharmed(where_from, &[], || {
                let step = fort.over_ssh(line);
                assert!(step.code() != 0 && step.text().contains("DOKKU_SSH_DOCKER_OPTIONS is 0"), "{where_from}: {}", step.text());
                step.text()
            });
        }
        let typed = fort.s.stdin("docker-options:add mine deploy --privileged\nquit\n");
        let typed = typed.run_program("/usr/bin/env", ["SSH_ORIGINAL_COMMAND=shell", "dokku", "shell"]);
        assert!(typed.text().contains("DOKKU_SSH_DOCKER_OPTIONS is 0"), "{where_from}: {}", typed.text());
        assert!(!fort.s.exists("mine/DOCKER_OPTIONS_DEPLOY"), "{where_from}");
    };
    // Nobody turns it on again for an app of theirs.
    fort.s.file("mine/ENV", "export DOKKU_SSH_DOCKER_OPTIONS='1'\n");
    for (name, file, text) in [
        ("dokkurc", "dokkurc", "export DOKKU_SSH_DOCKER_OPTIONS=0\n"),
        ("dokkurc, not exported", "dokkurc", "DOKKU_SSH_DOCKER_OPTIONS=0\n"),
        ("ENV for all apps", "ENV", "export DOKKU_SSH_DOCKER_OPTIONS='0'\n"),
    ] {
        fort.s.file(file, text);
        each_is_refused(name);
        std::fs::remove_file(fort.s.home().join(file)).unwrap();
    }
    fort.s.file("dokkurc", "export DOKKU_SSH_DOCKER_OPTIONS=0\n");
    fort.over_ssh(b"docker-options mine").succeeds();
    fort.run(["docker-options:add", "mine", "deploy", "--privileged"]).succeeds().has("mine/DOCKER_OPTIONS_DEPLOY", "--privileged\n");
}

//! `sshcommand`: names of keys, and keys.

use std::fs;

use crate::corpus::{Case, cases};
use crate::fort::Fort;

/// User joe with a key in `key.pub`.
fn machine() -> Fort {
    let fort = Fort::new();
    let s = &fort.s;
    let passwd = format!("joe:x:1:1::{}/joe:/bin/sh", s.dir().display());
    s.program("getent", &format!("#!/bin/bash\n[ \"$2\" = joe ] || exit 2\necho '{passwd}'\n"));
    s.file("../joe/.ssh/authorized_keys", "");
    s.run_program("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "joe@home", "-f", "../key"]).succeeds();
    fort
}

fn refuses(fort: &Fort, case: &Case, name: &std::ffi::OsStr, input: &[u8], part: &str) {
    let shown = case.shown();
    fort.unharmed(&shown, &[], || {
        let step = fort.s.stdin(input).run_program("sshcommand", ["acl-add".as_ref(), "joe".as_ref(), name]);
        assert!(step.code() != 0 && step.text().contains(part), "{shown}: {}", step.text());
        assert!(!step.text().contains('\x1b'), "{shown} reaches the terminal");
        step.text()
    });
    assert_eq!(fs::read_to_string(fort.s.dir().join("joe/.ssh/authorized_keys")).unwrap(), "", "{shown}");
}

#[test]
fn names_of_keys_carry_nothing_into_the_file() {
    let fort = machine();
    let key = fs::read(fort.s.dir().join("key.pub")).unwrap();
    for case in cases(&fort.s, "key-names.txt") {
        refuses(&fort, &case, &case.word(), &key, "cannot be the name of a key");
    }
}

#[test]
fn what_is_not_one_key_is_refused() {
    let fort = machine();
    for case in cases(&fort.s, "public-keys.txt") {
        refuses(&fort, &case, "joe".as_ref(), &case.text, "exactly one public key");
    }
}

#[test]
fn users_that_are_none_are_refused() {
    let fort = machine();
    for case in cases(&fort.s, "names.txt").iter().filter(|case| !case.text.is_empty()) {
        for command in ["acl-add", "acl-remove"] {
            fort.unharmed(&case.shown(), &[], || {
                let step = fort.s.run_program("sshcommand", [command.into(), case.word(), "joe".into()]);
                assert_ne!(step.code(), 0, "{command} {}: {}", case.shown(), step.text());
                step.text()
            });
        }
    }
}

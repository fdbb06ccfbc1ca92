//! `sshcommand`: users whose keys run one command.

mod sandbox;

use std::fs::{self, File};

use sandbox::Sandbox;

const USAGE: &str = "Usage : sshcommand create user command
        sshcommand acl-add user identifier
        sshcommand acl-remove user identifier
        sshcommand help # shows this usage message
";

/// User `joe`, whom getent knows once adduser or useradd has made him; chown only tells.
fn machine() -> Sandbox {
    let s = Sandbox::new();
    s.program("getent", "#!/bin/sh\ncat \"${0%/*}/../passwd\" 2>/dev/null | grep \"^$2:\"\n");
    let make = |name: &str| {
        let line = "joe:x:1:1::$dir/joe:/bin/sh";
        format!(
            "#!/bin/bash\ndir=$(cd \"${{0%/*}}/..\" && pwd)\necho {name} \"$@\"\nmkdir \"$dir/joe\"; echo \"{line}\" >\"$dir/passwd\"\n"
        )
    };
    s.program("adduser", &make("adduser")).program("useradd", &make("useradd")).program("chown", "#!/bin/sh\necho chown \"$@\"\n");
    s
}

/// The same with a key in `key.pub`, whose text and fingerprint are given too.
fn with_key() -> (Sandbox, String, String) {
    let s = machine();
    s.run_program("sshcommand", ["create", "joe", "/usr/bin/dokku"]).succeeds();
    s.run_program("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "joe@home", "-f", "key"]).succeeds();
    let print = s.run_program("ssh-keygen", ["-l", "-f", "key.pub"]).text();
    let print = print.split_whitespace().nth(1).unwrap().to_owned();
    let key = s.read("key.pub");
    (s, key, print)
}

fn keys(s: &Sandbox) -> String {
    fs::read_to_string(s.dir().join("joe/.ssh/authorized_keys")).unwrap()
}

#[test]
fn help_and_wrong_usage() {
    let s = machine();
    for words in [vec![], vec!["help"], vec!["nonsense", "x"]] {
        s.run_program("sshcommand", words).shows(USAGE);
    }
    s.run_program("sshcommand", ["create", "joe"]).shows("Usage : sshcommand create user command\n[exit 255]\n");
    s.run_program("sshcommand", ["ACL-add", "joe"]).shows("Usage : sshcommand acl-add user identifier\n[exit 255]\n");
    s.run_program("sshcommand", ["acl-remove"]).shows("Usage : sshcommand acl-remove user identifier\n[exit 255]\n");
}

#[test]
fn create_makes_a_user_once() {
    let s = machine();
    s.run_program("sshcommand", ["CREATE", "joe", "/usr/bin/dokku x"])
        .shows("adduser --disabled-password --gecos  joe\nchown -R -P joe $SANDBOX/joe\n")
        .has("../joe/.sshcommand", "/usr/bin/dokku x\n")
        .has("../joe/.ssh/authorized_keys", "");
    assert_eq!((s.mode("../joe/.ssh"), s.mode("../joe/.ssh/authorized_keys"), s.mode("../joe/.sshcommand")), (0o700, 0o600, 0o644));
    s.run_program("sshcommand", ["create", "joe", "dokku"])
        .shows("User 'joe' already exists\nchown -R -P joe $SANDBOX/joe\n")
        .has("../joe/.sshcommand", "dokku\n");
}

#[test]
fn create_uses_useradd_where_there_is_no_adduser() {
    let s = machine();
    fs::remove_file(s.dir().join("fakes/adduser")).unwrap();
    let path = format!("{}:/usr/bin:/bin", s.dir().join("fakes").display());
    s.env("PATH", &path)
        .run_program("sshcommand", ["create", "joe", "dokku"])
        .shows("useradd -m -s /bin/bash -p * joe\nchown -R -P joe $SANDBOX/joe\n");
}

#[test]
fn a_key_runs_the_command_and_nothing_else() {
    let (s, key, print) = with_key();
    let line = |name: &str| {
        let options = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding";
        format!("command=\"FINGERPRINT={print} NAME={name} `cat $SANDBOX/joe/.sshcommand` $SSH_ORIGINAL_COMMAND\",{options} {key}")
    };
    fs::write(s.dir().join("joe/.ssh/authorized_keys"), "ssh-rsa AAAA of-somebody NAME=joe x").unwrap();
    s.stdin(&key).run_program("sshcommand", ["acl-add", "joe", "joe"]).shows(&format!("{print}\n"));
    s.stdin(format!("{key}\n\n")).run_program("sshcommand", ["acl-add", "joe", "jo"]).shows(&format!("{print}\n"));
    let other = "ssh-rsa AAAA of-somebody NAME=joe x\n";
    assert_eq!(s.neutral(&keys(&s)), format!("{other}{}{}", line("joe"), line("jo")));
    assert_eq!(s.mode("../joe/.ssh/authorized_keys"), 0o600);
    s.run_program("sshcommand", ["acl-remove", "joe", "jo"]).shows("");
    assert_eq!(s.neutral(&keys(&s)), format!("{other}{}", line("joe")));
    s.run_program("sshcommand", ["acl-remove", "joe", "j.e"]).shows("");
    assert_eq!(s.neutral(&keys(&s)), format!("{other}{}", line("joe")));
}

#[test]
fn nothing_hostile_gets_into_the_file() {
    let (s, key, _) = with_key();
    for name in ["", "a b", "a\nssh-rsa AAAA", "a\",command=\"sh", "$(reboot)", "`id`", "a;b"] {
        s.stdin(&key).run_program("sshcommand", ["acl-add", "joe", name]).fails("cannot be the name of a key");
    }
    let two = format!("{key}{key}");
    let optioned = format!("command=\"sh\" {key}");
    let broken = key.replace("AAAA", "AAAB");
    for input in ["", "hello\n", &two, &optioned, &broken] {
        s.stdin(input).run_program("sshcommand", ["acl-add", "joe", "joe"]).fails("exactly one public key");
    }
    for user in ["nobody-here", "-x", "../joe", "joe:x"] {
        s.stdin(&key).run_program("sshcommand", ["acl-add", user, "joe"]).fails(user);
    }
    assert_eq!(keys(&s), "");
}

#[test]
fn a_link_out_of_the_home_is_not_followed() {
    let (s, key, _) = with_key();
    let file = s.dir().join("joe/.ssh/authorized_keys");
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("../../precious", &file).unwrap();
    s.file("../precious", "as it was\n");
    s.stdin(&key).run_program("sshcommand", ["acl-add", "joe", "joe"]).fails("leads out of").has("../precious", "as it was\n");
}

#[test]
fn keys_that_are_added_at_the_same_time_are_all_there() {
    let (s, ..) = with_key();
    let add = |number: u32| {
        let key = File::open(s.home().join("key.pub")).unwrap();
        s.command("sshcommand").args(["acl-add", "joe", &format!("key-{number}")]).stdin(key).spawn().unwrap()
    };
    let children: Vec<_> = (0..8).map(add).collect();
    assert!(children.into_iter().all(|mut child| child.wait().unwrap().success()));
    assert_eq!(keys(&s).lines().count(), 8);
}

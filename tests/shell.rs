//! `dokku shell`: a line a command.

mod sandbox;

use sandbox::{Sandbox, Step};

/// A shell on a terminal that types these keys.
fn on_a_terminal<'a>(s: &'a Sandbox, keys: &str) -> Step<'a> {
    s.env("TERM", "xterm").stdin(keys).run_program("script", ["-qec", "dokku shell", "/dev/null"])
}

#[test]
fn each_line_is_a_command() {
    let s = Sandbox::new();
    s.plugin(
        "say/commands",
        "#!/bin/sh\n[ \"$1\" = say ] || exit 10\nshift; for word; do echo \"[$word]\"; done; [ $# -gt 0 ] || exit 3\n",
    );
    s.stdin("say one\n\n   say   two  'three   four'  \nsay\nnope\nsay *\nquit\nsay unreached\n").run(["shell"]).shows(
        "[one]\n[two]\n['three]\n[four']\n !    `nope` is not a dokku command.\n !    See `dokku help` for a list of available commands.\n[*]\n",
    );
    s.stdin("say five\nexit\n").run(["shell"]).shows("[five]\n");
}

#[test]
fn the_end_of_input_ends_it_with_a_newline() {
    let s = Sandbox::new();
    s.stdin("version\nversion").run(["shell"]).shows("v0.3.18\n\n");
}

#[test]
fn a_command_reads_on_in_the_input() {
    let s = Sandbox::new();
    s.plugin("eat/commands", "#!/bin/sh\n[ \"$1\" = eat ] || exit 10\nread line; echo \"ate $line\"\n");
    s.stdin("eat\nversion\nversion\n").run(["shell"]).shows("ate version\nv0.3.18\n\n");
}

#[test]
fn a_change_of_dokkurc_counts_from_the_next_line() {
    let s = Sandbox::new();
    s.plugin("env/commands", "#!/bin/sh\n[ \"$1\" = env ] || exit 10\necho \"[$DOKKU_TRACE]\" 2>/dev/null\n");
    let seen = s.stdin("env\ntrace on\nenv\n").run(["shell"]).stdout().to_vec();
    assert_eq!(String::from_utf8(seen).unwrap(), "[]\nEnabling dokku trace\n[1]\n\n");
}

#[test]
fn lines_are_remembered_as_bash_does() {
    let s = Sandbox::new();
    s.file(".dokku_history", "apps\n");
    s.stdin("apps\nversion\n version\nls  a\nquit\n").run(["shell"]).succeeds().has(".dokku_history", "apps\nversion\nls a\nquit\n");
    assert_eq!(s.mode(".dokku_history"), 0o644);
}

#[test]
fn on_a_terminal_lines_can_be_edited() {
    let s = Sandbox::new();
    s.app("a");
    // Ctrl-A to the start of the line; Backspace; the line before with the cursor key.
    let text = on_a_terminal(&s, "appsx\x7f\x01--quiet \r").text();
    assert!(text.contains("dokku> ") && text.contains("\na\r\n"), "{text}");
    s.has(".dokku_history", "--quiet apps\n").file(".dokku_history", "version\n");
    let text = on_a_terminal(&s, "\x1b[A\r").text();
    assert!(text.contains("v0.3.18\r\n"), "{text}");
}

#[test]
fn over_ssh_each_line_is_held_to_the_rules_for_keys() {
    let s = Sandbox::new();
    let refused = |name: &str| format!("`{name}` cannot be run over ssh; run it on the server\n");
    s.stdin("version\ndeploy a\n--quiet cleanup\nshell\ntrace on\nquit\nbackup:export ../b.tar\n")
        .run_program("env", ["SSH_ORIGINAL_COMMAND=shell", "dokku", "shell"])
        .shows(&format!(
            "v0.3.18\n\n[stderr]\n{}{}{}Over ssh a backup goes to standard output: ssh dokku@HOST backup:export > FILE\n",
            refused("deploy"),
            refused("cleanup"),
            refused("trace")
        ))
        .lacks(".dokkurc")
        .lacks("../b.tar");
}

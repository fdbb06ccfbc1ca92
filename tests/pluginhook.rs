//! `pluginhook`: the chain of a hook, as a program and inside dokku.

mod sandbox;

use std::time::{Duration, Instant};

use sandbox::Sandbox;

const PASS: &str = "#!/bin/sh\nexec cat\n";

#[test]
fn each_hook_reads_what_the_one_before_printed() {
    Sandbox::new()
        .plugin("b/demo", "#!/bin/sh\ncat; echo \"b $1\"\n")
        .plugin("a/demo", "#!/bin/sh\ncat; echo \"a $1\"; echo seen >&2\n")
        .plugin(".c/demo", "#!/bin/sh\ncat; echo \"hidden $#\"\n")
        .stdin("in\n")
        .run_program("pluginhook", ["demo", "x y\nz", ""])
        .shows("in\nhidden 2\na x y\nz\nb x y\nz\n[stderr]\nseen\n");
}

#[test]
fn only_the_last_output_is_shown() {
    Sandbox::new()
        .plugin("a/demo", "#!/bin/sh\necho a\n")
        .plugin("b/demo", "#!/bin/sh\necho b\n")
        .run_program("pluginhook", ["demo"])
        .shows("b\n")
        .run_program("pluginhook", ["nobody-has-it"])
        .shows("");
}

#[test]
fn any_bytes_go_through_six_hooks() {
    let s = Sandbox::new();
    for place in 0..6 {
        s.plugin(&format!("p{place}/demo"), PASS);
    }
    let data: Vec<u8> = (0..3_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(s.stdin(&data).run_program("pluginhook", ["demo"]).stdout() == data);
}

#[test]
fn a_hook_need_not_read() {
    let s = Sandbox::new();
    s.plugin("a/demo", "#!/bin/sh\nhead -c 3000000 /dev/zero\n").plugin("b/demo", "#!/bin/sh\necho b\n");
    s.run_program("pluginhook", ["demo"]).shows("b\n");
    // What it reads from is a pipe: head keeps all that it got at once, and cannot put it back.
    s.plugin("b/demo", "#!/bin/sh\necho one; echo two\n").plugin("c/demo", "#!/bin/sh\nhead -n 1; cat\n");
    s.run_program("pluginhook", ["demo"]).shows("one\n");
}

#[test]
fn the_first_failure_ends_the_chain() {
    let s = Sandbox::new();
    s.plugin("a/demo", "#!/bin/sh\necho lost; exit $1\n").plugin("b/demo", "#!/bin/sh\necho b\n");
    s.run_program("pluginhook", ["demo", "3"]).shows("[exit 3]\n");
    s.run_program("pluginhook", ["demo", "200"]).shows("[exit 200]\n");
    s.plugin("a/demo", "#!/bin/sh\nkill -9 $$\n").run_program("pluginhook", ["demo"]).shows("[exit 255]\n");
    s.plugin("a/demo", PASS).plugin("b/demo", "#!/bin/sh\necho b; exit 4\n").run_program("pluginhook", ["demo"]).shows("b\n[exit 4]\n");
}

#[test]
fn what_cannot_be_started_is_passed_over() {
    let s = Sandbox::new();
    s.plugin("a/demo", "#!/bin/sh\necho a\n").plugin("b/demo", "echo no interpreter\n").plugin("c/demo", "#!/bin/sh\ncat; echo c\n");
    s.run_program("pluginhook", ["demo"]).shows("c\n");
    s.plugin("b/demo", "#!/no/such/interpreter\n").run_program("pluginhook", ["demo"]).shows("c\n");
    s.plugin("z/demo", "").run_program("pluginhook", ["demo"]).shows("");
}

#[test]
fn output_is_awaited_between_hooks_but_not_after_the_last() {
    let s = Sandbox::new();
    s.plugin("a/demo", "#!/bin/sh\n(sleep 0.5; echo late) &\n").plugin("b/demo", PASS);
    s.run_program("pluginhook", ["demo"]).shows("late\n");
    s.plugin("b/demo", "#!/bin/sh\nsleep 30 >/dev/null 2>&1 &\necho b\n");
    let start = Instant::now();
    s.run_program("pluginhook", ["demo"]).shows("b\n");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_trace_shows_what_is_called() {
    let s = Sandbox::new();
    s.plugin("a/demo", PASS).plugin("b/demo", PASS);
    let trace = "[stderr]\n+ $SANDBOX/plugins/a/demo x y\n+ $SANDBOX/plugins/b/demo x y\n";
    s.run_program("pluginhook", ["-x", "demo", "x y"]).shows(trace);
    s.run_program("pluginhook", ["--x=T", "--", "demo", "x y"]).shows(trace);
    s.env("DOKKU_TRACE", "1").run_program("pluginhook", ["-x=false", "demo"]).shows("");
    s.env("PLUGINHOOK_TRACE", "1").run_program("pluginhook", ["demo", "x y"]).shows(trace);
}

#[test]
fn wrong_calls_are_explained() {
    let s = Sandbox::new();
    s.run_program("pluginhook", ["-z", "demo"]).shows(
        "[stderr]\nflag provided but not defined: -z\nUsage of pluginhook:\n  -p=false: Run hooks in parallel\n  -x=false: Trace mode\n[exit 2]\n",
    );
    let stamped = |step: sandbox::Step, text: &str| {
        let shown = step.text();
        let line = shown.strip_prefix("[stderr]\n").unwrap().to_owned();
        let form: String = line.chars().take(19).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!((form.as_str(), &line[19..]), ("0000/00/00 00:00:00", format!(" {text}\n[exit 1]\n").as_str()));
    };
    stamped(s.run_program("pluginhook", [""; 0]), "[ERROR] Hook name argument is required");
    stamped(s.env("PLUGIN_PATH", "").run_program("pluginhook", ["demo"]), "[ERROR] Unable to locate plugins: set $PLUGIN_PATH");
}

#[test]
fn a_hook_is_looked_for_in_plugins_only() {
    let s = Sandbox::new();
    s.program("evil", "#!/bin/sh\necho evil\n").plugin("a/sub/demo", "#!/bin/sh\necho sub\n");
    let evil = s.dir().join("fakes/evil");
    for name in ["", "..", "../../fakes/evil", evil.to_str().unwrap()] {
        s.run_program("pluginhook", [name]).shows("");
    }
    s.run_program("pluginhook", ["sub/demo"]).shows("sub\n");
}

#[test]
fn in_parallel_all_run_at_once_and_are_piped() {
    let s = Sandbox::new();
    let meet = |me: &str, other: &str| {
        format!("#!/bin/sh\ntouch {me}\nfor i in $(seq 100); do [ -e {other} ] && break; sleep 0.05; done\n[ -e {other} ] || exit 9\n")
    };
    s.plugin("a/demo", &(meet("a", "b") + "echo from a\n")).plugin("b/demo", &(meet("b", "a") + "cat; echo from b\n"));
    s.run_program("pluginhook", ["-p", "demo"]).shows("from a\nfrom b\n");
}

#[test]
fn in_parallel_the_first_failure_ends_it() {
    let s = Sandbox::new();
    s.plugin("a/demo", "#!/bin/sh\nexec sleep 20 >/dev/null 2>&1\n").plugin("b/demo", "#!/bin/sh\nexit 7\n");
    let start = Instant::now();
    s.run_program("pluginhook", ["-p", "demo"]).shows("[exit 7]\n");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn in_parallel_a_writer_survives_a_reader_that_has_ended() {
    let s = Sandbox::new();
    s.plugin("a/demo", "#!/bin/sh\nsleep 0.3; head -c 1000000 /dev/zero && touch done\n").plugin("b/demo", "#!/bin/sh\nexit 0\n");
    s.run_program("pluginhook", ["-p", "demo"]).shows("");
    assert!(s.exists("done"));
}

#[test]
fn core_hooks_and_others_make_one_chain() {
    let s = Sandbox::new();
    s.app("a").image("dokku/a", "buildstep").file("a/DOCKER_OPTIONS_DEPLOY", "-v /core\n");
    s.plugin("00-first/docker-args-deploy", "#!/bin/sh\necho \"$(cat)-first\"\n")
        .plugin("zz/docker-args-deploy", "#!/bin/sh\nread x; echo \"[$x]\"\n");
    s.stdin("in").run_program("pluginhook", ["docker-args-deploy", "a"]).shows("[in-first -v /core]\n");
    s.stdin("in").run_program("pluginhook", ["-p", "docker-args-deploy", "a"]).shows("[in-first -v /core]\n");
    s.remove_plugin("docker-options/docker-args-deploy");
    s.stdin("in").run_program("pluginhook", ["docker-args-deploy", "a"]).shows("[in-first]\n");
}

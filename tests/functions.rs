//! `compat/functions`, as third-party plugins source it: `$(dirname $0)/../common/functions`.

mod sandbox;

use std::time::{Duration, Instant};

use sandbox::{Sandbox, Step};

/// Runs lines of a plugin that sources the functions.
fn plugin<'a>(s: &'a Sandbox, lines: &str) -> Step<'a> {
    s.plugin("mine/commands", &format!("#!/usr/bin/env bash\nsource \"$(dirname $0)/../common/functions\"\n{lines}\n"));
    s.run_program("../plugins/mine/commands", [""; 0])
}

#[test]
fn lines_have_the_forms_of_0_3_18() {
    let s = Sandbox::new();
    for (function, start) in
        [("dokku_log_info1", "-----> "), ("dokku_log_info2", "=====> "), ("dokku_log_verbose", "       "), ("dokku_log_warn", " !    ")]
    {
        plugin(&s, &format!("{function} a 'b  c' -n '%s\\n'; {function}")).shows(&format!("{start}a b  c -n %s\\n\n{start}\n"));
        plugin(&s, &format!("IFS=,; {function} a b")).shows(&format!("{start}a b\n"));
    }
}

#[test]
fn columns_are_forty_wide() {
    let s = Sandbox::new();
    let row = |left: &str, right: &str| format!("{left:<40} {right:<40}\n");
    plugin(&s, "dokku_col_log_msg a b c").shows(&(row("a", "b") + &row("c", "")));
    plugin(&s, "dokku_col_log_info1 a b; dokku_col_log_info2 a b; dokku_col_log_info1")
        .shows(&(row("-----> a", "b") + &row("=====> a", "b") + &row("-----> ", "")));
}

#[test]
fn quiet_silences_the_quiet_ones_alone() {
    let s = Sandbox::new();
    let names = ["log_info1", "log_info2", "log_verbose", "col_log_msg", "col_log_info1", "col_log_info2"];
    let call = |ending: &str| names.map(|name| format!("dokku_{name}{ending} x y")).join("\n");
    let loud = plugin(&s, &call("")).text();
    assert_eq!(loud.lines().count(), names.len());
    plugin(&s, &call("_quiet")).shows(&loud);
    s.env("DOKKU_QUIET_OUTPUT", "0");
    plugin(&s, &(call("_quiet") + "\necho end")).shows("end\n");
    plugin(&s, &call("")).shows(&loud);
}

#[test]
fn failing_ends_the_plugin() {
    let s = Sandbox::new();
    plugin(&s, "dokku_log_fail it  'failed  here'; echo unreached").shows("[stderr]\nit failed  here\n[exit 1]\n");
}

#[test]
fn apps_are_verified() {
    let s = Sandbox::new();
    s.app("a");
    plugin(&s, "APP=kept; verify_app_name a; echo $IMAGE $APP").shows("dokku/a kept\n");
    plugin(&s, "verify_app_name; echo unreached").shows("[stderr]\n(verify_app_name) APP must not be null\n[exit 1]\n");
    plugin(&s, "verify_app_name b; echo unreached").shows("[stderr]\nApp b does not exist\n[exit 1]\n");
}

#[test]
fn the_caller_gets_the_shell_options() {
    let s = Sandbox::new();
    plugin(&s, "false | true; echo unreached").shows("[exit 1]\n");
    plugin(&s, "set +eo pipefail; false | true; echo reached").shows("reached\n");
    plugin(&s, "echo ${DOKKU_TRACE:-none} $-").shows("none ehB\n");
    let traced = s.env("DOKKU_TRACE", "1").run_program("../plugins/mine/commands", [""; 0]).text();
    assert!(traced.starts_with("1 ehxB\n") && traced.contains("\n+ echo 1 ehxB\n"), "{traced}");
}

#[test]
fn flags_are_exported() {
    let show = "env | grep -E '^DOKKU_(QUIET|TRACE|RM|APPS)' | sort";
    let s = Sandbox::new();
    plugin(&s, &format!("parse_args a --rm x --force --quiet; {show}"))
        .shows("DOKKU_APPS_FORCE_DELETE=1\nDOKKU_QUIET_OUTPUT=1\nDOKKU_RM_CONTAINER=1\n");
    plugin(&s, &format!("parse_args --rm-container --trace y; {show}")).shows("DOKKU_RM_CONTAINER=1\nDOKKU_TRACE=1\n");
    plugin(&s, "parse_args; has_tty && echo yes || echo no").shows("no\n");
}

#[test]
fn docker_is_asked_as_before() {
    let s = Sandbox::new();
    s.program(
        "docker",
        "#!/bin/bash\nprintf '[%s]' \"$@\" >&2; [[ $1 == logs ]] || exit 3; printf 'one\\n\\n  two * \\n'; printf err >&2\n",
    );
    plugin(&s, "is_image_buildstep_based -v /x image && echo yes || echo no")
        .shows("no\n[stderr]\n[run][--entrypoint=/bin/bash][--rm][-v][/x][image][-c][[[ -f /exec ]]]");
    plugin(&s, "dokku_container_log_verbose_quiet id").shows("       [logs][id]one\n         two * \n       err\n");
    s.env("DOKKU_QUIET_OUTPUT", "1");
    plugin(&s, "dokku_container_log_verbose_quiet id; echo end").shows("end\n");
}

#[test]
fn sourcing_costs_next_to_nothing() {
    let s = Sandbox::new();
    s.file("empty", "");
    let best = |file: &str| {
        let run = || {
            let start = Instant::now();
            s.run_program("bash", ["-c", &format!("source {file}")]).succeeds();
            start.elapsed()
        };
        (0..20).map(|_| run()).min().unwrap()
    };
    let (empty, functions) = (best("./empty"), best("../plugins/common/functions"));
    assert!(functions < empty + Duration::from_millis(2), "{functions:?} against {empty:?}");
}

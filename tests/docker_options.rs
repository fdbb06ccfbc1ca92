//! `docker-options`, `docker-options:add`, `docker-options:remove`, and what docker gets of them.

mod sandbox;

use sandbox::Sandbox;

#[test]
fn options_are_kept_by_phase() {
    Sandbox::new()
        .app("a")
        .run(["docker-options:add", "a", "deploy,run", "-v /x:/y"])
        .shows("")
        .run(["docker-options", "a"])
        .shows("Deploy options:\n    -v /x:/y\nRun options:\n    -v /x:/y\n")
        .run(["docker-options", "a", "run,build"])
        .shows("Run options:\n    -v /x:/y\nBuild options: none\n")
        .run(["docker-options:remove", "a", "run,build", "-v /x:/y"])
        .shows("")
        .run(["docker-options", "a"])
        .shows("Deploy options:\n    -v /x:/y\n")
        .lacks("a/DOCKER_OPTIONS_BUILD");
}

#[test]
fn lines_are_sorted_and_stand_once() {
    let s = Sandbox::new();
    s.app("a");
    for option in ["-v /z", "-v /a", "-v /z"] {
        s.run(["docker-options:add", "a", "build", option]).shows("");
    }
    s.has("a/DOCKER_OPTIONS_BUILD", "-v /a\n-v /z\n");
}

#[test]
fn only_the_first_word_counts() {
    Sandbox::new().app("a").run_line("docker-options:add a build -v /x").shows("").has("a/DOCKER_OPTIONS_BUILD", "-v\n");
}

#[test]
fn says_on_stderr_what_is_missing() {
    let s = Sandbox::new();
    s.app("a");
    let cases: &[(&[&str], &str)] = &[
        (&["docker-options"], "[stderr]\nPlease specify an app to run the command on\n[exit 1]\n"),
        (&["docker-options", "b"], "[stderr]\nApp b does not exist\n[exit 1]\n"),
        (&["docker-options", "a", "frob"], "[stderr]\nPhase(s) must be one of [build deploy run]\n[exit 1]\n"),
        (&["docker-options:add", "a", ",build", "-v"], "[stderr]\nPhase(s) must be one of [build deploy run]\n[exit 1]\n"),
        (&["docker-options:add", "a"], "[exit 1]\n"),
        (&["docker-options:add", "a", "build"], "[stderr]\nPlease specify docker options to add to the phase\n[exit 1]\n"),
        (&["docker-options:add", "a", "build", ""], "[stderr]\nPlease specify docker options to add to the phase\n[exit 1]\n"),
        (&["docker-options:add", "a", "build,", "-v"], ""),
    ];
    for (words, shown) in cases {
        s.run(*words).shows(shown);
    }
}

#[test]
fn an_option_to_remove_is_text_and_no_program() {
    let s = Sandbox::new();
    s.file("a/DOCKER_OPTIONS_RUN", "-v a\n-v b\n");
    for option in ["-v .", "x##;etouch pwned;#", "-v"] {
        s.run(["docker-options:remove", "a", "run", option]).shows("");
    }
    s.has("a/DOCKER_OPTIONS_RUN", "-v a\n-v b\n").lacks("pwned");
}

#[test]
fn what_people_write_into_the_files_is_shown_and_its_comments_are_skipped() {
    let s = Sandbox::new();
    s.file("a/DOCKER_OPTIONS_BUILD", "# note\n\n-v /x\n  -e   B=1  \n-last");
    s.run(["docker-options", "a", "build"]).shows("Build options:\n    # note\n    \n    -v /x\n      -e   B=1  \n    -last\n");
    s.stdin("before\n").run_program("pluginhook", ["docker-args-build", "a"]).shows("before -v /x -e   B=1 -last\n");
    s.stdin("before\n").run_program("pluginhook", ["docker-args-build", "b"]).shows("before\n");
}

#[test]
fn docker_gets_the_words_and_no_shell_sees_them() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep");
    s.run(["docker-options:add", "a", "run", "-e A=$HOME -v /x*:/y"]).succeeds().run(["run", "a", "true"]).succeeds();
    let run = s.docker_calls().into_iter().find(|call| call.starts_with("run ")).unwrap();
    assert!(run.contains("-e A=$HOME -v /x*:/y ") && run.ends_with(" dokku/a /exec true"), "{run}");
}

#[test]
fn ten_at_once_lose_nothing() {
    let s = Sandbox::new();
    s.app("a");
    let lines: Vec<String> = (0..10).map(|n| format!("docker-options:add a deploy --n{n}")).collect();
    assert_eq!(s.run_together(&lines), [true; 10]);
    assert_eq!(s.read("a/DOCKER_OPTIONS_DEPLOY"), (0..10).map(|n| format!("--n{n}\n")).collect::<String>());
}

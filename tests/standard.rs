//! `00_dokku-standard`: ls, logs, run, url, urls, version, trace.

mod sandbox;

use sandbox::Sandbox;

#[test]
fn what_files_can_tell_takes_no_other_program() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").file("a/ENV", "export K='1'\n").file("a/VHOST", "a.dokku.test\n").file("a/URLS", "http://a.dokku.test\n");
    let before = s.docker_calls().len();
    // Nothing is found by its name there.
    s.env("PATH", "/nowhere");
    let lines =
        ["", "help", "version", "apps", "ls", "url a", "urls a", "domains a", "config a", "config:get a K", "docker-options a", "plugins"];
    for line in lines {
        s.run_line(line).succeeds();
    }
    s.run(["nosuch"]).fails("is not a dokku command");
    assert_eq!(s.docker_calls().len(), before);
}

#[test]
fn shows_the_version() {
    Sandbox::new().run(["version"]).shows("v0.3.18\n");
}

#[test]
fn lists_apps_with_their_containers() {
    let s = Sandbox::new();
    s.run(["ls"]).shows("You haven't depoyed any applications yet\n[exit 1]\n");
    s.app("b").file("a/CONTAINER", "abc\n");
    s.run(["ls"]).shows(&format!("{:<40} {:<40}\n{:<40} {:<40}\n{:<40} {:<40}\n", "=====> App Name", "Container id", "a", "abc", "b", ""));
}

#[test]
fn urls_come_from_the_file_else_from_the_global_name() {
    let s = Sandbox::new();
    s.app("a").file("a/PORT", "5000\n").run(["urls", "a"]).shows("http://dokku.test:5000\n");
    s.file("VHOST", "example.com\n").run(["urls", "a"]).shows("http://example.com\n");
    s.file("a/URLS", "# made\nhttps://a.example.com\nhttp://b.example.com\n")
        .run(["urls", "a"])
        .shows("https://a.example.com\nhttp://b.example.com\n");
    s.run(["url", "a"]).shows("https://a.example.com\n");
}

#[test]
fn shows_the_last_hundred_lines_of_logs() {
    let s = Sandbox::new();
    s.app("a").run(["logs", "a"]).shows("Application's container not found\n");
    let lines: String = (1..=150).map(|number| format!("{number}\n")).collect();
    s.deployed("b", "buildstep").docker_says("^logs", &lines);
    let last: String = (51..=150).map(|number| format!("{number}\n")).collect();
    s.run(["logs", "b"]).shows(&last);
}

#[test]
fn runs_a_command_in_the_app_s_environment() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").deployed("b", "dockerfile");
    s.run(["run", "a", "echo", "two words"]).succeeds();
    s.run(["--rm", "run", "b", "ls"]).succeeds();
    let runs: Vec<_> = s.docker_calls().into_iter().filter(|call| call.starts_with("run")).collect();
    assert_eq!(runs[0], "run --pull never --label dokku.app=a --label dokku.phase=run dokku/a /exec echo two words");
    assert_eq!(
        runs[1],
        "run --pull never --rm --env-file=$HOME/b/DOCKERFILE_ENV_FILE --label dokku.app=b --label dokku.phase=run dokku/b ls"
    );
}

#[test]
fn the_command_s_exit_code_is_ours() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").docker_fails("^run .*dokku/a", 42, "");
    assert_eq!(s.run(["run", "a", "false"]).code(), 42);
}

#[test]
fn trace_is_switched_on_and_off() {
    let s = Sandbox::new();
    s.run(["trace"]).shows("Valid trace options are [on/off]\n[exit 1]\n");
    s.run(["trace", "on"]).shows("Enabling dokku trace\n").has(".dokkurc/DOKKU_TRACE", "export DOKKU_TRACE=1\n");
    s.run(["trace", "off"]).succeeds().lacks(".dokkurc/DOKKU_TRACE");
}

//! After the engine has been started anew: what ran runs again, and nginx knows where.

mod sandbox;

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use sandbox::Sandbox;

/// A machine with these apps deployed by dokku itself, each serving under a domain.
fn serving(apps: &[&str]) -> Sandbox {
    let s = Sandbox::new();
    s.env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0").env("DOKKU_WAIT_TO_RETIRE", "0").file("VHOST", "dokku.test\n");
    for app in apps {
        s.deployed(app, "buildstep").run(["ps:restart", app]).succeeds();
        awaited(|| s.running(app).len() == 1);
    }
    s
}

#[track_caller]
fn awaited(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "it does not come true");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Where the app's container is.
fn address(s: &Sandbox, app: &str) -> String {
    let id = s.read(&format!("{app}/CONTAINER"));
    s.inspect(id.trim())["NetworkSettings"]["IPAddress"].as_str().unwrap().to_owned()
}

/// The last line of the app's nginx.conf.
fn upstream(s: &Sandbox, app: &str) -> String {
    s.read(&format!("{app}/nginx.conf")).lines().last().unwrap().to_owned()
}

#[track_caller]
fn is_reached(s: &Sandbox, app: &str) {
    let address = address(s, app);
    assert!(!address.is_empty(), "{app} does not run");
    assert_eq!(upstream(s, app), format!("upstream {app} {{ server {address}:5000; }}"));
    assert_eq!(s.read(&format!("{app}/IP")), format!("{address}\n"));
}

fn policy(s: &Sandbox, id: &str) -> String {
    s.docker(["inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", id.trim()])
}

fn reloads(s: &Sandbox) -> usize {
    s.calls("sudo").iter().filter(|call| call.ends_with("reload")).count()
}

#[test]
fn addresses_that_the_engine_has_given_out_anew_are_followed_with_one_reload() {
    let s = serving(&["a", "b", "c"]);
    let (before, reloaded) = (["a", "b", "c"].map(|app| address(&s, app)), reloads(&s));
    s.engine_restarts();
    assert!(["a", "b", "c"].iter().zip(&before).all(|(app, before)| address(&s, app) != *before));
    let text = s.run(["ps:restore"]).text();
    for app in ["a", "b", "c"] {
        is_reached(&s, app);
        assert!(text.contains(&format!("-----> {app} listens at {}:5000 now\n", address(&s, app))), "{text}");
    }
    assert_eq!(reloads(&s), reloaded + 1);
    s.run(["ps:restore"]).shows("       a runs\n       b runs\n       c runs\n");
    assert_eq!(reloads(&s), reloaded + 1);
}

#[test]
fn what_a_killed_engine_left_ended_is_started_but_not_what_its_user_has_stopped() {
    let s = serving(&["a", "b"]);
    s.run(["ps:stop", "b"]).succeeds();
    s.engine_crashes();
    assert!(s.running("a").is_empty());
    let text = s.run(["ps:restore"]).text();
    assert!(text.contains("-----> a was started\n") && text.contains("       b was stopped by ps:stop and stays so\n"), "{text}");
    is_reached(&s, "a");
    assert!(s.running("b").is_empty());
    s.run(["ps:start", "b"]).succeeds();
    s.engine_crashes();
    s.run(["ps:restore", "b"]).succeeds();
    is_reached(&s, "b");
    assert!(s.running("a").is_empty(), "only b was asked for");
}

#[test]
fn the_engine_is_told_to_bring_back_what_serves_and_nothing_else() {
    let s = serving(&["a"]);
    let first = s.read("a/CONTAINER");
    assert_eq!(policy(&s, &first), "unless-stopped");
    s.env("DOKKU_WAIT_TO_RETIRE", "2").run(["ps:restart", "a"]).succeeds();
    awaited(|| policy(&s, &first) == "no");
    assert!(s.running("a").contains(&first.trim().to_owned()), "it may still finish its requests");
    s.run(["ps:stop", "a"]).succeeds();
    assert_eq!(policy(&s, &s.read("a/CONTAINER")), "no");
}

#[test]
fn the_policy_comes_after_the_checks_and_not_at_all_where_the_app_has_its_own() {
    let s = serving(&["a"]);
    let calls = s.docker_calls();
    let place = |start: &str| calls.iter().position(|call| call.starts_with(start)).unwrap_or_else(|| panic!("{start}: {calls:#?}"));
    assert!(place("run") < place("logs") && place("logs") < place("update --restart=unless-stopped"), "{calls:#?}");
    s.run(["docker-options:add", "a", "deploy", "--restart=on-failure:3"]).succeeds();
    s.run(["ps:restart", "a"]).succeeds();
    assert_eq!(policy(&s, &s.read("a/CONTAINER")), "on-failure:3");
}

#[test]
fn a_stopped_app_s_requests_go_nowhere_until_it_is_started() {
    let s = serving(&["a"]);
    s.run(["ps:stop", "a"]).succeeds();
    assert_eq!(upstream(&s, "a"), "upstream a { server 127.0.0.1:9 down; }");
    s.run(["domains:add", "a", "other.dokku.test"]).succeeds();
    assert_eq!(upstream(&s, "a"), "upstream a { server 127.0.0.1:9 down; }");
    s.run(["ps:start", "a"]).succeeds();
    is_reached(&s, "a");
}

#[test]
fn an_address_that_another_app_gets_is_taken_from_the_dead_one() {
    let s = serving(&["a", "b"]);
    // Leaves no other address free below that of a.
    s.run(["ps:restart", "b"]).succeeds();
    awaited(|| s.running("b").len() == 1);
    let dead = address(&s, "a");
    s.docker(["kill", s.read("a/CONTAINER").trim()]);
    assert!(upstream(&s, "a").contains(&dead));
    s.plugin("x/check-deploy", "#!/bin/sh\ncp $DOKKU_ROOT/a/nginx.conf $DOKKU_ROOT/seen\n");
    s.docker_fails("^start", 1, "no such luck").docker_fails("^run .*dokku/a", 1, "no such luck");
    s.run(["ps:restart", "b"]).succeeds();
    assert_eq!(address(&s, "b"), dead, "the story needs b to get what a had");
    for file in ["seen", "a/nginx.conf"] {
        assert!(!s.read(file).contains(&dead), "{}", s.read(file));
    }
}

#[test]
fn without_an_init_the_next_command_restores_its_app_and_says_nothing_of_it() {
    let s = serving(&[]);
    let socket = s.dir().join("docker/socket");
    let started = |content: &str| std::fs::write(&socket, content).unwrap();
    started("first");
    s.env("DOCKER_HOST", &format!("unix://{}", socket.display()));
    for app in ["a", "b"] {
        s.deployed(app, "buildstep").run(["ps:restart", app]).succeeds();
        awaited(|| s.running(app).len() == 1);
    }
    s.file("a/ENV", "export K='1'\n").run(["config:get", "a", "K"]).shows("1\n");
    s.engine_restarts();
    let calls = s.docker_calls().len();
    s.run(["config:get", "a", "K"]).shows("1\n");
    assert_eq!(s.docker_calls().len(), calls, "nobody knows of a new engine yet");
    std::fs::remove_file(&socket).unwrap();
    started("second");
    s.run(["config:get", "a", "K"]).shows("1\n");
    is_reached(&s, "a");
    let calls = s.docker_calls().len();
    s.run(["config:get", "a", "K"]).shows("1\n");
    assert_eq!(s.docker_calls().len(), calls, "once is enough");
}

#[test]
fn a_container_that_is_gone_gets_a_successor() {
    let s = serving(&["a"]);
    s.docker(["rm", "-f", s.read("a/CONTAINER").trim()]);
    s.run(["ps:restore"]).succeeds();
    is_reached(&s, "a");
}

#[test]
fn one_app_that_cannot_be_restored_is_named_and_stops_no_other() {
    let s = serving(&["a", "b"]);
    s.engine_crashes().docker_fails(&format!("^start {}", s.read("a/CONTAINER").trim()), 1, "no such mount");
    s.docker_fails("^run .*dokku/a", 125, "no such mount");
    let step = s.run(["ps:restore"]);
    let text = step.text();
    assert!(text.contains("no such mount") && text.ends_with("ps:restore failed for: a\n[exit 1]\n"), "{text}");
    is_reached(&s, "b");
}

#[test]
fn a_configuration_that_nginx_refuses_keeps_the_others_from_nothing() {
    let s = serving(&["a", "b"]);
    let before = s.read("a/nginx.conf");
    s.engine_restarts();
    // nginx refuses whatever has this template.
    s.file("a/nginx.conf.template", "broken $NOSSL_SERVER_NAME\n");
    let sudo = "#!/bin/sh\nif grep -qs broken $DOKKU_ROOT/*/nginx.conf; then echo 'nginx: broken' >&2; exit 1; fi\n";
    s.program("sudo", sudo).run(["ps:restore"]).fails("ps:restore failed for: a");
    assert_eq!(s.read("a/nginx.conf"), before);
    is_reached(&s, "b");
}

#[test]
fn an_app_that_was_set_aside_comes_back_when_it_is_mended() {
    let s = serving(&["a", "b"]);
    let right = s.read("b/nginx.conf");
    let sudo =
        "#!/bin/sh\nif grep -qs broken $DOKKU_ROOT/b/nginx.conf; then echo \"nginx: [emerg] $DOKKU_ROOT/b/nginx.conf:1\" >&2; exit 1; fi\n";
    s.program("sudo", sudo).file("b/nginx.conf", "broken\n");
    s.run(["nginx:build-config", "a"]).succeeds();
    assert!(s.read("b/nginx.conf").contains("return 503;"));
    s.run(["ps:restore"]).succeeds().has("b/nginx.conf", &s.neutral(&right)).lacks("b/nginx.conf.set-aside");
}

#[test]
fn plugins_that_follow_an_app_s_address_are_told() {
    let s = serving(&["a", "b"]);
    s.engine_restarts().plugin("x/post-deploy", "#!/bin/sh\necho \"$@\" >> $DOKKU_ROOT/told\n");
    s.run(["ps:restore"]).succeeds();
    s.has("told", &format!("a 5000 {}\nb 5000 {}\n", address(&s, "a"), address(&s, "b")));
    is_reached(&s, "a");
}

#[test]
fn an_app_that_somebody_is_at_is_not_waited_for() {
    let s = serving(&["a", "b"]);
    s.engine_restarts();
    let lock = s.dir().join("lib/operations/a");
    let mut holder = s.command("flock").arg(&lock).args(["sleep", "30"]).spawn().unwrap();
    awaited(|| !s.command("flock").arg("-n").arg(&lock).arg("true").status().unwrap().success());
    let began = Instant::now();
    s.run(["ps:restore"]).succeeds();
    assert!(began.elapsed() < Duration::from_secs(5));
    holder.kill().unwrap();
    holder.wait().unwrap();
    is_reached(&s, "a");
    is_reached(&s, "b");
}

#[test]
fn an_app_that_does_not_run_is_started_as_soon_as_nobody_is_at_it_any_more() {
    let s = serving(&["a", "b"]);
    s.engine_crashes();
    let lock = s.dir().join("lib/operations/a");
    let mut holder = s.command("flock").arg(&lock).args(["sleep", "2"]).spawn().unwrap();
    awaited(|| !s.command("flock").arg("-n").arg(&lock).arg("true").status().unwrap().success());
    s.run(["ps:restore"]).succeeds();
    holder.wait().unwrap();
    is_reached(&s, "a");
    is_reached(&s, "b");
}

#[test]
fn without_an_engine_it_says_so_and_changes_nothing() {
    let s = serving(&["a"]);
    let before = s.read("a/nginx.conf");
    s.docker_fails("", 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.");
    s.run(["ps:restore"]).fails("The Docker engine does not answer.");
    assert_eq!(s.read("a/nginx.conf"), before);
    s.app("new").run(["ps:restore", "new"]).shows("App new has not been deployed\n");
}

#[test]
fn a_long_wait_for_the_engine_is_told_of() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").file("a/IP", "172.17.0.2\n").file("a/PORT", "5000\n");
    let engine = s.read("../docker/engine.json");
    assert!(engine.contains("\"running\""), "{engine}");
    s.file("../docker/engine.json", engine.replace("\"running\"", "\"restarting\""));
    let mut restoring = s.command("dokku").args(["ps:restore", "a"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(restoring.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = said.find(|line| line.contains("Waiting")).unwrap_or_default();
    restoring.kill().and_then(|()| restoring.wait()).unwrap();
    let left =
        line.strip_prefix("       Waiting for the engine to start a again, for ").and_then(|rest| rest.strip_suffix(" s more at most"));
    assert!(matches!(left, Some("24" | "25")), "{line:?}");
}

#[test]
fn what_a_plugin_in_the_place_of_ours_makes_for_nginx_is_left_to_it() {
    let s = serving(&["a", "b"]);
    let build = "printf '# mine\\nupstream %s { server %s:5000; }\\n' $1 $(cat $DOKKU_ROOT/$1/IP) >$DOKKU_ROOT/$1/nginx.conf\n";
    s.plugin("nginx-vhosts/post-deploy", &format!("#!/bin/sh\n{build}"));
    s.plugin("nginx-vhosts/commands", &format!("#!/bin/sh\n[ \"$1\" = nginx:build-config ] || exit 10\nshift\n{build}"));
    for app in ["a", "b"] {
        s.run(["ps:restart", app]).succeeds().settles();
    }
    let is_theirs = |deed: &str| assert!(s.read("a/nginx.conf").starts_with("# mine\n"), "{deed}: {}", s.read("a/nginx.conf"));
    s.run(["ps:restore"]).succeeds();
    is_theirs("ps:restore");
    s.engine_restarts().run(["ps:restore"]).succeeds();
    is_theirs("another address");
    is_reached(&s, "a");
    s.run(["ps:stop", "a"]).succeeds().run(["ps:restart", "b"]).succeeds();
    is_theirs("ps:stop");
}

#[test]
fn a_plugin_that_changes_nginx_conf_has_its_turn_when_it_is_made_anew() {
    let s = serving(&["a"]);
    s.plugin("x/nginx-pre-reload", "#!/bin/sh\nsed -i '1i # secret' $DOKKU_ROOT/$1/nginx.conf\n").run(["ps:restart", "a"]).succeeds();
    assert!(s.settles().read("a/nginx.conf").starts_with("# secret\n"));
    s.run(["ps:stop", "a"]).succeeds();
    s.docker(["start", s.read("a/CONTAINER").trim()]);
    s.run(["ps:restore"]).succeeds();
    assert!(s.read("a/nginx.conf").starts_with("# secret\n"), "{}", s.read("a/nginx.conf"));
    is_reached(&s, "a");
}

//! What checks promise: a container serves only after it has shown that it can, and nobody waits for one that has.

mod sandbox;

use std::net::TcpListener;
use std::time::{Duration, Instant};

use sandbox::Sandbox;

const LOG: &str = "=====> a container output:\n       one\n=====> end a container output\n";

const SIMPLE: &str = "       For more efficient zero downtime deployments, create a file CHECKS.\n       \
                      See http://progrium.viewdocs.io/dokku/checks-examples.md for examples\n       \
                      CHECKS file not found in container: Running simple container check...\n";

/// A container of app `a`, with CHECKS if there is a text.
fn container(checks: Option<&str>) -> (Sandbox, String) {
    let s = Sandbox::new();
    s.app("a").image("dokku/a", "buildstep").docker_says("^logs", "one\n\n");
    let id = s.docker(["run", "-d", "dokku/a"]);
    if let Some(text) = checks {
        s.file("tree/app/CHECKS", text);
        put(&s, &id);
    }
    (s, id)
}

fn put(s: &Sandbox, id: &str) {
    let tar = s.run_program("tar", ["-C", "tree", "-cf", "-", "app"]).stdout().to_vec();
    s.stdin(tar).run_program("docker", ["cp", "-", &format!("{id}:/")]).succeeds();
}

/// Runs the hook for a container that listens at this port of 127.0.0.2.
fn check(s: &Sandbox, id: &str, port: u16) -> String {
    s.run_program("pluginhook", ["check-deploy", "a", &port.to_string(), "127.0.0.2", id]).text()
}

/// A port that takes connections, as a container of its own would.
fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.2:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// A port of 127.0.0.2 where nobody listens.
const NOBODY: u16 = 1;

fn hurried(s: &Sandbox) {
    s.env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0");
}

#[test]
fn pages_are_asked_for_in_their_order() {
    let (s, id) = container(Some("# pages\n/\n/a  alpha.*page  \n//www.x/p for www\nhttps://www.x/s\n/again plain\n"));
    hurried(&s);
    s.answers("curl", "/a$", 0, "the alpha\nfine page\n", "").answers("curl", "Host:www.x http.*/[ps]$", 0, "for www", "");
    s.answers("curl", "/again$", 0, "plain", "").answers("curl", "/$", 0, "", "");
    let expected = "-----> Attempt 1/5 Waiting for 0 seconds ...\n       \
        CHECKS expected result:\n       http://localhost/ => \"\"\n       \
        CHECKS expected result:\n       http://localhost/a => \"alpha.*page\"\n       \
        CHECKS expected result:\n       http://www.x/p => \"for www\"\n       \
        CHECKS expected result:\n       https://www.x/s => \"\"\n       \
        CHECKS expected result:\n       http://localhost/again => \"plain\"\n\
        -----> All checks successful!\n";
    assert_eq!(check(&s, &id, 5000), format!("{expected}{LOG}"));
    let fetch = "-q --silent --show-error --compressed --fail --location --globoff --proto =http,https --max-time 0";
    let calls = [
        "http://127.0.0.2:5000/",
        "http://127.0.0.2:5000/a",
        "-H Host:www.x http://127.0.0.2:5000/p",
        "-H Host:www.x https://127.0.0.2:5000/s",
    ];
    let calls: Vec<_> = calls.into_iter().chain(["http://127.0.0.2:5000/again"]).map(|call| format!("{fetch} {call}")).collect();
    assert_eq!(s.calls("curl"), calls);
}

#[test]
fn what_is_wrong_is_told_and_tried_again_as_often_as_asked() {
    let (s, id) = container(Some("ATTEMPTS=2\nWAIT=0  # at once\n/ hello\n/gone\n"));
    s.answers("curl", "gone", 22, "", "curl: (22) The requested URL returned error: 404\n").answers("curl", "", 0, "other", "");
    let attempt = |number| {
        format!(
            "-----> Attempt {number}/2 Waiting for 0   seconds ...\n       CHECKS expected result:\n       http://localhost/ => \"hello\"\n \
             !    http://localhost/: expected to but did not find: \"hello\"\n       CHECKS expected result:\n       \
             http://localhost/gone => \"\"\n !    curl: (22) The requested URL returned error: 404\n !    Check attempt {number}/2 failed.\n"
        )
    };
    let failed = "[stderr]\nCould not start due to 2 failed checks.\n[exit 1]\n";
    assert_eq!(check(&s, &id, 5000), format!("{}{}{LOG}{failed}", attempt(1), attempt(2)));
    s.env("DOKKU_QUIET_OUTPUT", "1");
    assert_eq!(check(&s, &id, 5000), format!("{}{}{failed}", attempt(1), attempt(2)));
}

#[test]
fn an_expectation_that_is_no_expression_is_looked_for_as_it_stands() {
    let (s, id) = container(Some("/ $(function()\n"));
    hurried(&s);
    s.answers("curl", "", 0, "$(function(){})", "");
    assert!(check(&s, &id, 5000).contains("All checks successful!"));
}

#[test]
fn settings_come_from_checks_then_the_config_then_the_environment() {
    let (s, id) = container(Some("TIMEOUT=7\n/ x\n"));
    s.env("DOKKU_CHECKS_WAIT", "9").env("DOKKU_CHECKS_ATTEMPTS", "1").file("ENV", "export DOKKU_CHECKS_WAIT=\"0\"\n");
    s.file("a/ENV", "export DOKKU_CHECKS_TIMEOUT='8'\n").answers("curl", "--max-time 7 ", 0, "x", "");
    assert!(check(&s, &id, 5000).starts_with("-----> Attempt 1/1 Waiting for 0 seconds ...\n"));
}

#[test]
fn a_setting_that_is_no_number_is_named() {
    for (line, said) in [("WAIT=soon", "WAIT is \"soon\""), ("TIMEOUT=-1", "TIMEOUT is \"-1\""), ("ATTEMPTS=1.5", "ATTEMPTS is \"1.5\"")] {
        let (s, id) = container(Some(&format!("{line}\n/\n")));
        hurried(&s);
        let text = check(&s, &id, 5000);
        assert!(text.contains(said) && text.ends_with("[exit 1]\n"), "{text}");
    }
}

#[test]
fn the_first_attempt_begins_when_the_container_answers() {
    let (s, id) = container(Some("WAIT=30\n/ x\n"));
    s.answers("curl", "", 0, "x", "");
    let ((_open, port), began) = (listener(), Instant::now());
    assert!(check(&s, &id, port).starts_with("-----> Attempt 1/5 Waiting for 30 seconds ...\n"));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(s.calls("curl").len(), 1);
}

#[test]
fn attempts_that_come_too_early_are_not_seen_and_not_counted() {
    let (s, id) = container(Some("WAIT=1\nATTEMPTS=1\n/ x\n"));
    s.answers("curl", "", 7, "", "curl: (7) refused\n");
    let (_open, port) = listener();
    let text = check(&s, &id, port);
    assert_eq!(text.matches("curl: (7)").count(), 1, "{text}");
    assert_eq!(text.matches("Attempt").count(), 1, "{text}");
    assert!(s.calls("curl").len() > 2, "{:?}", s.calls("curl"));
}

#[test]
fn a_failed_attempt_is_followed_by_the_whole_wait() {
    let (s, id) = container(Some("WAIT=1\nATTEMPTS=2\n/ x\n"));
    s.answers("curl", "", 7, "", "curl: (7) refused\n");
    let began = Instant::now();
    assert!(check(&s, &id, NOBODY).contains("Check attempt 2/2 failed."));
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn nothing_is_waited_for_when_the_container_has_ended() {
    let (s, id) = container(Some("WAIT=60\nATTEMPTS=3\n/ x\n"));
    s.answers("curl", "", 7, "", "curl: (7) refused\n").docker(["stop", &id]);
    let began = Instant::now();
    let text = check(&s, &id, NOBODY);
    let attempts: Vec<_> = (1..=3).map(|number| format!("-----> Attempt {number}/3 Waiting for 60 seconds ...\n")).collect();
    assert!(attempts.iter().all(|line| text.contains(line)) && text.contains(" !    Check attempt 3/3 failed.\n"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn without_the_engine_no_attempt_is_awaited() {
    let (s, id) = container(Some("WAIT=60\n/ x\n"));
    s.docker_fails("^ps", 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n");
    let (began, text) = (Instant::now(), check(&s, &id, NOBODY));
    assert!(text.contains("The Docker engine does not answer.") && text.ends_with("[exit 1]\n"), "{text}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn the_patient_wait_as_long_as_they_are_told() {
    let (s, id) = container(Some("WAIT=2\n/ x\n"));
    s.answers("curl", "", 0, "x", "").file("a/ENV", "export DOKKU_CHECKS_PATIENT='1'\n");
    let ((_open, port), began) = (listener(), Instant::now());
    assert!(check(&s, &id, port).contains("All checks successful!"));
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
}

#[test]
fn without_checks_a_container_that_answers_and_stays_up_is_good() {
    let (s, id) = container(None);
    s.env("DOKKU_CHECKS_UPTIME", "1");
    let ((_open, port), began) = (listener(), Instant::now());
    let text = check(&s, &id, port);
    assert_eq!(text, format!("{SIMPLE}-----> Waiting for 35 seconds ...\n-----> Default container check successful!\n{LOG}"));
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(1) && took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn without_checks_a_silent_container_is_good_when_it_is_still_there_at_the_end() {
    let (s, id) = container(None);
    s.env("DOKKU_CHECKS_WAIT", "1").env("DOKKU_CHECKS_TIMEOUT", "0.5");
    let began = Instant::now();
    let text = check(&s, &id, NOBODY);
    assert!(text.contains("Waiting for 1.5 seconds ...\n-----> Default container check successful!"), "{text}");
    assert!(began.elapsed() >= Duration::from_millis(1500), "{:?}", began.elapsed());
}

#[test]
fn a_container_that_has_ended_fails_at_once() {
    let (s, id) = container(None);
    s.docker(["stop", &id]);
    let began = Instant::now();
    let text = check(&s, &id, NOBODY);
    assert!(text.ends_with(&format!("Waiting for 35 seconds ...\n{LOG}[stderr]\nApp container failed to start!!\n[exit 1]\n")), "{text}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

#[test]
fn a_published_port_is_not_believed_but_the_container_s_own() {
    let (s, id) = container(None);
    let ip = s.inspect(&id)["NetworkSettings"]["IPAddress"].as_str().expect("an address").to_owned();
    assert_ne!(ip, "127.0.0.1");
    // Docker itself takes connections at the published port, whatever the container does.
    let docker = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = docker.local_addr().expect("an address").port().to_string();
    s.env("DOKKU_CHECKS_UPTIME", "0").env("DOKKU_CHECKS_WAIT", "1").env("DOKKU_CHECKS_TIMEOUT", "0");
    let began = Instant::now();
    s.run_program("pluginhook", ["check-deploy", "a", &port, "127.0.0.1", &id]).succeeds();
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn what_is_missing_comes_from_the_files_of_the_app() {
    let (s, id) = container(Some("/\n"));
    hurried(&s);
    s.file("a/CONTAINER", format!("{id}\n")).file("a/IP", "127.0.0.3\n").file("a/PORT", "81\n").answers(
        "curl",
        "http://127.0.0.3:81/$",
        0,
        "",
        "",
    );
    s.run_program("pluginhook", ["check-deploy", "a"]).succeeds();
    s.run_program("pluginhook", ["check-deploy", "no"]).fails("App no does not exist");
}

#[test]
fn only_a_plain_file_of_reasonable_size_counts_as_checks() {
    let (s, id) = container(Some(""));
    hurried(&s);
    assert!(check(&s, &id, NOBODY).starts_with(SIMPLE));
    std::fs::remove_file(s.home().join("tree/app/CHECKS")).expect("our file");
    std::os::unix::fs::symlink("/etc/passwd", s.home().join("tree/app/CHECKS")).expect("a link");
    put(&s, &id);
    assert!(check(&s, &id, NOBODY).starts_with(SIMPLE));
    let (s, id) = container(Some(&"# long\n".repeat(200_000)));
    hurried(&s);
    assert!(check(&s, &id, NOBODY).contains("/app/CHECKS is larger than 1048576 bytes"));
}

#[test]
fn the_log_is_shown_as_it_is() {
    let (s, id) = container(None);
    hurried(&s);
    s.docker_obeys().docker_says("^logs", "*\n\n  two  \n$(id)\n");
    assert!(
        check(&s, &id, NOBODY)
            .ends_with("=====> a container output:\n       *\n         two  \n       $(id)\n=====> end a container output\n")
    );
}

//! A developer's line is cut; nginx is down.

use crate::harness::{Kind, Machine, awaited};

/// A push that waits in a hook is cut off by `cut`; then it goes on, and the release after must be there, whole.
fn cut_off(cut: &str) {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "before");
    let hook = "#!/bin/sh\ntouch /tmp/under-way\nwhile [ ! -e /tmp/gone ]; do sleep 0.1; done\nseq 20000; seq 20000 >&2\n";
    let plugin = "/var/lib/dokku/plugins/slow";
    machine.sh(&format!("mkdir {plugin}; printf '%s' '{hook}' > {plugin}/post-build; chmod +x {plugin}/post-build")).succeeds();
    let push = machine.app("one", Kind::Buildstep, "after");
    let mut pushing = machine.spawn(&push);
    awaited(30, || machine.sh("ls /tmp/under-way").code == Some(0));
    machine.sh(cut).succeeds();
    assert!(!pushing.wait().unwrap().success());
    // Longer than git waits before it makes sure that somebody listens.
    std::thread::sleep(std::time::Duration::from_secs(7));
    machine.sh("touch /tmp/gone");
    awaited(60, || machine.answer("one") == "after");
    awaited(20, || machine.sh("git -C /home/dokku/one -c safe.directory='*' show master:message").text == "after");
    awaited(20, || machine.sh("pgrep -f '^dokku '").code != Some(0));
    machine.is_whole("one", "after");
    machine.sh(&push).succeeds();
}

#[test]
fn a_developer_who_kills_the_push_gets_a_whole_deployment() {
    cut_off("kill -9 $(pgrep -x ssh)");
}

#[test]
fn a_session_that_sshd_drops_gets_a_whole_deployment() {
    cut_off("kill -9 $(pgrep -f '^sshd: dokku')");
}

#[test]
fn what_a_command_has_made_answers_from_its_end_on() {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "0");
    // The requests come from where the command ran: nothing gives nginx more time.
    let asked = |host: &str| format!("for i in 1 2 3 4 5 6 7 8 9 10; do curl -s -m 5 -H 'Host: {host}' http://127.0.0.1/; echo; done");
    for time in 1..=5 {
        let push = machine.app("one", Kind::Buildstep, &time.to_string());
        let said = machine.sh(&format!("({push}) > /dev/null 2>&1 && {}", asked("one.test"))).succeeds();
        assert_eq!(said.split_whitespace().collect::<Vec<_>>(), vec![time.to_string(); 10], "push {time}");
        let add = format!("dokku domains:add one x{time}.test > /dev/null 2>&1");
        let said = machine.sh(&format!("{add} && {}", asked(&format!("x{time}.test")))).succeeds();
        assert_eq!(said.split_whitespace().collect::<Vec<_>>(), vec![time.to_string(); 10], "domain {time}");
    }
}

#[test]
fn what_is_pushed_while_nginx_is_down_is_served_when_it_is_back() {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "before");
    machine.sh("nginx -s stop").succeeds();
    awaited(10, || machine.answer("one") == "000");
    // Debian's init script has nothing against the reload of an nginx that does not run.
    machine.sh(&machine.app("one", Kind::Buildstep, "after")).succeeds();
    machine.sh("nginx > /dev/null 2>&1").succeeds();
    machine.is_whole("one", "after");
}

#[test]
fn what_nginx_refuses_of_one_app_stops_neither_another_nor_nginx() {
    let machine = Machine::boot();
    machine.deployed("one", Kind::Buildstep, "first");
    machine.deployed("two", Kind::Dockerfile, "second");
    let broken = "mkdir -p /home/dokku/one/nginx.conf.d; echo broken > /home/dokku/one/nginx.conf.d/x.conf";
    machine.sh(broken).succeeds();
    machine.deployed("two", Kind::Dockerfile, "third");
    machine.is_whole("two", "third");
    machine.sh("dokku nginx:build-config one").fails("nginx.conf.d/x.conf:");
    awaited(10, || machine.answer("one") == "503");
    machine.sh("rm /home/dokku/one/nginx.conf.d/x.conf; dokku nginx:build-config one").succeeds();
    awaited(10, || machine.answer("one") == "first");

    machine.sh(broken).succeeds();
    machine.sh("kill $(cat /run/nginx.pid)").succeeds();
    awaited(10, || machine.answer("two") == "000");
    assert_ne!(machine.sh("nginx 2>&1").code, Some(0), "the story needs an nginx that does not start");
    machine.sh("dokku ps:restore").succeeds();
    machine.sh("nginx > /dev/null 2>&1").succeeds();
    machine.is_whole("two", "third");
}

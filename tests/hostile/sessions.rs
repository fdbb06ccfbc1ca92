//! What people with a key send: lines for dokku, and lines typed into `dokku shell`.

use crate::corpus::cases;
use crate::fort::Fort;

/// Programs that a session may start: git's own services for repositories.
const SERVICES: &[&str] = &["git-shell", "git"];

#[test]
fn each_line_is_refused_or_does_no_harm() {
    let fort = Fort::new();
    fort.s.file("mine/ENV", "export A='1'\n").file("mine/VHOST", "mine.dokku.test\n");
    for case in cases(&fort.s, "sessions.txt") {
        let shown = case.shown();
        fort.unharmed(&shown, &["home/mine/", "home/.dokku_history"], || {
            let step = fort.over_ssh(&case.text);
            let text = step.text();
            match case.expected.as_str() {
                "refused" => assert!(step.code() != 0 && text.contains("cannot be run over ssh"), "{shown}: {text}"),
                "fails" => assert!(step.code() != 0 && text.lines().count() > 1, "{shown}: {text}"),
                "harmless" => {}
                other => panic!("{shown} expects {other}"),
            }
            text
        });
        let started = fort.started();
        assert!(started.iter().all(|program| SERVICES.contains(&program.as_str())), "{shown} started {started:?}");
    }
}

#[test]
fn each_line_of_a_shell_is_held_to_the_same_rules() {
    let fort = Fort::new();
    let lines = cases(&fort.s, "shell.txt");
    for case in &lines {
        fort.unharmed(&case.shown(), &["home/.dokku_history"], || {
            let typed = [case.text.as_slice(), b"\nquit\n"].concat();
            let step = fort.s.stdin(typed).run_program("/usr/bin/env", ["SSH_ORIGINAL_COMMAND=shell", "TERM=dumb", "dokku", "shell"]);
            assert!(
                step.text().contains("[stderr]") || step.text().contains("is not a dokku command"),
                "{}: {}",
                case.shown(),
                step.text()
            );
            step.text()
        });
    }
    let started = fort.started();
    assert!(started.is_empty(), "{started:?}");
}

//! Several at once: nobody's change is lost, nobody waits for ever, and what runs is what master says.

mod sandbox;

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use sandbox::killed::dead;
use sandbox::{RECEIVE, Sandbox};

/// Makes a clone of the client for each name, with one commit of its own on top of master.
fn clients(s: &Sandbox, names: &[&str], round: usize) {
    for name in names {
        let (to, file) = (format!("../{name}"), format!("../{name}/version"));
        std::fs::remove_dir_all(s.home().join(&to)).ok();
        s.run_program("git", ["clone", "-q", "../client", &to]).succeeds().file(&file, format!("{name} {round}\n"));
        let git = ["-C", &to, "-c", "user.name=n", "-c", "user.email=e@x", "commit", "-q", "-a", "-m", name];
        s.run_program("git", git).succeeds();
    }
}

fn push(s: &Sandbox, client: &str, app: &str) -> Command {
    let mut command = s.command("git");
    command.args(["-C", &format!("../{client}"), "push", "-q", "--force", RECEIVE, &format!("file:///{app}"), "master"]);
    command
}

/// Starts all at the same time; each one's success and what it said.
fn together(commands: Vec<Command>) -> Vec<(bool, String)> {
    let spawn = |mut command: Command| command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let children: Vec<Child> = commands.into_iter().map(|command| spawn(command).expect("a command starts")).collect();
    let ended = children.into_iter().map(|child| child.wait_with_output().expect("a child of ours"));
    ended.map(|output| (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())).collect()
}

#[test]
fn ten_variables_at_once_are_ten_variables() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds();
    let lines: Vec<String> = (0..10).map(|number| format!("config:set a K{number}=v{number}")).collect();
    assert_eq!(s.run_together(&lines), [true; 10]);
    let text = s.settles().read("a/ENV");
    for number in 0..10 {
        assert!(text.contains(&format!("export K{number}='v{number}'\n")), "{text}");
    }
    s.whole("a").unwrap();
}

#[test]
fn a_hook_may_set_variables_in_the_middle_of_a_push() {
    let s = Sandbox::new();
    s.takes_pushes().plugin("x/pre-build", "#!/bin/sh\ndokku config:set $1 K=V >/dev/null\n");
    s.commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds();
    s.has("a/ENV", "export K='V'\n");
    s.commit(&[("version", "2\n")]).push("master").succeeds();
    assert_eq!(s.settles().whole("a").unwrap().version, "2");
}

#[test]
fn a_push_that_git_would_refuse_later_is_refused_before_it_is_built() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds();
    clients(&s, &["one", "two"], 1);
    s.plugin("x/pre-build", "#!/bin/sh\nsleep 1\n");
    let builds = |s: &Sandbox| s.docker_calls().iter().filter(|call| call.starts_with("start -a")).count();
    let before = builds(&s);
    let ended = together(vec![push(&s, "one", "a"), push(&s, "two", "a")]);
    let refused: Vec<&String> = ended.iter().filter(|(success, _)| !success).map(|(_, text)| text).collect();
    assert!(refused.len() == 1 && refused[0].contains("master of a has moved since this push began"), "{ended:#?}");
    assert_eq!(builds(&s) - before, 1);
    let whole = s.settles().whole("a").unwrap();
    assert_eq!(whole.version, whole.master);
}

#[test]
fn what_git_refuses_after_it_was_deployed_is_taken_back() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]).push("master").succeeds();
    s.file("a/hooks/update", "#!/bin/sh\necho not today >&2\nexit 1\n").run_program("chmod", ["755", "a/hooks/update"]).succeeds();
    s.commit(&[("version", "2\n")]).push("master").fails("not today");
    let whole = s.settles().whole("a").unwrap();
    assert_eq!((whole.version.as_str(), whole.master.as_str()), ("1", "1"));
    s.run_line("cleanup").succeeds().settles();
    assert_eq!(s.leftovers(&["a"]), Vec::<String>::new());
}

#[test]
fn a_first_push_that_git_refuses_leaves_an_app_without_a_release() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "1\n")]);
    s.file("a/hooks/update", "#!/bin/sh\nexit 1\n").run_program("chmod", ["755", "a/hooks/update"]).succeeds();
    s.push("master").fails("hook declined");
    s.settles().lacks("a/CONTAINER").lacks("a/nginx.conf").run_line("cleanup").succeeds().settles();
    assert_eq!((s.leftovers(&[]), s.running("a")), (Vec::new(), Vec::new()));
}

#[test]
fn a_long_wait_says_for_whom_it_is_and_since_when() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep");
    // Goes on when somebody has been told; or else some time later, so that nobody waits for ever.
    let told = s.dir().join("tmp/told");
    s.plugin(
        "x/pre-deploy",
        &format!("#!/bin/sh\nfor i in $(seq 90); do\n  [ ! -e {} ] || break\n  sleep 0.1\ndone\nexit 7\n", told.display()),
    );
    let mut holder = s.command("dokku").args(["ps:restart", "a"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let lock = s.dir().join("lib/operations/a");
    while !std::fs::metadata(&lock).is_ok_and(|data| data.len() > 0) {
        sleep(Duration::from_millis(10));
    }
    let mut waiting = s.command("dokku").args(["ps:stop", "a"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(waiting.stderr.take().unwrap()).read_line(&mut line).unwrap();
    s.file("../tmp/told", "");
    let start = format!("a is busy: `ps:restart` (process {}) began ", holder.id());
    let ago = line.trim_end().strip_prefix(&start).and_then(|rest| rest.strip_suffix(" s ago. Waiting for it..."));
    assert!(ago.is_some_and(|ago| ago.parse::<u64>().is_ok_and(|ago| (5..60).contains(&ago))), "{line:?}");
    assert!(!holder.wait().unwrap().success() && waiting.wait().unwrap().success());
    assert!(s.running("a").is_empty());
}

#[test]
fn a_part_of_an_operation_that_has_ended_has_a_turn_like_everybody_else() {
    let s = Sandbox::new();
    let process = dead();
    s.app("a").env("DOKKU_OPERATIONS", &format!("{process} a\n"));
    s.was_killed(process);
    let lock = File::open(s.dir().join("lib/operations/a")).unwrap();
    let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno).unwrap();
    let mut waiting = s.command("dokku").args(["config:set", "a", "K=1"]).stdout(Stdio::null()).spawn().unwrap();
    sleep(Duration::from_millis(400));
    assert!(waiting.try_wait().unwrap().is_none(), "it took no turn");
    drop(lock);
    assert!(waiting.wait().unwrap().success());
    s.has("a/ENV", "export K='1'\n").has("../lib/operations/a", "");
}

/// Four pushes to one app and one to each of four others, with cleanup in a loop beside them.
fn eight_pushes(rounds: usize) {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n"), ("version", "0\n")]);
    let (to_one, to_own) = (["p", "q", "r", "t"], ["b", "c", "d", "e"]);
    for round in 1..=rounds {
        clients(&s, &[to_one, to_own].concat(), round);
        let pushes = to_one.iter().map(|client| push(&s, client, "a")).chain(to_own.iter().map(|client| push(&s, client, client)));
        let pushes: Vec<Command> = pushes.collect();
        let mut cleaner = s.command("bash");
        cleaner.args(["-c", "while [ ! -e ../tmp/stop ]; do dokku cleanup; sleep 0.05; done"]);
        let mut cleaner = cleaner.spawn().expect("bash starts");
        let ended = together(pushes);
        s.file("../tmp/stop", "");
        cleaner.wait().expect("a child of ours");
        std::fs::remove_file(s.dir().join("tmp/stop")).expect("our file");
        s.settles();
        // One that comes late enough sees what the one before has made of master.
        let taken = ended[..4].iter().filter(|(success, _)| *success).count();
        assert!(taken >= 1 && ended[4..].iter().all(|(success, _)| *success), "round {round}: {ended:#?}");
        for app in ["a"].iter().chain(&to_own) {
            let whole = s.whole(app).unwrap_or_else(|wrong| panic!("round {round}, {app}: {wrong}\n{ended:#?}"));
            assert_eq!(whole.version, whole.master, "round {round}, {app}");
        }
        s.run_line("cleanup").succeeds().settles();
        assert_eq!(s.leftovers(&["a", "b", "c", "d", "e"]), Vec::<String>::new(), "round {round}");
    }
}

#[test]
fn pushes_at_once_are_all_right() {
    eight_pushes(2);
}

#[test]
#[ignore = "takes minutes"]
fn pushes_at_once_are_all_right_for_long() {
    eight_pushes(20);
}

#[test]
fn a_long_wait_for_git_to_take_another_push_is_told_of() {
    let s = Sandbox::new();
    s.takes_pushes().commit(&[("Procfile", "web: x\n")]).push("master").succeeds();
    // As a push leaves it behind that is deployed; the process of git is this one, which never takes it.
    let me = dokku::process::Process::me();
    let open = serde_json::json!({"writer": me, "owner": me, "files": [], "dirs": [], "release": null, "pushed": "1".repeat(40), "destroyed": false});
    let journal = format!("../lib/journal/a/000000-{}-0.done", me.pid);
    s.settles().file(&journal, open.to_string());
    let mut waiting = s.command("dokku").args(["git-build", "a"]).stdout(Stdio::piped()).spawn().unwrap();
    let (mut line, mut said) = (String::new(), BufReader::new(waiting.stdout.take().unwrap()));
    said.read_line(&mut line).unwrap();
    std::fs::remove_file(s.home().join(&journal)).unwrap();
    assert_eq!(line, "       Waiting for git to take another push to a, for 55 s more at most\n");
    std::io::copy(&mut said, &mut std::io::sink()).unwrap();
    assert!(waiting.wait().unwrap().success());
}

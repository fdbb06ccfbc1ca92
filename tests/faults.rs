//! Every call of an outside program fails or hangs in turn: the command says which, ends with another code than 0, and
//! nothing is lost. Where 0.3.18 goes on by design, so do we, and the table below says why.

mod sandbox;

use sandbox::Sandbox;
use sandbox::deeds::{DEEDS, Deed};

/// Calls whose failure does not fail the command: their beginnings, and why.
const GOES_ON: &[(&str, &str)] = &[
    ("docker rm -f -v", "what cannot be taken away now is found by the next cleanup"),
    ("docker rmi", "cleaning up: an image that is in use stays"),
    ("docker ps -a", "cleaning up: nothing is found"),
    ("docker images", "cleaning up: nothing is found"),
    ("docker stop", "a container that cannot be stopped is judged by whether it can be taken away"),
    ("docker logs", "the log is shown for people"),
    ("docker update", "the app serves all the same; that the engine will not bring it back is said"),
    ("docker container inspect", "a look ahead of the command at whether addresses are still right"),
    ("docker run --pull never --rm", "the cache of an app that goes"),
    ("sudo /etc/init.d/nginx reload", "apps:destroy: the app is gone already"),
    ("git maintenance", "git's own tidying, after the push"),
    ("git rev-parse", "git's own look at how it was called"),
];

/// What git's own programs call of each other; what they say of it is theirs.
const OF_GIT: &[&str] = &["receive-pack", "pack-objects", "unpack-objects", "rev-list", "--git-dir=", "maintenance", "rev-parse"];

/// Calls that may take as long as they like: they build.
const UNLIMITED: &[&str] = &["docker start -a", "docker build"];

fn is_of_git(call: &str) -> bool {
    call.strip_prefix("git ").is_some_and(|rest| OF_GIT.iter().any(|verb| rest.starts_with(verb)))
}

fn goes_on(call: &str) -> bool {
    GOES_ON.iter().any(|(start, _)| call.starts_with(start))
}

/// Lets the calls go wrong that `choose` takes, by their place or their words.
fn go_wrong(deed: &Deed, how: &str, choose: impl Fn(usize, &str) -> bool) {
    let s = Sandbox::new();
    deed.ready(&s);
    s.env("DOKKU_CALL_TIMEOUT", "2").keeps_state();
    deed.done(&s, "none").succeeds().settles();
    let calls = s.watched_calls();
    let hangs = how == "hang";
    let endless = |call: &str| hangs && (is_of_git(call) || UNLIMITED.iter().any(|start| call.starts_with(start)));
    let chosen: Vec<usize> = (0..calls.len()).filter(|place| choose(*place, &calls[*place]) && !endless(&calls[*place])).collect();
    assert!(!chosen.is_empty(), "{}: none of its calls goes wrong\n{calls:#?}", deed.name);
    let wrong: Vec<String> = chosen.iter().filter_map(|place| fault(&s, deed, how, *place, &calls[*place]).err()).collect();
    assert!(wrong.is_empty(), "{}: {} of {} calls\n{}\n{calls:#?}", deed.name, wrong.len(), chosen.len(), wrong.join("\n"));
    println!("{}: {how}: {} of {} calls, of {}", deed.name, chosen.len(), chosen.len(), calls.len());
}

fn fault(s: &Sandbox, deed: &Deed, how: &str, place: usize, call: &str) -> Result<(), String> {
    let within = |wrong: String| format!("{how} at {}, `{call}`: {wrong}", place + 1);
    s.goes_back();
    let step = deed.done(s, &format!("{how} {}", place + 1));
    let (code, text) = (step.code(), step.text());
    s.settles();
    if code == 0 && !goes_on(call) && !is_of_git(call) {
        return Err(within(format!("it went on: {text}")));
    }
    let named = ["made to fail", "has not ended within", "made to time out"].iter().any(|words| text.contains(words));
    if code != 0 && !named && !is_of_git(call) {
        return Err(within(format!("nobody can tell what failed, code {code}: {text}")));
    }
    if deed.name == "apps:destroy" && (code != 0 || IMAGE_STAYS.iter().any(|start| call.starts_with(start))) {
        return destroyed_later(s, deed, code).map_err(within);
    }
    deed.judge(s).map_err(|wrong| within(format!("{wrong}\n{text}")))?;
    s.run_line("cleanup").succeeds().settles();
    deed.judge(s).map_err(|wrong| within(format!("after cleanup: {wrong}")))?;
    let apps: Vec<&str> = ["a"].into_iter().filter(|app| s.exists(&format!("{app}/CONTAINER"))).collect();
    let left = s.leftovers(&apps);
    if left.is_empty() { Ok(()) } else { Err(within(format!("left over: {left:?}\n{text}"))) }
}

/// Calls without which an app that is destroyed leaves its image, and says so.
const IMAGE_STAYS: &[&str] = &["docker images", "docker rmi"];

/// An app that could not be destroyed may have been stopped, but can be destroyed later.
fn destroyed_later(s: &Sandbox, deed: &Deed, code: i32) -> Result<(), String> {
    if code == 0 {
        return if s.exists("a") { Err("the app is still there".into()) } else { Ok(()) };
    }
    if !s.exists("a") {
        return deed.judge(s);
    }
    let (again, text) = {
        let step = deed.done(s, "none");
        (step.code(), step.text())
    };
    s.settles();
    if again == 0 && !s.exists("a") { deed.judge(s) } else { Err(format!("it cannot be destroyed later: {text}")) }
}

/// One call in seven, and of each matrix another one.
fn sampled(deed: usize) -> impl Fn(usize, &str) -> bool {
    move |place, _| place % 7 == deed % 7
}

macro_rules! matrix {
    ($($name:ident: $place:expr),* $(,)?) => {
        mod some_fail {
            $(#[test] fn $name() { super::go_wrong(&super::DEEDS[$place], "fail", super::sampled($place)); })*
        }
        mod all_fail {
            $(#[test] #[ignore = "takes minutes"] fn $name() { super::go_wrong(&super::DEEDS[$place], "fail", |_, _| true); })*
        }
        mod all_hang {
            $(#[test] #[ignore = "takes minutes"] fn $name() { super::go_wrong(&super::DEEDS[$place], "hang", |_, _| true); })*
        }
    };
}

matrix! {
    push: 0,
    dockerfile_push: 1,
    first_push: 2,
    restart: 3,
    config_set: 4,
    domains_add: 5,
    destroy: 6,
    import_ssl: 7,
    backup_import: 8,
    checked_push: 11,
}

#[test]
fn a_page_that_fails_or_never_answers_is_a_failed_check() {
    for how in ["fail", "hang"] {
        go_wrong(&DEEDS[11], how, |_, call| call.starts_with("curl "));
    }
}

#[test]
fn a_call_that_hangs_is_ended_and_named() {
    go_wrong(&DEEDS[5], "hang", |place, _| place == 0);
}

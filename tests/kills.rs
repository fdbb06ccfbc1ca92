//! A kill at any point is harmless: the whole process group of a command gets SIGKILL before or after each call of an
//! outside program, and after whatever command comes next the app is whole and nothing is left over.

mod sandbox;

use sandbox::Sandbox;
use sandbox::deeds::{DEEDS, Deed};

/// What comes next: a command on that app, `cleanup`, the boot job.
const NEXT: &[&str] = &["urls a", "cleanup", "ps:restartall"];

/// Where somebody is killed, and what comes next.
#[derive(Clone, Debug)]
struct Point {
    when: &'static str,
    call: usize,
    next: &'static str,
}

/// All points of something that calls outside programs so often.
fn points(calls: usize) -> Vec<Point> {
    let calls = (1..=calls).flat_map(|call| ["before", "after"].map(|when| (when, call)));
    calls.flat_map(|(when, call)| NEXT.iter().map(move |next| Point { when, call, next })).collect()
}

/// Some of them, always the same.
fn sample(mut all: Vec<Point>, count: usize) -> Vec<Point> {
    let mut seed: usize = 20_150_520;
    let mut chosen = Vec::new();
    while chosen.len() < count && !all.is_empty() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        chosen.push(all.swap_remove((seed >> 33) % all.len()));
    }
    chosen
}

/// Kills at each of the points that `choose` takes of all.
fn kill_at(deed: &Deed, choose: impl Fn(Vec<Point>) -> Vec<Point>) {
    let s = Sandbox::new();
    deed.ready(&s);
    s.keeps_state();
    deed.done(&s, "none").succeeds().settles();
    let calls = s.watched_calls();
    deed.judge(&s).unwrap_or_else(|wrong| panic!("{}, not killed: {wrong}", deed.name));
    let chosen = choose(points(calls.len()));
    assert!(!chosen.is_empty(), "{}: it calls nothing at which it could be killed", deed.name);
    // Until the build begins a push is git's own, and what git leaves of it git takes away (`git prune`).
    let begun = calls.iter().position(|call| call.starts_with("docker image inspect")).map_or(0, |place| place + 1);
    let wrong: Vec<String> = chosen.iter().filter_map(|point| kill(&s, deed, point, begun).err()).collect();
    assert!(wrong.is_empty(), "{}: {} of {} points\n{}\n{calls:#?}", deed.name, wrong.len(), chosen.len(), wrong.join("\n"));
    println!("{}: {} of {} points, {} calls", deed.name, chosen.len(), chosen.len(), calls.len());
}

fn kill(s: &Sandbox, deed: &Deed, point: &Point, begun: usize) -> Result<(), String> {
    let within = |wrong: String| format!("{point:?}: {wrong}");
    s.goes_back();
    let killed = deed.done(s, &format!("{} {}", point.when, point.call));
    let (code, text) = (killed.code(), killed.text());
    if code != 137 {
        return Err(within(format!("it was not killed, but ended with {code}: {text}")));
    }
    s.settles();
    let next = s.run_line(point.next).text();
    s.settles();
    let judged = deed.judge(s).map_err(|wrong| within(format!("{wrong}\n{next}")));
    s.run_line("cleanup").succeeds().settles();
    judged?;
    deed.judge(s).map_err(|wrong| within(format!("after cleanup: {wrong}")))?;
    let apps: Vec<&str> = ["a"].into_iter().filter(|app| s.exists(&format!("{app}/CONTAINER"))).collect();
    let mut left = s.leftovers(&apps);
    left.retain(|path| point.call > begun || !path.contains("tmp_objdir"));
    if left.is_empty() { Ok(()) } else { Err(within(format!("left over: {left:?}\n{next}"))) }
}

macro_rules! matrix {
    ($($name:ident: $place:expr),* $(,)?) => {
        mod sample {
            $(#[test] fn $name() { super::kill_at(&super::DEEDS[$place], |all| super::sample(all, 4)); })*
        }
        mod all {
            $(#[test] #[ignore = "takes minutes"] fn $name() { super::kill_at(&super::DEEDS[$place], |all| all); })*
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
    cleanup: 9,
    retiring: 10,
    checked_push: 11,
}

//! Processes told from later ones with the same number, as /proc shows them.

use std::fs;

use serde::{Deserialize, Serialize};

/// A process, known by its number and by when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Clock ticks after boot (proc(5), /proc/PID/stat, field 22).
    pub start: u64,
}

/// Most ancestors that are looked at.
const DEEPEST: usize = 16;

impl Process {
    /// This one.
    pub fn me() -> Process {
        Process::of(std::process::id()).unwrap_or(Process { pid: std::process::id(), start: 0 })
    }

    /// The one that has this number now.
    pub fn of(pid: u32) -> Option<Process> {
        Some(Process { pid, start: Stat::of(pid)?.start })
    }

    /// From `PID START`, as `to_string` writes it.
    pub fn parse(text: &str) -> Option<Process> {
        let (pid, start) = text.split_once(' ')?;
        Some(Process { pid: pid.parse().ok()?, start: start.parse().ok()? })
    }

    /// Does it still live? A zombie has ended.
    pub fn lives(&self) -> bool {
        Stat::of(self.pid).is_some_and(|stat| stat.start == self.start && !matches!(stat.state, 'Z' | 'X'))
    }

    /// The nearest process above this one with this name, or with one that begins with it and a dash (`git-receive-pack`).
    pub fn above(name: &str) -> Option<Process> {
        let mut pid = std::os::unix::process::parent_id();
        for _ in 0..DEEPEST {
            let stat = Stat::of(pid)?;
            if stat.name.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
                return Some(Process { pid, start: stat.start });
            }
            pid = stat.parent;
        }
        None
    }
}

impl std::fmt::Display for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.pid, self.start)
    }
}

/// What /proc/PID/stat says.
struct Stat {
    name: String,
    state: char,
    parent: u32,
    start: u64,
}

impl Stat {
    fn of(pid: u32) -> Option<Stat> {
        Stat::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// `PID (NAME) STATE PARENT ...`; the name may hold blanks and parentheses.
    fn parse(text: &str) -> Option<Stat> {
        let (head, tail) = text.rsplit_once(')')?;
        let mut fields = tail.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        Some(Stat { name: head.split_once('(')?.1.to_owned(), state, parent, start: fields.nth(17)?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_another_of_its_number_does_not() {
        let me = Process::me();
        assert!(me.lives() && me.start > 0);
        assert!(!Process { start: me.start + 1, ..me }.lives());
        assert_eq!(Process::parse(&me.to_string()), Some(me));
    }

    #[test]
    fn names_may_hold_anything() {
        let text = "7 (a) b (c) S 3 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4711 0";
        let stat = Stat::parse(text).unwrap();
        assert_eq!((stat.name.as_str(), stat.state, stat.parent, stat.start), ("a) b (c", 'S', 3, 4711));
    }
}

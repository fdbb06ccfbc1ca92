//! The corpus: one case a line; how a line is written says `tests/fixtures/hostile/README.md`.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::sandbox::Sandbox;

/// One line of a file.
pub struct Case {
    /// What goes in.
    pub text: Vec<u8>,
    /// What is to come of it; empty where the file says it for all its lines.
    pub expected: String,
}

impl Case {
    /// As a word of a command line.
    pub fn word(&self) -> OsString {
        OsString::from_vec(self.text.clone())
    }

    /// For messages of tests: its beginning.
    pub fn shown(&self) -> String {
        let text: String = String::from_utf8_lossy(&self.text).escape_debug().take(120).collect();
        format!("{text:?} => {:?}", self.expected)
    }
}

/// One case of so many is tried unless the long tests are asked for (`scripts/test --long`).
const SAMPLE: usize = 5;

/// Are all cases to be tried?
pub fn is_long() -> bool {
    std::env::args().any(|word| word == "--include-ignored" || word == "--ignored")
}

/// The cases of a file, with the paths of this machine in them; a sample of them, unless all are asked for.
pub fn cases(s: &Sandbox, file: &str) -> Vec<Case> {
    let all = every_case(s, file);
    // Another start for each file, so that those which go along with each other are not all left out.
    let start = file.len() % SAMPLE;
    all.into_iter().enumerate().filter(|(place, _)| is_long() || place % SAMPLE == start).map(|(_, case)| case).collect()
}

/// All of them.
pub fn every_case(s: &Sandbox, file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile").join(file);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with("# "));
    let cases: Vec<Case> = lines.map(|line| case(s, line)).collect();
    assert!(!cases.is_empty(), "{file} has no cases");
    cases
}

fn case(s: &Sandbox, line: &str) -> Case {
    let (text, expected) = line.split_once("  =>  ").unwrap_or((line, ""));
    Case { text: bytes(s, text), expected: expected.to_owned() }
}

/// Undoes backslashes and `<<...>>`.
fn bytes(s: &Sandbox, text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text);
    while let Some(c) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix("<<").filter(|inner| inner.contains(">>")) {
            let (inner, after) = inner.split_once(">>").expect("looked for");
            // `<<9*text>>>`: the last of several `>` are the end.
            let more = after.len() - after.trim_start_matches('>').len();
            bytes.extend(special(s, &rest[2..2 + inner.len() + more]));
            rest = &after[more..];
        } else if let Some(escaped) = rest.strip_prefix('\\') {
            let (byte, length) = escape(escaped);
            bytes.push(byte);
            rest = &escaped[length..];
        } else {
            bytes.extend(c.to_string().into_bytes());
            rest = &rest[c.len_utf8()..];
        }
    }
    bytes
}

fn special(s: &Sandbox, word: &str) -> Vec<u8> {
    match word {
        "canary" => s.dir().join("fakes/canary").as_os_str().as_bytes().to_vec(),
        "home" => s.home().into_os_string().into_vec(),
        "sandbox" => s.dir().as_os_str().as_bytes().to_vec(),
        "key" => std::fs::read_to_string(s.dir().join("key.pub")).expect("a key").trim().as_bytes().to_vec(),
        _ => {
            let (count, text) = word.split_once('*').unwrap_or_else(|| panic!("<<{word}>> means nothing"));
            bytes(s, text).repeat(count.parse().expect("a number"))
        }
    }
}

/// What stands behind a backslash, and how long it is.
fn escape(text: &str) -> (u8, usize) {
    match text.as_bytes().first().expect("something behind a backslash") {
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'e' => (0x1b, 1),
        b'\\' => (b'\\', 1),
        b'x' => (u8::from_str_radix(&text[1..3], 16).expect("two hexadecimal digits"), 3),
        other => panic!("\\{} means nothing", char::from(*other)),
    }
}

/// The corpus is as large as is promised.
#[test]
fn has_hundreds_of_cases() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/hostile");
    let texts = std::fs::read_dir(dir).unwrap().flatten().map(|entry| std::fs::read(entry.path()).unwrap());
    let count = texts
        .map(|text| String::from_utf8_lossy(&text).lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).count())
        .sum::<usize>();
    assert!(count >= 800, "{count}");
}

#[test]
fn lines_are_read_as_they_are_meant() {
    let s = Sandbox::new();
    let home = s.home().display().to_string();
    for (text, expected) in
        [(r"a\n\x41\\", "a\nA\\"), ("<<3*ab>>c", "abababc"), ("<<2*\\n>>", "\n\n"), ("<<home>>/x", &format!("{home}/x"))]
    {
        assert_eq!(bytes(&s, text), expected.as_bytes(), "{text}");
    }
    assert_eq!(bytes(&s, "a<<2*->>>b"), b"a->->b");
}

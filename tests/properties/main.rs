//! What holds for every input, be it hostile or not: formats of files, splitters of lines, names. Many more inputs are
//! tried when the long tests are asked for (`scripts/test --long`).

mod archives;
mod files;
mod names;
mod words;

use proptest::test_runner::Config;

/// How many inputs are tried. What starts a program for each tries fewer.
pub fn inputs(ordinary: u32) -> Config {
    let is_long = std::env::args().any(|word| word == "--include-ignored" || word == "--ignored");
    Config {
        cases: if is_long { ordinary * 20 } else { ordinary },
        failure_persistence: None,
        max_global_rejects: u32::MAX,
        ..Config::default()
    }
}

/// Texts of pieces that mean something to a shell, sed, nginx, xargs, docker or one of our formats, and of plain ones.
pub fn nasty() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
    use proptest::prelude::*;
    const PIECES: &[&[u8]] = &[
        b"a",
        b"B",
        b"0",
        b"_",
        b" ",
        b"  ",
        b"\t",
        b"\n",
        b"\r",
        b"'",
        b"\"",
        b"\\",
        b"$",
        b"`",
        b"=",
        b"#",
        b";",
        b"|",
        b"&",
        b"<",
        b">",
        b"(",
        b")",
        b"{",
        b"}",
        b"[",
        b"]",
        b"*",
        b"?",
        b"!",
        b"~",
        b"%",
        b":",
        b"/",
        b"-",
        b"+",
        b",",
        b".",
        b"@",
        b"^",
        b"\x1b",
        b"\xff",
        b"\xc3\xa9",
        b"..",
        b"--",
        b"${",
        b"$(",
        b"'\\''",
        b"\\\n",
        b"export ",
        b"export A='",
        b"A=",
        b"KEY",
        b"WAIT=",
        b"http://",
        b"EXPOSE 80",
    ];
    prop_oneof![
        4 => prop::collection::vec(prop::sample::select(PIECES), 0..24).prop_map(|pieces| pieces.concat()),
        1 => prop::collection::vec(1u8..=255, 0..64),
    ]
}

/// The same as text.
pub fn nasty_text() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    nasty().prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

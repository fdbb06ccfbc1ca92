//! Lines and their words, as they come over ssh.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::{Command, Stdio};

use dokku::faces::ssh::{split_blanks, split_quoted};
use dokku::files::remotes;
use proptest::prelude::*;

use crate::{inputs, nasty};

fn is_blank(byte: &u8) -> bool {
    b" \t\n".contains(byte)
}

proptest! {
    #![proptest_config(inputs(400))]

    #[test]
    fn blanks_part_words_and_nothing_else_does(line in nasty()) {
        let words = split_blanks(&line);
        prop_assert!(words.iter().all(|word| !word.is_empty() && !word.as_bytes().iter().any(is_blank)));
        let plain: Vec<u8> = line.iter().copied().filter(|byte| !is_blank(byte)).collect();
        prop_assert_eq!(words.iter().flat_map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>(), plain);
    }

    #[test]
    fn a_client_s_words_arrive_as_they_were(words in prop::collection::vec(nasty(), 0..6)) {
        let words: Vec<OsString> = words.into_iter().map(OsString::from_vec).collect();
        let spans = |word: &OsString| b"'\"".iter().any(|quote| word.as_bytes().iter().filter(|byte| *byte == quote).count() % 2 == 1);
        // Who quotes across words knows what the server does, and is left alone.
        prop_assume!(words.iter().filter(|word| spans(word)).count() < 2);
        let line = remotes::quoted(&words).join(" ".as_ref());
        prop_assert_eq!(split_quoted(line.as_bytes()), (words, None));
    }
}

proptest! {
    #![proptest_config(inputs(100))]

    #[test]
    fn quotes_are_undone_as_xargs_does(line in "[ab'\"\\\\ \t\n]{0,16}") {
        let (words, complaint) = split_quoted(line.as_bytes());
        // At the end of a line a backslash keeps the newline that dokku does not have.
        prop_assume!(complaint.is_none() && !line.ends_with('\\'));
        let script = "for word; do printf '%s\\0' \"$word\"; done";
        let mut xargs = Command::new("xargs");
        xargs.args(["sh", "-c", script, "sh"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = xargs.spawn().expect("xargs runs");
        child.stdin.take().expect("a pipe").write_all((line.clone() + "\n").as_bytes()).expect("xargs reads");
        let seen = child.wait_with_output().expect("xargs ends").stdout;
        let expected: Vec<u8> = words.iter().flat_map(|word| [word.as_bytes(), b"\0"].concat()).collect();
        prop_assert_eq!(seen, expected);
    }
}

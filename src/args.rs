//! The words of a command or hook, the way its code wants to read them.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

/// The words after the name of the command or hook. Reading past the end gives an empty word, as in a shell.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    /// The name under which the command was called (`url` or `urls`), or the hook's name.
    pub name: &'a str,
    /// What follows it.
    pub words: &'a [OsString],
}

impl<'a> Args<'a> {
    /// The word at this place, counted from 0.
    pub fn word(&self, place: usize) -> &'a OsStr {
        self.words.get(place).map_or(OsStr::new(""), OsString::as_os_str)
    }

    /// The same as text.
    pub fn text(&self, place: usize) -> Cow<'a, str> {
        self.word(place).to_string_lossy()
    }

    /// Is there nothing at this place, or an empty word?
    pub fn lacks(&self, place: usize) -> bool {
        self.word(place).is_empty()
    }

    /// The words from this place on.
    pub fn from(&self, place: usize) -> &'a [OsString] {
        self.words.get(place..).unwrap_or_default()
    }
}

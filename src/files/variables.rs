//! Variables by name, as a shell has them that sourced some ENV files; nothing of those files is run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::files::env::EnvFile;
use crate::files::template::{Operation, Template, Values};

/// The longest value, in bytes, that is put together of others: each line of a file could double the one before.
const LONGEST: usize = 1 << 20;

/// Names and values.
#[derive(Clone, Debug, Default)]
pub struct Variables(BTreeMap<String, Vec<u8>>);

impl Variables {
    /// Those of an environment.
    pub fn of<'a>(env: impl IntoIterator<Item = (&'a OsStr, &'a OsStr)>) -> Variables {
        let named = |(name, value): (&OsStr, &OsStr)| Some((name.to_str()?.to_owned(), value.as_bytes().to_vec()));
        Variables(env.into_iter().filter_map(named).collect())
    }

    /// Adds what the lines of a file set. A value in double quotes, which only people write, may name variables
    /// that are already there; one that holds commands stays as it is written.
    pub fn source(&mut self, file: &EnvFile) {
        let values: Vec<_> = file.pairs().zip(file.written()).map(|((key, value), (_, written))| (key, value, written)).collect();
        for (key, value, written) in values {
            let value = self.between_double_quotes(written).unwrap_or_else(|| value.to_vec());
            self.0.insert(key.to_owned(), value);
        }
    }

    /// Sets one.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.0.insert(name.to_owned(), value.as_ref().to_vec());
    }

    /// The value of one that is set.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// Is it set to something?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !value.is_empty())
    }

    fn between_double_quotes(&self, written: &[u8]) -> Option<Vec<u8>> {
        let inner = written.trim_ascii_end().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        Template::parse(inner).ok()?.render(self).ok().filter(|value| value.len() <= LONGEST)
    }
}

impl Values for Variables {
    type Error = ();

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        self.get(name).map(<[u8]>::to_vec)
    }

    /// Reading a file starts no bash.
    fn operate(&self, _: &Operation, _: Option<Vec<u8>>) -> Result<Vec<u8>, ()> {
        Err(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_a_shell_would_but_never_run() {
        let mut variables = Variables::of([(OsStr::new("HOME"), OsStr::new("/h"))]);
        let text = b"export A='two words'\nexport B=\"$HOME-$A\"\nexport C='\"$A\"'\nexport D=\"$(id)\"\nexport E='$A'\nexport F=7\n";
        variables.source(&EnvFile::parse(text));
        for (name, value) in [("B", "/h-two words"), ("C", "\"$A\""), ("D", "\"$(id)\""), ("E", "$A"), ("F", "7")] {
            assert_eq!(variables.get(name), Some(value.as_bytes()), "{name}");
        }
        variables.source(&EnvFile::parse(b"export A=''\n"));
        assert!(!variables.has("A") && !variables.has("Z") && variables.has("HOME"));
    }
}

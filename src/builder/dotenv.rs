//! `.env` as buildstep read it, by sourcing: the same assignments, read as data and never run.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// One assignment.
#[derive(Debug, PartialEq)]
pub struct Variable {
    pub name: String,
    pub value: OsString,
    /// Whether `export` stood before it. Buildpacks see only exported variables.
    pub exported: bool,
}

/// The assignments of a file, in order. Quotes, backslashes, `$NAME` and `${NAME}` count as in bash;
/// `inherited` gives the variables that the file does not set. A command in the file is skipped, and a
/// `$(command)` in a value stays as it is.
pub fn parse(text: &[u8], inherited: impl Fn(&str) -> Option<OsString>) -> Vec<Variable> {
    let mut reader = Reader { text, at: 0, inherited: &inherited, variables: Vec::new() };
    while reader.at < text.len() {
        reader.read_command();
    }
    reader.variables
}

/// A word, and where its first unquoted `=` is.
#[derive(Default)]
struct Word {
    text: Vec<u8>,
    equals: Option<usize>,
}

impl Word {
    /// NAME and VALUE of `NAME=VALUE`.
    fn assignment(&self) -> Option<(String, OsString)> {
        let (name, value) = self.text.split_at(self.equals?);
        let name = std::str::from_utf8(name).ok().filter(|name| is_name(name))?;
        Some((name.to_owned(), OsString::from_vec(value[1..].to_vec())))
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    inherited: &'a dyn Fn(&str) -> Option<OsString>,
    variables: Vec<Variable>,
}

impl Reader<'_> {
    /// Reads to the end of a command and keeps what it assigns.
    fn read_command(&mut self) {
        let mut words = Vec::new();
        while let Some(word) = self.read_word() {
            words.push(word);
        }
        let exported = words.first().is_some_and(|word| word.text == b"export");
        let words = &words[usize::from(exported)..];
        if !exported && words.iter().any(|word| word.assignment().is_none()) {
            return;
        }
        for word in words {
            match word.assignment() {
                Some((name, value)) => self.set(name, value, exported),
                None => self.export(&word.text),
            }
        }
    }

    fn set(&mut self, name: String, value: OsString, exported: bool) {
        let exported = exported || self.variables.iter().any(|v| v.name == name && v.exported);
        self.variables.retain(|variable| variable.name != name);
        self.variables.push(Variable { name, value, exported });
    }

    /// `export NAME` of a variable that was set before.
    fn export(&mut self, name: &[u8]) {
        for variable in &mut self.variables {
            variable.exported |= variable.name.as_bytes() == name;
        }
    }

    /// The next word of this command; none at its end, which is passed over.
    fn read_word(&mut self) -> Option<Word> {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
        if self.peek() == Some(b'#') {
            self.at += self.text[self.at..].iter().take_while(|c| **c != b'\n').count();
        }
        if let None | Some(b'\n' | b';') = self.peek() {
            self.at += 1;
            return None;
        }
        let mut word = Word::default();
        while let Some(c) = self.peek() {
            match c {
                b' ' | b'\t' | b'\r' | b'\n' | b';' => break,
                b'\'' => self.read_single_quoted(&mut word),
                b'"' => self.read_double_quoted(&mut word),
                b'\\' => self.read_escape(&mut word),
                b'$' => self.read_variable(&mut word),
                _ => {
                    if c == b'=' && word.equals.is_none() {
                        word.equals = Some(word.text.len());
                    }
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
        Some(word)
    }

    fn read_single_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        while let Some(c) = self.next().filter(|c| *c != b'\'') {
            word.text.push(c);
        }
    }

    fn read_double_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        while let Some(c) = self.peek().filter(|c| *c != b'"') {
            match c {
                b'$' => self.read_variable(word),
                b'\\' if matches!(self.text.get(self.at + 1), Some(b'"' | b'\\' | b'$' | b'`' | b'\n')) => {
                    self.read_escape(word);
                }
                _ => {
                    word.text.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
    }

    /// A backslash and what it protects; before a newline both vanish.
    fn read_escape(&mut self, word: &mut Word) {
        self.at += 1;
        word.text.extend(self.next().filter(|c| *c != b'\n'));
    }

    /// `$NAME` or `${NAME}`; a dollar before anything else is a dollar.
    fn read_variable(&mut self, word: &mut Word) {
        let rest = &self.text[self.at + 1..];
        let braced = rest.first() == Some(&b'{');
        let name: Vec<u8> = rest[usize::from(braced)..].iter().copied().take_while(|c| c.is_ascii_alphanumeric() || *c == b'_').collect();
        let closed = !braced || rest.get(name.len() + 1) == Some(&b'}');
        match String::from_utf8(name) {
            Ok(name) if closed && is_name(&name) => {
                self.at += 1 + name.len() + 2 * usize::from(braced);
                word.text.extend(self.value(&name).into_vec());
            }
            _ => {
                word.text.push(b'$');
                self.at += 1;
            }
        }
    }

    fn value(&self, name: &str) -> OsString {
        let set = self.variables.iter().find(|variable| variable.name == name);
        set.map(|variable| variable.value.clone()).or_else(|| (self.inherited)(name)).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        self.at += 1;
        self.text.get(self.at - 1).copied()
    }
}

/// Whether `name` can name a shell variable.
pub fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::parse;

    /// `exported NAME=VALUE` or `NAME=VALUE` for each variable.
    fn read(text: &str) -> Vec<String> {
        parse(text.as_bytes(), |name| (name == "PATH").then(|| "/bin".into()))
            .into_iter()
            .map(|v| format!("{}{}={}", if v.exported { "export " } else { "" }, v.name, v.value.display()))
            .collect()
    }

    #[test]
    fn assignments_are_read_as_bash_reads_them() {
        for (text, variables) in [
            ("A=1\n", &["A=1"][..]),
            ("export A='a b'\nexport B=\"c d\"", &["export A=a b", "export B=c d"]),
            ("export A='it'\\''s'", &["export A=it's"]),
            ("A='one\ntwo'\nB=3", &["A=one\ntwo", "B=3"]),
            ("A=\"say \\\"$B\\\" \\n\"", &["A=say \"\" \\n"]),
            ("export PATH=$PATH:/x\nQ=${PATH}y", &["export PATH=/bin:/x", "Q=/bin:/xy"]),
            ("A='$PATH'", &["A=$PATH"]),
            ("# a comment\n\n  A=1 # more\nB=x#y", &["A=1", "B=x#y"]),
            ("A=1; export A", &["export A=1"]),
            ("A=1\nA=2", &["A=2"]),
            ("A=1 B=2\nexport C=3 D=4", &["A=1", "B=2", "export C=3", "export D=4"]),
            ("A=\r\nB=1\r\n", &["A=", "B=1"]),
            ("BUILDPACK_URL=https://example.com/x.git#v1", &["BUILDPACK_URL=https://example.com/x.git#v1"]),
        ] {
            assert_eq!(read(text), variables, "{text:?}");
        }
    }

    #[test]
    fn commands_are_skipped() {
        assert_eq!(read("touch /tmp/pwn\nA=1 touch x\nB=2"), ["B=2"]);
        assert_eq!(read("A=$(touch)\nB=`touch`"), ["A=$(touch)", "B=`touch`"]);
        assert_eq!(read("1X=1\nA-B=2\nexport 1Y=1"), Vec::<String>::new());
    }

    #[test]
    fn an_open_quote_ends_with_the_file() {
        assert_eq!(read("A='x"), ["A=x"]);
        assert_eq!(read("A=\"x"), ["A=x"]);
        assert_eq!(read("A=x\\"), ["A=x"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_and_quoted_values_come_back(text in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..200), value in "[^\0]{0,40}") {
            parse(&text, |_| Some("inherited".into()));
            let line = format!("export A={}", crate::shell::quote(&value));
            let read = parse(line.as_bytes(), |_| None);
            proptest::prop_assert_eq!(read.len(), 1);
            proptest::prop_assert!(read[0].exported && read[0].value.to_str() == Some(value.as_str()));
        }
    }
}

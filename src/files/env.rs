//! `ENV`: lines `export KEY='VALUE'`, sourced by plugins and by the app's start, so every value is quoted for a shell.
//! Reading follows 0.3.18 (one quote is taken off each end) wherever the value is not quoted as we do it.

use std::path::Path;

use crate::fail::Outcome;

/// An ENV file. `print(parse(x)) == x` for every file that 0.3.18 writes of values without single quotes; those with
/// some it wrote so that a shell would stumble over them or run them, and they are quoted anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The line (or lines, where the value holds newlines) for a shell, without the last newline.
    line: Vec<u8>,
    /// What the line sets, if it sets something.
    pair: Option<Pair>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    key: String,
    value: Vec<u8>,
    /// Where `KEY=` begins in the line.
    start: usize,
    /// Where the value ends, as it is written; only what is idle may stand behind it.
    end: usize,
}

impl EnvFile {
    /// From a file's bytes. Lines that set nothing are kept as they are.
    pub fn parse(text: &[u8]) -> EnvFile {
        let (mut entries, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (entry, length) = entry(rest);
            rest = &rest[length..];
            entries.push(entry);
        }
        EnvFile { entries }
    }

    /// The file at this path; empty when there is none. Fails when it cannot be read.
    pub fn load(path: &Path) -> Outcome<EnvFile> {
        Ok(EnvFile::parse(&super::content(path)?.unwrap_or_default()))
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.pairs().filter(|(known, _)| *known == key).last().map(|(_, value)| value)
    }

    /// Keys and values in the order of the file.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().filter_map(|entry| entry.pair.as_ref()).map(|pair| (pair.key.as_str(), pair.value.as_slice()))
    }

    /// `KEY='VALUE'` for each pair, as it stands in the file.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().filter_map(|entry| {
            let pair = entry.pair.as_ref()?;
            Some(&entry.line[pair.start..pair.end])
        })
    }

    /// Keys with their values as they stand in the file: quotes and all that a shell would make something of.
    pub fn written(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().filter_map(|entry| {
            let pair = entry.pair.as_ref()?;
            Some((pair.key.as_str(), &entry.line[pair.start + pair.key.len() + 1..pair.end]))
        })
    }

    /// Sets a key, in place of every line that set it before.
    pub fn set(&mut self, key: &str, value: &[u8]) {
        self.unset(key);
        let line = [EXPORT, key.as_bytes(), b"=", &quoted(value)].concat();
        let pair = Pair { key: key.to_owned(), value: value.to_owned(), start: EXPORT.len(), end: line.len() };
        self.entries.push(Entry { line, pair: Some(pair) });
    }

    /// Takes a key away, also one that is no name for a variable: 0.3.18 let people set such.
    pub fn unset(&mut self, key: &str) {
        let start = [EXPORT, key.as_bytes(), b"="].concat();
        let sets = |entry: &Entry| entry.pair.as_ref().is_some_and(|pair| pair.key == key) || entry.line.starts_with(&start);
        self.entries.retain(|entry| !sets(entry));
    }

    /// As 0.3.18 writes it: sorted, without blank lines.
    pub fn print(&self) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = self.entries.iter().map(|entry| entry.line.as_slice()).filter(|line| !line.is_empty()).collect();
        lines.sort();
        joined(&lines)
    }

    /// For a shell to source: in the order of the file, every value quoted.
    pub fn script(&self) -> Vec<u8> {
        joined(&self.entries.iter().map(|entry| entry.line.as_slice()).collect::<Vec<_>>())
    }
}

const EXPORT: &[u8] = b"export ";

fn joined(lines: &[&[u8]]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line, b"\n".as_slice()]).flatten().copied().collect()
}

/// A value as one shell word in single quotes.
pub fn quoted(value: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for byte in value {
        match byte {
            b'\'' => word.extend_from_slice(b"'\\''"),
            byte => word.push(*byte),
        }
    }
    word.push(b'\'');
    word
}

/// A text as one word of a shell, in quotes only where it must be.
pub fn word(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain { text.to_owned() } else { String::from_utf8_lossy(&quoted(text.as_bytes())).into_owned() }
}

/// Is this a name that a shell takes for a variable?
pub fn is_key(key: &[u8]) -> bool {
    key.first().is_some_and(|first| !first.is_ascii_digit()) && key.iter().all(is_key_byte)
}

fn is_key_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// The first entry of `text` and how many bytes it takes, its newline among them.
fn entry(text: &[u8]) -> (Entry, usize) {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let after = |length: usize| (length + 1).min(text.len());
    let Some((start, equals)) = assignment(line) else {
        return (Entry { line: line.to_vec(), pair: None }, after(line.len()));
    };
    let key = String::from_utf8_lossy(&line[start..equals]).into_owned();
    if let Some((value, length)) = unquoted(&text[equals + 1..]) {
        let (word, rest) = text.split_at(equals + 1 + length);
        let rest = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = [word, rest.trim_ascii_end()].concat();
        return (Entry { line, pair: Some(Pair { key, value, start, end: word.len() }) }, after(word.len() + rest.len()));
    }
    let raw = &line[equals + 1..];
    let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
    let value = stripped(raw);
    let word = if raw.starts_with(b"'") { quoted(&value) } else { raw.to_vec() };
    let written = [&line[..=equals], &word].concat();
    let pair = Pair { key, value, start, end: written.len() };
    (Entry { line: written, pair: Some(pair) }, after(line.len()))
}

/// Where a line's `KEY=` begins, and where its `=` is. 0.3.18 looks for `export ` anywhere in the line.
fn assignment(line: &[u8]) -> Option<(usize, usize)> {
    let starts = line.windows(EXPORT.len()).enumerate().filter(|(_, window)| *window == EXPORT).map(|(at, _)| at + EXPORT.len());
    let key = |start: usize| start + line[start..].iter().take_while(|byte| is_key_byte(byte)).count();
    starts.map(|start| (start, key(start))).find(|(start, end)| line.get(*end) == Some(&b'=') && is_key(&line[*start..*end]))
}

/// What `quoted` makes, or people write who mean the same, up to what is idle in its line: the value and the length of the
/// word. Not every word that a shell takes: 0.3.18 wrote `'a''b'` for the value `a''b`.
fn unquoted(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    // As we write it, and as it is done by hand.
    const QUOTES_INSIDE: [&[u8]; 2] = [b"'\\''", b"'\"'\"'"];
    let (mut value, mut at) = (Vec::new(), text.starts_with(b"'").then_some(1)?);
    loop {
        let length = text[at..].iter().position(|byte| *byte == b'\'')?;
        value.extend_from_slice(&text[at..at + length]);
        at += length;
        if let Some(quote) = QUOTES_INSIDE.iter().find(|quote| text[at..].starts_with(quote)) {
            value.push(b'\'');
            at += quote.len();
        } else {
            return is_idle(&text[at + 1..]).then_some((value, at + 1));
        }
    }
}

/// Is the rest of a line nothing to a shell: blanks, the end of a DOS line, a comment? 0.3.18 wrote none of it; what looks
/// so in a value of its own has a quote at its end.
fn is_idle(text: &[u8]) -> bool {
    let rest = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    // Blanks as a shell knows them: a form feed would begin a word, and what comes after its `#` would be run.
    let word = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t')).unwrap_or_default();
    let is_comment = word > 0 && rest[word] == b'#' && !rest.ends_with(b"'");
    rest.is_empty() || is_comment
}

/// 0.3.18's reading: one quote is taken off each end.
fn stripped(value: &[u8]) -> Vec<u8> {
    let value = value.strip_prefix(b"'").unwrap_or(value);
    value.strip_suffix(b"'").unwrap_or(value).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_0_3_18_writes_comes_back_byte_for_byte() {
        let text = b"export A='1'\nexport B='two words'\nexport URL='http://x/?a=b&c=d'\n";
        assert_eq!(EnvFile::parse(text).print(), text);
    }

    #[test]
    fn any_value_comes_back() {
        let values =
            ["", "it's", "a\nb", "'", "''", "\\'", "'\\''", "'quoted'", "export X='y'", "\n", "a\n\nexport B='c'\n", "'\nexport B='"];
        for value in values {
            let mut file = EnvFile::default();
            file.set("A", value.as_bytes());
            file.set("Z", b"last");
            let again = EnvFile::parse(&file.print());
            assert_eq!(again.get("A"), Some(value.as_bytes()), "{value:?}");
            assert_eq!(again.get("Z"), Some(b"last".as_slice()), "{value:?}");
            assert_eq!(again, file, "{value:?}");
        }
    }

    #[test]
    fn odd_lines_are_read_as_0_3_18_read_them() {
        let file =
            EnvFile::parse(b"# note\nexport E='it's'\nexport F=bare\nfoo export G='g'\nexport 1X='no'\nexport H='half\nexport I='a''b'\n");
        for (key, value) in [("E", "it's"), ("F", "bare"), ("G", "g"), ("H", "half"), ("I", "a''b")] {
            assert_eq!(file.get(key), Some(value.as_bytes()), "{key}");
        }
        assert_eq!(file.pairs().count(), 5);
        assert_eq!(file.words().nth(1), Some(b"F=bare".as_slice()));
    }

    #[test]
    fn what_people_wrote_for_a_shell_is_read_as_by_one_and_stays() {
        let text = b"export A='x' \nexport B='y'\r\nexport C='z' # it is\nexport D='it'\"'\"'s'\nexport E=bare\r\n";
        let file = EnvFile::parse(text);
        for (key, value) in [("A", "x"), ("B", "y"), ("C", "z"), ("D", "it's"), ("E", "bare")] {
            assert_eq!(file.get(key), Some(value.as_bytes()), "{key}");
        }
        assert_eq!(file.script(), b"export A='x'\nexport B='y'\nexport C='z' # it is\nexport D='it'\"'\"'s'\nexport E=bare\n");
        // On one line, a comment would hide what comes behind it.
        assert_eq!(file.words().collect::<Vec<_>>().join(&b' '), b"A='x' B='y' C='z' D='it'\"'\"'s' E=bare");
        // What a shell would run is none of it.
        let file = EnvFile::parse(b"export A='x' # '; id; '\nexport B='x' ;id\nexport C='x' \x0c#;id\n");
        assert_eq!(file.script(), b"export A='x'\\'' # '\\''; id; '\nexport B='x'\\'' ;id'\nexport C='x'\\'' \x0c#;id'\n");
    }

    #[test]
    fn a_word_is_quoted_where_it_must_be() {
        for (text, shown) in [("web-2.a_b", "web-2.a_b"), ("a;b", "'a;b'"), ("", "''"), ("it's", "'it'\\''s'")] {
            assert_eq!(word(text), shown);
        }
    }

    #[test]
    fn a_value_that_a_shell_would_run_is_quoted_anew() {
        let file = EnvFile::parse(b"# b\nexport A='x'; touch /tmp/pwn; ''\n# a\n");
        assert_eq!(file.script(), b"# b\nexport A='x'\\''; touch /tmp/pwn; '\\'''\n# a\n");
    }

    #[test]
    fn a_key_goes_away_even_if_it_is_no_name() {
        let mut file = EnvFile::parse(b"export A-B='1'\nexport A='2'\nexport AB='3'\nx export A='4'\n");
        file.unset("A-B");
        file.unset("A");
        assert_eq!(file.print(), b"export AB='3'\n");
    }
}

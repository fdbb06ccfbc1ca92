//! `ENV`: lines `export KEY='VALUE'`, sourced by plugins and by the app's start, so every value is quoted for a shell.
//! Reading follows 0.3.18 (one quote is taken off each end) wherever the value is not a proper shell word.

use std::path::Path;

/// An ENV file. `print(parse(x)) == x` for every file that 0.3.18 writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvFile {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The line (or lines, where the value holds newlines) as written, without the last newline.
    raw: Vec<u8>,
    /// Key and value, where the line has them.
    pair: Option<(String, Vec<u8>)>,
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

    /// The file at this path; empty when it cannot be read.
    pub fn load(path: &Path) -> EnvFile {
        EnvFile::parse(&std::fs::read(path).unwrap_or_default())
    }

    /// The last value of a key.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.pairs().filter(|(known, _)| *known == key).last().map(|(_, value)| value)
    }

    /// Keys and values in the order of the file.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().filter_map(|entry| entry.pair.as_ref()).map(|(key, value)| (key.as_str(), value.as_slice()))
    }

    /// Keys with their values as they are written: quotes and all that a shell would make something of.
    pub fn written(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.entries.iter().filter_map(|entry| {
            let (key, _) = entry.pair.as_ref()?;
            let (_, start) = assignment(&entry.raw)?;
            Some((key.as_str(), &entry.raw[start..]))
        })
    }

    /// Sets a key, in place of every line that set it before.
    pub fn set(&mut self, key: &str, value: &[u8]) {
        self.unset(key);
        let raw = [b"export ", key.as_bytes(), b"=", &quoted(value)].concat();
        self.entries.push(Entry { raw, pair: Some((key.to_owned(), value.to_owned())) });
    }

    /// Takes a key away.
    pub fn unset(&mut self, key: &str) {
        self.entries.retain(|entry| entry.pair.as_ref().is_none_or(|(known, _)| known != key));
    }

    /// As 0.3.18 writes it: sorted, without blank lines.
    pub fn print(&self) -> Vec<u8> {
        let mut lines: Vec<&[u8]> = self.entries.iter().map(|entry| entry.raw.as_slice()).filter(|line| !line.is_empty()).collect();
        lines.sort();
        lines.iter().flat_map(|line| [line, b"\n".as_slice()]).flatten().copied().collect()
    }
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

/// Is this a name that a shell takes for a variable?
pub fn is_key(key: &[u8]) -> bool {
    let letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    key.first().is_some_and(letter) && key.iter().all(|byte| letter(byte) || byte.is_ascii_digit())
}

/// The first entry of `text` and how many bytes it takes, its newline among them.
fn entry(text: &[u8]) -> (Entry, usize) {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let after = |length: usize| (length + 1).min(text.len());
    let Some((key, start)) = assignment(line) else {
        return (Entry { raw: line.to_vec(), pair: None }, after(line.len()));
    };
    let (value, length) = match unquoted(&text[start..]) {
        Some((value, length)) => (value, start + length),
        None => (stripped(&line[start..]), line.len()),
    };
    (Entry { raw: text[..length].to_vec(), pair: Some((key, value)) }, after(length))
}

/// The key that a line sets, and where its value starts. 0.3.18 looks for `export ` anywhere in the line.
fn assignment(line: &[u8]) -> Option<(String, usize)> {
    const WORD: &[u8] = b"export ";
    let starts = line.windows(WORD.len()).enumerate().filter(|(_, window)| *window == WORD).map(|(at, _)| at + WORD.len());
    for start in starts {
        let equals = start + line[start..].iter().position(|byte| *byte == b'=')?;
        if is_key(&line[start..equals]) {
            return Some((String::from_utf8_lossy(&line[start..equals]).into_owned(), equals + 1));
        }
    }
    None
}

/// A proper word of single-quoted parts and `\'`, up to the end of its line; its value and its length.
fn unquoted(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut value, mut at) = (Vec::new(), 0);
    loop {
        match text.get(at) {
            Some(b'\'') => {
                let length = text[at + 1..].iter().position(|byte| *byte == b'\'')?;
                value.extend_from_slice(&text[at + 1..at + 1 + length]);
                at += length + 2;
            }
            Some(b'\\') if text.get(at + 1) == Some(&b'\'') => {
                value.push(b'\'');
                at += 2;
            }
            None | Some(b'\n') if at > 0 => return Some((value, at)),
            _ => return None,
        }
    }
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
        for value in ["", "it's", "a\nb", "'", "\\'", "'quoted'", "export X='y'", "\n", "a\n\nexport B='c'\n"] {
            let mut file = EnvFile::default();
            file.set("A", value.as_bytes());
            file.set("Z", b"last");
            let again = EnvFile::parse(&file.print());
            assert_eq!(again.get("A"), Some(value.as_bytes()), "{value:?}");
            assert_eq!(again.get("Z"), Some(b"last".as_slice()), "{value:?}");
        }
    }

    #[test]
    fn odd_lines_are_read_as_0_3_18_read_them() {
        let file = EnvFile::parse(b"# note\nexport E='it's'\nexport F=bare\nfoo export G='g'\nexport 1X='no'\n");
        assert_eq!(file.get("E"), Some(b"it's".as_slice()));
        assert_eq!(file.get("F"), Some(b"bare".as_slice()));
        assert_eq!(file.get("G"), Some(b"g".as_slice()));
        assert_eq!(file.pairs().count(), 3);
    }
}

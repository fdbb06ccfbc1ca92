//! `CHECKS`: settings, and pages that a new container must answer before it serves. Read line by line as 0.3.18 did.

use std::convert::Infallible;
use std::str::FromStr;

use regex::bytes::{Regex, RegexBuilder};

/// A CHECKS file. Settings are as they are written, perhaps with blanks around them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// `WAIT=`
    pub wait: Option<String>,
    /// `TIMEOUT=`
    pub timeout: Option<String>,
    /// `ATTEMPTS=`
    pub attempts: Option<String>,
    /// The pages in their order.
    pub pages: Vec<Page>,
}

/// A page and what it must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// `http` or `https`.
    pub protocol: &'static str,
    /// The host to ask for, when the line names one.
    pub host: Option<String>,
    /// From the slash on.
    pub path: String,
    /// What is looked for in the body: an extended regular expression. Empty: anything will do.
    pub expected: String,
}

impl FromStr for Checks {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Checks, Infallible> {
        let mut checks = Checks::default();
        for line in lines(text) {
            let (first, rest) = fields(&line);
            checks.set(&plain(trim(&line)));
            if !first.is_empty() && !first.starts_with('#') && !is_setting(&first) {
                checks.pages.push(Page::parse(&first, rest));
            }
        }
        Ok(checks)
    }
}

impl Checks {
    /// Takes a setting from a line. A `#` begins a comment; the name ends at the last `=`.
    fn set(&mut self, line: &str) {
        let line = line.rsplit_once('#').map_or(line, |(start, _)| start);
        let name = line.rsplit_once('=').map_or(line, |(name, _)| name);
        let value = line.split_once('=').map(|(_, value)| value.to_owned());
        match name {
            "WAIT" => self.wait = value,
            "TIMEOUT" => self.timeout = value,
            "ATTEMPTS" => self.attempts = value,
            _ => {}
        }
    }
}

impl Page {
    fn parse(word: &str, expected: String) -> Page {
        let (protocol, place) = match word.split_once(':') {
            Some(("http", place)) => ("http", place),
            Some(("https", place)) => ("https", place),
            _ => ("http", word),
        };
        let named = place.strip_prefix("//").filter(|rest| !rest.is_empty());
        let (host, path) = match named.map(|rest| rest.split_at(rest.find('/').unwrap_or(rest.len()))) {
            Some((host, path)) => (Some(host.to_owned()), path),
            None => (None, place),
        };
        Page { protocol, host, path: path.to_owned(), expected }
    }

    /// The page's address as messages show it.
    pub fn shown(&self) -> String {
        format!("{}://{}{}", self.protocol, self.host.as_deref().unwrap_or("localhost"), self.path)
    }

    /// The page's address in a container that listens at `ip` and `port`. What has no slash in front is no port (0.3.18
    /// let curl complain of it), nor, with an `@` in it, another host.
    pub fn url(&self, ip: &str, port: &str) -> String {
        let path = if self.path.starts_with('/') { self.path.clone() } else { self.path.replace('@', "%40") };
        format!("{}://{ip}:{port}{path}", self.protocol)
    }

    /// Is what is expected in this body? An expression that is none is looked for as it stands.
    pub fn is_in(&self, body: &[u8]) -> bool {
        match expression(&self.expected) {
            Some(expression) => expression.is_match(body),
            None => body.windows(self.expected.len()).any(|part| part == self.expected.as_bytes()),
        }
    }
}

/// As bash's `=~`: `.` and `[^x]` take newlines, `^` and `$` are the ends of the whole.
fn expression(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).dot_matches_new_line(true).build().ok()
}

/// 0.3.18 takes every first word with a `=` in it, but for its first character, for a setting.
fn is_setting(word: &str) -> bool {
    word.chars().skip(1).any(|c| c == '=')
}

/// A character, and whether a backslash stood before it.
type Marked = (char, bool);

/// Lines as a shell's `read` takes them: a backslash goes and makes plain what follows it, a newline too; the last
/// line does not count without its newline.
fn lines(text: &str) -> Vec<Vec<Marked>> {
    let (mut lines, mut line, mut rest) = (Vec::new(), Vec::new(), text.chars());
    while let Some(c) = rest.next() {
        match c {
            '\n' => lines.push(std::mem::take(&mut line)),
            '\\' => line.extend(rest.next().filter(|next| *next != '\n').map(|next| (next, true))),
            c => line.push((c, false)),
        }
    }
    lines
}

/// The first word, and the rest without the blanks around it.
fn fields(line: &[Marked]) -> (String, String) {
    let line = trim(line);
    let end = line.iter().position(is_blank).unwrap_or(line.len());
    (plain(&line[..end]), plain(trim(&line[end..])))
}

fn trim(line: &[Marked]) -> &[Marked] {
    let inner = |marked: &Marked| !is_blank(marked);
    let start = line.iter().position(inner).unwrap_or(line.len());
    let end = line.iter().rposition(inner).map_or(start, |last| last + 1);
    &line[start..end]
}

fn is_blank(marked: &Marked) -> bool {
    matches!(marked, (' ' | '\t', false))
}

fn plain(line: &[Marked]) -> String {
    line.iter().map(|(c, _)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(text: &str) -> Vec<(String, String)> {
        let Ok(checks) = text.parse::<Checks>();
        checks.pages.into_iter().map(|page| (page.shown(), page.expected)).collect()
    }

    #[test]
    fn pages_are_read_as_0_3_18_read_them() {
        for (text, shown, expected) in [
            ("/\n", "http://localhost/", ""),
            ("   /a    alpha page   \n", "http://localhost/a", "alpha page"),
            ("//www.x/p/q text\n", "http://www.x/p/q", "text"),
            ("//www.x\n", "http://www.x", ""),
            ("https://www.x:8443/ a\n", "https://www.x:8443/", "a"),
            ("http:/p\n", "http://localhost/p", ""),
            ("/a \\d\\\\d\\ \\\n x\n", "http://localhost/a", "d\\d  x"),
            ("WAIT = 3\n", "http://localhostWAIT", "= 3"),
        ] {
            assert_eq!(pages(text), [(shown.to_owned(), expected.to_owned())], "{text:?}");
        }
        for nothing in ["", "# c\n\n  \n", "/a?x=1 never\n", "A=1\n", "/no newline"] {
            assert_eq!(pages(nothing), [], "{nothing:?}");
        }
    }

    #[test]
    fn a_page_is_the_container_s() {
        let url = |word: &str| Page::parse(word, String::new()).url("10.0.0.1", "5000");
        assert_eq!(url("//www.x/a@b?c=@d"), "http://10.0.0.1:5000/a@b?c=@d");
        assert_eq!(url("@evil.example/"), "http://10.0.0.1:5000%40evil.example/");
        assert_eq!(url("http:x@evil.example/"), "http://10.0.0.1:5000x%40evil.example/");
    }

    #[test]
    fn settings_are_kept_as_written() {
        let Ok(checks) = " ATTEMPTS=1\nFOO=bar\nWAIT=0  # c\nTIMEOUT= 2\nWAIT = 3\n# WAIT=9\n".parse::<Checks>();
        assert_eq!((checks.attempts.as_deref(), checks.wait.as_deref(), checks.timeout.as_deref()), (Some("1"), Some("0  "), Some(" 2")));
    }

    #[test]
    fn expectations_are_extended_regular_expressions() {
        let found = |expected: &str, body: &str| Page::parse("/", expected.into()).is_in(body.as_bytes());
        for (expected, body) in [
            ("", ""),
            ("World", "Hello World"),
            ("^.*W.r+ld$", "Hello\nWorld"),
            ("[[:digit:]]+ (a|b)", "x 12 b"),
            ("$(function()", "a $(function() {"),
            ("{\"a\":1}", "[{\"a\":1}]"),
            ("[", "a[b"),
        ] {
            assert!(found(expected, body), "{expected}");
        }
        assert!(!found("^World", "Hello\nWorld") && !found("$(function()", "$(function"));
    }
}

//! A docker command line: where its verb stands, and the option spellings that clients take no more.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The words after `docker`, in spellings of today.
#[derive(Debug)]
pub struct Line {
    /// All of them.
    pub words: Vec<OsString>,
    /// The place of the verb; one past the end when there is none.
    verb: usize,
}

/// Options in front of the verb whose value is the next word.
const GLOBAL_WITH_VALUE: &[&[u8]] =
    &[b"-H", b"--host", b"--config", b"-c", b"--context", b"-l", b"--log-level", b"--tlscacert", b"--tlscert", b"--tlskey"];

/// Up to docker 1.3, long options could be written with one dash. Only these are respelled: any other such word may be a
/// row of short options.
const ONE_DASH: &[(&str, &[&str])] = &[
    ("attach", &["nostdin", "no-stdin", "sig-proxy"]),
    ("build", &["no-cache", "rm"]),
    ("commit", &["author"]),
    ("history", &["notrunc", "no-trunc"]),
    ("images", &["notrunc", "no-trunc"]),
    ("inspect", &["format"]),
    ("ps", &["notrunc", "no-trunc"]),
    ("restart", &["time"]),
    ("rm", &["link"]),
    ("run", &["cidfile", "dns", "entrypoint", "expose", "link", "name", "privileged", "rm", "sig-proxy", "volumes-from"]),
    ("search", &["notrunc", "no-trunc"]),
    ("stop", &["time"]),
];

/// Options of `run` without a value; every other takes one.
const SWITCHES: &[&str] = &[
    "detach",
    "disable-content-trust",
    "help",
    "init",
    "interactive",
    "no-healthcheck",
    "oom-kill-disable",
    "privileged",
    "publish-all",
    "quiet",
    "read-only",
    "rm",
    "sig-proxy",
    "tty",
    "use-api-socket",
];
const SHORT_SWITCHES: &[u8] = b"diPqt";

/// What `docker run` is asked for, as far as it matters here.
#[derive(Debug, Default, PartialEq)]
pub struct Asked {
    /// Streams that are attached by name.
    pub attach: Vec<String>,
    /// In the background?
    pub detach: bool,
    /// Where the caller wants the container's id.
    pub cidfile: Option<OsString>,
}

impl Line {
    /// Finds the verb and respells what follows it.
    pub fn parse(words: &[OsString]) -> Line {
        let mut line = Line { words: words.to_vec(), verb: verb_of(words) };
        let verb = line.verb().to_owned();
        match verb.as_str() {
            // The force of `tag` was needed to move a name up to docker 1.9; it is gone, since names always move now.
            "tag" => line.words.retain(|word| word != "-f" && word != "--force"),
            // What follows the image belongs to the container.
            "run" => walk(line.rest_mut(), |_, _| ()),
            _ => line.rest_mut().iter_mut().for_each(|word| respell(&verb, word)),
        }
        line
    }

    /// `run`, `ps`, ...; empty when there is none.
    pub fn verb(&self) -> &str {
        self.words.get(self.verb).and_then(|word| word.to_str()).unwrap_or_default()
    }

    /// The words after the verb.
    pub fn rest(&self) -> &[OsString] {
        self.words.get(self.verb + 1..).unwrap_or_default()
    }

    fn rest_mut(&mut self) -> &mut [OsString] {
        let start = (self.verb + 1).min(self.words.len());
        &mut self.words[start..]
    }

    /// The line with more options right behind the verb.
    pub fn with_options<W: AsRef<OsStr>>(&self, options: &[W]) -> Vec<OsString> {
        let (head, tail) = self.words.split_at(self.verb + 1);
        let options = options.iter().map(|option| option.as_ref().to_owned());
        head.iter().cloned().chain(options).chain(tail.iter().cloned()).collect()
    }

    /// The line with other words after the verb.
    pub fn with_rest(&self, rest: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
        self.words[..=self.verb].iter().cloned().chain(rest).collect()
    }

    /// Does `ps` or `images` print its table, not ids or a format of the caller's?
    pub fn is_plain_list(&self) -> bool {
        !self.rest().iter().any(|word| {
            let word = word.as_bytes();
            let long = ["--quiet", "--format", "--help", "--tree", "--digests", "--viz", "-viz", "-tree"];
            long.iter().any(|option| word == option.as_bytes() || word.starts_with(format!("{option}=").as_bytes()))
                || short(word).contains(&b'q')
        })
    }

    /// What `run` is asked for.
    pub fn asked(&self) -> Asked {
        let mut asked = Asked::default();
        walk(&mut self.rest().to_vec(), |name, value| {
            let text = String::from_utf8_lossy(value).into_owned();
            match name {
                "a" | "attach" => asked.attach.push(text.to_lowercase()),
                "d" | "detach" => asked.detach = text != "false",
                "cidfile" => asked.cidfile = Some(OsString::from_vec(value.to_vec())),
                _ => {}
            }
        });
        asked
    }
}

/// Goes through the options of `run` up to the image and respells them: each one's name, and its value, empty for a switch.
fn walk(words: &mut [OsString], mut see: impl FnMut(&str, &[u8])) {
    let mut place = 0;
    while let Some(word) = words.get_mut(place) {
        respell("run", word);
        let word = word.as_bytes();
        if word.len() < 2 || word[0] != b'-' || word == b"--" {
            return;
        }
        let (name, value) = if word.starts_with(b"--") { long_option(word) } else { short_option(word, &mut see) };
        let value = match value {
            Value::Here(value) => value,
            Value::Next => {
                place += 1;
                words.get(place).map(|word| word.as_bytes().to_vec()).unwrap_or_default()
            }
        };
        see(&name, &value);
        place += 1;
    }
}

enum Value {
    Here(Vec<u8>),
    Next,
}

fn long_option(word: &[u8]) -> (String, Value) {
    let (name, value) = cut(&word[2..]);
    let name = String::from_utf8_lossy(name).into_owned();
    let value = match value {
        Some(value) => Value::Here(value.to_vec()),
        None if SWITCHES.contains(&name.as_str()) => Value::Here(Vec::new()),
        None => Value::Next,
    };
    (name, value)
}

/// The last of a row of short options, after those before it have been seen.
fn short_option(word: &[u8], see: &mut impl FnMut(&str, &[u8])) -> (String, Value) {
    let mut rest = &word[1..];
    loop {
        let (name, after) = (String::from(char::from(rest[0])), &rest[1..]);
        if let Some(value) = after.strip_prefix(b"=") {
            return (name, Value::Here(value.to_vec()));
        }
        if !SHORT_SWITCHES.contains(&rest[0]) {
            return (name, if after.is_empty() { Value::Next } else { Value::Here(after.to_vec()) });
        }
        if after.is_empty() {
            return (name, Value::Here(Vec::new()));
        }
        see(&name, b"");
        rest = after;
    }
}

/// The letters of a row of short options of `ps` or `images`, up to the one that takes a value.
fn short(word: &[u8]) -> &[u8] {
    match word {
        [b'-', letters @ ..] if !letters.starts_with(b"-") => {
            let end = letters.iter().position(|letter| b"fn=".contains(letter)).unwrap_or(letters.len());
            &letters[..end]
        }
        _ => &[],
    }
}

/// Text before and after the first `=`.
fn cut(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == b'=') {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}

fn verb_of(words: &[OsString]) -> usize {
    let mut place = 0;
    while let Some(word) = words.get(place) {
        match word.as_bytes() {
            global if GLOBAL_WITH_VALUE.contains(&global) => place += 2,
            [b'-', ..] => place += 1,
            _ => break,
        }
    }
    place.min(words.len())
}

fn respell(verb: &str, word: &mut OsString) {
    let Some((_, names)) = ONE_DASH.iter().find(|(known, _)| *known == verb) else { return };
    let Some(option) = word.as_bytes().strip_prefix(b"-") else { return };
    let option = option.strip_prefix(b"-").unwrap_or(option);
    let (name, _) = cut(option);
    if names.iter().any(|known| known.as_bytes() == name) {
        let today = match name {
            b"notrunc" => b"no-trunc".as_slice(),
            b"nostdin" => b"no-stdin",
            name => name,
        };
        *word = OsString::from_vec([b"--", today, &option[name.len()..]].concat());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line::parse(&text.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    fn text(words: &[OsString]) -> String {
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn old_spellings_become_those_of_today() {
        for (old, new) in [
            ("run -name=a -d x", "run --name=a -d x"),
            ("run -v /a:/b -name a -link b:c -d x -name=d", "run -v /a:/b --name a --link b:c -d x -name=d"),
            ("run -rm -e -name x -rm", "run --rm -e -name x -rm"),
            ("run -it x", "run -it x"),
            ("ps -notrunc -a", "ps --no-trunc -a"),
            ("ps --notrunc", "ps --no-trunc"),
            ("build -rm=true -t x .", "build --rm=true -t x ."),
            ("inspect -format={{.Id}} x", "inspect --format={{.Id}} x"),
            ("stop -time=1 x", "stop --time=1 x"),
            ("tag -f x y", "tag x y"),
            ("-H unix:///x ps -notrunc", "-H unix:///x ps --no-trunc"),
            ("exec x sh -name", "exec x sh -name"),
            ("", ""),
        ] {
            assert_eq!(text(&line(old).words), new);
        }
    }

    #[test]
    fn what_run_is_asked_for() {
        let asked = |text: &str| line(text).asked();
        let stdin = vec!["stdin".to_owned()];
        for text in ["run -i -a stdin x", "run -i -a=stdin x", "run -ia stdin x", "run -iastdin x -d", "run --interactive --attach=STDIN x"]
        {
            assert_eq!(asked(text), Asked { attach: stdin.clone(), ..Asked::default() }, "{text}");
        }
        assert!(asked("run -id x").detach && asked("run --detach x").detach && !asked("run -d=false x -d").detach);
        assert_eq!(asked("run -e -d --cidfile /c -a stdin -a stdout x").attach, ["stdin", "stdout"]);
        assert_eq!(asked("run -e -d --cidfile /c x").cidfile, Some("/c".into()));
        assert!(!asked("run -e -d x").detach);
    }

    #[test]
    fn lists_that_programs_shape_stay_as_they_are() {
        for plain in ["ps", "ps -a", "ps -a -n 5", "images x", "ps -f name=quiet", "ps -fname=q"] {
            assert!(line(plain).is_plain_list(), "{plain}");
        }
        for shaped in ["ps -q", "ps -aq", "ps --format={{.ID}}", "images --quiet", "ps --format x"] {
            assert!(!line(shaped).is_plain_list(), "{shaped}");
        }
    }
}

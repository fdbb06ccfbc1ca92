//! Templates of nginx configurations: text with variables, expanded as bash does between double quotes.
//! Commands in a template are refused, since plugins copy templates out of repositories. Values are never expanded again.

use std::fmt;

/// A template that has been read and holds nothing but text and variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    /// `$NAME`, `${NAME}`
    Variable(String),
    /// `${NAME:-word}` and its kin
    Either(Choice),
    /// `${NAME%word}` and the like, which bash itself expands
    Bash(Operation),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Choice {
    name: String,
    /// With a colon, an empty variable counts as one that is not there.
    empty_is_missing: bool,
    /// `-`: the word stands in for a missing variable; `+`: the word stands in for one that is there.
    for_missing: bool,
    word: Vec<Piece>,
}

/// An expansion of one variable for bash: `${` + `before` + some name + `after` + `}`. Neither part holds a `$`, a
/// quote, a backslash, a bracket, or a `<` or `>` (bash starts `<(command)` even here), so that nothing but the
/// variable's text can come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The variable whose value is worked on.
    pub name: String,
    /// `#` for the length, else nothing.
    pub before: String,
    /// The operator with its words.
    pub after: String,
}

/// What a template may not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Counted from 1.
    pub line: usize,
    /// The beginning of it, as written.
    pub what: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { line, what } = self;
        write!(
            f,
            "line {line}: `{what}` is not expanded: a template may hold $NAME, ${{NAME}}, ${{NAME:-word}} and the like, no commands; write \\$ for a dollar of nginx's own"
        )
    }
}

impl Template {
    /// Reads a template. Newlines at its end do not count.
    pub fn parse(text: &[u8]) -> Result<Template, Refused> {
        let end = text.iter().rposition(|byte| *byte != b'\n').map_or(0, |last| last + 1);
        let mut reader = Reader { text: &text[..end], at: 0, quoted: true, depth: 0 };
        Ok(Template { pieces: reader.pieces(false)? })
    }

    /// The text with every variable replaced by its value, or by nothing when there is none.
    pub fn render<V: Values>(&self, values: &V) -> Result<Vec<u8>, V::Error> {
        render(&self.pieces, values)
    }
}

/// What a template is filled with.
pub trait Values {
    /// Why an operation came to nothing.
    type Error;

    /// The value of a variable that is set.
    fn value(&self, name: &str) -> Option<Vec<u8>>;

    /// Does, on this value, what only bash knows.
    fn operate(&self, operation: &Operation, value: Option<Vec<u8>>) -> Result<Vec<u8>, Self::Error>;
}

fn render<V: Values>(pieces: &[Piece], values: &V) -> Result<Vec<u8>, V::Error> {
    let mut text = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.extend_from_slice(part),
            Piece::Variable(name) => text.extend(values.value(name).unwrap_or_default()),
            Piece::Bash(operation) => text.extend(values.operate(operation, values.value(&operation.name))?),
            Piece::Either(choice) => {
                let found = values.value(&choice.name).filter(|found| !(choice.empty_is_missing && found.is_empty()));
                match (found, choice.for_missing) {
                    (Some(found), true) => text.extend(found),
                    (None, false) => {}
                    _ => text.extend(render(&choice.word, values)?),
                }
            }
        }
    }
    Ok(text)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    /// Between double quotes? The whole template is, until a quote of its own ends that.
    quoted: bool,
    /// How many `${NAME:-` are open.
    depth: usize,
}

/// Nobody nests deeper; each level takes its part of the stack.
const DEEPEST: usize = 50;

impl Reader<'_> {
    /// Pieces up to the end, or up to the brace that ends a `${NAME:-word}`.
    fn pieces(&mut self, braced: bool) -> Result<Vec<Piece>, Refused> {
        let (mut pieces, mut text) = (Vec::new(), Vec::new());
        while let Some(byte) = self.peek(0) {
            match byte {
                b'}' if braced => break,
                b'"' => {
                    self.quoted = !self.quoted;
                    self.at += 1;
                }
                b'\\' => self.backslash(&mut text),
                b'\'' if !self.quoted => self.single_quotes(&mut text),
                b'`' => return Err(self.refused(self.at)),
                b'$' if self.starts_expansion() => {
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(self.expansion()?);
                }
                byte => {
                    text.push(byte);
                    self.at += 1;
                }
            }
        }
        pieces.push(Piece::Text(text));
        pieces.retain(|piece| *piece != Piece::Text(Vec::new()));
        Ok(pieces)
    }

    /// Between quotes a backslash only counts before what is special there.
    fn backslash(&mut self, text: &mut Vec<u8>) {
        match self.peek(1) {
            Some(b'\n') => {}
            Some(next @ (b'$' | b'`' | b'"' | b'\\' | b'}')) => text.push(next),
            Some(next) if self.quoted => text.extend([b'\\', next]),
            Some(next) => text.push(next),
            None => text.push(b'\\'),
        }
        self.at += 2;
    }

    fn single_quotes(&mut self, text: &mut Vec<u8>) {
        let rest = &self.text[self.at + 1..];
        match rest.iter().position(|byte| *byte == b'\'') {
            Some(length) => {
                text.extend_from_slice(&rest[..length]);
                self.at += length + 2;
            }
            None => {
                text.push(b'\'');
                self.at += 1;
            }
        }
    }

    fn starts_expansion(&self) -> bool {
        self.peek(1).is_some_and(|next| matches!(next, b'{' | b'(' | b'_') || next.is_ascii_alphabetic())
    }

    fn expansion(&mut self) -> Result<Piece, Refused> {
        let start = self.at;
        match self.peek(1) {
            Some(b'(') => Err(self.refused(start)),
            Some(b'{') => {
                self.at += 2;
                self.braced(start)
            }
            _ => {
                self.at += 1;
                Ok(Piece::Variable(self.name()))
            }
        }
    }

    /// After `${`.
    fn braced(&mut self, start: usize) -> Result<Piece, Refused> {
        let length = self.peek(0) == Some(b'#');
        self.at += usize::from(length);
        let name = self.name();
        if name.is_empty() {
            return Err(self.refused(start));
        }
        let (colon, operator) = (self.peek(0) == Some(b':'), self.peek(usize::from(self.peek(0) == Some(b':'))));
        let piece = match operator {
            Some(b'}') if length => Piece::Bash(Operation { name, before: "#".into(), after: String::new() }),
            Some(b'}') if !colon => Piece::Variable(name),
            Some(sign @ (b'-' | b'+')) if !length => {
                self.at += 1 + usize::from(colon);
                let word = self.nested(start)?;
                Piece::Either(Choice { name, empty_is_missing: colon, for_missing: sign == b'-', word })
            }
            _ if !length => Piece::Bash(Operation { name, before: String::new(), after: self.operation(start)? }),
            _ => return Err(self.refused(start)),
        };
        if self.peek(0) != Some(b'}') {
            return Err(self.refused(start));
        }
        self.at += 1;
        Ok(piece)
    }

    fn nested(&mut self, start: usize) -> Result<Vec<Piece>, Refused> {
        self.depth += 1;
        let word = if self.depth > DEEPEST { Err(self.refused(start)) } else { self.pieces(true) };
        self.depth -= 1;
        word
    }

    /// An operator with plain words, up to the closing brace. Slices take numbers only, for bash would evaluate names.
    fn operation(&mut self, start: usize) -> Result<String, Refused> {
        let rest = &self.text[self.at..];
        let length = rest.iter().position(|byte| *byte == b'}').unwrap_or(rest.len());
        let words = &rest[..length];
        let plain = words.iter().all(|byte| !b"$`\"'\\[]<>\n".contains(byte));
        let numbers = words.iter().all(|byte| byte.is_ascii_digit() || b": -".contains(byte));
        let known = match words.first() {
            Some(b'#' | b'%' | b'/' | b'^' | b',') => plain,
            Some(b':') => numbers,
            _ => false,
        };
        if !known {
            return Err(self.refused(start));
        }
        self.at += length;
        Ok(String::from_utf8_lossy(words).into_owned())
    }

    fn name(&mut self) -> String {
        let rest = &self.text[self.at..];
        let ends = |(place, byte): (usize, &u8)| !(*byte == b'_' || byte.is_ascii_alphabetic() || (place > 0 && byte.is_ascii_digit()));
        let length = rest.iter().enumerate().position(ends).unwrap_or(rest.len());
        self.at += length;
        String::from_utf8_lossy(&rest[..length]).into_owned()
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn refused(&self, start: usize) -> Refused {
        let line = 1 + self.text[..start].iter().filter(|byte| **byte == b'\n').count();
        let rest = self.text[start..].split(|byte| *byte == b'\n').next().unwrap_or_default();
        Refused { line, what: String::from_utf8_lossy(rest).chars().take(30).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Story;

    impl Values for Story {
        type Error = std::convert::Infallible;

        fn value(&self, name: &str) -> Option<Vec<u8>> {
            match name {
                "APP" => Some(b"web".to_vec()),
                "DATA" => Some(b"$(touch /tmp/x) `y` $APP \"q\"".to_vec()),
                "EMPTY" => Some(Vec::new()),
                _ => None,
            }
        }

        fn operate(&self, operation: &Operation, _: Option<Vec<u8>>) -> Result<Vec<u8>, Self::Error> {
            Ok(format!("<{}V{}>", operation.before, operation.after).into_bytes())
        }
    }

    fn expanded(text: &str) -> String {
        let Ok(text) = Template::parse(text.as_bytes()).unwrap().render(&Story);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn expands_as_bash_does_between_double_quotes() {
        for (template, text) in [
            ("a $APP ${APP}x $APPx $NONE.", "a web webx  ."),
            (r"\$http_host \\ \n \`", r"$http_host \ \n `"),
            ("Connection \"upgrade\";", "Connection upgrade;"),
            (r#"X "a\ b" \"c d\""#, r#"X a b "c d""#),
            ("\"'a b'\" 'c' \"it's\"", "a b 'c' it's"),
            ("~ ^/(.*)$ /$1 $; 5$", "~ ^/(.*)$ /$1 $; 5$"),
            ("a\\\nb", "ab"),
            ("\n\na\n\n\n", "\n\na"),
            ("${NONE:-x $APP} ${EMPTY:-e} ${EMPTY-e} ${NONE-n} ${APP:-no}", "x web e  n web"),
            ("[${APP:+yes}${NONE:+no}${EMPTY:+no}${EMPTY+set}]", "[yesset]"),
            ("${NONE:-${EMPTY:-deep}} ${NONE:-a\\}b}", "deep a}b"),
            ("${APP%.*} ${#APP} ${APP:0:3} ${APP//a/b}", "<V%.*> <#V> <V:0:3> <V//a/b>"),
        ] {
            assert_eq!(expanded(template), text, "{template}");
        }
    }

    #[test]
    fn values_are_data() {
        assert_eq!(expanded("$DATA"), "$(touch /tmp/x) `y` $APP \"q\"");
        assert_eq!(expanded("${NONE:-$DATA}"), "$(touch /tmp/x) `y` $APP \"q\"");
    }

    #[test]
    fn words_nest_but_not_without_end() {
        let nested = |depth: usize| format!("{}deep{}", "${NONE:-".repeat(depth), "}".repeat(depth));
        assert_eq!(expanded(&nested(DEEPEST)), "deep");
        assert_eq!(Template::parse(nested(100_000).as_bytes()).unwrap_err().line, 1);
    }

    #[test]
    fn commands_and_what_could_run_one_are_refused() {
        for (template, line, what) in [
            ("$(id)", 1, "$(id)"),
            ("a\nb `id`", 2, "`id`"),
            ("$((1+2))", 1, "$((1+2))"),
            ("${NONE:-$(id)}", 1, "$(id)}"),
            ("${!APP}", 1, "${!APP}"),
            ("${APP@P}", 1, "${APP@P}"),
            ("${A[$(id)]}", 1, "${A[$(id)]}"),
            ("${APP:DATA}", 1, "${APP:DATA}"),
            ("${APP%$(id)}", 1, "${APP%$(id)}"),
            ("${APP/w/<(id)}", 1, "${APP/w/<(id)}"),
            ("${APP%>(id)}", 1, "${APP%>(id)}"),
            ("${APP:=x}", 1, "${APP:=x}"),
            ("${#APP%x}", 1, "${#APP%x}"),
            ("${APP", 1, "${APP"),
            ("${APP:-x", 1, "${APP:-x"),
        ] {
            let refused = Refused { line, what: what.into() };
            assert_eq!(Template::parse(template.as_bytes()), Err(refused), "{template}");
        }
    }
}

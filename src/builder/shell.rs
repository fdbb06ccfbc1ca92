//! Words for bash: quoting them, and making one command line out of the arguments of `/exec`.

/// Quotes any text as one word of a shell.
pub fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The command line that the arguments of `/exec` stand for.
///
/// buildstep joined all arguments with blanks and expanded the result, so that `psql $DATABASE_URL` got the
/// app's variable; that stays. What it tore apart now stays whole: an argument with blanks or with operators of
/// the shell inside is one word, as its caller meant it. Over ssh dokku splits at every blank, through quotes:
/// where only the whole has its quotes closed, the whole is the command.
pub fn command_line(args: &[String]) -> String {
    let whole = args.join(" ");
    let torn = args.iter().any(|arg| !closes_quotes(arg));
    if args.len() == 1 || (torn && closes_quotes(&whole)) {
        return whole;
    }
    let words: Vec<String> = args.iter().map(|arg| word(arg)).collect();
    words.join(" ")
}

fn word(arg: &str) -> String {
    let expands = is_operator(arg) || (!is_special(arg) && closes_quotes(arg));
    if expands && !arg.is_empty() { arg.to_owned() } else { quote(arg) }
}

/// `&&`, `|`, `;`, `>` and the like, standing alone.
fn is_operator(arg: &str) -> bool {
    arg.chars().all(|c| "&|;<>".contains(c))
}

/// Whether bash would make more of `arg` than a word with variables, patterns and quotes in it.
fn is_special(arg: &str) -> bool {
    arg.replace("${", "").contains(|c: char| c.is_whitespace() || "&|;<>()`#{".contains(c))
}

/// Whether each quote that opens in `text` also closes in it.
fn closes_quotes(text: &str) -> bool {
    let mut open = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, open) {
            ('\\', None | Some('"')) if chars.next().is_none() => return false,
            ('\'' | '"', None) => open = Some(c),
            (c, Some(quote)) if c == quote => open = None,
            _ => {}
        }
    }
    open.is_none()
}

#[cfg(test)]
mod tests {
    use super::{command_line, quote};

    #[test]
    fn quotes_survive_quoting() {
        assert_eq!(quote("it's $HOME\n"), "'it'\\''s $HOME\n'");
    }

    #[test]
    fn arguments_become_the_line_that_was_meant() {
        for (args, line) in [
            (&["ls", "-la"][..], "ls -la"),
            (&["ls -la"], "ls -la"),
            (&["cd x && ls"], "cd x && ls"),
            (&["psql", "$DATABASE_URL"], "psql $DATABASE_URL"),
            (&["ls", "*.rb"], "ls *.rb"),
            (&["echo", "${A}b"], "echo ${A}b"),
            (&["curl", "-d", "{\"a\":1}"], "curl -d '{\"a\":1}'"),
            (&["cd", "x", "&&", "ls"], "cd x && ls"),
            (&["bash", "-c", "echo a  b"], "bash -c 'echo a  b'"),
            (&["bash", "-c", "\"echo", "hi", "there\""], "bash -c \"echo hi there\""),
            (&["node", "-e", "console.log('a')"], "node -e 'console.log('\\''a'\\'')'"),
            (&["echo", "it's"], "echo 'it'\\''s'"),
            (&["echo", ""], "echo ''"),
            (&["echo", "\\"], "echo '\\'"),
            (&["echo", "\"a\""], "echo \"a\""),
        ] {
            let args: Vec<String> = args.iter().map(|arg| arg.to_string()).collect();
            assert_eq!(command_line(&args), line);
        }
    }

    proptest::proptest! {
        /// What has a command or more than one word in it is one word for bash, as long as the quotes of all are closed.
        #[test]
        fn special_arguments_are_quoted(words in proptest::collection::vec("[a-z ;|&<>()`#$*\n-]{0,6}", 2..5)) {
            let line = command_line(&words);
            let parts: Vec<String> = words.iter().map(|word| super::word(word)).collect();
            proptest::prop_assert_eq!(&line, &parts.join(" "));
            for (word, part) in words.iter().zip(&parts) {
                proptest::prop_assert!(*part == quote(word) || !super::is_special(word) || super::is_operator(word));
            }
        }
    }
}

//! What a build prints, in buildstep's format: each line begins with ESC[1G, which sends the cursor
//! back over git's "remote: ".

use std::io::{self, BufRead, Write};

/// A step: an arrow and a text.
pub fn title(text: &str) -> io::Result<()> {
    print(format!("\x1b[1G-----> {text}\n").as_bytes())
}

/// A line below a step.
pub fn normal(text: &str) -> io::Result<()> {
    print(format!("\x1b[1G       {text}\n").as_bytes())
}

/// Prints what a buildpack says, each line as soon as it is there.
pub fn stream(mut source: impl BufRead) -> io::Result<()> {
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line)? > 0 {
        print(&indented(&line))?;
        line.clear();
    }
    Ok(())
}

/// One line of a buildpack: its own indent is taken away, and ours given to all but arrows.
fn indented(line: &[u8]) -> Vec<u8> {
    let text = line.trim_ascii();
    let indent: &[u8] = if text.starts_with(b"--") { b"\x1b[1G" } else { b"\x1b[1G       " };
    [indent, text, b"\n"].concat()
}

fn print(line: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line)?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use super::indented;

    #[test]
    fn lines_are_indented_and_arrows_are_not() {
        for (line, printed) in [
            ("-----> Installing\n", "\x1b[1G-----> Installing\n"),
            ("plain\n", "\x1b[1G       plain\n"),
            ("       already indented\n", "\x1b[1G       already indented\n"),
            ("\n", "\x1b[1G       \n"),
            ("no newline", "\x1b[1G       no newline\n"),
            ("  C:\\new  *\r\n", "\x1b[1G       C:\\new  *\n"),
        ] {
            assert_eq!(indented(line.as_bytes()), printed.as_bytes(), "{line:?}");
        }
    }
}

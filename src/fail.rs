//! How things end: a code, and sometimes a line that says why.

use std::fmt;

/// The exit code with which a `commands` file says "not my command" (0.3.18: DOKKU_NOT_IMPLEMENTED_EXIT).
pub const NOT_IMPLEMENTED: i32 = 10;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Fail {
    /// Ends with this code; whatever was to be said has been said.
    Code(i32),
    /// Ends with this code after the text has been shown on stderr.
    Said(i32, String),
    /// Something that was not foreseen; ends with 1.
    Other(anyhow::Error),
}

/// What every command and hook returns.
pub type Outcome<T = ()> = Result<T, Fail>;

impl Fail {
    /// Code 1 with `text` on stderr.
    pub fn say(text: impl Into<String>) -> Fail {
        Fail::Said(1, text.into())
    }

    /// The exit code, 1 to 255.
    pub fn code(&self) -> i32 {
        match self {
            Fail::Code(code) | Fail::Said(code, _) => *code,
            Fail::Other(_) => 1,
        }
    }

    /// The line for stderr, if there is one still to be shown.
    pub fn text(&self) -> Option<String> {
        match self {
            Fail::Code(_) => None,
            Fail::Said(_, text) => Some(text.clone()),
            Fail::Other(error) => Some(format!("dokku: {error:#}")),
        }
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => f.write_str(&text),
            None => write!(f, "exit code {}", self.code()),
        }
    }
}

impl From<anyhow::Error> for Fail {
    fn from(error: anyhow::Error) -> Fail {
        Fail::Other(error)
    }
}

impl From<std::io::Error> for Fail {
    fn from(error: std::io::Error) -> Fail {
        Fail::Other(error.into())
    }
}

/// `Ok` for code 0, the code itself as a failure otherwise.
pub fn from_code(code: i32) -> Outcome {
    match code {
        0 => Ok(()),
        code => Err(Fail::Code(code)),
    }
}

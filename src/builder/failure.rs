//! How a face of the builder ends: an exit code, and a line for the user where nobody has said it yet.

use std::fmt::Display;

/// What a face returns: the exit code of its process, or why there is none.
pub type Outcome = Result<i32, Failure>;

/// An exit code with the one line that explains it.
#[derive(Debug, PartialEq)]
pub struct Failure {
    code: i32,
    message: String,
}

impl Failure {
    /// A failure of our own, exit code 1.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure::with_code(1, message)
    }

    /// A failure with the exit code of the program that caused it.
    pub fn with_code(code: i32, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into() }
    }

    /// The same failure, told as part of what `action` names.
    pub fn within(self, action: &str) -> Failure {
        Failure::with_code(self.code, format!("{action}: {}", self.message))
    }

    /// Prints the line to stderr in the form of dokku's warnings and returns the exit code.
    pub fn report(&self) -> i32 {
        eprintln!(" !     {}", self.message);
        self.code
    }
}

/// Names what was being done when an operating system call failed.
pub trait Context<T> {
    /// `action` completes "could not ...".
    fn context<A: Display>(self, action: impl FnOnce() -> A) -> Result<T, Failure>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context<A: Display>(self, action: impl FnOnce() -> A) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("could not {}: {error}", action())))
    }
}

//! bash, for the one thing that only bash does: expansions of a template that are more than a plain variable.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::cmd::Cmd;

/// Prints what `${` + `before` + variable + `after` + `}` is for a value (`None`: the variable is not set). The value
/// is in the environment, under a name of ours, so that neither it nor its own name can mean anything to bash.
/// `before` and `after` are code: the caller has made sure of them.
pub fn expand(before: &str, after: &str, value: Option<&[u8]>) -> Cmd {
    let script = format!("printf %s \"${{{before}DOKKU_VALUE{after}}}\"");
    let bash = Cmd::new("bash").args(["-c", &script]).env_remove("BASH_ENV");
    match value {
        Some(value) => bash.env("DOKKU_VALUE", OsStr::from_bytes(value)),
        None => bash.env_remove("DOKKU_VALUE"),
    }
}

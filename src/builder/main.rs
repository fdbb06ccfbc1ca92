//! The programs inside the builder image, one binary with a face for each name it is called by.

mod account;
mod build;
mod buildpack;
mod compile;
mod dotenv;
mod failure;
mod launch;
mod layout;
mod output;
mod procfile;
mod shell;
mod supervise;
mod tree;

use failure::{Failure, Outcome};
use layout::Layout;
use std::ffi::OsString;
use std::path::Path;

fn main() {
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let args: Vec<OsString> = args.collect();
    std::process::exit(match run(&name, &args) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    });
}

/// Picks the face: `builder` is what dokku runs, `compile` the unprivileged half that it starts,
/// `launch` the interpreter of the image's `/start` and `/exec`, `setuidgid` what plugins call.
fn run(name: &OsString, args: &[OsString]) -> Outcome {
    let layout = Layout::from_environment();
    match Path::new(name).file_name().and_then(|name| name.to_str()) {
        Some("builder") => build::run(&layout),
        Some("compile") => compile::run(&layout),
        Some("launch") => launch::run(&layout, args),
        Some("setuidgid") => account::setuidgid(&layout, args),
        _ => Err(Failure::new("call this program as builder, launch or setuidgid")),
    }
}

//! `attach` to a container that has ended already: what it printed is shown, and its exit code is ours, as if we had
//! come in time. Engines start containers faster than plugins of 2015 expect.

use std::io::Read;
use std::process::ChildStderr;

use super::{Client, Line};
use crate::exec;
use crate::fail::{Fail, Outcome, from_code};
use crate::house::House;
use crate::say;

/// How clients say that the container has ended, in the order of their age.
const TOO_LATE: &[&str] = &["You cannot attach to a stopped container", "cannot attach to a stopped container"];

/// Runs `docker attach`.
pub fn attach(client: &Client, line: &Line) -> Outcome {
    let streams = &client.house.io;
    let mut child = exec::stand_in(&client.house, &client.cmd(&line.words), streams.stdout.stdio()?, std::process::Stdio::piped())?;
    let held = watch(&client.house, child.stderr.take().expect("stderr is piped"))?;
    let code = exec::code_of(child.wait()?);
    let late = code == 1 && TOO_LATE.iter().any(|text| held.starts_with(text.as_bytes()));
    match line.rest().iter().rfind(|word| !word.to_string_lossy().starts_with('-')) {
        Some(id) if late => ended(client, &id.to_string_lossy()),
        _ => {
            say::raw_error(&client.house, &held);
            from_code(code)
        }
    }
}

fn ended(client: &Client, id: &str) -> Outcome {
    exec::run(&client.quiet(), &client.cmd(&["logs", id]))?;
    match client.asked(&["wait", id]).parse() {
        Ok(code) => from_code(code),
        Err(_) => Err(Fail::say(format!("docker attach: {id} is gone"))),
    }
}

/// Passes stderr on as it comes, but holds back what may yet be the message; what is held at the end is returned.
fn watch(house: &House, mut from: ChildStderr) -> Outcome<Vec<u8>> {
    let (mut held, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(held),
            count => held.extend_from_slice(&buffer[..count]),
        }
        if !may_be_late(&held) {
            say::raw_error(house, &held);
            held.clear();
            // Whatever comes now is the container's own, so it is passed on at once.
            std::io::copy(&mut from, &mut house.io.stderr.file()?)?;
        }
    }
}

fn may_be_late(held: &[u8]) -> bool {
    TOO_LATE.iter().any(|text| held.starts_with(text.as_bytes()) || text.as_bytes().starts_with(held))
}

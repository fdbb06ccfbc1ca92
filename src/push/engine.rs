//! Calls of the docker engine whose failure must be told in one clear line.

use crate::cmd::Cmd;
use crate::exec::{self, Said};
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::say;
use crate::tools::docker;

/// Runs a docker command; its stdout without the newlines at the end. What it says on stderr is shown, unless it is
/// about the engine itself, which gets a line of ours. Fails with docker's code.
pub fn output(house: &House, cmd: &Cmd) -> Outcome<String> {
    let said = exec::captured(house, cmd)?;
    judge(house, &said)?;
    house.io.stderr.write_all(&said.stderr)?;
    Ok(said.text())
}

/// Shows why a docker command failed, if it did.
pub fn judge(house: &House, said: &Said) -> Outcome {
    if said.code == 0 {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&said.stderr);
    if let Some(reason) = reason(&text) {
        return Err(Fail::Said(said.code, reason.to_owned()));
    }
    if said.stderr.is_empty() {
        return Err(Fail::Said(said.code, format!("docker failed with code {} and did not say why", said.code)));
    }
    say::raw_error(house, &said.stderr);
    Err(Fail::Code(said.code))
}

/// The same for a command that asks for something which may be missing: that it is missing is no failure. An image, a
/// container or a file in one is missing, in the words of docker clients since 1.13.
pub fn missing_or(house: &House, said: &Said) -> Outcome {
    let text = String::from_utf8_lossy(&said.stderr);
    let missing = ["no such image", "no such object", "no such container", "could not find the file", "no such file or directory"];
    // An engine whose socket is not there is told from a missing file first.
    let is_missing = reason(&text).is_none() && missing.iter().any(|words| text.to_lowercase().contains(words));
    if is_missing { Ok(()) } else { judge(house, said) }
}

/// What is wrong with the engine, when that is what docker complains of, and what to do.
fn reason(text: &str) -> Option<&'static str> {
    let says = |part: &str| text.contains(part);
    if says("permission denied") && says("docker.sock") || says("Got permission denied") {
        Some(
            "User dokku may not use the Docker engine's socket. Put it into the socket's group (`usermod -aG docker dokku`) and connect again.",
        )
    } else if says("Cannot connect to the Docker daemon") || says("error during connect") || says("failed to connect to the docker API") {
        Some(
            "The Docker engine does not answer. Start it (`systemctl start docker` or `service docker start`) and try again; nothing has been changed.",
        )
    } else if says("docker: command not found") {
        Some("There is no `docker` program. Install Docker (scripts/install does) and try again; nothing has been changed.")
    } else {
        None
    }
}

/// Fails when the engine cannot be asked anything.
pub fn answers(house: &House) -> Outcome {
    output(house, &docker::server_version()).map(drop)
}

/// Does this container run? Fails when the engine does not answer.
pub fn is_running(house: &House, id: &str) -> Outcome<bool> {
    Ok(output(house, &docker::list_running())?.lines().any(|line| line.contains(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_engine_s_troubles_from_others() {
        let down = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        assert!(reason(down).unwrap().contains("does not answer"));
        let denied = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
        assert!(reason(denied).unwrap().contains("usermod"));
        assert_eq!(reason("Error: No such container: x"), None);
        let gone = "failed to connect to the docker API at unix:///run/docker.sock: dial unix: connect: no such file or directory";
        assert!(reason(gone).unwrap().contains("does not answer"));
    }
}

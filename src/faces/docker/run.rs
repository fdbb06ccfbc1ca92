//! `run -i -a stdin` printed the container's id up to docker 20.10, and did not wait for its end.

use super::{Client, Line};
use crate::exec;
use crate::fail::{Outcome, from_code};
use crate::{files, say};

/// Runs `docker run` so that the id is printed where it was.
pub fn run(client: &Client, line: &Line) -> Outcome {
    let asked = line.asked();
    if asked.detach || asked.attach != ["stdin"] {
        return client.take_over(&line.words);
    }
    let place = tempfile::Builder::new().prefix("dokku-docker-").tempdir()?;
    let (cidfile, words) = match asked.cidfile {
        Some(cidfile) => (cidfile.into(), line.words.clone()),
        None => {
            let cidfile = place.path().join("id");
            let words = line.with_options(&["--cidfile".as_ref(), cidfile.as_os_str()]);
            (cidfile, words)
        }
    };
    let output = client.heard(&words)?;
    let code = exec::code_of(output.status);
    say::raw(&client.house, &output.stdout)?;
    match files::first_line(&cidfile).filter(|_| output.stdout.is_empty()) {
        Some(id) => {
            say::line(&client.house, &id)?;
            from_code(if code == 0 || has_started(client, &id) { 0 } else { code })
        }
        None => from_code(code),
    }
}

/// Clients that print no id wait, and end with the command's code; that was for `docker wait` to tell.
fn has_started(client: &Client, id: &str) -> bool {
    let since = client.asked(&["inspect", "--format", "{{.State.StartedAt}}", id]);
    // A container that never started carries Go's zero time.
    !since.is_empty() && !since.starts_with("0001-")
}

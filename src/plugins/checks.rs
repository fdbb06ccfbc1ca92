//! `checks`: a new container must show that it can serve, before it does.

use std::io::Read;

use super::{Hook, Plugin};
use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::files::checks::Checks;
use crate::house::House;
use crate::push::engine;
use crate::tools::docker;
use crate::{exec, io, say};
use pace::Pace;

mod attempts;
mod pace;
mod readiness;

/// The table of `checks`.
pub const PLUGIN: Plugin =
    Plugin { name: "checks", help: None, commands: &[], added: &[], hooks: &[Hook { name: "check-deploy", run: check_deploy }] };

/// Where an image has its checks.
const CHECKS: &str = "/app/CHECKS";

/// The largest CHECKS that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The container that is checked, and where it is asked.
struct Container {
    app: App,
    id: String,
    ip: String,
    port: String,
}

/// `check-deploy APP PORT IP ID`; words that are missing are those of the container on record.
fn check_deploy(house: &House, args: &Args) -> Outcome {
    let container = Container::of(house, args)?;
    let result = match checks_in(house, &container)? {
        _ if has_no_address(args) => Err(failed_to_start()),
        Some(checks) => answers(house, &container, &checks),
        None => stays_up(house, &container),
    };
    if let Err(fail) = &result {
        say::failure(house, fail);
    }
    show_log(house, &container)?;
    result.map_err(|fail| Fail::Code(fail.code()))
}

/// A container that ended before it could be asked for its address has none, and that of the one on record is no substitute.
fn has_no_address(args: &Args) -> bool {
    args.lacks(2) && !args.lacks(3)
}

fn failed_to_start() -> Fail {
    Fail::say("App container failed to start!!")
}

impl Container {
    fn of(house: &House, args: &Args) -> Outcome<Container> {
        let app = App::named(house, args.word(0))?;
        let word = |place: usize, entry: &str| match args.text(place) {
            text if text.is_empty() => app.record(entry).unwrap_or_default(),
            text => text.into_owned(),
        };
        Ok(Container { port: word(1, "PORT"), ip: word(2, "IP"), id: word(3, "CONTAINER"), app })
    }
}

/// The checks that the image brings along; an empty file counts as none.
fn checks_in(house: &House, container: &Container) -> Outcome<Option<Checks>> {
    let (file, said) = exec::read(house, &docker::pack(&container.id, CHECKS), first_file)?;
    match file {
        Ok(Some(text)) if text.len() as u64 > LARGEST => Err(Fail::say(format!("{CHECKS} is larger than {LARGEST} bytes"))),
        Ok(Some(text)) if text.is_empty() => Ok(None),
        Ok(Some(text)) => {
            let Ok(checks) = String::from_utf8_lossy(&text).parse();
            Ok(Some(checks))
        }
        // That there is none must not be taken from an engine that could not tell.
        _ => engine::missing_or(house, &said).map(|()| None),
    }
}

/// The first plain file of an archive with something in it, or as much of it as shows that it is too large. A link is none.
fn first_file(archive: &mut dyn Read) -> std::io::Result<Option<Vec<u8>>> {
    for entry in tar::Archive::new(&mut *archive).entries()? {
        let entry = entry?;
        if entry.header().entry_type().is_file() {
            let mut text = Vec::new();
            entry.take(LARGEST + 1).read_to_end(&mut text)?;
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }
    // docker must not fail for our not listening to the padding at the end.
    std::io::copy(archive, &mut std::io::sink())?;
    Ok(None)
}

/// With checks it is good if they succeed and it was the one that answered: the address of one that has ended may be
/// another's by now.
fn answers(house: &House, container: &Container, checks: &Checks) -> Outcome {
    let pace = Pace::of(house, &container.app, checks)?;
    attempts::all(house, container, &checks.pages, &pace)?;
    if container.id.is_empty() || engine::is_running(house, &container.id)? { Ok(()) } else { Err(failed_to_start()) }
}

/// Without checks a container is good if it is still there after a while.
fn stays_up(house: &House, container: &Container) -> Outcome {
    say::verbose(house, "For more efficient zero downtime deployments, create a file CHECKS.")?;
    say::verbose(house, "See http://progrium.viewdocs.io/dokku/checks-examples.md for examples")?;
    say::verbose(house, "CHECKS file not found in container: Running simple container check...")?;
    let pace = Pace::of(house, &container.app, &Checks::default())?;
    say::info1(house, format!("Waiting for {} seconds ...", pace.longest().as_secs_f64()))?;
    readiness::settle(house, container, &pace)?;
    if container.id.is_empty() || !engine::is_running(house, &container.id)? {
        return Err(failed_to_start());
    }
    say::info1(house, "Default container check successful!")
}

/// What the container has printed, on either stream, without blank lines.
fn show_log(house: &House, container: &Container) -> Outcome {
    if house.quiet() {
        return Ok(());
    }
    let (heard, mut inner) = (io::scratch(b"")?, house.clone());
    (inner.io.stdin, inner.io.stdout, inner.io.stderr) = (io::Fd::null()?, heard.clone(), heard.clone());
    exec::status(&inner, &docker::logs(&container.id))?;
    let name = &container.app.name;
    say::info2(house, format!("{name} container output:"))?;
    for line in io::contents(&heard)?.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        say::raw(house, &[b"       ", line, b"\n"].concat())?;
    }
    say::info2(house, format!("end {name} container output"))
}

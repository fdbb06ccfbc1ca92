//! `nginx:import-ssl`: a certificate and its key from a tar on standard input; tried before they replace older ones.

use std::io::Read;
use std::path::{Component, Path};

use super::certificates::{CERTIFICATE, KEY};
use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::house::House;
use crate::recovery::{WayBack, or_back};
use crate::{hooks, operation, say};

/// The largest archive, in bytes. A chain of certificates with its key takes some ten thousand.
const LARGEST: u64 = 4 << 20;

/// What tar ends with when it cannot read an archive.
const NOT_AN_ARCHIVE: i32 = 2;

/// A file of the archive, and its mode as the archive has it.
type Member = (Vec<u8>, u32);

/// The two files that count; others are listed and left.
#[derive(Default)]
struct Pair {
    certificate: Option<Member>,
    key: Option<Member>,
}

/// The command.
pub fn command(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    if house.has_tty() {
        return ends(house, "Tar archive containing server.crt and server.key expected on stdin");
    }
    let pair = unpacked(house, &received(house)?)?;
    let Some(certificate) = pair.certificate else { return ends(house, "Tar archive missing server.crt") };
    let Some(key) = pair.key else { return ends(house, "Tar archive missing server.key") };
    // Not before all of it is here: whoever sends slowly must not keep others from the app.
    operation::alone(house, &app, args.name, |house| install(house, &App::of(house, args)?, &certificate, &key))
}

fn ends<T>(house: &House, text: &str) -> Outcome<T> {
    say::line(house, text)?;
    Err(Fail::Code(1))
}

fn received(house: &House) -> Outcome<Vec<u8>> {
    let mut archive = Vec::new();
    house.io.stdin.file()?.take(LARGEST + 1).read_to_end(&mut archive)?;
    if archive.len() as u64 > LARGEST {
        return Err(Fail::say(format!("tar: an archive of more than {LARGEST} bytes is not taken: send {CERTIFICATE} and {KEY} alone")));
    }
    if archive.starts_with(b"\x1f\x8b") {
        return Err(Fail::Said(NOT_AN_ARCHIVE, "tar: the archive is compressed: send it as it is, without gzip".into()));
    }
    Ok(archive)
}

/// Lists the members as `tar xv` does, and keeps the two that count. Nothing is written.
fn unpacked(house: &House, archive: &[u8]) -> Outcome<Pair> {
    let unreadable = |reason: String| Fail::Said(NOT_AN_ARCHIVE, format!("tar: what came on standard input is no tar archive ({reason})"));
    if archive.is_empty() {
        return Err(unreadable("it is empty".into()));
    }
    let mut pair = Pair::default();
    let mut reader = tar::Archive::new(archive);
    for entry in reader.entries()? {
        let mut entry = entry.map_err(|error| unreadable(error.to_string()))?;
        let (kind, path) = (entry.header().entry_type(), entry.path()?.into_owned());
        let shown = String::from_utf8_lossy(&entry.path_bytes()).escape_debug().to_string();
        let safe = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if !safe || !(kind.is_file() || kind.is_dir()) {
            return Err(Fail::say(format!(
                "tar: {shown}: only plain files and directories inside the archive are taken; nothing has been changed"
            )));
        }
        say::line(house, &shown)?;
        let place = match plain_name(&path) {
            Some(CERTIFICATE) if kind.is_file() => &mut pair.certificate,
            Some(KEY) if kind.is_file() => &mut pair.key,
            _ => continue,
        };
        let (mode, mut content) = (entry.header().mode().unwrap_or(0o600), Vec::new());
        entry.read_to_end(&mut content).map_err(|error| unreadable(error.to_string()))?;
        *place = Some((content, mode));
    }
    Ok(pair)
}

/// The name of a member at the top of the archive.
fn plain_name(path: &Path) -> Option<&str> {
    let mut parts = path.components().filter(|part| *part != Component::CurDir);
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) => name.to_str(),
        _ => None,
    }
}

/// The pair, and what is made of it: without the one the other would keep nginx from starting.
const CHANGED: &[&str] = &["tls/server.crt", "tls/server.key", "VHOST", "nginx.conf", "URLS"];

/// Puts the pair in place and builds the configuration anew; when that fails, the pair before is back.
fn install(house: &House, app: &App, certificate: &Member, key: &Member) -> Outcome {
    let dir = app.path("tls");
    let made = Some(dir.clone()).filter(|dir| !dir.exists());
    or_back(WayBack::to_files(house, app, CHANGED, made.into_iter().collect())?, || {
        files::make_dir(&dir)?;
        for (name, (content, mode)) in [(CERTIFICATE, certificate), (KEY, key)] {
            files::replace(&dir.join(name), content, mode & 0o755)?;
        }
        hooks::call(house, &["nginx:build-config", app.name.as_str()])
    })
}

//! An app: its name, checked at the door, and every path below `$DOKKU_ROOT/APP`.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use anyhow::Context;

use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::{files, say};

/// The name of an app: one path component that does not begin with a dot, never a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppName(String);

/// Names in DOKKU_ROOT that are not an app's: where certificates for all apps are kept, and the administrator's script.
const RESERVED: [&str; 2] = ["tls", "dokkurc"];

/// The longest name a new app may have, in characters.
pub const LONGEST_NAME: usize = 63;

impl AppName {
    /// A name that may belong to an app, be there one or not. Apps of 0.3.18 may have names that are not given any more.
    pub fn parse(word: &OsStr) -> Option<AppName> {
        let name = word.to_str()?;
        let fits = !name.is_empty() && !name.starts_with(['.', '-']) && !name.contains(['/', '\0', '\n']) && name.len() <= 255;
        fits.then(|| AppName(name.to_owned()))
    }

    /// A name for a new app: what docker takes as part of an image's name, and not one of dokku's own beside the apps.
    pub fn for_new_app(word: &OsStr) -> Outcome<AppName> {
        let refused = || {
            let name = word.to_string_lossy();
            Fail::say(format!(
                "{name:?} cannot be the name of an app: use 1 to {LONGEST_NAME} of a-z and 0-9, with single `.`, `_`, `-` between them, and not {} or an address",
                RESERVED.map(|name| format!("`{name}`")).join(" or ")
            ))
        };
        let name = AppName::parse(word).ok_or_else(refused)?;
        if name.0.len() > LONGEST_NAME || name.is_reserved() || name.is_address() || !is_image_component(&name.0) {
            Err(refused())
        } else {
            Ok(name)
        }
    }

    /// Is this the name of something of dokku's own?
    pub fn is_reserved(&self) -> bool {
        RESERVED.contains(&self.0.as_str())
    }

    /// Does it name a machine by itself? It becomes the name of an upstream, by which nginx would then lead those astray who
    /// mean that machine.
    fn is_address(&self) -> bool {
        self.0 == "localhost" || self.0.parse::<std::net::Ipv4Addr>().is_ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Docker's rule for one component of an image's name (distribution/reference: path-component).
fn is_image_component(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator = |part: &str| matches!(part, "." | "_" | "__") || (!part.is_empty() && part.bytes().all(|byte| byte == b'-'));
    let ends_plain = name.starts_with(plain) && name.ends_with(plain);
    ends_plain && name.split(plain).filter(|part| !part.is_empty()).all(separator)
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for AppName {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

impl AsRef<OsStr> for AppName {
    fn as_ref(&self) -> &OsStr {
        OsStr::new(&self.0)
    }
}

/// An app that exists.
#[derive(Clone, Debug)]
pub struct App {
    /// Its name.
    pub name: AppName,
    /// `$DOKKU_ROOT/APP`: its bare repository and its files.
    pub dir: PathBuf,
}

/// What 0.3.18 says, on stdout, when a command lacks its app.
pub const APP_MISSING: &str = "Please specify an app to run the command on";

impl App {
    /// The app of this name (0.3.18's verify_app_name). Fails with its message when there is none.
    pub fn named(house: &House, word: &OsStr) -> Outcome<App> {
        let missing = || Fail::say(format!("App {} does not exist", word.to_string_lossy()));
        let name = AppName::parse(word).filter(|name| !name.is_reserved()).ok_or_else(missing)?;
        let app = App::at(house, name);
        if app.dir.is_dir() { Ok(app) } else { Err(missing()) }
    }

    /// The app that a command was given as its first word; says so on stdout when there is no word.
    pub fn of(house: &House, args: &Args) -> Outcome<App> {
        if args.lacks(0) {
            say::line(house, APP_MISSING)?;
            return Err(Fail::Code(1));
        }
        App::named(house, args.word(0))
    }

    /// Where an app of this name is or would be.
    pub fn at(house: &House, name: AppName) -> App {
        App { dir: house.root.join(&name.0), name }
    }

    /// Every app with a container on record, in the order of names (a shell's `*/CONTAINER`).
    pub fn deployed(house: &House) -> Outcome<Vec<App>> {
        let apps = App::all(house)?;
        Ok(apps.into_iter().filter(|app| app.path("CONTAINER").exists()).collect())
    }

    /// Every directory below DOKKU_ROOT that is not hidden, `tls` among them, in the order of names.
    pub fn all(house: &House) -> Outcome<Vec<App>> {
        let entries = std::fs::read_dir(&house.root).with_context(|| format!("cannot list {}", house.root.display()))?;
        let names = entries.flatten().filter(is_dir).filter_map(|entry| AppName::parse(&entry.file_name()));
        let mut apps: Vec<App> = names.map(|name| App::at(house, name)).collect();
        apps.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(apps)
    }

    /// Containers that other apps have on record: they are not this one's to end, whatever a label or a copied file says.
    pub fn containers_of_others(&self, house: &House) -> Outcome<BTreeSet<String>> {
        let others = App::all(house)?.into_iter().filter(|other| other.name != self.name);
        Ok(others.filter_map(|other| other.record("CONTAINER")).collect())
    }

    /// A file or directory of the app.
    pub fn path(&self, entry: &str) -> PathBuf {
        self.dir.join(entry)
    }

    /// `dokku/APP`: the image of the last release; during a build the one in the making.
    pub fn image(&self) -> String {
        format!("dokku/{}", self.name)
    }

    /// A one-line file of the app (CONTAINER, IP, PORT) as a word; `None` when it is missing or empty.
    pub fn record(&self, entry: &str) -> Option<String> {
        files::first_line(&self.path(entry))
    }

    /// Replaces a one-line file of the app.
    pub fn write_record(&self, entry: &str, value: &str) -> Outcome {
        files::replace(&self.path(entry), format!("{value}\n").as_bytes(), 0o644)
    }

    /// The app's name as a word for commands and hooks.
    pub fn word(&self) -> OsString {
        self.name.as_str().into()
    }
}

fn is_dir(entry: &std::fs::DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
        Ok(kind) => kind.is_dir(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_names_are_what_docker_takes() {
        for good in ["a", "web-two", "a.b", "a_b", "a__b", "a---b", "0", "node.example.com", &"x".repeat(63)] {
            assert!(AppName::for_new_app(OsStr::new(good)).is_ok(), "{good}");
        }
        for bad in [
            "",
            "A",
            "-rf",
            "a-",
            ".ssh",
            "a..b",
            "a___b",
            "a._b",
            "a;b",
            "x y",
            "a/b",
            "../x",
            "tls",
            "dokkurc",
            "localhost",
            "127.0.0.1",
            &"x".repeat(64),
        ] {
            assert!(AppName::for_new_app(OsStr::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn existing_names_may_be_odd_but_are_no_paths() {
        assert!(AppName::parse(OsStr::new("My App;x")).is_some());
        for bad in ["", ".", "..", ".ssh", "a/b", "-x", "a\nb"] {
            assert!(AppName::parse(OsStr::new(bad)).is_none(), "{bad}");
        }
    }
}

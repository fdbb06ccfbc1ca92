//! The client, where no dokku is installed: commands go over ssh to the server of this repository's remote, and to its app.

use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher};

use crate::exec;
use crate::faces::ssh::unquotes;
use crate::fail::{Fail, Outcome, from_code};
use crate::files::remotes::{self, Remote};
use crate::house::House;
use crate::say;
use crate::tools::{git, ssh};

/// The code for a client that does not know its server, as in 0.3.18.
const NO_HOST: i32 = 20;

const HELP: &str = "\
==> Configure the DOKKU_HOST environment variable or run dokku from a repository with a git remote named dokku
--> i.e. git remote add dokku dokku@<dokku-host>:<app-name>";

/// The remote that stands for the server.
const REMOTE: &str = "dokku";

/// Names that are tried before the client gives up.
const ATTEMPTS: usize = 100;

/// Runs `dokku WORDS...` on the server.
pub fn run(words: &[OsString]) -> Outcome {
    let house = House::rootless();
    let Some(server) = Server::of(&house)? else {
        say::line(&house, HELP)?;
        return Err(Fail::Code(NO_HOST));
    };
    let flags = words.iter().take_while(|word| word.as_encoded_bytes().starts_with(b"--")).count();
    let (flags, words) = words.split_at(flags);
    match words {
        [command] if command == "apps:create" => create_somehow(&house, &server),
        [command, name, ..] if command == "apps:create" => create(&house, &server, flags, words, &name.to_string_lossy()),
        _ => Err(exec::replace(&house, &server.command(&house, flags, &with_app(words, server.app.as_deref())))),
    }
}

/// A server, and the app of this repository there.
struct Server {
    host: String,
    port: Option<String>,
    app: Option<String>,
    in_repository: bool,
}

impl Server {
    /// From DOKKU_HOST and DOKKU_PORT, and from the remotes of the repository that we are in.
    fn of(house: &House) -> Outcome<Option<Server>> {
        let listed = exec::captured(house, &git::remotes())?;
        let text = |name: &str| house.var(name).map(|value| value.to_string_lossy().into_owned());
        let (remotes, in_repository) = (remotes::parse(&listed.text()), listed.code == 0);
        let Some(host) = text("DOKKU_HOST").or_else(|| named(&remotes).map(|remote| remote.host.clone())) else {
            return Ok(None);
        };
        if !in_repository {
            say::error(house, "This is not a git repository");
        }
        let here = |remote: &&Remote| remote.host.eq_ignore_ascii_case(&host);
        let at_dokku = |remote: &&Remote| remote.user.as_deref().is_some_and(|user| user.eq_ignore_ascii_case("dokku"));
        let remote = named(&remotes).filter(here).or_else(|| remotes.iter().filter(at_dokku).find(here));
        let port = text("DOKKU_PORT").or_else(|| remote.and_then(|remote| remote.port.clone()));
        Ok(Some(Server { port, app: remote.map(|remote| remote.app.clone()), in_repository, host }))
    }

    /// ssh with these words. A terminal is asked for where one looks on.
    fn command(&self, house: &House, flags: &[OsString], words: &[OsString]) -> crate::cmd::Cmd {
        let tty = house.io.stdin.is_terminal() && house.io.stdout.is_terminal();
        // Behind a flag the server does not see which command it is, and takes quotes as they are.
        let quoted = flags.is_empty() && words.first().is_some_and(|command| unquotes(command.as_encoded_bytes()));
        let words = if quoted { remotes::quoted(words) } else { words.to_vec() };
        ssh::command(tty, &self.host, self.port.as_deref(), &[flags, &words].concat())
    }

    /// The address of an app's repository.
    fn address(&self, app: &str) -> String {
        match &self.port {
            Some(port) => format!("ssh://dokku@{}:{port}/{app}", self.host),
            None => format!("dokku@{}:{app}", self.host),
        }
    }
}

/// The remote named `dokku`, else the first whose name begins so.
fn named(remotes: &[Remote]) -> Option<&Remote> {
    let begins = |remote: &&Remote| remote.name.to_ascii_lowercase().starts_with(REMOTE);
    remotes.iter().find(|remote| remote.name == REMOTE).or_else(|| remotes.iter().find(begins))
}

/// Puts the app after the command, where the command is one for an app.
fn with_app(words: &[OsString], app: Option<&str>) -> Vec<OsString> {
    let (Some(command), Some(app)) = (words.first(), app) else { return words.to_vec() };
    let is_for_all = match command.to_string_lossy().as_ref() {
        "apps" | "apps:create" | "help" | "ls" | "ps:rebuildall" | "ps:restartall" | "deploy:all" | "shell" | "trace" | "version" => true,
        "apps:destroy" => words.get(1).is_some_and(|word| !word.is_empty() && word != "force"),
        name => name.starts_with("backup") || name.starts_with("plugins"),
    };
    let app = (!is_for_all).then(|| app.into());
    words[..1].iter().cloned().chain(app).chain(words[1..].iter().cloned()).collect()
}

/// Makes an app, and a remote for it where there is none yet.
fn create(house: &House, server: &Server, flags: &[OsString], words: &[OsString], name: &str) -> Outcome {
    exec::run(house, &server.command(house, flags, words))?;
    let known = exec::captured(house, &git::remote_address(REMOTE))?.code == 0;
    if server.in_repository && !known { add_remote(house, server, name) } else { Ok(()) }
}

/// Finds a name that no app has, adds the remote and pushes, which makes the app.
fn create_somehow(house: &House, server: &Server) -> Outcome {
    let said = exec::output(house, &server.command(house, &[], &["apps".into()]))?;
    from_code(said.code)?;
    let list = said.text();
    let taken = |name: &String| list.lines().any(|line| line.trim() == name);
    let Some(name) = std::iter::repeat_with(random_name).take(ATTEMPTS).find(|name| !taken(name)) else {
        say::line(house, "Error: could not reasonably generate a new app name. try cleaning up some apps...")?;
        say::line(house, list)?;
        return Err(Fail::Code(1));
    };
    add_remote(house, server, &name)?;
    let has_master = exec::captured(house, &git::has_branch("master"))?.code == 0;
    exec::run(house, &git::push(REMOTE, if has_master { "master" } else { "HEAD:refs/heads/master" }))
}

fn add_remote(house: &House, server: &Server, name: &str) -> Outcome {
    if exec::status(house, &git::add_remote(REMOTE, &server.address(name)))? != 0 {
        say::line(house, "!      Dokku remote not added! Do you already have a dokku remote?")?;
        return Err(Fail::Code(1));
    }
    say::line(house, format!("-----> Dokku remote added at {}", server.host))?;
    say::line(house, format!("-----> Application name is {name}"))
}

const HOW: &[&str] = &[
    "amber", "brisk", "calm", "clear", "copper", "cosy", "crisp", "dapper", "eager", "fleet", "gentle", "golden", "hazel", "ivory",
    "jolly", "keen", "lively", "mellow", "nimble", "olive", "plain", "quiet", "rapid", "rustic", "silver", "spry", "sunny", "tidy",
    "velvet", "wild",
];

const WHAT: &[&str] = &[
    "acorn", "anchor", "bamboo", "beacon", "birch", "canyon", "cedar", "comet", "delta", "falcon", "fern", "glacier", "harbor", "heron",
    "island", "juniper", "lagoon", "lantern", "maple", "meadow", "orchard", "otter", "pebble", "prairie", "quarry", "raven", "sparrow",
    "summit", "thicket", "willow",
];

/// Two words and a number, as `quiet-harbor-4821`.
fn random_name() -> String {
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish() as usize;
    let (how, random) = (HOW[random % HOW.len()], random / HOW.len());
    let (what, random) = (WHAT[random % WHAT.len()], random / WHAT.len());
    format!("{how}-{what}-{}", 1000 + random % 9000)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn the_app_goes_where_a_command_wants_it() {
        let cases = [
            ("logs -t", "logs a -t"),
            ("config:set K=1", "config:set a K=1"),
            ("docker-options:add deploy -v", "docker-options:add a deploy -v"),
            ("apps", "apps"),
            ("version", "version"),
            ("backup:export", "backup:export"),
            ("plugins-install", "plugins-install"),
            ("apps:destroy", "apps:destroy a"),
            ("apps:destroy force", "apps:destroy a force"),
            ("apps:destroy b", "apps:destroy b"),
            ("", ""),
        ];
        for (line, expected) in cases {
            let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            assert_eq!(with_app(&words, Some("a")).join(OsStr::new(" ")), expected, "{line}");
            assert_eq!(with_app(&words, None), words);
        }
    }

    #[test]
    fn random_names_can_be_apps() {
        for _ in 0..50 {
            assert!(crate::app::AppName::for_new_app(OsStr::new(&random_name())).is_ok());
        }
    }
}

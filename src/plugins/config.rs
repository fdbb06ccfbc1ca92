//! `config`: the variables of an app, kept in its ENV.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;

use super::{Command, Hook, Plugin, app_backup};
use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::files::env::{self, EnvFile};
use crate::house::House;
use crate::push::{engine, image, variables};
use crate::{files, hooks, lock, say};

/// The table of `config`.
pub const PLUGIN: Plugin = Plugin {
    name: "config",
    help: Some("config"),
    commands: &[
        Command { name: "config", help: &[("config <app>", "Display the config vars for an app")], run: list },
        Command { name: "config:get", help: &[("config:get <app> KEY", "Display a config value for an app")], run: get },
        Command {
            name: "config:set",
            help: &[("config:set <app> KEY1=VALUE1 [KEY2=VALUE2 ...]", "Set one or more config vars")],
            run: changing!(set),
        },
        Command { name: "config:set-norestart", help: &[], run: changing!(set_norestart) },
        Command {
            name: "config:unset",
            help: &[("config:unset <app> KEY1 [KEY2 ...]", "Unset one or more config vars")],
            run: changing!(unset),
        },
        Command { name: "config:unset-norestart", help: &[], run: changing!(unset_norestart) },
    ],
    added: &[],
    hooks: &[
        Hook { name: "docker-args-deploy", run: docker_args },
        Hook { name: "docker-args-run", run: docker_args },
        Hook { name: "backup-export", run: |house, args| app_backup::export(house, args, BACKED_UP) },
        Hook { name: "backup-import", run: |_, args| app_backup::import(args, BACKED_UP) },
    ],
};

const BACKED_UP: &[&str] = &["ENV"];

const SET_USAGE: &[&str] = &["Usage: dokku config:set APP KEY1=VALUE1 [KEY2=VALUE2 ...]", "Must specify KEY and VALUE to set."];
const UNSET_USAGE: &[&str] = &["Usage: dokku config:unset APP KEY1 [KEY2 ...]", "Must specify KEY to unset."];
const GET_USAGE: &[&str] = &["Usage: dokku config:get APP KEY", "Must specify KEY."];

fn list(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let text = read(&app)?;
    if text.is_empty() {
        say::line(house, format!("{} has no config vars", app.name))?;
        return Err(Fail::Code(1));
    }
    let env = EnvFile::parse(&text);
    let pairs: Vec<_> = env.pairs().collect();
    if pairs.is_empty() {
        return Err(Fail::Code(1));
    }
    if args.words.iter().any(|word| word == "--shell") {
        let words: Vec<&[u8]> = env.words().collect();
        return say::raw(house, &[&words.join(&b' '), b"\n".as_slice()].concat());
    }
    say::info2_quiet(house, format!("{} config vars", app.name))?;
    say::raw(house, &table("", &pairs))
}

/// `KEY: VALUE` lines, the values in one column; further lines of a value stand below its first.
fn table(prefix: &str, pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let longest = pairs.iter().map(|(key, _)| key.len()).max().unwrap_or(0);
    let mut text = Vec::new();
    for (key, value) in pairs {
        // Not by the width of a format, which has a limit that a key may exceed.
        text.extend(format!("{prefix}{key}:{}", " ".repeat(longest + 1 - key.len())).into_bytes());
        let indent = format!("\n{}", " ".repeat(prefix.len() + longest + 2));
        text.extend(value.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(indent.as_bytes()));
        text.push(b'\n');
    }
    text
}

fn get(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    need(house, args, GET_USAGE)?;
    let text = read(&app)?;
    let (env, key) = (EnvFile::parse(&text), args.text(1));
    let values: Vec<&[u8]> = env.pairs().filter(|(known, _)| *known == key).map(|(_, value)| value).collect();
    if values.is_empty() && !text.is_empty() {
        return Err(Fail::Code(1));
    }
    values.into_iter().try_for_each(|value| say::raw(house, &[value, b"\n"].concat()))
}

fn set(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    need(house, args, SET_USAGE)?;
    changed(house, &app, "config:set-norestart", args)
}

fn unset(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    need(house, args, UNSET_USAGE)?;
    changed(house, &app, "config:unset-norestart", args)
}

/// Changes the file by the command that does not restart, then restarts.
fn changed(house: &House, app: &App, command: &str, args: &Args) -> Outcome {
    if app.record("CONTAINER").is_some() {
        // What cannot be restarted is not changed either.
        engine::answers(house)?;
    }
    let words: Vec<OsString> = [command.into(), app.word()].into_iter().chain(args.from(1).iter().cloned()).collect();
    hooks::call(house, &words)?;
    say::info1(house, format!("Restarting app {}", app.name))?;
    hooks::call(house, &["ps:restart", app.name.as_str()])
}

fn set_norestart(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    need(house, args, SET_USAGE)?;
    read(&app)?;
    let mut pairs: Vec<(&str, &[u8])> = Vec::new();
    for word in args.from(1) {
        let Some((key, value)) = assignment(word)? else { return refused(house, SET_USAGE) };
        pairs.retain(|(known, _)| *known != key);
        pairs.push((key, value));
    }
    say::info1(house, "Setting config vars")?;
    say::raw(house, &table("       ", &pairs))?;
    edit(house, &app, |env| pairs.iter().for_each(|(key, value)| env.set(key, value)))
}

/// `KEY=VALUE`; `None` without `=`. Fails when a shell would not take the key for the name of a variable.
fn assignment(word: &OsString) -> Outcome<Option<(&str, &[u8])>> {
    let word = word.as_bytes();
    let Some(equals) = word.iter().position(|byte| *byte == b'=') else { return Ok(None) };
    match std::str::from_utf8(&word[..equals]) {
        Ok(key) if env::is_key(key.as_bytes()) => Ok(Some((key, &word[equals + 1..]))),
        _ => Err(Fail::say(format!(
            "{:?} cannot be a config key: use letters, digits and _, and no digit in front. Nothing has been set.",
            String::from_utf8_lossy(&word[..equals])
        ))),
    }
}

fn unset_norestart(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    need(house, args, UNSET_USAGE)?;
    let words: Vec<_> = args.from(1).iter().map(|word| word.to_string_lossy()).collect();
    let keys: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    for key in &keys {
        say::info1(house, format!("Unsetting {key}"))?;
    }
    edit(house, &app, |env| keys.iter().for_each(|key| env.unset(key)))
}

/// Is there something behind the app? Shows the usage if not.
fn need(house: &House, args: &Args, usage: &[&str]) -> Outcome {
    let first_alone = args.words.len() <= 2;
    if first_alone && args.lacks(1) { refused(house, usage) } else { Ok(()) }
}

fn refused(house: &House, usage: &[&str]) -> Outcome {
    usage.iter().try_for_each(|text| say::line(house, text))?;
    Err(Fail::Code(1))
}

/// The bytes of the app's ENV, which is made if it is not there.
fn read(app: &App) -> Outcome<Vec<u8>> {
    let path = app.path("ENV");
    let read = || -> std::io::Result<Vec<u8>> {
        if !path.exists() {
            std::fs::File::options().create(true).append(true).open(&path)?;
        }
        std::fs::read(&path)
    };
    Ok(read().with_context(|| format!("cannot read {}", path.display()))?)
}

/// Changes the app's ENV, alone; it is written only if that changes its bytes, and then only user dokku may read it.
fn edit(house: &House, app: &App, change: impl FnOnce(&mut EnvFile)) -> Outcome {
    lock::holding(house, lock::Of::App(app), || {
        let before = read(app)?;
        let mut env = EnvFile::parse(&before);
        change(&mut env);
        let after = env.print();
        if after == before { Ok(()) } else { files::replace_private(&app.path("ENV"), &after) }
    })
}

/// For an image that is not buildstep's, which sources no ENV: a file of the variables for docker.
fn docker_args(house: &House, args: &Args) -> Outcome {
    let before = hooks::input(house)?;
    let app = App::named(house, args.word(0))?;
    if image::is_buildstep(house, &app)? {
        return say::line(house, before);
    }
    let file = variables::write(house, &app)?;
    say::line(house, format!("{before} --env-file={}", file.display()))
}

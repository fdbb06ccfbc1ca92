//! `dokku`: leading flags, user dokku, dokkurc, what ssh asked for, then a main command or dispatch.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::app::{App, AppName};
use crate::faces::{client, ssh};
use crate::fail::{Fail, Outcome};
use crate::files::passwd;
use crate::house::{House, USER};
use crate::plugins::{self, help_line};
use crate::{dokkurc, exec, hooks, io, operation, push, retirement, say, user};

/// What we run of ourselves, in the environment of the caller: a core hook's file runs `dokku core:hook PLUGIN/HOOK ARGS...`,
/// a push leaves `dokku core:cleanup` and `dokku core:retire` behind.
fn inner(house: &House, words: &[OsString]) -> Option<Outcome> {
    let rest = words.get(1..).unwrap_or_default();
    if house.var(ssh::ORIGINAL_COMMAND).is_some() {
        return None;
    }
    match words.first()?.to_str()? {
        "core:hook" => Some(core_hook(house, rest)),
        push::cleanup::INNER => Some(push::cleanup::work(house, rest)),
        retirement::INNER => Some(retirement::work(house)),
        _ => None,
    }
}

/// Runs `dokku WORDS...` in this process's environment.
pub fn run(words: &[OsString]) -> Outcome {
    let env: crate::house::Env = std::env::vars_os().collect();
    let local = env.contains_key(OsStr::new("DOKKU_ROOT")) || passwd::user(USER).is_some();
    if !local {
        return client::run(words);
    }
    let house = House::from_env(env, io::Io::of_process())?;
    if let Some(result) = inner(&house, words) {
        return result;
    }
    let house = with_flags(house.exported(), words);
    let words = without_leading_flags(words);
    let house = user::become_dokku(house, &words)?;
    session(dokkurc::sourced(house)?, &words)
}

/// The rest of a session: over ssh the words come from SSH_ORIGINAL_COMMAND.
fn session(mut house: House, words: &[OsString]) -> Outcome {
    match house.env.remove(OsStr::new(ssh::ORIGINAL_COMMAND)).filter(|line| !line.is_empty()) {
        Some(line) => ssh::session(house, words, &line),
        None => {
            set_right(&house, words);
            perform(&house, words)
        }
    }
}

/// What a killed command left, or an engine that was started anew, is set right before the next one looks at the same app.
/// That it cannot be is no reason to refuse a command that only looks; one that changes the app fails by itself. Not by
/// root: user dokku could not read what is written then.
pub fn set_right(house: &House, words: &[OsString]) {
    if user::changes_plugins(house, words) {
        return;
    }
    let names = [words.get(1).map(OsString::as_os_str), Some(plugins::backup::IMPORT.as_ref())];
    for name in names.into_iter().flatten().filter_map(AppName::parse) {
        if let Err(fail) = operation::settle(house, &App::at(house, name)) {
            say::failure(house, &fail);
        }
    }
    retirement::resume(house).unwrap_or_else(|fail| say::failure(house, &fail));
    plugins::ps::restore::ahead_of(house, words);
}

/// Runs a command as `dokku WORDS...` does: flags, then a main command, else whatever plugin answers.
pub fn perform(house: &House, words: &[OsString]) -> Outcome {
    let words = without_leading_flags(words);
    let house = &with_flags(house.clone(), &words);
    let rest = words.get(1..).unwrap_or_default();
    match words.first().and_then(|word| word.to_str()).unwrap_or_default() {
        "receive" => push::receive::command(house, rest),
        "deploy" => push::deploy::command(house, rest),
        "cleanup" => push::cleanup::command(house),
        "plugins" => list_plugins(house),
        "plugins-install" => hooks::fire(house, "install", &[]),
        "plugins-install-dependencies" => hooks::fire(house, "dependencies", &[]),
        "plugins-update" => hooks::fire(house, "update", &[]),
        "deploy:all" => {
            say::line(house, "*DEPRECATED* in v0.3.14: deploy:all will be removed in future versions")?;
            hooks::call(house, &["ps:restartall"])
        }
        "help" => help(house),
        plugins::shell::REMOTE => ssh::asked(house, rest),
        "" if words.first().is_none_or(|word| word.is_empty()) => help(house),
        name => match plugins::of_root(house, name) {
            Some(run) => run(house, &crate::args::Args { name, words: rest }),
            None => hooks::dispatch(house, &words),
        },
    }
}

/// Leading words that begin with `--` are taken away, whatever they are.
fn without_leading_flags(words: &[OsString]) -> Vec<OsString> {
    words.iter().skip_while(|word| word.as_bytes().starts_with(b"--")).cloned().collect()
}

/// The flags that count wherever they stand.
fn with_flags(mut house: House, words: &[OsString]) -> House {
    for word in words {
        let name = match word.to_str() {
            Some("--quiet") => "DOKKU_QUIET_OUTPUT",
            Some("--trace") => "DOKKU_TRACE",
            Some("--rm" | "--rm-container") => "DOKKU_RM_CONTAINER",
            Some("--force") => "DOKKU_APPS_FORCE_DELETE",
            _ => continue,
        };
        house.env.insert(name.into(), "1".into());
    }
    house
}

fn core_hook(house: &House, words: &[OsString]) -> Outcome {
    let place = words.first().and_then(|word| word.to_str()).unwrap_or_default();
    let (plugin, hook) = place.split_once('/').unwrap_or((place, ""));
    match plugins::find(OsStr::new(plugin), hook) {
        Some(run) => run(house, &crate::args::Args { name: hook, words: &words[1..] }),
        None => Err(Fail::say(format!("{place} is not a core hook of this dokku"))),
    }
}

fn list_plugins(house: &House) -> Outcome {
    let entries = std::fs::read_dir(&house.plugin_path).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
    let visible = entries.iter().filter(|entry| entry.path().is_dir() && !entry.file_name().as_bytes().starts_with(b"."));
    let mut paths: Vec<OsString> = visible.map(|entry| entry.path().into_os_string()).collect();
    paths.sort();
    for path in paths {
        say::raw(house, &[path.as_bytes(), b"/\n"].concat())?;
    }
    Ok(())
}

const USAGE: &str = "Usage: dokku [--quiet|--trace|--rm-container|--rm|--force] COMMAND <app> [command-specific-options]\n\nOptions:\n";

const MAIN_COMMANDS: &[(&str, &str)] = &[
    ("help", "Print the list of commands"),
    ("plugins", "Print active plugins"),
    ("plugins-install", "Install active plugins"),
    ("plugins-update", "Update active plugins"),
];

/// The usage, then what the chain of `commands help` makes of our own lines, sorted.
fn help(house: &House) -> Outcome {
    let mine: String = MAIN_COMMANDS.iter().map(|(usage, text)| help_line(usage, text)).collect();
    let heard = io::scratch(b"")?;
    let mut inner = house.clone();
    inner.io.stdin = io::scratch(mine.as_bytes())?;
    inner.io.stdout = heard.clone();
    let ended = hooks::fire(&inner, "commands", &exec::words(["help"]));
    let heard = io::contents(&heard)?;
    let mut lines: Vec<&[u8]> = heard.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line)).collect();
    lines.sort();
    let mut text = USAGE.as_bytes().to_vec();
    for line in lines {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    say::raw(house, &text)?;
    ended
}

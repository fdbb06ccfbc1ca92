//! `domains`: the domains of an app, kept in its VHOST.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Command, Hook, Plugin, app_backup};
use crate::app::App;
use crate::args::Args;
use crate::cmd::Cmd;
use crate::fail::{Fail, Outcome};
use crate::files::{server_name, vhost};
use crate::house::House;
use crate::recovery::or_as_before;
use crate::{exec, files, hooks, lock, say};

/// The table of `domains`.
pub const PLUGIN: Plugin = Plugin {
    name: "domains",
    help: Some("domains"),
    commands: &[
        Command { name: "domains", help: &[("domains <app>", "List custom domains for app")], run: list },
        Command { name: "domains:setup", help: &[], run: setup },
        Command { name: "domains:add", help: &[("domains:add <app> DOMAIN", "Add a custom domain to app")], run: changing!(add) },
        Command { name: "domains:clear", help: &[("domains:clear <app>", "Clear all custom domains for app")], run: changing!(clear) },
        Command {
            name: "domains:remove",
            help: &[("domains:remove <app> DOMAIN", "Remove a custom domain from app")],
            run: changing!(remove),
        },
    ],
    added: &[],
    hooks: &[
        Hook { name: "install", run: install },
        Hook { name: "backup-export", run: |house, args| app_backup::export(house, args, BACKED_UP) },
        Hook { name: "backup-import", run: |_, args| app_backup::import(args, BACKED_UP) },
    ],
};

const BACKED_UP: &[&str] = &["VHOST", "nginx.conf.template"];

fn file(app: &App) -> PathBuf {
    app.path("VHOST")
}

fn read(app: &App) -> Outcome<String> {
    Ok(String::from_utf8_lossy(&files::content(&file(app))?.unwrap_or_default()).into_owned())
}

fn write(app: &App, text: &str) -> Outcome {
    files::replace(&file(app), text.as_bytes(), 0o644)
}

fn list(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    hooks::call(house, &["domains:setup", app.name.as_str()])?;
    say::info2_quiet(house, format!("{} Domain Names", app.name))?;
    if !file(&app).exists() {
        return Err(Fail::say(format!("cat: {}: No such file or directory", file(&app).display())));
    }
    say::raw(house, read(&app)?.as_bytes())
}

/// Gives an app without domains its first one, unless another app has that, or switches its vhost off where the host has no name but an address.
fn setup(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    if file(&app).exists() { Ok(()) } else { super::alone(house, args, give_first) }
}

fn give_first(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    if file(&app).exists() {
        return Ok(());
    }
    let global = files::text(&house.root.join("VHOST"));
    let Some(name) = global.clone().or_else(|| files::text(&house.root.join("HOSTNAME"))) else {
        return Err(Fail::say(format!("There is neither VHOST nor HOSTNAME in {}: write this host's name into one", house.root.display())));
    };
    if vhost::ends_in_ip_address(&name) {
        say::info2(house, "unsupported vhost config found. disabling vhost support")?;
        return hooks::call(house, &["config:set-norestart", app.name.as_str(), "NO_VHOST=1"]);
    }
    let Some(global) = global else { return Ok(()) };
    say::info1(house, format!("Creating new {}...", file(&app).display()))?;
    let domain = first_domain(house, &app, &global)?;
    lock::holding(house, lock::Of::Domains, || match other_owner(house, &app, &domain)? {
        None => write(&app, &format!("{domain}\n")),
        Some(owner) => {
            say::warn(house, format!("{domain} belongs to app {}: give {} a domain with `dokku domains:add`", owner.name, app.name))?;
            write(&app, "")
        }
    })
}

/// What a plugin's `nginx-hostname` says, else the default.
fn first_domain(house: &House, app: &App, global: &str) -> Outcome<String> {
    let name = app.name.as_str();
    let words = [name, vhost::subdomain(name, global)].into_iter().chain(global.split_whitespace());
    let said = hooks::ask(house, "nginx-hostname", &words.map(OsString::from).collect::<Vec<_>>())?;
    Ok(if said.is_empty() { vhost::default_domain(name, global) } else { said })
}

fn add(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let domains = domains(house, &app, args)?;
    let more: Vec<&str> = domains.iter().map(String::as_str).collect();
    if vhost::domains(&read(&app)?).any(|known| known == more[0]) {
        say::line(house, format!("{} is already defined for {}", more[0], app.name))?;
        return Err(Fail::Code(1));
    }
    more.iter().try_for_each(|domain| verify_name(domain))?;
    or_as_before(house, &app, WRITTEN, || {
        hooks::call(house, &["domains:setup", app.name.as_str()])?;
        lock::holding(house, lock::Of::Domains, || {
            more.iter().try_for_each(|domain| verify_free(house, &app, domain))?;
            write(&app, &vhost::with(&read(&app)?, &more))
        })?;
        hooks::call(house, &["nginx:build-config", app.name.as_str()])?;
        hooks::fire(house, "post-domains-update", &[app.word()])
    })?;
    more.iter().try_for_each(|domain| say::info1(house, format!("Added {domain} to {}", app.name)))
}

fn remove(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let domains = domains(house, &app, args)?;
    let gone: Vec<&str> = domains.iter().map(String::as_str).collect();
    or_as_before(house, &app, WRITTEN, || {
        hooks::call(house, &["domains:setup", app.name.as_str()])?;
        if !file(&app).exists() {
            return Err(Fail::say(format!("{} has no domains", app.name)));
        }
        lock::holding(house, lock::Of::Domains, || write(&app, &vhost::without(&read(&app)?, &gone)))?;
        hooks::fire(house, "post-domains-update", &[app.word()])
    })?;
    gone.iter().try_for_each(|domain| say::info1(house, format!("Removed {domain} from {}", app.name)))
}

fn clear(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    or_as_before(house, &app, WRITTEN, || {
        files::remove(&file(&app))?;
        hooks::call(house, &["domains:setup", app.name.as_str()])?;
        hooks::fire(house, "post-domains-update", &[app.word()])
    })?;
    say::info1(house, format!("Cleared domains in {}", app.name))
}

/// The words behind the app. Shows the usage if there are none.
fn domains(house: &House, app: &App, args: &Args) -> Outcome<Vec<String>> {
    let words = args.from(1);
    if words.is_empty() || words == [""] {
        say::line(house, format!("Usage: dokku {} {} DOMAIN [DOMAIN ...]", args.name, app.name))?;
        say::line(house, "Must specify DOMAIN.")?;
        return Err(Fail::Code(1));
    }
    Ok(words.iter().map(|word| word.to_string_lossy().into_owned()).collect())
}

/// What a change of the domains writes.
const WRITTEN: &[&str] = &["VHOST", "URLS", "nginx.conf"];

/// Refuses what nginx would not take as a server name: it would not start any more.
fn verify_name(domain: &str) -> Outcome {
    if server_name::is_plain(domain) || server_name::is_pattern(domain) {
        return Ok(());
    }
    Err(Fail::say(format!(
        "{domain:?} cannot be a domain: use letters, digits, `-` and `.`, perhaps with `*.` in front. Nothing has been added."
    )))
}

/// Refuses another app's domain.
fn verify_free(house: &House, app: &App, domain: &str) -> Outcome {
    match other_owner(house, app, domain)? {
        Some(owner) => Err(Fail::say(format!("{domain} belongs to app {}. Nothing has been added.", owner.name))),
        None => Ok(()),
    }
}

/// The other app that has this domain: in its VHOST, or as the one that it will be given as its first.
pub fn other_owner(house: &House, app: &App, domain: &str) -> Outcome<Option<App>> {
    let global = files::text(&house.root.join("VHOST"));
    let has = |other: &App| match (file(other).exists(), &global) {
        (true, _) => files::text(&file(other)).is_some_and(|text| vhost::domains(&text).any(|known| server_name::overlap(known, domain))),
        (false, Some(global)) => server_name::overlap(&vhost::default_domain(other.name.as_str(), global), domain),
        (false, None) => false,
    };
    Ok(App::all(house)?.into_iter().find(|other| other.name != app.name && has(other)))
}

/// Gives every deployed app its domain. Installing is done as root, so a process for each becomes user dokku.
fn install(house: &House, _: &Args) -> Outcome {
    let apps = App::deployed(house)?;
    apps.iter().try_for_each(|app| exec::run(house, &Cmd::new("dokku").arg("domains:setup").arg(&app.name)))
}

//! `apps`: the apps of this server.

use super::{Command, Hook, Plugin};
use crate::app::{APP_MISSING, App, AppName};
use crate::args::Args;
use crate::cmd::Limit;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::house::House;
use crate::tools::docker;
use crate::{exec, hooks, operation, push, say};

/// The table of `apps`.
pub const PLUGIN: Plugin = Plugin {
    name: "apps",
    help: Some("apps"),
    commands: &[
        Command { name: "apps", help: &[("apps", "List your apps")], run: list },
        Command { name: "apps:create", help: &[("apps:create <app>", "Create a new app")], run: create },
        Command { name: "apps:destroy", help: &[("apps:destroy <app>", "Permanently destroy an app")], run: destroy },
    ],
    added: &[],
    hooks: &[Hook { name: "pre-delete", run: empty_cache }, Hook { name: "post-delete", run: remove_directory }],
};

/// Where certificates that serve all apps are; no app.
const TLS: &str = "tls";

fn list(house: &House, _: &Args) -> Outcome {
    say::info2_quiet(house, "My Apps")?;
    let apps = App::all(house)?;
    let lines = apps.iter().filter(|app| app.name.as_str() != TLS).map(|app| format!("{}\n", app.name));
    say::raw(house, lines.collect::<String>().as_bytes())
}

fn create(house: &House, args: &Args) -> Outcome {
    if args.lacks(0) {
        say::line(house, APP_MISSING)?;
        return Err(Fail::Code(1));
    }
    if AppName::parse(args.word(0)).is_some_and(|name| name.as_str() != TLS && App::at(house, name).dir.is_dir()) {
        say::warn(house, "Name is already taken")?;
        return Err(Fail::Code(1));
    }
    let app = App::at(house, AppName::for_new_app(args.word(0))?);
    files::make_dir(&app.dir)?;
    say::line(house, format!("Creating {}... done", app.name))
}

fn destroy(house: &House, args: &Args) -> Outcome {
    if args.word(0) == TLS && house.root.join(TLS).is_dir() {
        say::line(house, "Unable to destroy tls directory")?;
        return Err(Fail::Code(1));
    }
    let app = App::of(house, args)?;
    // Before it is our turn: whoever leaves the question open must not keep others from the app.
    if !house.force() && args.word(1) != "force" {
        confirm(house, &app)?;
    }
    super::alone(house, args, destroy_confirmed)
}

fn destroy_confirmed(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    say::line(house, format!("Destroying {} (including all add-ons)", app.name))?;
    if app.record("CONTAINER").is_some() {
        push::engine::answers(house)?;
    }
    hooks::fire(house, "pre-delete", &[app.word()])?;
    push::destroy::app(house, &app)
}

fn confirm(house: &House, app: &App) -> Outcome {
    say::warn(house, "WARNING: Potentially Destructive Action")?;
    say::warn(house, format!("This command will destroy {} (including all add-ons).", app.name))?;
    say::warn(house, format!("To proceed, type \"{}\"", app.name))?;
    say::line(house, "")?;
    if house.io.stdin.is_terminal() {
        say::prompt(house, "> ");
    }
    let Some(answer) = house.io.stdin.read_line()? else {
        return Err(Fail::Code(1));
    };
    if String::from_utf8_lossy(&answer).trim() != app.name.as_str() {
        say::warn(house, format!("Confirmation did not match {}. Aborted.", app.name))?;
        return Err(Fail::Code(1));
    }
    Ok(())
}

/// pre-delete: what the builder put into the cache belongs to users of its containers, so a container empties it.
fn empty_cache(house: &House, args: &Args) -> Outcome {
    let Some(app) = AppName::parse(args.word(0)).map(|name| App::at(house, name)) else { return Ok(()) };
    let cache = app.path("cache");
    if !cache.is_dir() {
        return Ok(());
    }
    // Not in an image of the app's own making, which may start anything in place of `find`, nor where there is none yet: an
    // app that was the builder's once, or of which no push has succeeded.
    let image = if push::image::is_buildstep(house, &app)? { app.image() } else { house.image.clone() };
    let mount = format!("{}:/cache", cache.display());
    let command = ["find", "/cache", "-depth", "-mindepth", "1", "-maxdepth", "1", "-exec", "rm", "-Rf", "{}", ";"];
    let cmd =
        docker::run_command(app.name.as_str(), &exec::words(["--rm", "-v", &mount]), &image, &exec::words(command)).limit(Limit::Long);
    exec::status(house, &cmd).map(drop)
}

/// post-delete: the app's directory.
fn remove_directory(house: &House, args: &Args) -> Outcome {
    if args.lacks(0) {
        return Err(Fail::Code(1));
    }
    match AppName::parse(args.word(0)).map(|name| App::at(house, name)) {
        Some(app) if app.dir.is_dir() => files::remove_dir(&app.dir),
        // Killed and finished later, it may have gone before.
        Some(app) if operation::is_under_way(house, &app) => Ok(()),
        _ => Err(Fail::say(format!("There is no app {} to remove", args.text(0)))),
    }
}

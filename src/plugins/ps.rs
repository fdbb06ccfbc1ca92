//! `ps`: the running containers of the apps.

use super::{Command, Plugin};
use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome, from_code};
use crate::house::House;
use crate::push::{self, engine};
use crate::tools::docker;
use crate::{exec, hooks, say, standing};

pub mod restore;

/// The table of `ps`.
pub const PLUGIN: Plugin = Plugin {
    name: "ps",
    help: Some("ps"),
    commands: &[
        Command { name: "ps", help: &[("ps <app>", "List processes running in app container(s)")], run: list },
        Command { name: "ps:start", help: &[("ps:start <app>", "Start app container(s)")], run: changing!(start) },
        Command { name: "ps:stop", help: &[("ps:stop <app>", "Stop app container(s)")], run: changing!(stop) },
        Command { name: "ps:rebuild", help: &[("ps:rebuild <app>", "Rebuild an app")], run: rebuild },
        Command { name: "ps:rebuildall", help: &[("ps:rebuildall", "Rebuild all apps")], run: rebuild_all },
        Command { name: "ps:restart", help: &[("ps:restart <app>", "Restart app container(s)")], run: changing!(restart) },
        Command { name: "ps:restartall", help: &[("ps:restartall", "Restart all deployed app containers")], run: restart_all },
    ],
    added: &[Command {
        name: "ps:restore",
        help: &[("ps:restore [<app>]", "Start what ought to run and tell nginx where it listens now")],
        run: restore::command,
    }],
    hooks: &[],
};

/// The app's container on record; `None` after saying that there is none.
fn container(house: &House, app: &App) -> Outcome<Option<String>> {
    let id = app.record("CONTAINER");
    if id.is_none() {
        say::line(house, format!("App {} has not been deployed", app.name))?;
    }
    Ok(id)
}

fn list(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let Some(id) = container(house, &app)? else { return Ok(()) };
    exec::run(house, &docker::exec(&id, house.has_tty(), &["/bin/bash", "-c", "ps auxwww"]))
}

fn start(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let Some(id) = container(house, &app)? else { return Ok(()) };
    if engine::is_running(house, &id)? {
        return say::line(house, format!("App {} already running", app.name));
    }
    push::restart(house, &app)
}

fn stop(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let Some(id) = container(house, &app)? else { return Ok(()) };
    let runs = engine::is_running(house, &id)?;
    // From here on neither we nor the engine start it again.
    standing::stop(house, &app, Some(&id))?;
    exec::silent(house, &docker::restart_policy("no", &[&id]))?;
    if !runs {
        return say::line(house, format!("App {} already stopped", app.name));
    }
    say::line(house, format!("Stopping {} ...", app.name))?;
    // Nobody is sent to an address that the container is about to lose.
    restore::withdraw(house, &app);
    from_code(exec::status_hushed(house, &docker::stop(&id))?).inspect_err(|_| {
        let undone = standing::stop(house, &app, None).and_then(|()| restore::readdress(house, &app));
        undone.unwrap_or_else(|fail| say::failure(house, &fail));
    })
}

fn rebuild(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    hooks::fire(house, "receive-app", &[app.word()])
}

fn rebuild_all(house: &House, _: &Args) -> Outcome {
    each(house, "ps:rebuild")
}

fn restart(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    match container(house, &app)? {
        Some(_) => push::restart(house, &app),
        None => Ok(()),
    }
}

fn restart_all(house: &House, _: &Args) -> Outcome {
    each(house, "ps:restart")
}

/// Runs a command for every deployed app. One that fails does not keep the others from their turn; it is named at the end.
fn each(house: &House, command: &str) -> Outcome {
    let mut failed: Vec<String> = Vec::new();
    let mut code = 0;
    for app in App::deployed(house)? {
        if let Err(fail) = hooks::call(house, &[command, app.name.as_str()]) {
            say::failure(house, &fail);
            code = fail.code();
            failed.push(app.name.as_str().to_owned());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Fail::Said(code, format!("{command} failed for: {}", failed.join(", ")))) }
}

//! `ps`: the running containers of the apps.

use std::time::Duration;

use super::{Command, Plugin};
use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome, from_code};
use crate::house::House;
use crate::progress::waiting;
use crate::push::{self, engine};
use crate::tools::docker;
use crate::{exec, hooks, operation, say, standing};

pub mod restore;
mod together;

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

/// The hooks of a restart. Whoever implements one may count on being called for one app at a time.
const ON_THE_WAY: &[&str] = &[
    "pre-release",
    "pre-release-buildstep",
    "pre-release-dockerfile",
    "post-release",
    "post-release-buildstep",
    "post-release-dockerfile",
    "pre-deploy",
    "docker-args",
    "docker-args-deploy",
    "bind-external-ip",
    "check-deploy",
    "post-deploy",
    "nginx-hostname",
    "nginx-pre-reload",
];

/// How long the engine leaves a container to end before it kills it.
const STOPPED: Duration = Duration::from_secs(10);

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
    let stopped = waiting(house, &format!("{} to end by itself", app.name), STOPPED, || exec::status_hushed(house, &docker::stop(&id)));
    stopped.and_then(from_code).inspect_err(|_| {
        let undone = standing::stop(house, &app, None).and_then(|()| restore::readdress(house, &app));
        undone.unwrap_or_else(|fail| say::failure(house, &fail));
    })
}

fn rebuild(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    hooks::fire(house, "receive-app", &[app.word()])
}

fn rebuild_all(house: &House, _: &Args) -> Outcome {
    operation::settle_all(house);
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
    const COMMAND: &str = "ps:restart";
    operation::settle_all(house);
    if !hooks::only_core_commands(house) || ON_THE_WAY.iter().any(|hook| hooks::observed(house, hook)) {
        return each(house, COMMAND);
    }
    let apps = App::deployed(house)?;
    judge(COMMAND, &apps, &together::run(house, COMMAND, &apps)?)
}

/// Runs a command for every deployed app, one after the other, as hooks of others may expect it. One that fails does not
/// keep the others from their turn; it is named at the end.
fn each(house: &House, command: &str) -> Outcome {
    let apps = App::deployed(house)?;
    let code = |app: &App| match hooks::call(house, &[command, app.name.as_str()]) {
        Ok(()) => 0,
        Err(fail) => {
            say::failure(house, &fail);
            fail.code()
        }
    };
    let codes: Vec<i32> = apps.iter().map(code).collect();
    judge(command, &apps, &codes)
}

fn judge(command: &str, apps: &[App], codes: &[i32]) -> Outcome {
    let failed: Vec<_> = apps.iter().zip(codes).filter(|(_, code)| **code != 0).collect();
    let names: Vec<&str> = failed.iter().map(|(app, _)| app.name.as_str()).collect();
    match failed.last() {
        Some((_, code)) => Err(Fail::Said(**code, format!("{command} failed for: {}", names.join(", ")))),
        None => Ok(()),
    }
}

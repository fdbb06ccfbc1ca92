//! `00_dokku-standard`: build, release, logs, run, urls, version and what installs dokku.

use super::{Command, Hook, Plugin};
use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome, from_code};
use crate::house::House;
use crate::push::{build, image, options, release, variables};
use crate::tools::docker;
use crate::{exec, files, hooks, say};

mod backup;
mod boot_job;
mod install;
mod manager;
mod urls;

/// The table of `00_dokku-standard`.
pub const PLUGIN: Plugin = Plugin {
    name: "00_dokku-standard",
    help: None,
    commands: &[
        Command { name: "build", help: &[], run: changing!(|house, args| build::command(house, args.words)) },
        Command { name: "release", help: &[], run: changing!(|house, args| release::command(house, args.words)) },
        Command { name: "trace", help: &[], run: trace },
        Command { name: "delete", help: &[], run: delete },
        Command { name: "ls", help: &[("ls", "Pretty listing of deployed applications and containers")], run: ls },
        Command { name: "logs", help: &[("logs <app> [-t]", "Show the last logs for an application (-t follows)")], run: logs },
        Command { name: "run", help: &[("run <app> <cmd>", "Run a command in the environment of an application")], run },
        Command { name: "url", help: &[("url <app>", "Show the first URL for an application (compatibility)")], run: urls::first },
        Command { name: "urls", help: &[("urls <app>", "Show all URLs for an application")], run: urls::all },
        Command { name: "version", help: &[("version", "Print dokku's version")], run: version },
    ],
    added: manager::COMMANDS,
    hooks: &[
        Hook { name: "install", run: install::run },
        Hook { name: "backup-check", run: backup::check },
        Hook { name: "backup-export", run: backup::export },
        Hook { name: "backup-import", run: backup::import },
    ],
};

fn trace(house: &House, args: &Args) -> Outcome {
    let dir = house.root.join(".dokkurc");
    files::make_dir(&dir)?;
    let file = dir.join("DOKKU_TRACE");
    match args.text(0).as_ref() {
        "on" => {
            say::line(house, "Enabling dokku trace")?;
            files::replace(&file, b"export DOKKU_TRACE=1\n", 0o644)
        }
        "off" => {
            say::line(house, "Disabling dokku trace")?;
            files::remove(&file)
        }
        _ => {
            say::line(house, "Valid trace options are [on/off]")?;
            Err(Fail::Code(1))
        }
    }
}

fn delete(house: &House, args: &Args) -> Outcome {
    hooks::call(house, &["apps:destroy".as_ref(), args.word(0)])
}

fn ls(house: &House, _: &Args) -> Outcome {
    let apps = App::all(house)?;
    if apps.is_empty() {
        say::line(house, "You haven't depoyed any applications yet")?;
        return Err(Fail::Code(1));
    }
    let head = (!house.quiet()).then(|| say::columns("=====> App Name", "Container id"));
    let row = |app: &App| say::columns(app.name.as_str(), &files::text(&app.path("CONTAINER")).unwrap_or_default());
    say::raw(house, head.into_iter().chain(apps.iter().map(row)).collect::<String>().as_bytes())
}

fn logs(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let Some(id) = files::text(&app.path("CONTAINER")) else {
        return say::line(house, "Application's container not found");
    };
    if args.word(1) == "-t" {
        return exec::run(house, &docker::follow_logs(&id));
    }
    let tail = crate::cmd::Cmd::new("tail").args(["-n", "100"]);
    from_code(exec::pipe(house, &docker::logs(&id), &tail)?)
}

fn run(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    let hooked = options::of_phase(house, &app, "run")?;
    let mut options = Vec::new();
    if house.rm_container() {
        options.push("--rm".into());
    }
    if house.has_tty() {
        options.extend(exec::words(["-i", "-t"]));
    }
    let buildstep = image::is_buildstep(house, &app)?;
    if !buildstep {
        options.extend(variables::options(house, &app)?);
    }
    options.extend(hooked);
    let command = exec::words(buildstep.then_some("/exec")).into_iter().chain(args.from(1).iter().cloned());
    exec::run(house, &docker::run_command(app.name.as_str(), &options, &app.image(), &command.collect::<Vec<_>>()))
}

fn version(house: &House, _: &Args) -> Outcome {
    match std::fs::read(house.root.join("VERSION")) {
        Ok(text) => say::raw(house, &text),
        Err(_) => {
            say::line(house, "Unable to determine dokku's version")?;
            Err(Fail::Code(1))
        }
    }
}

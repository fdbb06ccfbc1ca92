//! `docker-options`: options for docker, by phase.

use std::path::PathBuf;

use super::{Command, Hook, Plugin};
use crate::app::{APP_MISSING, App, AppName};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::files::docker_options as file;
use crate::house::House;
use crate::{files, hooks, lock, say};

/// The table of `docker-options`.
pub const PLUGIN: Plugin = Plugin {
    name: "docker-options",
    help: None,
    commands: &[
        Command {
            name: "docker-options",
            help: &[
                ("docker-options <app>", "Display apps docker options for all phases"),
                ("docker-options <app> <phase(s)>", "Display apps docker options for phase (comma seperated phase list)"),
            ],
            run: show,
        },
        Command {
            name: "docker-options:add",
            help: &[("docker-options:add <app> <phase(s)> OPTION", "Add docker option to app for phase (comma seperated phase list)")],
            run: |house, args| change(house, args, file::with, true),
        },
        Command {
            name: "docker-options:remove",
            help: &[(
                "docker-options:remove <app> <phase(s)> OPTION",
                "Remove docker option from app for phase (comma seperated phase list)",
            )],
            run: |house, args| change(house, args, file::without, false),
        },
    ],
    added: &[],
    hooks: &[
        Hook { name: "docker-args-build", run: |house, args| docker_args(house, args, Phase::Build) },
        Hook { name: "docker-args-deploy", run: |house, args| docker_args(house, args, Phase::Deploy) },
        Hook { name: "docker-args-run", run: |house, args| docker_args(house, args, Phase::Run) },
    ],
};

/// When docker is given an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Build,
    Deploy,
    Run,
}

impl Phase {
    const ALL: [Phase; 3] = [Phase::Build, Phase::Deploy, Phase::Run];

    fn name(self) -> &'static str {
        match self {
            Phase::Build => "build",
            Phase::Deploy => "deploy",
            Phase::Run => "run",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Phase::Build => "Build options:",
            Phase::Deploy => "Deploy options:",
            Phase::Run => "Run options:",
        }
    }

    fn file(self, app: &App) -> PathBuf {
        app.path(&format!("DOCKER_OPTIONS_{}", self.name().to_ascii_uppercase()))
    }
}

/// The app that a command was given. What is missing is said on stderr here, on stdout elsewhere.
fn app(house: &House, args: &Args) -> Outcome<App> {
    if args.lacks(0) { Err(Fail::say(APP_MISSING)) } else { App::named(house, args.word(0)) }
}

/// The phases of a list with commas, which may end in one.
fn phases(args: &Args) -> Outcome<Vec<Phase>> {
    let list = args.text(1);
    let names = list.strip_suffix(',').unwrap_or(&list).split(',').filter(|_| !list.is_empty());
    let phase = |name| Phase::ALL.into_iter().find(|phase| phase.name() == name);
    names.map(|name| phase(name).ok_or_else(|| Fail::say("Phase(s) must be one of [build deploy run]"))).collect()
}

fn show(house: &House, args: &Args) -> Outcome {
    let (app, wanted) = (app(house, args)?, phases(args)?);
    for phase in if wanted.is_empty() { &Phase::ALL[..] } else { &wanted } {
        let text = read(&app, *phase)?;
        match (text.is_empty(), wanted.is_empty()) {
            (true, true) => {}
            (true, false) => say::line(house, format!("{} none", phase.title()))?,
            (false, _) => {
                say::line(house, phase.title())?;
                text.lines().try_for_each(|line| say::line(house, format!("    {line}")))?;
            }
        }
    }
    Ok(())
}

/// Adds or removes the option in the files of all given phases; one that is not there is made only if `makes`.
fn change(house: &House, args: &Args, change: fn(&str, &str) -> String, makes: bool) -> Outcome {
    let (app, phases) = (app(house, args)?, phases(args)?);
    if args.words.len() < 2 {
        return Err(Fail::Code(1));
    }
    if args.from(2).iter().all(|word| word.is_empty()) {
        return Err(Fail::say("Please specify docker options to add to the phase"));
    }
    lock::holding(house, lock::Of::App(&app), || {
        for phase in phases {
            let text = read(&app, phase)?;
            if makes || !text.is_empty() {
                files::replace(&phase.file(&app), change(&text, &args.text(2)).as_bytes(), 0o644)?;
            }
        }
        Ok(())
    })
}

/// The options of a phase; empty when there is no such file.
fn read(app: &App, phase: Phase) -> Outcome<String> {
    Ok(String::from_utf8_lossy(&files::content(&phase.file(app))?.unwrap_or_default()).into_owned())
}

/// Adds the options of a phase to what earlier hooks gave.
fn docker_args(house: &House, args: &Args, phase: Phase) -> Outcome {
    let before = hooks::input(house)?;
    let app = AppName::parse(args.word(0)).map(|name| App::at(house, name));
    let words = app.map_or(Ok(String::new()), |app| read(&app, phase).map(|text| file::words(&text)))?;
    say::line(house, if words.is_empty() { before } else { format!("{before} {words}") })
}

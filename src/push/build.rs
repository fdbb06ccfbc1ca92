//! `dokku build APP SOURCE TREE`: from a tree to an image.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::app::{App, AppName};
use crate::args::Args;
use crate::fail::{Fail, Outcome, from_code};
use crate::files::dockerfile;
use crate::house::House;
use crate::push::making::{self, Making};
use crate::push::tree::Source;
use crate::push::{build_env, image, limits, options};
use crate::tools::docker;
use crate::{exec, files, hooks, plugins, say};

/// The command: what it builds is `dokku/APP` in the end.
pub fn command(house: &House, words: &[OsString]) -> Outcome {
    let args = Args { name: "build", words };
    let source = Source::named(&args.text(1), "Building")?;
    let app = app(house, &args)?;
    image::kept(house, &app, || build(house, &app, source, Path::new(args.word(2)))?.publish(&[BUILDSTEP]))
}

/// The app that build, release, deploy and receive are told; its directory need not be there for them to say what is wrong.
pub fn app(house: &House, args: &Args) -> Outcome<App> {
    match AppName::parse(args.word(0)) {
        Some(name) => Ok(App::at(house, name)),
        None => Err(Fail::say(format!("{:?} is not the name of an app", args.text(0)))),
    }
}

/// What an image of the builder is labelled with.
pub const BUILDSTEP: (&str, &str) = (docker::SOURCE_LABEL, "buildstep");

/// Builds a tree. What comes back may not be committed yet; where somebody looks, it is.
pub fn build<'h>(house: &'h House, app: &App, source: Source, tree: &Path) -> Outcome<Making<'h>> {
    limits::check_room(house, app)?;
    match source {
        Source::Buildstep => buildstep(house, app, tree),
        Source::Dockerfile => dockerfile(house, app, tree),
    }
}

fn buildstep<'h>(house: &'h House, app: &App, tree: &Path) -> Outcome<Making<'h>> {
    fs::read_dir(tree).map_err(|error| Fail::say(format!("hint: cannot read the tree {}: {error}", tree.display())))?;
    let mut making = Making::from(house, app, &house.image);
    if observed(house, &["pre-build", "pre-build-buildstep"]) {
        making.put(|tar| making::add_tree(tar, "app", tree))?;
        making.publish(&[])?;
        files::make_dir(&app.path("cache"))?;
        hooks::fire(house, "pre-build", &[app.word()])?;
        hooks::fire(house, "pre-build-buildstep", &[app.word()])?;
        open_builder(house, app, &mut making)?;
    } else {
        files::make_dir(&app.path("cache"))?;
        let env = hooks::ours(house, plugins::build_env::PLUGIN.name, "pre-build").then(|| build_env::gather(house, app)).transpose()?;
        let dotenv = files::of_stranger(tree, ".env")?.unwrap_or_default();
        open_builder(house, app, &mut making)?;
        making.put(|tar| {
            making::add_tree(tar, "app", tree)?;
            env.map_or(Ok(()), |env| env.add(tar, &dotenv))
        })?;
    }
    if making.run()? != 0 {
        return Err(Fail::Code(1));
    }
    if observed(house, &["post-build", "post-build-buildstep"]) {
        making.publish(&[BUILDSTEP])?;
        hooks::fire(house, "post-build", &[app.word()])?;
        hooks::fire(house, "post-build-buildstep", &[app.word()])?;
    }
    Ok(making)
}

fn observed(house: &House, names: &[&str]) -> bool {
    names.iter().any(|name| hooks::observed(house, name))
}

fn open_builder(house: &House, app: &App, making: &mut Making) -> Outcome {
    let mount = format!("{}:/cache", app.path("cache").display());
    let mut options = exec::words(["-v", &mount, "-e", "CACHE_PATH=/cache"]);
    options.extend(options::of_phase(house, app, "build")?);
    making.open(&options, &["/build/builder"])
}

fn dockerfile<'h>(house: &'h House, app: &App, tree: &Path) -> Outcome<Making<'h>> {
    let text = files::of_stranger(tree, "Dockerfile")?.unwrap_or_default();
    if let Some(port) = dockerfile::first_port(&String::from_utf8_lossy(&text)) {
        hooks::call(house, &["config:set-norestart", app.name.as_str(), &format!("DOKKU_DOCKERFILE_PORT={port}")])?;
    }
    hooks::fire(house, "pre-build-dockerfile", &[app.word()])?;
    let mut build = docker::build(app.name.as_str(), &app.image(), tree);
    if lacks_buildkit(house)? {
        say::warn(house, "This docker has no buildx component, which DOCKER_BUILDKIT asks for: building without BuildKit")?;
        build = build.env(BUILDKIT, "0");
    }
    from_code(limits::run(house, app, &build)?)?;
    hooks::fire(house, "post-build-dockerfile", &[app.word()])?;
    Ok(Making::of_image(house, app))
}

const BUILDKIT: &str = "DOCKER_BUILDKIT";

/// The first docker client that leaves BuildKit to the component buildx; those before have it in them.
const WITHOUT_BUILDKIT: u32 = 23;

/// Is BuildKit asked for, of a client that cannot do it?
fn lacks_buildkit(house: &House) -> Outcome<bool> {
    if !house.var(BUILDKIT).is_some_and(|value| value == "1" || value == "true") {
        return Ok(false);
    }
    let version = exec::captured(house, &docker::client_version())?.text();
    let major = version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0);
    Ok(major >= WITHOUT_BUILDKIT && exec::captured(house, &docker::buildx_version())?.code != 0)
}

//! `dokku release APP SOURCE`: the built image with the app's variables in it.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::app::App;
use crate::args::Args;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files::env::EnvFile;
use crate::hooks;
use crate::house::House;
use crate::push::making::{self, Making};
use crate::push::{build, image};
use crate::tools::docker;

/// The command: releases `dokku/APP` as it is.
pub fn command(house: &House, words: &[OsString]) -> Outcome {
    let args = Args { name: "release", words };
    let app = build::app(house, &args)?;
    let source = args.text(1);
    if source == "buildstep" && !observed(house) {
        return again(house, &app);
    }
    image::kept(house, &app, || release(house, &app, &source, Making::of_image(house, &app)))
}

/// Releases what was built.
pub fn release(house: &House, app: &App, source: &str, mut making: Making) -> Outcome {
    let hook = |making: &mut Making, names: [&str; 2]| -> Outcome {
        if names.iter().any(|name| hooks::observed(house, name)) {
            making.publish(&build::labels())?;
        }
        names.iter().try_for_each(|name| hooks::fire(house, name, &[app.word()]))
    };
    match source {
        "buildstep" => {
            hook(&mut making, ["pre-release", "pre-release-buildstep"])?;
            let files = Files::of(house, app);
            files.put(&mut making)?;
            let after = ["post-release", "post-release-buildstep"];
            making.publish(&[build::labels(), files.labels()].concat())?;
            hook(&mut making, after)
        }
        "dockerfile" => {
            hooks::fire(house, "pre-release-dockerfile", &[app.word()])?;
            hooks::fire(house, "post-release-dockerfile", &[app.word()])
        }
        _ => Err(Fail::say(format!("Releasing image source type {source} not supported!"))),
    }
}

/// May somebody change or look at the image on the way to the running container?
fn observed(house: &House) -> bool {
    ["pre-release", "pre-release-buildstep", "post-release", "post-release-buildstep", "pre-deploy"]
        .iter()
        .any(|name| hooks::observed(house, name))
}

/// Releases an image that was released before. Nothing is made when its variables are in it already; else they are put
/// onto the image that was built, not onto the last release, so that layers do not pile up.
fn again(house: &House, app: &App) -> Outcome {
    let files = Files::of(house, app);
    let format = format!("{}|{}", docker::label_format(docker::ENV_LABEL), docker::label_format(docker::BUILT_LABEL));
    let said = exec::captured(house, &docker::inspect_image(&format, &app.image()))?.text();
    let (env, built) = said.split_once('|').unwrap_or_default();
    if env == files.digest() {
        return Ok(());
    }
    let built = match image::id(house, built).ok().flatten().filter(|_| !built.is_empty()) {
        Some(built) => built,
        None => image::id(house, &app.image())?.unwrap_or_else(|| app.image()),
    };
    let mut making = Making::from(house, app, &built);
    files.put(&mut making)?;
    making.publish(&[build::labels(), files.labels(), vec![format!("LABEL {}={built}", docker::BUILT_LABEL)]].concat())
}

/// The files of variables that an app's start sources, by their paths in the image.
struct Files(Vec<(&'static str, Vec<u8>)>);

impl Files {
    fn of(house: &House, app: &App) -> Files {
        let sources = [("app/.profile.d/00-global-env.sh", house.root.join("ENV")), ("app/.profile.d/01-app-env.sh", app.path("ENV"))];
        let script = |source| Some(EnvFile::parse(&std::fs::read(source).ok()?).script());
        Files(sources.into_iter().filter_map(|(path, source)| Some((path, script(source)?))).collect())
    }

    fn put(&self, making: &mut Making) -> Outcome {
        if self.0.is_empty() {
            return Ok(());
        }
        making.put(|tar| {
            making::add_dir(tar, "app/.profile.d")?;
            self.0.iter().try_for_each(|(path, text)| making::add_file(tar, path, text))
        })
    }

    /// Tells one state of the variables from another. A digest that changes with the compiler costs one commit, no more.
    fn digest(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    fn labels(&self) -> Vec<String> {
        vec![format!("LABEL {}={}", docker::ENV_LABEL, self.digest())]
    }
}

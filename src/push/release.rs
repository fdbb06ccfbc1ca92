//! `dokku release APP SOURCE`: the built image with the app's variables in it.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::app::App;
use crate::args::Args;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files::{self, env::EnvFile};
use crate::hooks;
use crate::house::House;
use crate::push::image::Image;
use crate::push::making::{self, Making};
use crate::push::tree::Source;
use crate::push::{build, engine, image, lineage};
use crate::tools::docker;

const BEFORE: [&str; 2] = ["pre-release", "pre-release-buildstep"];
const AFTER: [&str; 2] = ["post-release", "post-release-buildstep"];

/// The command: releases `dokku/APP` as it is.
pub fn command(house: &House, words: &[OsString]) -> Outcome {
    let args = Args { name: "release", words };
    let source = Source::named(&args.text(1), "Releasing")?;
    let app = build::app(house, &args)?;
    image::kept(house, &app, || match source {
        Source::Buildstep => again(house, &app),
        Source::Dockerfile => release(house, &app, source, Making::of_image(house, &app)),
    })
}

/// Releases what was built.
pub fn release(house: &House, app: &App, source: Source, making: Making) -> Outcome {
    match source {
        Source::Buildstep => buildstep(house, app, making, String::new()),
        _ => fire(house, app, &["pre-release-dockerfile", "post-release-dockerfile"]),
    }
}

/// Releases an image that was released before. Nothing is made when its variables are in it already and nobody looks.
fn again(house: &House, app: &App) -> Outcome {
    let Some(current) = Image::find(house, &app.image())? else {
        engine::answers(house)?;
        return Err(Fail::say(format!("There is no image {} to release: push the app first", app.image())));
    };
    let looked_at = BEFORE.iter().chain(&AFTER).chain(&["pre-deploy"]).any(|name| hooks::observed(house, name));
    if !looked_at && current.label(docker::ENV_LABEL) == Files::of(house, app)?.digest() {
        return Ok(());
    }
    let base = lineage::base(house, app, &current)?;
    if looked_at && base != current.id {
        exec::silent(house, &docker::tag(&base, &app.image()))?;
    }
    buildstep(house, app, Making::from(house, app, &base), base.clone())
}

/// `built` is the id of the image that was built; empty when it is still in the making.
fn buildstep(house: &House, app: &App, mut making: Making, mut built: String) -> Outcome {
    if observed(house, &BEFORE) {
        making.publish(&[build::BUILDSTEP])?;
        if built.is_empty() {
            built = image::id(house, app)?.unwrap_or_default();
        }
        making.go_on_from_image();
    }
    fire(house, app, &BEFORE)?;
    let files = Files::of(house, app)?;
    files.put(&mut making)?;
    making.publish(&[build::BUILDSTEP, (docker::ENV_LABEL, &files.digest()), (docker::BUILT_LABEL, &built)])?;
    fire(house, app, &AFTER)?;
    lineage::note(house, app, &image::id(house, app)?.unwrap_or_default())
}

fn observed(house: &House, names: &[&str]) -> bool {
    names.iter().any(|name| hooks::observed(house, name))
}

fn fire(house: &House, app: &App, names: &[&str]) -> Outcome {
    names.iter().try_for_each(|name| hooks::fire(house, name, &[app.word()]))
}

/// The files of variables that an app's start sources, by their paths in the image.
struct Files(Vec<(&'static str, Vec<u8>)>);

impl Files {
    fn of(house: &House, app: &App) -> Outcome<Files> {
        let sources = [("app/.profile.d/00-global-env.sh", house.root.join("ENV")), ("app/.profile.d/01-app-env.sh", app.path("ENV"))];
        let mut scripts = Vec::new();
        for (path, source) in sources {
            scripts.extend(files::content(&source)?.map(|text| (path, EnvFile::parse(&text).script())));
        }
        Ok(Files(scripts))
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
}

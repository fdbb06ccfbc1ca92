//! `dokku cleanup`: takes away ended containers and nameless images that are ours, in the background.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::house::House;
use crate::operation;
use crate::push::lineage;
use crate::retirement;
use crate::tools::docker;

/// The command of the process that does the work.
pub const INNER: &str = "core:cleanup";

/// Starts the work and does not wait for it.
pub fn command(house: &House) -> Outcome {
    exec::detach_self(house, &[INNER])
}

/// As a push of this app does, before it makes anything: the app's images are no less looked at for the push.
pub fn before_push(house: &House, app: &OsStr) -> Outcome {
    exec::detach_self(house, &[INNER.as_ref(), app])
}

/// Does the work; the one word there may be is the app that is being pushed. What an operation on an app has made is left
/// to that operation. What is in use, docker refuses to take away, and says so to nobody.
pub fn work(house: &House, words: &[OsString]) -> Outcome {
    retirement::ensure(house)?;
    let ended = ended(house)?;
    let mut nameless = images(house, &of_any())?;
    // Looked for after the listing: what began since then cannot be on it.
    let apps = App::all(house)?;
    let busy: Vec<&App> = apps.iter().filter(|app| operation::is_under_way(house, app)).collect();
    for app in busy.iter().filter(|app| words.first() != Some(&app.word())) {
        let made = images(house, &of_app(app))?;
        nameless.retain(|id| !made.contains(id));
    }
    let recorded: BTreeSet<String> = apps.iter().filter_map(|app| app.record("CONTAINER")).collect();
    let is_busy = |container: &Container| busy.iter().any(|app| app.name.as_str() == container.app);
    // What `dokku run` leaves belongs to no operation.
    let may_go = |container: &Container| container.phase == "run" || !is_busy(container) && !recorded.contains(&container.id);
    let gone: Vec<String> = ended.into_iter().filter(may_go).map(|container| container.id).collect();
    if !gone.is_empty() {
        exec::silent(house, &docker::rm(&gone))?;
    }
    if !nameless.is_empty() {
        exec::silent(house, &docker::rmi(&nameless))?;
    }
    Ok(())
}

/// A container of ours that has ended.
struct Container {
    id: String,
    phase: String,
    app: String,
}

fn ended(house: &House) -> Outcome<Vec<Container>> {
    let lines = list(house, &docker::list_ended())?;
    let container = |line: &String| {
        let mut fields = line.splitn(3, ' ').map(str::to_owned);
        Some(Container { id: fields.next()?, phase: fields.next()?, app: fields.next()? })
    };
    Ok(lines.iter().filter_map(container).collect())
}

/// All containers of an app, running ones too.
pub fn containers_of(house: &House, app: &App) -> Outcome<Vec<String>> {
    list(house, &docker::list_containers(&[of_app(app)]))
}

fn of_any() -> String {
    format!("label={}", docker::APP_LABEL)
}

fn of_app(app: &App) -> String {
    format!("label={}={}", docker::APP_LABEL, app.name)
}

/// Nameless images that pass the filter.
fn images(house: &House, filter: &str) -> Outcome<Vec<String>> {
    list(house, &docker::list_images(&[filter.to_owned(), "dangling=true".to_owned()]))
}

fn list(house: &House, cmd: &crate::cmd::Cmd) -> Outcome<Vec<String>> {
    Ok(exec::captured(house, cmd)?.text().lines().map(str::to_owned).collect())
}

/// Takes away an app's image, and no other app's.
pub fn forget_images(house: &House, app: &App) -> Outcome {
    let image = app.image();
    let ids = list(house, &docker::list_images(&[format!("reference={image}")]))?;
    if !ids.is_empty() {
        exec::silent(house, &docker::rmi(&[image]))?;
    }
    lineage::forget(house, app)
}

//! `dokku cleanup`: takes away containers that do not serve and nameless images that are ours, in the background.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::house::House;
use crate::lock;
use crate::operation;
use crate::push::{engine, lineage, probe};
use crate::recovery;
use crate::retirement;
use crate::say;
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
    operation::settle_all(house);
    recovery::remove_half_written_of_all(house);
    lock::holding(house, lock::Of::Rubbish, || take_away(house, words))
}

fn take_away(house: &House, words: &[OsString]) -> Outcome {
    let (ended, all) = (ours(house, &["status=exited".to_owned()])?, ours(house, &[])?);
    let mut nameless = images(house, &of_any())?;
    // Looked for after the listing: what began since then cannot be on it.
    let apps = Apps::of(house)?;
    let strays = ended.into_iter().chain(all.into_iter().filter(|container| apps.is_unfinished(container)));
    let strays = strays.filter(|container| apps.may_lose(container) && !retirement::is_due(house, &container.id));
    let gone: BTreeSet<String> = strays.map(|container| container.id).chain(probe::abandoned(house)?).collect();
    if !gone.is_empty() {
        exec::silent(house, &docker::rm_force(&gone.into_iter().collect::<Vec<_>>()))?;
    }
    for app in apps.busy.iter().filter(|app| words.first() != Some(&app.word())) {
        let made = images(house, &of_app(app))?;
        nameless.retain(|id| !made.contains(id));
    }
    let needed = recovery::images(house);
    nameless.retain(|id| !needed.contains(id));
    if !nameless.is_empty() {
        exec::silent(house, &docker::rmi(&nameless))?;
    }
    Ok(())
}

/// What is known of the apps, by their names.
#[derive(Default)]
struct Apps {
    /// Nobody is changing them.
    idle: BTreeSet<String>,
    busy: Vec<App>,
    /// The containers on record.
    recorded: BTreeSet<String>,
    /// Those without any.
    unrecorded: BTreeSet<String>,
}

impl Apps {
    fn of(house: &House) -> Outcome<Apps> {
        let mut apps = Apps::default();
        for app in App::all(house)? {
            let (name, is_busy) = (app.name.as_str().to_owned(), operation::is_under_way(house, &app));
            // Read after that: an operation that ended meanwhile has put its new container on record.
            match app.record("CONTAINER") {
                Some(id) => apps.recorded.insert(id),
                None => apps.unrecorded.insert(name.clone()),
            };
            if is_busy {
                apps.busy.push(app);
            } else {
                apps.idle.insert(name);
            }
        }
        Ok(apps)
    }

    /// Would only a build or a deployment that is under way have a use for it, even while it runs? Where there is no record
    /// somebody may have lost it, and what runs may be what serves.
    fn is_unfinished(&self, container: &Container) -> bool {
        match container.phase.as_str() {
            "build" => true,
            "web" => !self.unrecorded.contains(&container.app),
            _ => false,
        }
    }

    /// Is it neither in service nor anybody's work? Other installations may have containers in the same engine. What
    /// `dokku run` leaves belongs to no operation.
    fn may_lose(&self, container: &Container) -> bool {
        (container.phase == "run" || self.idle.contains(&container.app)) && !self.recorded.contains(&container.id)
    }
}

/// A container of ours.
struct Container {
    id: String,
    phase: String,
    app: String,
}

/// Our containers that pass the filters, of whatever state.
fn ours(house: &House, filters: &[String]) -> Outcome<Vec<Container>> {
    let lines = list(house, &docker::list_ours(filters))?;
    let container = |line: &String| {
        let mut fields = line.splitn(3, ' ').map(str::to_owned);
        Some(Container { id: fields.next()?, phase: fields.next()?, app: fields.next()? })
    };
    Ok(lines.iter().filter_map(container).collect())
}

/// Takes away a container that an app had on record and that has been stopped, when 0.3.18 has started it, and its image, if
/// that has lost its name: neither carries a label by which a cleanup would find it.
pub fn take_away_unlabelled(house: &House, container: &str) -> Outcome {
    let format = format!("{{{{.Image}}}} {{{{index .Config.Labels \"{APP_LABEL}\"}}}}", APP_LABEL = docker::APP_LABEL);
    let found = exec::captured(house, &docker::inspect_container(&format, container))?.text();
    let Some((image, "")) = found.split_once(' ') else { return Ok(()) };
    lock::holding(house, lock::Of::Rubbish, || {
        exec::silent(house, &docker::rm(&[container]))?;
        let nameless = list(house, &docker::list_images(&["dangling=true".to_owned()]))?;
        if nameless.iter().any(|id| id == image) && !recovery::images(house).iter().any(|needed| needed == image) {
            exec::silent(house, &docker::rmi(&[image]))?;
        }
        Ok(())
    })
}

/// All containers of an app, running ones too.
pub fn containers_of(house: &House, app: &App) -> Outcome<Vec<String>> {
    Ok(engine::output(house, &docker::list_containers(&[of_app(app)]))?.lines().map(str::to_owned).collect())
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
    let mut said = exec::captured(house, &docker::list_images(&[format!("reference={image}")]))?;
    if !said.text().is_empty() {
        said = exec::captured(house, &docker::rmi(&[image]))?;
    }
    // One that somebody else still uses stays, and is no reason for the app to stay.
    say::raw_error(house, &said.stderr);
    probe::forget(house, app)?;
    lineage::forget(house, app)
}

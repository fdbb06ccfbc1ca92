//! `dokku cleanup`: takes away ended containers and nameless images that are ours, in the background.

use std::collections::BTreeSet;

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::house::House;
use crate::push::lineage;
use crate::retirement;
use crate::tools::docker;

/// The command of the process that does the work.
pub const INNER: &str = "core:cleanup";

/// Starts the work and does not wait for it.
pub fn command(house: &House) -> Outcome {
    exec::detach_self(house, &[INNER])
}

/// Does the work. What is in use, docker refuses to take away, and says so to nobody.
pub fn work(house: &House) -> Outcome {
    retirement::ensure(house)?;
    let ours = format!("label={}", docker::APP_LABEL);
    let ended = list(house, &docker::list_containers(&[ours.clone(), "status=exited".into()]))?;
    let recorded: BTreeSet<String> = App::all(house)?.iter().filter_map(|app| app.record("CONTAINER")).collect();
    for id in ended.iter().filter(|id| !recorded.contains(*id)) {
        exec::silent(house, &docker::rm(id))?;
    }
    for id in list(house, &docker::list_images(&[ours, "dangling=true".into()]))? {
        exec::silent(house, &docker::rmi(&[id]))?;
    }
    Ok(())
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

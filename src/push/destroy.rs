//! The end of an app: its containers, its image, what plugins have of it, its directory.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::push::{cleanup, engine};
use crate::recovery::WayBack;
use crate::tools::docker;
use crate::{hooks, lock, operation, say, standing};

/// Destroys the app. Killed in the middle of it, it is finished by whoever comes next.
pub fn app(house: &House, app: &App) -> Outcome {
    let back = WayBack::to_nothing(house, app)?;
    match finish(house, app) {
        Ok(()) => Ok(()),
        // Whoever sees why it failed decides how it goes on.
        Err(fail) => back.arrived().and(Err(fail)),
    }
}

/// All that is left to be done, after all or a part of it has been done.
pub fn finish(house: &House, app: &App) -> Outcome {
    containers(house, app)?.iter().try_for_each(|id| end(house, app, id))?;
    cleanup::forget_images(house, app)?;
    let told = hooks::fire(house, "post-delete", &[app.word()]);
    if app.dir.is_dir() {
        return told;
    }
    standing::forget(house, app)?;
    lock::forget(house, app)?;
    operation::forget(house, app)?;
    told
}

/// The one on record, then those that wait to be retired or were run beside it: they hold on to the image.
fn containers(house: &House, app: &App) -> Outcome<Vec<String>> {
    let recorded = app.record("CONTAINER");
    // Of an app that was never deployed there is nothing to ask an engine for, be it there or not.
    let others = cleanup::containers_of(house, app).or_else(|fail| if recorded.is_some() { Err(fail) } else { Ok(Vec::new()) })?;
    let others = others.into_iter().filter(|id| recorded.as_ref() != Some(id)).collect::<Vec<_>>();
    let kept = app.containers_of_others(house)?;
    Ok(recorded.into_iter().chain(others).filter(|id| !kept.contains(id)).collect())
}

/// The longest wait for a container that another process is taking away.
const REMOVAL: Duration = Duration::from_secs(30);

/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(200);

/// Stops a container and takes it away. One that is gone already must not keep the app; one that stays must not lose it.
fn end(house: &House, app: &App, id: &str) -> Outcome {
    exec::status_hushed(house, &docker::stop(id))?;
    let mut removed = exec::captured(house, &docker::rm(&[id]))?;
    // A cleanup may have come first, and takes its time.
    let end = Instant::now() + REMOVAL;
    while String::from_utf8_lossy(&removed.stderr).contains("is already in progress") && Instant::now() < end {
        sleep(PAUSE);
        removed = exec::captured(house, &docker::rm(&[id]))?;
    }
    say::raw_error(house, &removed.stderr);
    engine::missing_or(house, &removed)
        .map_err(|fail| Fail::Said(fail.code(), format!("The container {id} of {} cannot be removed, so the app stays", app.name)))
}

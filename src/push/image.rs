//! What is known of an app's image without running it, and keeping its name where it belongs.

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::house::House;
use crate::push::engine;
use crate::tools::docker;

/// Is the image buildstep's, that is: does it have /exec? Our label says it; an image from elsewhere is looked into.
pub fn is_buildstep(house: &House, image: &str) -> Outcome<bool> {
    let said = exec::captured(house, &docker::inspect_image(&docker::label_format(docker::SOURCE_LABEL), image))?;
    match said.text().as_str() {
        "buildstep" => Ok(true),
        "dockerfile" => Ok(false),
        _ => has_exec(house, image),
    }
}

/// Looks for /exec in a container that is never started.
fn has_exec(house: &House, image: &str) -> Outcome<bool> {
    let id = engine::output(house, &docker::create("", "probe", &[] as &[&str], image, &["/exec"]))?;
    let found = exec::captured(house, &docker::pack(&id, "/exec"));
    exec::silent(house, &docker::rm_force(&id))?;
    Ok(found?.code == 0)
}

/// The id of an image; `None` when there is no such image.
pub fn id(house: &House, image: &str) -> Outcome<Option<String>> {
    let said = exec::captured(house, &docker::inspect_image("{{.Id}}", image))?;
    Ok((said.code == 0).then(|| said.text()))
}

/// Runs `work`; when it fails, `dokku/APP` names again what it named before, or nothing.
pub fn kept<T>(house: &House, app: &App, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let before = id(house, &app.image())?;
    let result = work();
    if result.is_err() {
        put_back(house, app, before)?;
    }
    result
}

fn put_back(house: &House, app: &App, before: Option<String>) -> Outcome {
    let now = id(house, &app.image())?;
    if now == before {
        return Ok(());
    }
    match before {
        Some(before) => exec::silent(house, &docker::tag(&before, &app.image()))?,
        None => exec::silent(house, &docker::rmi(&[app.image()]))?,
    };
    Ok(())
}

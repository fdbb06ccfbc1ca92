//! Which image of an app is ours to replace. A release puts variables and hooks' changes onto the built image; doing so
//! again and again onto the last release would pile up layers until docker refuses. So the next release starts from the
//! built image again, unless somebody has changed the released one since.

use crate::app::App;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::push::image::Image;
use crate::tools::docker;

/// Notes that `dokku/APP`, with this id, is what our release (and the hooks around it) made.
pub fn note(house: &House, app: &App, id: &str) -> Outcome {
    let path = path(house, app);
    if files::text(&path).as_deref() == Some(id) {
        return Ok(());
    }
    files::make_dir(&house.lib.join(DIR))?;
    files::replace(&path, format!("{id}\n").as_bytes(), 0o644)
}

/// Is the image with this id as our last release left it?
pub fn is_ours(house: &House, app: &App, id: &str) -> bool {
    files::text(&path(house, app)).as_deref() == Some(id)
}

/// Forgets an app.
pub fn forget(house: &House, app: &App) -> Outcome {
    files::remove(&path(house, app))
}

/// The id of the image that the next release starts from.
pub fn base(house: &House, app: &App, current: &Image) -> Outcome<String> {
    let built = current.label(docker::BUILT_LABEL);
    if built.is_empty() || !is_ours(house, app, &current.id) {
        return Ok(current.id.clone());
    }
    Ok(Image::find(house, built)?.map_or_else(|| current.id.clone(), |image| image.id))
}

const DIR: &str = "released";

/// Where that is noted.
pub fn path(house: &House, app: &App) -> std::path::PathBuf {
    house.lib.join(DIR).join(app.name.as_str())
}

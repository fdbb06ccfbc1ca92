//! What is known of an app's image without running it, and keeping its name where it belongs.

use std::collections::BTreeMap;

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::house::House;
use crate::push::{engine, probe};
use crate::recovery::{WayBack, leads_to_release, or_back};
use crate::tools::docker;

/// An image of the engine.
#[derive(Clone, Debug, Default)]
pub struct Image {
    /// Its id.
    pub id: String,
    labels: BTreeMap<String, String>,
}

impl Image {
    /// The image of this name or id; `None` when there is none. Fails when the engine does not answer: what it cannot tell
    /// must not pass for what is not there.
    pub fn find(house: &House, name: &str) -> Outcome<Option<Image>> {
        let said = exec::look(house, &docker::inspect_image("{{.Id}} {{json .Config.Labels}}", name))?;
        if said.code != 0 {
            return engine::missing_or(house, &said).map(|()| None);
        }
        let text = said.text();
        let found = text.split_once(' ');
        Ok(found.map(|(id, labels)| Image { id: id.to_owned(), labels: serde_json::from_str(labels).unwrap_or_default() }))
    }

    /// A label's value; empty when the image has no such label.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// Is the app's image buildstep's, that is: does it have /exec? Our label says it; an image from elsewhere is looked
/// into. One that is not there is no buildstep's: who wants to run it will be told by docker.
pub fn is_buildstep(house: &House, app: &App) -> Outcome<bool> {
    let Some(image) = Image::find(house, &app.image())? else { return Ok(false) };
    match image.label(docker::SOURCE_LABEL) {
        "buildstep" => Ok(true),
        "dockerfile" => Ok(false),
        _ => probe::has_exec(house, app, &image.id),
    }
}

/// Runs `work`; when it fails or is killed before another release serves, `dokku/APP` names again what it named before.
pub fn kept<T>(house: &House, app: &App, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    if leads_to_release(house, app) { work() } else { or_back(WayBack::to_release(house, app)?, work) }
}

/// The id of `dokku/APP`.
pub fn id(house: &House, app: &App) -> Outcome<Option<String>> {
    Ok(Image::find(house, &app.image())?.map(|image| image.id))
}

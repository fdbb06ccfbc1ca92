//! Images from elsewhere, Dockerfiles' among them, do not say what they are: one look into each, which is remembered.

use std::path::PathBuf;

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::process::Process;
use crate::push::engine;
use crate::tools::docker;

/// What is looked for: buildstep's images have it.
const EXEC: &str = "/exec";

/// Does `dokku/APP`, whose id this is, have /exec?
pub fn has_exec(house: &House, app: &App, id: &str) -> Outcome<bool> {
    let path = path(house, app);
    let line = |found: bool| format!("{id} {found}");
    match files::text(&path) {
        Some(known) if known == line(true) => return Ok(true),
        Some(known) if known == line(false) => return Ok(false),
        _ => {}
    }
    let found = look(house, id)?;
    files::make_dir(&house.lib.join(DIR))?;
    files::replace(&path, format!("{}\n", line(found)).as_bytes(), 0o644)?;
    Ok(found)
}

/// Looks into a container that is never started.
fn look(house: &House, image: &str) -> Outcome<bool> {
    let label = format!("{}={}", docker::PROCESS_LABEL, Process::me());
    let id = engine::output(house, &docker::create("", "probe", &["--label", &label], image, &[EXEC]))?;
    let found = exec::captured(house, &docker::pack(&id, EXEC));
    exec::detach(house, &docker::rm_force(&[&id]))?;
    let found = found?;
    engine::missing_or(house, &found)?;
    Ok(found.code == 0)
}

/// Containers that somebody looked into who was killed before taking them away.
pub fn abandoned(house: &House) -> Outcome<Vec<String>> {
    let filters = [format!("label={}=probe", docker::PHASE_LABEL)];
    let listed = engine::output(house, &docker::list_with_label(&filters, docker::PROCESS_LABEL))?;
    let is_abandoned = |process: &str| Process::parse(process).is_some_and(|process| !process.lives());
    Ok(listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, process)| is_abandoned(process))
        .map(|(id, _)| id.to_owned())
        .collect())
}

/// Forgets an app.
pub fn forget(house: &House, app: &App) -> Outcome {
    files::remove(&path(house, app))
}

const DIR: &str = "probed";

fn path(house: &House, app: &App) -> PathBuf {
    house.lib.join(DIR).join(app.name.as_str())
}

//! Images from elsewhere, Dockerfiles' among them, do not say what they are: one look into each, which is remembered.

use std::path::PathBuf;

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
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
    let (found, sure) = look(house, id)?;
    if sure {
        files::make_dir(&house.lib.join(DIR))?;
        files::replace(&path, format!("{}\n", line(found)).as_bytes(), 0o644)?;
    }
    Ok(found)
}

/// Looks into a container that is never started. Not sure when docker does not name what it has not found.
fn look(house: &House, image: &str) -> Outcome<(bool, bool)> {
    let id = engine::output(house, &docker::create("", "probe", &[] as &[&str], image, &[EXEC]))?;
    let said = exec::captured(house, &docker::pack(&id, EXEC));
    exec::detach(house, &docker::rm_force(&id))?;
    let said = said?;
    Ok((said.code == 0, said.code == 0 || String::from_utf8_lossy(&said.stderr).contains(EXEC)))
}

/// Forgets an app.
pub fn forget(house: &House, app: &App) -> Outcome {
    files::remove(&path(house, app))
}

const DIR: &str = "probed";

fn path(house: &House, app: &App) -> PathBuf {
    house.lib.join(DIR).join(app.name.as_str())
}

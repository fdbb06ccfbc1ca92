//! An app's variables on their way into a container whose image sources no ENV: all that are not buildstep's.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::app::App;
use crate::fail::{Fail, Outcome};
use crate::files::{self, docker_env, env::EnvFile};
use crate::house::House;

/// Writes the variables for `docker run --env-file`; the path of that file.
pub fn write(house: &House, app: &App) -> Outcome<PathBuf> {
    let path = app.path("DOCKERFILE_ENV_FILE");
    files::replace(&path, &docker_env::print(&read(house, app)?), 0o644)?;
    Ok(path)
}

/// Options for the variables that such a file cannot hold. The hook that names the file cannot name them, since its
/// words are split at blanks. Fails when docker could not hand one over as it is.
pub fn options(house: &House, app: &App) -> Outcome<Vec<OsString>> {
    docker_env::options(&read(house, app)?).map_err(|key| {
        let name = &app.name;
        Fail::say(format!("The value of {key} of {name} is not UTF-8, and docker takes no other. Set it in base64, or unset it: dokku config:unset {name} {key}"))
    })
}

/// Those of all apps, then the app's own.
fn read(house: &House, app: &App) -> Outcome<[EnvFile; 2]> {
    Ok([EnvFile::load(&house.root.join("ENV"))?, EnvFile::load(&app.path("ENV"))?])
}

//! The variables that a build sees: those of `$DOKKU_ROOT/ENV`, then the app's own.

use crate::app::App;
use crate::fail::Outcome;
use crate::files::env::EnvFile;
use crate::house::House;
use crate::push::making::{self, Tar};
use crate::{files, say};

/// The files that carry an app's variables into its build.
pub struct BuildEnv {
    dotenv: Vec<u8>,
    variables: Vec<(String, Vec<u8>)>,
}

/// Lines that buildpacks' downloads need; added to the global ENV when its text does not name them.
const DEFAULTS: &[(&str, &str)] = &[("CURL_CONNECT_TIMEOUT", "5"), ("CURL_TIMEOUT", "30")];

/// Gathers the variables, after an old BUILD_ENV has been moved into ENV and the defaults have been added.
pub fn gather(house: &House, app: &App) -> Outcome<BuildEnv> {
    complete_global(house)?;
    say::info1(house, "Adding BUILD_ENV to build environment...")?;
    let (mut dotenv, mut variables) = (Vec::new(), Vec::new());
    for path in [house.root.join("ENV"), app.path("ENV")] {
        let Some(text) = files::content(&path)? else { continue };
        let trimmed = text.len() - text.iter().rev().take_while(|byte| **byte == b'\n').count();
        dotenv.extend([b"\n", &text[..trimmed], b"\n"].concat());
        variables.extend(EnvFile::parse(&text).pairs().map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    dotenv.push(b'\n');
    Ok(BuildEnv { dotenv, variables })
}

fn complete_global(house: &House) -> Outcome {
    let (global, old) = (house.root.join("ENV"), house.root.join("BUILD_ENV"));
    let before = files::content(&global)?;
    let mut text = before.clone().unwrap_or_default();
    let moved = files::content(&old)?;
    add(&mut text, moved.as_deref().unwrap_or_default());
    for (name, value) in DEFAULTS {
        if !String::from_utf8_lossy(&text).contains(name) {
            add(&mut text, format!("export {name}={value}\n").as_bytes());
        }
    }
    if before.as_ref() != Some(&text) {
        files::replace(&global, &text, 0o644)?;
    }
    if moved.is_some() { files::remove(&old) } else { Ok(()) }
}

/// Adds lines to those that are there, the last of which lacks its end where somebody wrote it by hand.
fn add(text: &mut Vec<u8>, lines: &[u8]) {
    if !(text.is_empty() || text.ends_with(b"\n")) {
        text.push(b'\n');
    }
    text.extend(lines);
}

impl BuildEnv {
    /// Adds them to a tar: to the app's own `.env`, whose content so far is `dotenv`, and a file a variable.
    pub fn add(&self, tar: &mut Tar, dotenv: &[u8]) -> std::io::Result<()> {
        making::add_dir(tar, "tmp/env")?;
        for (name, value) in &self.variables {
            making::add_file(tar, &format!("tmp/env/{name}"), &[value, b"\n".as_slice()].concat())?;
        }
        making::add_file(tar, "app/.env", &[dotenv, &self.dotenv].concat())
    }
}

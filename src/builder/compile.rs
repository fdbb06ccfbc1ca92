//! The unprivileged half of a build: choose buildpacks, run them, note what the last one says of the app.

use crate::buildpack::{Buildpack, Surroundings};
use crate::dotenv;
use crate::failure::{Context, Failure, Outcome};
use crate::layout::Layout;
use crate::output::{normal, title};
use crate::procfile::{self, Release};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;

/// What building leaves: the name for such apps, and what `bin/release` printed.
struct Built {
    name: String,
    release: Option<Vec<u8>>,
}

/// Builds the app in BUILD_DIR. The exit code is that of the buildpack.
pub fn run(layout: &Layout) -> Outcome {
    let mut around = Surroundings { layout, variables: variables(layout)?, exports: Vec::new() };
    let built = match buildpack_url(&around) {
        Some(url) => with_custom(&url, &around)?,
        None if layout.build().join(".buildpacks").is_file() => with_several(&mut around)?,
        None => with_installed(&around)?,
    };
    note(layout, &built)?;
    Ok(0)
}

/// The one that BUILDPACK_URL names. It is run even if it does not detect the app: whoever names it, means it.
fn with_custom(url: &str, around: &Surroundings) -> Result<Built, Failure> {
    say(title("Fetching custom buildpack"))?;
    let buildpack = Buildpack::fetch(url, "custom", around)?;
    let (_, name) = buildpack.detect(around)?;
    build(&buildpack, name, around)
}

/// The first one of the image that detects the app.
fn with_installed(around: &Surroundings) -> Result<Built, Failure> {
    for buildpack in Buildpack::installed(around.layout)? {
        if let (true, name) = buildpack.detect(around)? {
            return build(&buildpack, name, around);
        }
    }
    say(title("Unable to select a buildpack"))?;
    Err(Failure::new(
        "no buildpack knows this app: add the file that tells its kind (package.json, requirements.txt, Gemfile, \
         go.mod, index.html or Procfile), or set BUILDPACK_URL",
    ))
}

/// All that `.buildpacks` lists, one URL a line: each finds the environment that those before it have exported,
/// the last one describes the app.
fn with_several(around: &mut Surroundings) -> Result<Built, Failure> {
    let list = around.layout.build().join(".buildpacks");
    let list = fs::read_to_string(list).context(|| "read .buildpacks")?;
    let urls = list.lines().map(str::trim);
    say(title("Multipack app detected"))?;
    let mut built = Built { name: "Multipack".to_owned(), release: None };
    for (number, url) in urls.filter(|line| !line.is_empty() && !line.starts_with('#')).enumerate() {
        say(normal(&format!("=====> Downloading Buildpack: {url}")))?;
        let buildpack = Buildpack::fetch(url, &format!("custom{number}"), around)?;
        let (true, name) = buildpack.detect(around)? else {
            return Err(Failure::new(format!("buildpack {url} of .buildpacks does not know this app")));
        };
        say(normal(&format!("=====> Detected Framework: {name}")))?;
        buildpack.compile(around)?;
        around.exports.extend(buildpack.export());
        built.release = buildpack.release(around)?.or(built.release);
    }
    Ok(built)
}

fn build(buildpack: &Buildpack, name: String, around: &Surroundings) -> Result<Built, Failure> {
    say(title(&format!("{name} app detected")))?;
    buildpack.compile(around)?;
    let release = buildpack.release(around)?;
    Ok(Built { name, release })
}

/// Tells the process types; writes `.release` and the buildpack's variables into the app.
fn note(layout: &Layout, built: &Built) -> Result<(), Failure> {
    say(title("Discovering process types"))?;
    if let Ok(procfile) = fs::read(layout.build().join("Procfile")) {
        let types = procfile::parse(&String::from_utf8_lossy(&procfile));
        say(normal(&format!("Procfile declares types -> {}", procfile::names(&types))))?;
    }
    let text = built.release.as_deref().unwrap_or_default();
    let release = Release::parse(&String::from_utf8_lossy(text)).context(|| "read what bin/release printed")?;
    let defaults = procfile::names(&release.process_types());
    if !defaults.is_empty() {
        say(normal(&format!("Default process types for {} -> {defaults}", built.name)))?;
    }
    write(layout, text, &release.profile()).context(|| "write .release and .profile.d")
}

fn write(layout: &Layout, release: &[u8], profile: &str) -> io::Result<()> {
    let directory = layout.build().join(".profile.d");
    fs::create_dir_all(&directory)?;
    fs::write(layout.build().join(".release"), release)?;
    fs::write(directory.join("00_config_vars.sh"), profile)
}

/// What buildpacks find in their environment: what `.env` exports, then what buildstep always set.
fn variables(layout: &Layout) -> Result<Vec<(String, OsString)>, Failure> {
    let text = match fs::read(layout.build().join(".env")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        text => text.context(|| "read .env")?,
    };
    let id = fs::read_to_string("/proc/sys/kernel/random/uuid").context(|| "make a request id")?;
    let own = [
        ("APP_DIR", layout.app().into_os_string()),
        ("HOME", layout.app().into_os_string()),
        ("REQUEST_ID", id.trim().into()),
        ("STACK", "cedar-14".into()),
        ("CURL_CONNECT_TIMEOUT", "30".into()),
    ];
    let set = dotenv::parse(&text, |name| env::var_os(name));
    let seen = set
        .into_iter()
        .filter(|variable| variable.exported || is_read_by_us(&variable.name) || env::var_os(&variable.name).is_some())
        .map(|variable| (variable.name, variable.value));
    Ok(seen.chain(own.map(|(name, value)| (name.to_owned(), value))).collect())
}

/// BUILDPACK_URL counts in `.env` without `export` too.
fn is_read_by_us(name: &str) -> bool {
    name == "BUILDPACK_URL"
}

fn buildpack_url(around: &Surroundings) -> Option<String> {
    let set = around.variables.iter().find(|(name, _)| name == "BUILDPACK_URL");
    let url = set.map(|(_, url)| url.clone()).or_else(|| env::var_os("BUILDPACK_URL"))?;
    Some(url.to_string_lossy().trim().to_owned()).filter(|url| !url.is_empty())
}

fn say(printed: io::Result<()>) -> Result<(), Failure> {
    printed.context(|| "print")
}

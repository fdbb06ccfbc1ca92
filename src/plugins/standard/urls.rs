//! `url` and `urls`: where an app is to be found.

use std::path::Path;

use crate::app::App;
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::{files, say};

/// `urls APP`: all of them, a line each.
pub fn all(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    match recorded(&app) {
        Some(urls) if urls.is_empty() => Err(Fail::Code(1)),
        Some(urls) => urls.iter().try_for_each(|url| say::line(house, url)),
        None => derived(house, &app),
    }
}

/// `url APP`: the first one.
pub fn first(house: &House, args: &Args) -> Outcome {
    let app = App::of(house, args)?;
    match recorded(&app) {
        Some(urls) => urls.first().map_or(Err(Fail::Code(1)), |url| say::line(house, url)),
        None => derived(house, &app),
    }
}

/// The lines of the app's URLS that are URLs; `None` when there is no URLS or nothing in it.
fn recorded(app: &App) -> Option<Vec<String>> {
    let text = files::text(&app.path("URLS")).filter(|text| !text.is_empty())?;
    Some(text.lines().filter(|line| line.starts_with("http")).map(str::to_owned).collect())
}

fn derived(house: &House, app: &App) -> Outcome {
    let scheme = if has_certificate(&app.path("tls")) || has_certificate(&house.root.join("tls")) { "https" } else { "http" };
    let global = |entry: &str| files::text(&house.root.join(entry));
    match global("VHOST") {
        Some(vhost) => say::line(house, format!("{scheme}://{vhost}")),
        // Without a port there is nothing to show, and 0.3.18 says nothing.
        None => match (global("HOSTNAME"), files::text(&app.path("PORT"))) {
            (Some(host), Some(port)) => say::line(house, format!("{scheme}://{host}:{port}")),
            _ => Err(Fail::Code(1)),
        },
    }
}

fn has_certificate(dir: &Path) -> bool {
    dir.join("server.crt").exists() && dir.join("server.key").exists()
}

//! A push, step by step: `Tree -> Image -> Container -> Release`.

pub mod build;
pub mod build_env;
pub mod cleanup;
pub mod container;
pub mod deploy;
pub mod destroy;
pub mod engine;
pub mod facts;
pub mod image;
pub mod limits;
pub mod lineage;
pub mod lock;
pub mod making;
pub mod options;
pub mod probe;
pub mod pushed;
pub mod receive;
pub mod release;
pub mod retire;
pub mod tree;
pub mod variables;

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::progress::phase;
use crate::{hooks, say};

/// Releases and deploys an app's image again, as ps:restart and config:set do.
pub fn restart(house: &House, app: &App) -> Outcome {
    image::kept(house, app, || {
        let source = if image::is_buildstep(house, app)? { tree::Source::Buildstep } else { tree::Source::Dockerfile };
        say::info1(house, format!("Releasing {} ...", app.name))?;
        phase(house, app, "release", || hooks::call(house, &["release", app.name.as_str(), source.as_str()]))?;
        say::info1(house, format!("Deploying {} ...", app.name))?;
        hooks::call(house, &["deploy", app.name.as_str()])
    })?;
    tell(house, app);
    Ok(())
}

/// The end of every deployment: where the app is to be found. The new release serves, so nothing here is a failure of it.
pub fn tell(house: &House, app: &App) {
    let told = say::info2(house, "Application deployed:").and_then(|()| {
        let urls = hooks::collect(house, |house| hooks::call(house, &["urls", app.name.as_str()]))?;
        urls.lines().try_for_each(|line| say::verbose(house, line))?;
        say::line(house, "")
    });
    if let Err(fail) = told {
        say::failure(house, &fail);
    }
}

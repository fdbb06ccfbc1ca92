//! `dokku receive APP SOURCE TREE`: the story of a push, top to bottom.

use std::ffi::OsString;
use std::path::Path;

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::progress::phase;
use crate::push::tree::Source;
use crate::push::{build, cleanup, image, release, tell};
use crate::{hooks, operation, say};

/// Builds, releases and deploys a tree. Until the new release serves, nothing of the old one is touched.
pub fn command(house: &House, words: &[OsString]) -> Outcome {
    let args = crate::args::Args { name: "receive", words };
    let name = args.text(0);
    say::info1(house, "Cleaning up...")?;
    cleanup::before_push(house, args.word(0))?;
    say::info1(house, format!("Building {name} from {}...", args.text(1)))?;
    let source = Source::named(&args.text(1), "Building")?;
    let app = build::app(house, &args)?;
    operation::alone(house, &app, "receive", |house| {
        image::kept(house, &app, || {
            make(house, &app, source, Path::new(args.word(2)))?;
            say::info1(house, format!("Deploying {name}..."))?;
            hooks::call(house, &["deploy", app.name.as_str()])
        })?;
        tell(house, &app);
        Ok(())
    })
}

/// Builds and releases. As long as only core plugins answer commands, what was built goes straight on to its release;
/// else each step is a command of its own that they are asked about.
fn make(house: &House, app: &App, source: Source, tree: &Path) -> Outcome {
    let releasing = || say::info1(house, format!("Releasing {}...", app.name));
    if hooks::only_core_commands(house) {
        let built = phase(house, app, "build", || build::build(house, app, source, tree))?;
        releasing()?;
        return phase(house, app, "release", || release::release(house, app, source, built));
    }
    let name = app.name.as_str();
    let words = ["build".as_ref(), name.as_ref(), source.as_str().as_ref(), tree.as_os_str()];
    phase(house, app, "build", || hooks::call(house, &words))?;
    releasing()?;
    phase(house, app, "release", || hooks::call(house, &["release", name, source.as_str()]))
}

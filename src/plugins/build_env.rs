//! `build-env`: an app's variables for its build, as `/app/.env` and `/tmp/env/NAME` of the image in the making.

use super::{Hook, Plugin};
use crate::app::{App, AppName};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::push::build_env;
use crate::push::making::Making;

/// The table of `build-env`.
pub const PLUGIN: Plugin =
    Plugin { name: "build-env", help: None, commands: &[], added: &[], hooks: &[Hook { name: "pre-build", run: pre_build }] };

/// pre-build APP: puts the variables into `dokku/APP`, between the hooks of other plugins.
fn pre_build(house: &House, args: &Args) -> Outcome {
    let name = AppName::parse(args.word(0)).ok_or_else(|| Fail::say("pre-build needs the name of an app"))?;
    let app = App::at(house, name);
    let env = build_env::gather(house, &app)?;
    let mut making = Making::of_image(house, &app);
    let dotenv = making.read("/app/.env")?.unwrap_or_default();
    making.put(|tar| env.add(tar, &dotenv))?;
    making.publish(&[])
}

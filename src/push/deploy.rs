//! `dokku deploy APP`: a container of the app's image, checked, on record, and taken into service.

use std::ffi::OsString;

use crate::app::App;
use crate::args::Args;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files::{self, dockerfile};
use crate::house::House;
use crate::io::Fd;
use crate::plugins::ps::restore::readdress;
use crate::progress::phase;
use crate::push::container::{self, Place};
use crate::push::{build, engine, image, lineage, options, retire, variables};
use crate::recovery::or_as_before;
use crate::tools::docker;
use crate::{hooks, operation, say, standing};

/// What 0.3.18 ends with when checks fail: it killed itself.
const KILLED: i32 = 137;

/// The port inside a container, unless a Dockerfile says otherwise.
pub const DEFAULT_PORT: &str = "5000";

/// Where an app whose port is published is asked.
pub const PUBLISHED_IP: &str = "127.0.0.1";

/// A container of the new release, and where it listens.
struct Container {
    id: String,
    ip: String,
    port: String,
    /// Do the app's own options say what becomes of it when it ends?
    is_its_own: bool,
}

/// The command. If anything fails after the new container has been started, the old one serves on and its files are as they were.
pub fn command(house: &House, words: &[OsString]) -> Outcome {
    let app = build::app(house, &Args { name: "deploy", words })?;
    operation::alone(house, &app, "deploy", |house| deploy(house, &app))
}

fn deploy(house: &House, app: &App) -> Outcome {
    prepare(house, app)?;
    let others = app.containers_of_others(house)?;
    let old = files::content(&app.path("CONTAINER"))?.and_then(|old| files::first_line_of(&old));
    let old = old.filter(|old| !others.contains(old)).map(|old| (standing::is_ours(house, app, &old), old));
    let new = phase(house, app, "start", || start(house, app))?;
    vacate(house, app, &new)?;
    phase(house, app, "checks", || check(house, app, &new))?;
    come_back(house, &new)?;
    phase(house, app, "switch", || switch(house, app, &new))?;
    if let Some((is_ours, old)) = old {
        retire::begin(house, app, &old, is_ours);
    }
    Ok(())
}

/// Fires pre-deploy. What its hooks make of a release of ours counts as a part of that release.
fn prepare(house: &House, app: &App) -> Outcome {
    if !hooks::observed(house, "pre-deploy") {
        return hooks::fire(house, "pre-deploy", &[app.word()]);
    }
    let ours = image::id(house, app)?.is_some_and(|id| lineage::is_ours(house, app, &id));
    hooks::fire(house, "pre-deploy", &[app.word()])?;
    match image::id(house, app)?.filter(|_| ours) {
        Some(id) => lineage::note(house, app, &id),
        None => Ok(()),
    }
}

fn start(house: &House, app: &App) -> Outcome<Container> {
    let hooked = options::of_phase(house, app, "deploy")?;
    let internal = hooks::ask(house, "bind-external-ip", &[app.word()])? == "false";
    let buildstep = image::is_buildstep(house, app)?;
    let command: &[&str] = if buildstep { &["/start", "web"] } else { &[] };
    let port = if internal { own_port(house, app, buildstep)? } else { DEFAULT_PORT.to_owned() };
    let mut options = options::of_log(house, &hooked)?;
    options.extend(exec::words(if internal { &[][..] } else { &["-p", DEFAULT_PORT] }));
    options.extend(exec::words(["-e", &format!("PORT={port}")]));
    if !buildstep {
        options.extend(variables::options(house, app)?);
    }
    let is_its_own = options::say_what_comes_after(&hooked);
    options.extend(hooked);
    let id = run(house, app, &options, command)?;
    let found =
        if internal { address(house, &id).map(|ip| (ip, port)) } else { host_port(house, &id).map(|port| (PUBLISHED_IP.to_owned(), port)) };
    let (ip, port) = found.inspect_err(|_| discard(house, &id))?;
    Ok(Container { id, ip, port, is_its_own })
}

/// DOKKU_DOCKERFILE_PORT of a Dockerfile app's config, else of the environment, else 5000. It becomes a part of addresses.
fn own_port(house: &House, app: &App, buildstep: bool) -> Outcome<String> {
    const NAME: &str = "DOKKU_DOCKERFILE_PORT";
    let from_env = || house.var(NAME).map(|port| port.to_string_lossy().into_owned());
    let configured = || hooks::collect(house, |house| hooks::call(house, &["config:get", app.name.as_str(), NAME])).ok();
    let set = if buildstep { from_env() } else { configured() };
    let port = set.filter(|port| !port.is_empty()).unwrap_or_else(|| DEFAULT_PORT.to_owned());
    if dockerfile::is_port(&port) { Ok(port) } else { Err(Fail::say(format!("{NAME} of {} is {port:?}, which is no port", app.name))) }
}

fn run(house: &House, app: &App, options: &[OsString], command: &[&str]) -> Outcome<String> {
    let started = engine::output(house, &docker::run_app(app.name.as_str(), options, &app.image(), command));
    if started.is_err() {
        discard_created(house, app);
    }
    Ok(started?.lines().last().unwrap_or_default().to_owned())
}

/// docker leaves a container behind that it made and could not start.
fn discard_created(house: &House, app: &App) {
    let filters =
        [format!("label={}={}", docker::APP_LABEL, app.name), format!("label={}=web", docker::PHASE_LABEL), "status=created".into()];
    let ids = exec::captured(house, &docker::list_containers(&filters)).map(|said| said.text()).unwrap_or_default();
    for id in ids.lines() {
        let _ = exec::silent(house, &docker::rm_force(&[id]));
    }
}

/// The container's own address; empty when it has none.
pub fn address(house: &House, id: &str) -> Outcome<String> {
    Ok(container::Container::find(house, id)?.and_then(|found| found.ip()).unwrap_or_default())
}

/// The host's port for the container's, of IPv4 where there are both.
fn host_port(house: &House, id: &str) -> Outcome<String> {
    let lines = engine::output(house, &docker::port(id, DEFAULT_PORT))?;
    let line = lines.lines().find(|line| !line.starts_with('[') && !line.starts_with("::")).or(lines.lines().next());
    Ok(line.and_then(|line| line.rsplit(':').next()).unwrap_or_default().to_owned())
}

/// The address was another app's before, when nginx still sends that one's requests there: its container has ended, or has
/// another address by now.
fn vacate(house: &House, app: &App, new: &Container) -> Outcome {
    if new.ip.is_empty() {
        return Ok(());
    }
    let address = if new.ip == PUBLISHED_IP { format!("{}:{};", new.ip, new.port) } else { format!("{}:", new.ip) };
    let mut hushed = house.clone();
    hushed.io.stdout = Fd::null()?;
    for other in App::all(house)?.iter().filter(|other| other.name != app.name) {
        if std::fs::read_to_string(other.path("nginx.conf")).is_ok_and(|text| text.contains(&address)) {
            // What keeps another app's configuration from being renewed must not keep this one from its release.
            if let Err(fail) = readdress(&hushed, other) {
                say::failure(house, &fail);
            }
        }
    }
    Ok(())
}

/// From now on the engine starts the container again when it ends, also at its own next start; not before the checks, which
/// would not see that it ended. An app's own options win.
fn come_back(house: &House, new: &Container) -> Outcome {
    if new.is_its_own {
        return Ok(());
    }
    let said = exec::captured(house, &docker::restart_policy("unless-stopped", &[&new.id]))?;
    match engine::judge(house, &said) {
        // An engine of another make may not know how; the app serves all the same.
        Err(Fail::Code(_)) => {
            say::error(house, "The engine will not start this container again when it ends; `dokku ps:restore` does");
            Ok(())
        }
        judged => judged.inspect_err(|_| discard(house, &new.id)),
    }
}

/// Runs the checks. A container that does not pass is ended, and no file has been touched.
fn check(house: &House, app: &App, new: &Container) -> Outcome {
    say::info1(house, "Running pre-flight checks")?;
    let words = [app.word(), new.port.clone().into(), new.ip.clone().into(), new.id.clone().into()];
    hooks::fire(house, "check-deploy", &words).map_err(|fail| {
        say::failure(house, &fail);
        discard(house, &new.id);
        Fail::Code(KILLED)
    })
}

fn discard(house: &House, id: &str) {
    let _ = exec::silent(house, &docker::stop(id));
    let _ = exec::silent(house, &docker::rm_force(&[id]));
}

/// All that a deployment and its core hooks switch.
const SWITCHED: &[&str] = &["CONTAINER", "IP", "PORT", "URL", "URLS", "VHOST", "nginx.conf"];

/// Puts the new container on record and lets post-deploy take it into service; all of it, or nothing.
fn switch(house: &House, app: &App, new: &Container) -> Outcome {
    let switched = or_as_before(house, app, SWITCHED, || {
        record(house, app, new)?;
        say::info1(house, "Running post-deploy")?;
        hooks::fire(house, "post-deploy", &[app.word(), new.port.clone().into(), new.ip.clone().into()])
    });
    switched.inspect_err(|_| discard(house, &new.id))
}

fn record(house: &House, app: &App, new: &Container) -> Outcome {
    app.write_record("CONTAINER", &new.id)?;
    Place { ip: new.ip.clone(), port: new.port.clone() }.record(house, app)?;
    standing::started(house, app, &new.id)
}

//! `ps:restore`: after the engine has been started anew, or the machine, the apps run again and nginx knows where. The
//! engine gives out addresses anew at each start, and does not start again what it found running after a crash of its own.

use std::ffi::OsString;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::app::{App, AppName};
use crate::args::Args;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::house::House;
use crate::io::Fd;
use crate::plugins::nginx_vhosts;
use crate::progress::waiting;
use crate::push::container::{Container, Place};
use crate::push::{self, engine};
use crate::tools::docker;
use crate::{hooks, lock, nginx, operation, retirement, say, standing};

/// How long a container is waited for that the engine is about to start again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(500);

/// `ps:restore [APP]`. One app that cannot be restored does not keep the others from it; it is named at the end.
pub fn command(house: &House, args: &Args) -> Outcome {
    let named = if args.lacks(0) { None } else { Some(App::of(house, args)?) };
    if named.as_ref().is_some_and(|app| app.record("CONTAINER").is_none()) {
        return say::line(house, format!("App {} has not been deployed", args.text(0)));
    }
    let mut apps = named.clone().map_or_else(|| App::deployed(house), |app| Ok(vec![app]))?;
    engine::answers(house)?;
    retirement::ensure(house)?;
    if named.is_none() {
        operation::settle_all(house);
    }
    // Those first that nobody is at.
    apps.sort_by_key(|app| operation::is_under_way(house, app));
    let Pass { restarting, busy, mut failed, .. } = Pass::over(house, &apps, false)?;
    await_restarts(house, &restarting)?;
    for (apps, is_patient) in [(restarting, false), (busy, true)] {
        let again = Pass::over(house, &apps, is_patient)?;
        failed.extend(again.failed);
        failed.extend(again.restarting.iter().map(|app| app.name.to_string()));
    }
    // What was broken since nginx last started must not keep it from starting again.
    let is_down = named.is_none() && !nginx::is_missing() && !nginx::is_running();
    let can_start = if is_down { with_nginx(house, None, nginx::test) } else { Ok(()) };
    if failed.is_empty() {
        return can_start;
    }
    can_start.unwrap_or_else(|fail| say::failure(house, &fail));
    Err(Fail::say(format!("ps:restore failed for: {}", failed.join(", "))))
}

/// Another container has been given an address that nginx knows as the app's: it is told where the app is now, or that it
/// is nowhere. Waits for nobody who is at the app.
pub fn readdress(house: &House, app: &App) -> Outcome {
    let mut pass = Pass::default();
    pass.renew(house, app)?;
    pass.reload(house)
}

/// Restores the app that a command is about to be run on, when the engine has been started anew and nobody has done so
/// yet: where no init does, the next command does. Its own output is the command's alone.
pub fn ahead_of(house: &House, words: &[OsString]) {
    let [command, word, ..] = words else { return };
    // Who restores does it, and what is about to go need not come back.
    if ["ps:restore", "apps:destroy", "delete"].iter().any(|name| command == name) {
        return;
    }
    let word = word.to_string_lossy();
    let name = word.trim_matches('\'').trim_start_matches('/');
    let app = AppName::parse(name.as_ref()).map(|name| App::at(house, name));
    let Some(app) = app.filter(|app| app.dir.is_dir() && standing::engine_is_new(house, app)) else { return };
    let mut hushed = house.clone();
    let Ok(null) = Fd::null() else { return };
    (hushed.io.stdin, hushed.io.stdout) = (null.clone(), null);
    if let Err(fail) = hooks::call(&hushed, &["ps:restore", app.name.as_str()]) {
        say::failure(house, &fail);
    }
}

/// Tells nginx that nobody listens for the app any more, so that its requests never go to whoever gets its address next.
/// That nginx could not be told is said, no more: the app is to be stopped.
pub fn withdraw(house: &House, app: &App) {
    let told = nginx_vhosts::renew(house, app, None).and_then(|before| match before {
        // Nobody is harmed by an address less, so it stays where nginx refuses something.
        Some(_) => with_nginx(house, Some(app), nginx::take_into_use),
        None => Ok(()),
    });
    told.unwrap_or_else(|fail| say::failure(house, &fail));
}

/// Does this with nginx while nobody tries a configuration, and whatever other apps have broken.
fn with_nginx(house: &House, app: Option<&App>, act: fn(&House) -> Outcome) -> Outcome {
    lock::holding(house, lock::Of::Nginx, || nginx_vhosts::past_others(house, app, || act(house)))
}

/// What became of several apps.
#[derive(Default)]
struct Pass {
    /// The engine is about to start their containers again.
    restarting: Vec<App>,
    /// They ought to run and do not, and somebody is at them: a push, perhaps, that has not noticed yet that it has failed.
    busy: Vec<App>,
    failed: Vec<String>,
    /// Apps whose nginx.conf is another one now, with what it was.
    renewed: Vec<(App, Vec<u8>)>,
}

impl Pass {
    /// Restores each app, then has nginx take all of it into use at once.
    fn over(house: &House, apps: &[App], is_patient: bool) -> Outcome<Pass> {
        let mut pass = Pass::default();
        for app in apps {
            if let Err(fail) = pass.restore(house, app, is_patient) {
                say::failure(house, &fail);
                pass.failed.push(app.name.to_string());
            }
            if pass.busy.last().is_none_or(|busy| busy.name != app.name) {
                standing::address_is_right(house, app)?;
            }
        }
        pass.reload(house)?;
        Ok(pass)
    }

    /// An app that somebody is at is left to them, but for its address; only the patient wait for them.
    fn restore(&mut self, house: &House, app: &App, is_patient: bool) -> Outcome {
        if !is_patient && operation::is_under_way(house, app) {
            if !self.renew(house, app)? && !standing::is_stopped(house, app) {
                self.busy.push(app.clone());
            }
            return Ok(());
        }
        operation::alone(house, app, "ps:restore", |house| {
            let started = start(house, app);
            // Whether it runs now or not: its requests must not go to whoever has its address.
            let runs = self.renew(house, app)?;
            started?;
            if runs || standing::is_stopped(house, app) {
                return Ok(());
            }
            Err(Fail::say(format!("{0} does not stay up: see `dokku logs {0}`", app.name)))
        })
    }

    /// Writes down where the app listens now. Does it run, or is it about to?
    fn renew(&mut self, house: &House, app: &App) -> Outcome<bool> {
        loop {
            let (Some(id), Some(before)) = (app.record("CONTAINER"), Place::on_record(app)) else { return Ok(true) };
            let runs = self.renew_for(house, app, &id, &before)?;
            // Somebody who is at the app may have switched it meanwhile, and we may have written over what they wrote.
            if app.record("CONTAINER") == Some(id) {
                return Ok(runs);
            }
        }
    }

    fn renew_for(&mut self, house: &House, app: &App, id: &str, before: &Place) -> Outcome<bool> {
        let container = Container::find(house, id)?;
        let now = container.as_ref().and_then(|container| container.place(before));
        let is_restarting = container.is_some_and(|container| container.is_restarting());
        if is_restarting {
            self.restarting.push(app.clone());
        }
        if let Some(now) = &now {
            let has_moved = now != before;
            if has_moved {
                now.record(house, app)?;
                say::info1(house, format!("{} listens at {}:{} now", app.name, now.ip, now.port))?;
            }
            // Plugins that change nginx.conf have their turn again whenever it is made anew.
            if is_observed(house) && (has_moved || !nginx_vhosts::is_right(house, app, Some(now))?) {
                let words = [app.word(), now.port.clone().into(), now.ip.clone().into()];
                return hooks::fire(house, "post-deploy", &words).map(|()| true);
            }
        }
        let is_there = now.is_some();
        if let Some(before) = nginx_vhosts::renew(house, app, now)? {
            self.renewed.push((app.clone(), before));
        }
        Ok(is_there || is_restarting)
    }

    /// When nginx refuses all at once, each app has its turn alone; those that are right come into force.
    fn reload(&mut self, house: &House) -> Outcome {
        if self.renewed.is_empty() {
            return Ok(());
        }
        if nginx::take_into_use(house).is_ok() {
            return self.renewed.iter().try_for_each(|(app, _)| nginx_vhosts::mended(app));
        }
        for (app, before) in &self.renewed {
            files::replace(&app.path("nginx.conf"), before, 0o600)?;
        }
        for (app, _) in &self.renewed {
            if let Err(fail) = hooks::call(house, &["nginx:build-config", app.name.as_str()]) {
                say::failure(house, &fail);
                self.failed.push(app.name.to_string());
            }
        }
        Ok(())
    }
}

/// Do third-party plugins look at where an app listens? Then they are told, as at a deployment.
fn is_observed(house: &House) -> bool {
    ["post-deploy", "nginx-pre-reload"].iter().any(|hook| hooks::observed(house, hook))
}

/// Starts the app's container, unless its user has stopped it. One that is gone or cannot be started gets a successor.
fn start(house: &House, app: &App) -> Outcome {
    let Some(id) = app.record("CONTAINER") else { return Ok(()) };
    let container = Container::find(house, &id)?;
    if container.as_ref().is_some_and(|container| container.is_running() || container.is_restarting()) {
        return say::verbose(house, format!("{} runs", app.name));
    }
    if standing::is_stopped(house, app) {
        return say::verbose(house, format!("{} was stopped by ps:stop and stays so", app.name));
    }
    if container.is_some() {
        let said = exec::captured(house, &docker::start(&id))?;
        if said.code == 0 {
            return say::info1(house, format!("{} was started", app.name));
        }
        // Says why, and fails no more than the start did.
        let _ = engine::judge(house, &said);
    }
    push::restart(house, app)
}

/// Waits until the engine has started these again.
fn await_restarts(house: &House, apps: &[App]) -> Outcome {
    let end = Instant::now() + PATIENCE;
    let restarts = |id: &str| Ok::<bool, Fail>(Container::find(house, id)?.is_some_and(|container| container.is_restarting()));
    for (app, id) in apps.iter().filter_map(|app| Some((app, app.record("CONTAINER")?))) {
        let left = end.saturating_duration_since(Instant::now());
        waiting(house, &format!("the engine to start {} again", app.name), left, || {
            while Instant::now() < end && restarts(&id)? {
                sleep(LOOK);
            }
            Ok::<(), Fail>(())
        })?;
    }
    Ok(())
}

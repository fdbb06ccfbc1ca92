//! What git told of a push. Its pre-receive hook hands it to the build through the environment, which hooks of other
//! plugins between the two pass on; git moves the ref only when that hook has ended, after our locks are released.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::app::App;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::process::Process;
use crate::progress::waiting;
use crate::push::tree;
use crate::recovery::{self, WayBack};

/// `PID START OLD NEW APP`.
const VARIABLE: &str = "DOKKU_PUSHED";

/// How git's programs are called that take a push.
const PUSHER: &str = "git";

/// How long another push may take from the end of its build until git has taken it.
const LIMIT: Duration = Duration::from_secs(60);

/// Between two looks at it.
const PAUSE: Duration = Duration::from_millis(10);

/// A push of master.
pub struct Pushed {
    /// The process of git that moves the ref.
    pusher: Process,
    /// What the client believes master to be; `None` when it believes that there is none.
    old: Option<String>,
    new: String,
}

/// The house as the rest of a push sees it that was told to a pre-receive hook.
pub fn told(house: &House, app: &OsStr, old: &str, new: &str) -> House {
    match Process::above(PUSHER) {
        Some(pusher) => house.with_env(VARIABLE, format!("{pusher} {old} {new} {}", app.to_string_lossy())),
        None => house.clone(),
    }
}

impl Pushed {
    /// The push into this app that this process is a part of. It is believed only while its pusher lives; a hook on the way
    /// may build other apps.
    pub fn of(house: &House, app: &App) -> Option<Pushed> {
        let text = house.var(VARIABLE)?.into_string().ok()?;
        let [pid, start, old, new, pushed] = text.splitn(5, ' ').collect::<Vec<_>>().try_into().ok()?;
        let pusher = Process { pid: pid.parse().ok()?, start: start.parse().ok()? };
        let old = Some(old.to_owned()).filter(|old| old.bytes().any(|byte| byte != b'0'));
        (pushed == app.name.as_str() && pusher.lives()).then(|| Pushed { pusher, old, new: new.to_owned() })
    }

    /// The commit that master is to be.
    pub fn commit(&self) -> &str {
        &self.new
    }

    /// Refuses what git would refuse once it is deployed, else writes down the way back from it. Under the app's lock.
    pub fn begin<'h>(&self, house: &'h House, app: &App) -> Outcome<WayBack<'h>> {
        let now = tree::tip(house, app)?;
        if now != self.old {
            let short =
                |commit: &Option<String>| commit.as_ref().map_or("not there".into(), |commit| commit.chars().take(7).collect::<String>());
            return Err(Fail::say(format!(
                "master of {} has moved since this push began (it was {}, it is {}): fetch it, then push again. Nothing has been built.",
                app.name,
                short(&self.old),
                short(&now)
            )));
        }
        if self.new.bytes().all(|byte| byte == b'0') {
            let name = &app.name;
            return Err(Fail::say(format!(
                "master of {name} is what runs, and is not deleted by a push: `dokku apps:destroy {name}` ends the app"
            )));
        }
        if tree::is_cut_off(house, app, &self.new)? {
            return Err(Fail::say(
                "This comes from a shallow clone, which git does not take. Complete it with `git fetch --unshallow`, then push again. \
                 Nothing has been built.",
            ));
        }
        let quarantine = house.var("GIT_QUARANTINE_PATH").map(PathBuf::from).filter(|path| path.starts_with(&app.dir));
        WayBack::to_master(house, app, self.pusher, &self.new, quarantine)
    }
}

/// Waits for pushes other than this one, if we are a part of one, whose builds are done, until git has taken them, or has
/// not. To be called without the app's lock: their hooks may not be at their end.
pub fn await_others(house: &House, app: &App, this: Option<&Pushed>) -> Outcome {
    if !must_wait(house, app, this) {
        return Ok(());
    }
    let end = Instant::now() + LIMIT;
    let what = format!("git to take another push to {}", app.name);
    let left = waiting(house, &what, LIMIT, || {
        while let Some(other) = other(house, app, this) {
            if Instant::now() > end {
                return Some(other);
            }
            sleep(PAUSE);
        }
        None
    });
    left.map_or(Ok(()), |other| {
        Err(Fail::say(format!(
            "Another push to {} (process {}) has been deployed, and git has still not taken it. Try again when it has ended.",
            app.name, other.pid
        )))
    })
}

/// Is there such a push?
pub fn must_wait(house: &House, app: &App, this: Option<&Pushed>) -> bool {
    other(house, app, this).is_some()
}

fn other(house: &House, app: &App, this: Option<&Pushed>) -> Option<Process> {
    recovery::pushers(house, app).find(|pusher| this.is_none_or(|this| *pusher != this.pusher))
}

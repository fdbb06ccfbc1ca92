//! Where things are and what the caller asked for. The only reader of the process's environment, read once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::rc::Rc;

use crate::cmd::{Cmd, Said};
use crate::fail::{Fail, Outcome};
use crate::files::passwd;
use crate::io::Io;
use crate::legacy;

/// Variables by name, as children get them.
pub type Env = BTreeMap<OsString, OsString>;

/// The context of every command and hook. A clone with other streams or variables is what a child process
/// with them would be.
#[derive(Clone, Debug)]
pub struct House {
    /// DOKKU_ROOT: home of user dokku, one directory an app.
    pub root: PathBuf,
    /// DOKKU_LIB_ROOT: state of our own, which 0.3.18 did not have.
    pub lib: PathBuf,
    /// PLUGIN_PATH: one directory a plugin.
    pub plugin_path: PathBuf,
    /// DOKKU_IMAGE: the builder image.
    pub image: String,
    /// DOKKU_DISTRO: tells how nginx is reloaded; `ubuntu` on Debian too.
    pub distro: String,
    /// What children inherit, plugins' hooks among them.
    pub env: Env,
    /// Shell variables that dokkurc set without exporting them: they count for dokku itself alone.
    pub locals: Env,
    /// The streams of this command or hook.
    pub io: Io,
    /// Where children start, when not in this process's working directory.
    pub dir: Option<PathBuf>,
    /// Does somebody with a key ask, over ssh?
    pub remote: bool,
    /// The last command that was run, if it only looked, and what it said. Clones share it, as they share what it is about.
    pub last_look: Rc<RefCell<Option<(Cmd, Said)>>>,
}

/// The user whose home is DOKKU_ROOT and as whom everything but installing runs.
pub const USER: &str = "dokku";

const DEFAULT_PLUGIN_PATH: &str = "/var/lib/dokku/plugins";
const DEFAULT_LIB: &str = "/var/lib/dokku";
const DEFAULT_IMAGE: &str = "progrium/buildstep";
const DEFAULT_DISTRO: &str = "ubuntu";

impl House {
    /// From the environment of this process. Fails when DOKKU_ROOT is not given and there is no user dokku.
    pub fn from_process() -> Outcome<House> {
        House::from_env(std::env::vars_os().collect(), Io::of_process())
    }

    /// From these variables. Empty ones count as not given, as in 0.3.18.
    pub fn from_env(env: Env, io: Io) -> Outcome<House> {
        let root = match given(&env, "DOKKU_ROOT") {
            Some(root) => PathBuf::from(root),
            None => {
                passwd::user(USER)
                    .ok_or_else(|| {
                        Fail::say("There is no user dokku on this machine, and DOKKU_ROOT is not set. Run scripts/install first.")
                    })?
                    .home
            }
        };
        Ok(House::at(root, env, io))
    }

    /// For the faces that work where there is no DOKKU_ROOT, too: `pluginhook`, `sshcommand` and the client.
    pub fn rootless() -> House {
        let env: Env = std::env::vars_os().collect();
        let root = given(&env, "DOKKU_ROOT").map(PathBuf::from).or_else(|| Some(passwd::user(USER)?.home));
        House::at(root.unwrap_or_default(), env, Io::of_process())
    }

    fn at(root: PathBuf, mut env: Env, io: Io) -> House {
        let lib = given(&env, "DOKKU_LIB_ROOT").map_or_else(|| DEFAULT_LIB.into(), PathBuf::from);
        if let Some(path) = env.get_mut(OsStr::new("PATH")) {
            *path = legacy::without(path, &lib);
        }
        let text = |name, default: &str| given(&env, name).map_or(default.into(), |value| value.to_string_lossy().into_owned());
        House {
            root,
            lib,
            plugin_path: given(&env, "PLUGIN_PATH").unwrap_or_else(|| DEFAULT_PLUGIN_PATH.into()).into(),
            image: text("DOKKU_IMAGE", DEFAULT_IMAGE),
            distro: text("DOKKU_DISTRO", DEFAULT_DISTRO),
            locals: Env::new(),
            env,
            io,
            dir: None,
            remote: false,
            last_look: Rc::default(),
        }
    }

    /// From here on, what was seen last may have changed.
    pub fn forget_look(&self) {
        self.last_look.take();
    }

    /// With what 0.3.18's `dokku` exports to every plugin.
    pub fn exported(mut self) -> House {
        let paths = [("DOKKU_ROOT", self.root.as_os_str()), ("PLUGIN_PATH", self.plugin_path.as_os_str())];
        let texts = [
            ("DOKKU_DISTRO", self.distro.as_str()),
            ("DOKKU_IMAGE", self.image.as_str()),
            ("DOKKU_NOT_IMPLEMENTED_EXIT", "10"),
            ("DOKKU_VALID_EXIT", "0"),
        ];
        let texts = texts.iter().map(|(name, value)| (*name, OsStr::new(value)));
        self.env.extend(paths.into_iter().chain(texts).map(|(name, value)| (name.into(), value.to_owned())));
        self
    }

    /// A variable, exported or only set in dokkurc; `None` when it is empty or not there.
    pub fn var(&self, name: &str) -> Option<OsString> {
        given(&self.env, name).or_else(|| given(&self.locals, name))
    }

    /// A clone in which children see this variable too.
    pub fn with_env(&self, name: &str, value: impl AsRef<OsStr>) -> House {
        let mut house = self.clone();
        house.env.insert(name.into(), value.as_ref().into());
        house
    }

    /// Where temporary files go: TMPDIR, else `/tmp`.
    pub fn temp_dir(&self) -> PathBuf {
        self.var("TMPDIR").map_or_else(|| "/tmp".into(), PathBuf::from)
    }

    /// `--quiet` or DOKKU_QUIET_OUTPUT with any value: silences the `_quiet` lines.
    pub fn quiet(&self) -> bool {
        given(&self.env, "DOKKU_QUIET_OUTPUT").is_some()
    }

    /// `--trace` or DOKKU_TRACE: commands are shown on stderr before they run.
    pub fn trace(&self) -> bool {
        given(&self.env, "DOKKU_TRACE").is_some()
    }

    /// `--force` or DOKKU_APPS_FORCE_DELETE: nothing is asked.
    pub fn force(&self) -> bool {
        self.var("DOKKU_APPS_FORCE_DELETE").is_some()
    }

    /// `--rm`, `--rm-container` or DOKKU_RM_CONTAINER: containers of `run` go with their command.
    pub fn rm_container(&self) -> bool {
        self.var("DOKKU_RM_CONTAINER").is_some()
    }

    /// Is there a terminal that controls us? (`tty` on stdin, as 0.3.18's has_tty.)
    pub fn has_tty(&self) -> bool {
        self.io.stdin.is_terminal()
    }
}

/// A variable that is there and not empty.
fn given(env: &Env, name: &str) -> Option<OsString> {
    env.get(OsStr::new(name)).filter(|value| !value.is_empty()).cloned()
}

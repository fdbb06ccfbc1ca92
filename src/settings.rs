//! Settings: one table, read by name and never sourced as code by us.

use crate::app::App;
use crate::fail::Outcome;
use crate::files::env::EnvFile;
use crate::house::House;

/// A number that people may set.
pub struct Setting {
    /// Its variable.
    pub name: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// When nobody has set it.
    pub default: u64,
}

/// Wait before an attempt of the checks.
pub const CHECKS_WAIT: Setting = Setting { name: "DOKKU_CHECKS_WAIT", unit: "seconds", default: 5 };
/// Longest wait for one answer of a check.
pub const CHECKS_TIMEOUT: Setting = Setting { name: "DOKKU_CHECKS_TIMEOUT", unit: "seconds", default: 30 };
/// Attempts before the checks are given up.
pub const CHECKS_ATTEMPTS: Setting = Setting { name: "DOKKU_CHECKS_ATTEMPTS", unit: "attempts", default: 5 };
/// How long a container without checks must stay up after it has answered at its port.
pub const CHECKS_UPTIME: Setting = Setting { name: "DOKKU_CHECKS_UPTIME", unit: "seconds", default: 2 };
/// Not 0: the checks wait as long as they are told, even for a container that is ready.
pub const CHECKS_PATIENT: Setting = Setting { name: "DOKKU_CHECKS_PATIENT", unit: "0 or 1", default: 0 };
/// How long the old container goes on after a switch.
pub const WAIT_TO_RETIRE: Setting = Setting { name: "DOKKU_WAIT_TO_RETIRE", unit: "seconds", default: 60 };
/// The longest that a build may take; 0 for as long as it likes.
pub const BUILD_TIMEOUT: Setting = Setting { name: "DOKKU_BUILD_TIMEOUT", unit: "seconds", default: 1800 };
/// What must be free on the disks of the engine and of our own state before a build begins; 0 for nothing.
pub const MIN_FREE_MB: Setting = Setting { name: "DOKKU_MIN_FREE_MB", unit: "megabytes", default: 500 };

/// Not 0: each phase of a deployment ends with the time that it took.
pub const TIMINGS: Setting = Setting { name: "DOKKU_TIMINGS", unit: "0 or 1", default: 0 };

/// 0: nobody changes docker's options over ssh, which would let a key act as root.
pub const SSH_DOCKER_OPTIONS: Switch = Switch { name: "DOKKU_SSH_DOCKER_OPTIONS" };

/// All settings.
pub const ALL: &[&Setting] = &[
    &CHECKS_WAIT,
    &CHECKS_TIMEOUT,
    &CHECKS_ATTEMPTS,
    &CHECKS_UPTIME,
    &CHECKS_PATIENT,
    &WAIT_TO_RETIRE,
    &BUILD_TIMEOUT,
    &MIN_FREE_MB,
    &TIMINGS,
];

/// Something that is on unless the administrator sets it to 0. No app's config has a say in it.
pub struct Switch {
    /// Its variable.
    pub name: &'static str,
}

impl Switch {
    /// `$DOKKU_ROOT/ENV`, else the environment with dokkurc. Fails when that file cannot be read.
    pub fn is_on(&self, house: &House) -> Outcome<bool> {
        let file = EnvFile::load(&house.root.join("ENV"))?;
        let global = file.get(self.name).map(|value| without_double_quotes(&String::from_utf8_lossy(value)).to_owned());
        let set = global.or_else(|| house.var(self.name).map(|value| value.to_string_lossy().into_owned()));
        Ok(set.is_none_or(|value| value.trim() != "0"))
    }
}

impl Setting {
    /// As text: the app's ENV, else `$DOKKU_ROOT/ENV`, else the environment with dokkurc, else the default. A file that cannot
    /// be read sets nothing here; what depends on its content fails without that.
    pub fn text(&self, house: &House, app: &App) -> String {
        let files = [app.path("ENV"), house.root.join("ENV")];
        let from_file = files.iter().find_map(|path| EnvFile::load(path).ok()?.get(self.name).map(<[u8]>::to_vec));
        let bytes =
            from_file.filter(|value| !value.is_empty()).map(|value| without_double_quotes(&String::from_utf8_lossy(&value)).to_owned());
        let from_env = || house.var(self.name).map(|value| value.to_string_lossy().into_owned());
        bytes.or_else(from_env).unwrap_or_else(|| self.default.to_string())
    }

    /// As a number; the default when what is set is none.
    pub fn number(&self, house: &House, app: &App) -> u64 {
        self.text(house, app).trim().parse().unwrap_or(self.default)
    }
}

/// People who edit ENV by hand write `export X="5"`, which a shell reads as 5.
fn without_double_quotes(value: &str) -> &str {
    value.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(value)
}

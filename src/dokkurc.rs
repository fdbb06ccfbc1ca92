//! `dokkurc` and `.dokkurc/*`: bash that users wrote, so bash runs it and we take over what it leaves behind.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use crate::cmd::Cmd;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::io;
use crate::settings;

/// Sources the files in 0.3.18's order with its options and log functions, then writes the exported variables, an
/// empty entry, and the named shell variables to the descriptor $1.
const SOURCE: &str = r#"
dump=$1; shift
set -eo pipefail
shopt -s nullglob
[ -f "$PLUGIN_PATH/common/functions" ] && source "$PLUGIN_PATH/common/functions"
names=("$@"); set --
if [ -f "$DOKKU_ROOT/dokkurc" ]; then source "$DOKKU_ROOT/dokkurc"; fi
if [ -d "$DOKKU_ROOT/.dokkurc" ]; then for file in "$DOKKU_ROOT"/.dokkurc/*; do source "$file"; done; fi
{ env -0; printf '\0'; for name in "${names[@]}"; do [ -z "${!name+x}" ] || printf '%s=%s\0' "$name" "${!name}"; done; } >&"$dump"
"#;

/// Variables that count for dokku itself even when they are not exported.
const OWN: &[&str] = &["DOKKU_ROOT", "PLUGIN_PATH", "DOKKU_IMAGE", "DOKKU_DISTRO", "DOKKU_APPS_FORCE_DELETE", "DOKKU_RM_CONTAINER"];

/// The house after the user's dokkurc. Ends with dokkurc's code when that fails or ends the shell.
pub fn sourced(house: House) -> Outcome<House> {
    if !house.root.join("dokkurc").exists() && !house.root.join(".dokkurc").is_dir() {
        return Ok(house);
    }
    let dump = io::inherited_scratch()?;
    let settings = settings::ALL.iter().map(|setting| setting.name).chain([settings::SSH_DOCKER_OPTIONS.name]);
    let names = OWN.iter().copied().chain(settings);
    let script = Cmd::new("bash").args(["-c", SOURCE, "dokku"]).arg(dump.as_fd().as_raw_fd().to_string()).args(names);
    let code = exec::status(&house, &script)?;
    let text = io::contents(&dump)?;
    if code != 0 || text.is_empty() {
        return Err(Fail::Code(code));
    }
    taken_over(house, &text)
}

fn taken_over(house: House, dump: &[u8]) -> Outcome<House> {
    let mut parts = dump.split(|byte| *byte == 0);
    let exported = parts.by_ref().take_while(|part| !part.is_empty()).filter_map(pair).filter(|(name, _)| name != "_" && name != "SHLVL");
    let env = exported.collect();
    let locals: crate::house::Env = parts.filter_map(pair).collect();
    let mut again = House::from_env(env, house.io)?;
    for (name, place) in [("DOKKU_IMAGE", &mut again.image), ("DOKKU_DISTRO", &mut again.distro)] {
        if let Some(value) = locals.get(OsStr::new(name)) {
            *place = value.to_string_lossy().into_owned();
        }
    }
    again.locals = locals;
    Ok(again.exported())
}

fn pair(part: &[u8]) -> Option<(std::ffi::OsString, std::ffi::OsString)> {
    let equals = part.iter().position(|byte| *byte == b'=')?;
    Some((OsStr::from_bytes(&part[..equals]).into(), OsStr::from_bytes(&part[equals + 1..]).into()))
}

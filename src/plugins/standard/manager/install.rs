//! `plugins:install GIT-URL [NAME]`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::staging::{Lock, Staging};
use super::{Installed, check, is_core, is_executable, is_name, need_root};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::tools::git;
use crate::{exec, hooks, say};

/// Clones a plugin and runs its `dependencies` and `install`. It is there whole in the end, or not at all.
pub fn install(house: &House, args: &Args) -> Outcome {
    if args.lacks(0) {
        return Err(Fail::say("Say where the plugin comes from: dokku plugins:install <git-url> [<plugin>]"));
    }
    need_root("plugins:install", args.words)?;
    let name = if args.lacks(1) { name_of(&args.text(0)) } else { args.text(1).into_owned() };
    let lock = Lock::take(house)?;
    let plugin = newcomer(house, &name)?;
    let staging = Staging::of(&lock, &plugin)?;
    say::info1(house, format!("Installing {name} from {}", args.text(0)))?;
    if exec::status(house, &git::clone(args.word(0), &staging.next()))? != 0 {
        return Err(Fail::say(format!("Plugin {name} is not installed: {} cannot be cloned", args.text(0))));
    }
    if !is_plugin(&staging.next()) {
        return Err(Fail::say(format!("Plugin {name} is not installed: {} has neither commands nor hooks that can start", args.text(0))));
    }
    // Whatever root's umask is: user dokku reads plugins.
    fs::set_permissions(staging.next(), fs::Permissions::from_mode(0o755))?;
    staging.place()?;
    for hook in ["dependencies", "install"] {
        run(house, &plugin, hook, "not installed")?;
    }
    staging.done()?;
    check::report(house, &plugin).map(drop)
}

/// Runs one hook of the plugin, as root. It runs in its place, since installs write down where they are.
pub fn run(house: &House, plugin: &Installed, hook: &str, otherwise: &str) -> Outcome {
    let path = plugin.dir.join(hook);
    if !is_executable(&path) {
        return Ok(());
    }
    match exec::status(house, &hooks::program(house, &path, &[]))? {
        0 => Ok(()),
        code => Err(Fail::say(format!("Plugin {} is {otherwise}: its {hook} ended with {code}", plugin.name))),
    }
}

/// The name that people of 2015 gave the directory: the repository's, without `dokku-` in front.
fn name_of(url: &str) -> String {
    let last = url.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let last = last.strip_suffix(".git").unwrap_or(last);
    last.strip_prefix("dokku-").unwrap_or(last).to_owned()
}

fn newcomer(house: &House, name: &str) -> Outcome<Installed> {
    let plugin = Installed::at(house, name);
    if !is_name(name) || name.starts_with('.') {
        return Err(Fail::say(format!("{name:?} cannot be the name of a plugin")));
    }
    if is_core(name) || fs::symlink_metadata(&plugin.dir).is_ok() {
        return Err(Fail::say(format!("There is a plugin {name} already; give another name, or update or uninstall that one")));
    }
    Ok(plugin)
}

/// Is there a file that dokku could start?
fn is_plugin(dir: &Path) -> bool {
    let candidate = Installed { name: String::new(), dir: dir.to_owned() };
    candidate.hooks().iter().any(|(_, path)| is_executable(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_named_after_their_repositories() {
        for (url, name) in [
            ("https://github.com/rlaneve/dokku-link.git", "link"),
            ("git@host:me/dokku-redis-plugin", "redis-plugin"),
            ("/srv/git/webhooks/", "webhooks"),
            ("host:x.git", "x"),
        ] {
            assert_eq!(name_of(url), name);
        }
    }
}

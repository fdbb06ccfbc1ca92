//! git. Each call says by itself what it needs, so that no user's configuration changes what is deployed.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::cmd::{Cmd, Limit};

/// Variables by which git tells a hook where it is; a call elsewhere must not see them.
pub const OF_THE_HOOK: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_PREFIX",
    "GIT_PUSH_OPTION_COUNT",
];

/// git on its own, as if no hook were running.
fn git() -> Cmd {
    OF_THE_HOOK.iter().fold(Cmd::new("git"), |cmd, name| cmd.env_remove(name))
}

/// What is pushed must not bring hooks along, whatever hole in git lets it put them where git looks for some.
const NO_HOOKS: [&str; 2] = ["-c", "core.hooksPath=/dev/null"];

/// Makes a bare repository for an app.
pub fn init_bare(dir: &Path) -> Cmd {
    git().limit(Limit::Brief).args(["init", "-q", "--bare"]).arg(dir)
}

/// Makes an empty work tree with its repository in it, without the template's hooks.
pub fn init_tree(dir: &Path) -> Cmd {
    git().limit(Limit::Brief).args(["-c", "init.defaultBranch=master", "init", "-q", "--template="]).arg(dir)
}

/// Names the repository that a work tree comes from; relative submodules are found beside it.
pub fn set_origin(tree: &Path, origin: &Path) -> Cmd {
    in_tree(tree).limit(Limit::Brief).args(["config", "remote.origin.url"]).arg(origin)
}

/// Puts a revision's files into the work tree.
pub fn checkout(tree: &Path, revision: &OsStr) -> Cmd {
    let quiet = ["-c", "advice.detachedHead=false", "-c", "safe.directory=*"];
    in_tree(tree).limit(Limit::Long).args(NO_HOOKS).args(quiet).args(["checkout", "-q", "--force"]).arg(revision).arg("--")
}

/// Fetches the submodules, and theirs; those that are named by a path too (git 2.38 refuses them by default), but none
/// by way of a program or an open file (`ext::`, `fd::`).
pub fn submodules(tree: &Path) -> Cmd {
    let update = ["submodule", "update", "-q", "--init", "--recursive"];
    in_tree(tree).limit(Limit::Long).args(NO_HOOKS).args(update).env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh")
}

/// The commit that a ref of a bare repository names.
pub fn revision(repository: &Path, name: &str) -> Cmd {
    git()
        .limit(Limit::Brief)
        .arg("-C")
        .arg(repository)
        .args(["-c", "safe.directory=*", "rev-parse", "--quiet", "--verify"])
        .arg(format!("{name}^{{commit}}"))
}

/// Walks the commits that a push into a bare repository brings, with objects from these directories; fails when one is missing.
pub fn history(repository: &Path, objects: OsString, commit: &str) -> Cmd {
    let walk = ["-c", "safe.directory=*", "rev-list", "--quiet", commit, "--not", "--all"];
    git().limit(Limit::Long).arg("-C").arg(repository).args(walk).env("GIT_ALTERNATE_OBJECT_DIRECTORIES", objects)
}

/// Prints `true` when a bare repository takes histories that are cut off.
pub fn takes_shallow(repository: &Path) -> Cmd {
    let get = ["-c", "safe.directory=*", "config", "--type=bool", "--get", "receive.shallowUpdate"];
    git().limit(Limit::Brief).arg("-C").arg(repository).args(get)
}

/// Clones a repository with its submodules into a directory that is not there yet.
pub fn clone(url: &OsStr, dir: &Path) -> Cmd {
    git().args(["clone", "--quiet", "--recurse-submodules", "--"]).arg(url).arg(dir)
}

/// Moves a checkout's branch forward to where the repository that it came from has it; fails when that takes more.
pub fn pull(tree: &Path) -> Cmd {
    in_tree(tree).args(["-c", "safe.directory=*", "pull", "--quiet", "--ff-only", "--recurse-submodules"])
}

/// Prints what git calls the commit of a checkout: a tag, or the start of its id, and whether files were changed.
pub fn describe(tree: &Path) -> Cmd {
    in_tree(tree).args(["-c", "safe.directory=*", "describe", "--tags", "--always", "--dirty= (changed)"])
}

/// What git-shell runs for a client: one of git's own services, with its quoted path.
pub fn shell(line: impl AsRef<OsStr>) -> Cmd {
    Cmd::new("git-shell").arg("-c").arg(line)
}

/// Sends a repository to a client that pulls.
pub fn upload_pack(repository: &Path) -> Cmd {
    Cmd::new("git-upload-pack").arg(repository)
}

/// Lists the remotes of the repository that we are in; fails where there is none.
pub fn remotes() -> Cmd {
    Cmd::new("git").args(["remote", "-v"])
}

/// Prints a remote's address; fails when there is no such remote.
pub fn remote_address(name: &str) -> Cmd {
    Cmd::new("git").args(["config", "--get", &format!("remote.{name}.url")])
}

/// Adds a remote to the repository that we are in.
pub fn add_remote(name: &str, address: &str) -> Cmd {
    Cmd::new("git").args(["remote", "add", name, address])
}

/// Succeeds when the repository that we are in has this branch.
pub fn has_branch(name: &str) -> Cmd {
    Cmd::new("git").args(["rev-parse", "--quiet", "--verify", &format!("refs/heads/{name}")])
}

/// Pushes a branch (or `SOURCE:TARGET`) of the repository that we are in.
pub fn push(remote: &str, branch: &str) -> Cmd {
    Cmd::new("git").args(["push", remote, branch])
}

fn in_tree(tree: &Path) -> Cmd {
    git().arg("-C").arg(tree)
}

/// The directories of objects that a hook of `repository` may read: the quarantine of a push first, then the repository's own.
pub fn object_directories(env: impl Fn(&str) -> Option<OsString>, repository: &Path) -> Vec<PathBuf> {
    let quarantine = env("GIT_QUARANTINE_PATH").or_else(|| env("GIT_OBJECT_DIRECTORY")).map(PathBuf::from);
    let alternates = env("GIT_ALTERNATE_OBJECT_DIRECTORIES").unwrap_or_default();
    let alternates = std::env::split_paths(&alternates).collect::<Vec<_>>();
    let own = repository.join("objects");
    let mut all: Vec<PathBuf> = quarantine.into_iter().chain(alternates).filter(|dir| dir.is_absolute()).collect();
    all.push(own);
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_quarantine_before_the_repository() {
        let env = |name: &str| match name {
            "GIT_QUARANTINE_PATH" => Some(OsString::from("/r/objects/incoming-1")),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES" => Some(OsString::from("/r/objects")),
            _ => None,
        };
        assert_eq!(object_directories(env, Path::new("/r")), [PathBuf::from("/r/objects/incoming-1"), "/r/objects".into()]);
    }
}

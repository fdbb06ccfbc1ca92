//! The source tree of a push: one revision's files in a temporary directory, without git's.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::{env, fs};

use anyhow::Context;

use crate::app::App;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::house::House;
use crate::recovery::Temporary;
use crate::tools::git;

/// What an app is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// By the builder image.
    Buildstep,
    /// By `docker build`.
    Dockerfile,
}

impl Source {
    /// From the word that hooks and commands are given; fails as 0.3.18 does, `doing` what cannot be done.
    pub fn named(word: &str, doing: &str) -> Outcome<Source> {
        let known = [Source::Buildstep, Source::Dockerfile].into_iter().find(|source| source.as_str() == word);
        known.ok_or_else(|| Fail::say(format!("{doing} image source type {word} not supported!")))
    }

    /// As hooks and commands know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::Buildstep => "buildstep",
            Source::Dockerfile => "dockerfile",
        }
    }
}

/// The files, gone with the value.
pub struct Tree<'h> {
    dir: Temporary<'h>,
    /// What they are to be built with.
    pub source: Source,
}

impl Tree<'_> {
    /// Where they are.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

/// Does `work` with a revision (a commit, or what git can make one of) of the app's repository, be it still in the
/// quarantine of a push. The tree is gone afterwards, and if this process is killed, before the next operation on the app.
pub fn with(house: &House, app: &App, revision: &OsStr, work: impl FnOnce(&Tree) -> Outcome) -> Outcome {
    let dir = Temporary::make(house, app)?;
    checkout(house, app, revision, dir.path()).map_err(|fail| name_full_disk(fail, app, &house.temp_dir()))?;
    let source = source(dir.path())?;
    work(&Tree { dir, source })
}

/// git says of a full disk what it could not do, and not everywhere why.
fn name_full_disk(fail: Fail, app: &App, base: &Path) -> Fail {
    if !files::disk_is_full(base) {
        return fail;
    }
    Fail::say(format!("No space left on device for the source of {}: make room in {}, or set TMPDIR", app.name, base.display()))
}

/// The revision's files and those of its submodules, without git's own.
fn checkout(house: &House, app: &App, revision: &OsStr, dir: &Path) -> Outcome {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
    let commit = commit(house, app, revision)?;
    must(house, &git::init_tree(dir))?;
    let objects = git::object_directories(|name| house.var(name), &app.dir);
    let lines: Vec<u8> = objects.iter().flat_map(|path| [path.as_os_str().as_bytes(), b"\n"].concat()).collect();
    fs::write(dir.join(".git/objects/info/alternates"), lines)?;
    must(house, &git::checkout(dir, &commit))?;
    if dir.join(".gitmodules").is_file() {
        must(house, &git::set_origin(dir, &app.dir))?;
        must(house, &git::submodules(dir))?;
    }
    remove_git(dir)
}

/// The commit that master names; fails when there is none.
pub fn master(house: &House, app: &App) -> Outcome<OsString> {
    let none = || Fail::say(format!("hint: {} has no branch master to build: push to it first", app.name));
    Ok(tip(house, app).ok().flatten().ok_or_else(none)?.into())
}

/// The commit that master names, if there is a master.
pub fn tip(house: &House, app: &App) -> Outcome<Option<String>> {
    let said = exec::captured(house, &git::revision(&app.dir, "refs/heads/master"))?;
    match said.code {
        0 => Ok(Some(said.text())),
        1 if said.stderr.is_empty() => Ok(None),
        code => Err(Fail::Said(code, String::from_utf8_lossy(&said.stderr).trim_end().to_owned())),
    }
}

fn commit(house: &House, app: &App, revision: &OsStr) -> Outcome<OsString> {
    if revision.len() == 40 && revision.as_bytes().iter().all(u8::is_ascii_hexdigit) {
        return Ok(revision.to_owned());
    }
    let name = revision.to_string_lossy();
    let said = exec::captured(house, &git::revision(&app.dir, &name))?;
    if said.code != 0 {
        return Err(Fail::say(format!("hint: there is no revision {name:?} of {}", app.name)));
    }
    Ok(said.text().into())
}

/// Does git refuse a push of this commit, once its hook has ended, because it comes from a shallow clone?
pub fn is_cut_off(house: &House, app: &App, commit: &str) -> Outcome<bool> {
    // git-receive-pack keeps what such a client says of its history in a file of this name as long as it runs.
    let is_mark = |name: OsString| name.as_bytes().starts_with(b"shallow_");
    if !fs::read_dir(&app.dir)?.flatten().any(|entry| is_mark(entry.file_name())) {
        return Ok(false);
    }
    let objects = git::object_directories(|name| house.var(name), &app.dir);
    let objects = env::join_paths(objects).context("a directory of git's cannot be named")?;
    let is_whole = exec::captured(house, &git::history(&app.dir, objects, commit))?.code == 0;
    Ok(!is_whole && exec::captured(house, &git::takes_shallow(&app.dir))?.text() != "true")
}

/// Runs git; what it complains of is shown only when it fails.
fn must(house: &House, cmd: &crate::cmd::Cmd) -> Outcome {
    let said = exec::captured(house, cmd)?;
    match said.code {
        0 => Ok(()),
        code => Err(Fail::Said(code, String::from_utf8_lossy(&said.stderr).trim_end().to_owned())),
    }
}

/// Takes away every `.git`, the submodules' too.
fn remove_git(dir: &Path) -> Outcome {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let is_dir = entry.file_type()?.is_dir();
        match (entry.file_name() == ".git", is_dir) {
            (true, true) => fs::remove_dir_all(entry.path())?,
            (true, false) => fs::remove_file(entry.path())?,
            (false, true) => remove_git(&entry.path())?,
            (false, false) => {}
        }
    }
    Ok(())
}

/// A Dockerfile counts, unless the tree asks for buildpacks.
fn source(dir: &Path) -> Outcome<Source> {
    let asks = files::of_stranger(dir, ".env")?.is_some_and(|text| String::from_utf8_lossy(&text).contains("BUILDPACK_URL"));
    let dockerfile = dir.join("Dockerfile").is_file() && !asks && !dir.join(".buildpacks").is_file();
    Ok(if dockerfile { Source::Dockerfile } else { Source::Buildstep })
}

/// The house in which the tree is built: there, and outside of git's hook. Objects that are still in the quarantine stay
/// readable for hooks that look into the app's repository; none can be written into it.
pub fn inside(house: &House, app: &App, tree: &Tree) -> House {
    let objects = git::object_directories(|name| house.var(name), &app.dir);
    let quarantined = house.var("GIT_QUARANTINE_PATH").is_some();
    let mut inner = house.clone();
    for name in git::OF_THE_HOOK {
        inner.env.remove(OsStr::new(name));
    }
    if let Some(joined) = env::join_paths(&objects).ok().filter(|_| quarantined) {
        inner.env.insert("GIT_ALTERNATE_OBJECT_DIRECTORIES".into(), joined);
    }
    inner.dir = Some(tree.path().to_owned());
    inner
}

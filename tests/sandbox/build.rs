//! What stands in a new sandbox: directories, the core plugins, the program under its names, and the fakes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::Sandbox;

const DIRS: &[&str] = &["home", "plugins", "lib", "tmp", "bin", "fakes", "docker", "calls", "answers", "watched"];

/// Names of the program under test.
const FACES: &[&str] = &["dokku", "dokku-client", "pluginhook", "sshcommand"];

/// Outside programs that are watched in front of.
const WATCHED: &[&str] = &["docker", "git", "git-shell", "sudo", "curl", "cp", "tar", "hostname", "dig"];

/// Names of `tests/fakes/scripted`.
const SCRIPTED: &[&str] = &["sudo", "dig", "hostname", "ssh", "curl"];

/// Builds all of it.
pub fn machine(sandbox: &Sandbox) {
    for dir in DIRS {
        fs::create_dir(sandbox.dir().join(dir)).expect("a directory of the sandbox");
    }
    fs::write(sandbox.dir().join("engine"), "").expect("a file");
    core_plugins(&sandbox.dir().join("plugins"));
    for face in FACES {
        link(Path::new(env!("CARGO_BIN_EXE_dokku")), &sandbox.dir().join("bin").join(face));
    }
    for fake in SCRIPTED {
        fs::copy(source("tests/fakes/scripted"), sandbox.dir().join("fakes").join(fake)).expect("a fake");
    }
    link(&example("fake-docker", "tests/fakes/docker"), &sandbox.dir().join("fakes/docker"));
}

/// Puts the watch in front of the outside programs.
pub fn watch(sandbox: &Sandbox) {
    for program in WATCHED {
        let path = sandbox.dir().join("watched").join(program);
        if !path.exists() {
            link(&example("watch", "tests/fakes"), &path);
        }
    }
    watch_in_git(&sandbox.dir().join("watched/git-core"));
}

/// git puts its own directory of programs first on the PATH of all that it starts.
fn watch_in_git(dir: &Path) {
    if dir.exists() {
        return;
    }
    fs::create_dir(dir).expect("a directory");
    let own = Command::new("git").arg("--exec-path").output().expect("git is installed").stdout;
    let own = PathBuf::from(String::from_utf8_lossy(&own).trim());
    for name in fs::read_dir(own).expect("git's programs").flatten().map(|entry| entry.path()) {
        let to = dir.join(name.file_name().expect("a name"));
        match to.ends_with("git") {
            true => link(&example("watch", "tests/fakes"), &to),
            false => std::os::unix::fs::symlink(name, to).expect("a link"),
        }
    }
}

/// The repository's files as `scripts/install` lays them.
fn core_plugins(target: &Path) {
    let copied = Command::new("cp").arg("-rL").arg(source("plugins/.")).arg(target).status();
    assert!(copied.is_ok_and(|status| status.success()), "the core plugins can be copied");
}

/// An executable file, its directories made.
pub fn executable(path: &Path, content: &[u8]) {
    fs::create_dir_all(path.parent().expect("a path in the sandbox")).expect("a directory");
    // What stands there may be a link to the program that all sandboxes share.
    let _ = fs::remove_file(path);
    fs::write(path, content).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// The same file under another name; a copy where it lies on another disk.
fn link(from: &Path, to: &Path) {
    if fs::hard_link(from, to).is_err() {
        fs::copy(from, to).unwrap_or_else(|error| panic!("{} cannot be copied: {error}", from.display()));
    }
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A program of `tests/fakes`. `cargo test` builds them; `cargo test --test NAME` does not, so they are built here when one is
/// missing or old.
fn example(name: &str, sources: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let target = Path::new(env!("CARGO_BIN_EXE_dokku")).parent().expect("a program lies in a directory");
    let program = target.join("examples").join(name);
    if !is_fresh(&program, &source(sources)) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", name, "--target-dir"]).arg(target.parent().expect("a target directory"));
        let release = target.ends_with("release").then_some("--release");
        let built = cargo.args(release).current_dir(source("")).status();
        assert!(built.is_ok_and(|status| status.success()), "{name} can be built");
        // cargo does not touch what it finds up to date.
        let now = fs::File::options().append(true).open(&program).and_then(|file| file.set_modified(SystemTime::now()));
        now.expect("a program that was built");
    }
    program
}

fn is_fresh(program: &Path, sources: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let files = fs::read_dir(sources).expect("the fake's source").flatten().map(|file| file.path()).filter(|path| path.is_file());
    let newest = files.filter_map(|file| changed(&file)).max();
    changed(program).is_some_and(|built| Some(built) >= newest)
}

//! What stands in a new sandbox: directories, the core plugins, the program under its names, and the fakes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Sandbox;

const DIRS: &[&str] = &["home", "plugins", "lib", "tmp", "bin", "fakes", "docker", "calls", "answers"];

/// Names of the program under test.
const FACES: &[&str] = &["dokku", "dokku-client", "pluginhook", "sshcommand"];

/// Names of `tests/fakes/scripted`.
const SCRIPTED: &[&str] = &["sudo", "dig", "hostname", "ssh", "curl"];

/// Builds all of it.
pub fn machine(sandbox: &Sandbox) {
    for dir in DIRS {
        fs::create_dir(sandbox.dir().join(dir)).expect("a directory of the sandbox");
    }
    core_plugins(&sandbox.dir().join("plugins"));
    for face in FACES {
        link(Path::new(env!("CARGO_BIN_EXE_dokku")), &sandbox.dir().join("bin").join(face));
    }
    for fake in SCRIPTED {
        fs::copy(source("tests/fakes/scripted"), sandbox.dir().join("fakes").join(fake)).expect("a fake");
    }
    link(fake_docker(), &sandbox.dir().join("fakes/docker"));
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

/// The fake docker. `cargo test` builds it; `cargo test --test NAME` does not, so it is built here when it is missing or old.
fn fake_docker() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_BIN_EXE_dokku")).parent().expect("a program lies in a directory");
        let program = target.join("examples/fake-docker");
        if !is_fresh(&program) {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "--example", "fake-docker", "--target-dir"]).arg(target.parent().expect("a target directory"));
            let release = target.ends_with("release").then_some("--release");
            assert!(
                cargo.args(release).current_dir(source("")).status().is_ok_and(|status| status.success()),
                "the fake docker can be built"
            );
        }
        program
    })
}

fn is_fresh(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let sources = fs::read_dir(source("tests/fakes/docker")).expect("the fake's source").flatten();
    let newest = sources.filter_map(|file| changed(&file.path())).max();
    changed(program).is_some_and(|built| Some(built) >= newest)
}

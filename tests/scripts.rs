//! Core plugins as `scripts/install` lays them: an upgrade brings what is new and leaves what users touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

#[test]
fn first_installation_lays_everything_and_marks_it() {
    let installation = Installation::new();
    installation.lay(&[("git/receive-app", "#!old"), ("git/notes", "text")]);
    assert_eq!(installation.read("git/receive-app"), "#!old");
    assert_eq!(installation.read("git/.core"), "");
    assert_eq!(installation.mode("git/receive-app"), 0o755);
    assert_eq!(installation.mode("git/notes"), 0o644);
}

#[test]
fn upgrade_replaces_what_nobody_touched() {
    let installation = Installation::new();
    installation.lay(&[("git/receive-app", "#!old"), ("git/dropped", "#!old")]);
    let said = installation.lay(&[("git/receive-app", "#!new"), ("git/added", "#!new")]);
    assert_eq!(installation.read("git/receive-app"), "#!new");
    assert_eq!(installation.read("git/added"), "#!new");
    assert!(!installation.has("git/dropped"));
    assert_eq!(said, "");
}

#[test]
fn upgrade_leaves_an_edited_file_and_says_so_every_time() {
    let installation = Installation::new();
    installation.lay(&[("git/receive-app", "#!old")]);
    installation.write("git/receive-app", "#!mine");
    for version in ["#!new", "#!newer"] {
        let said = installation.lay(&[("git/receive-app", version)]);
        assert!(said.contains("git/receive-app"), "{said}");
        assert_eq!(installation.read("git/receive-app"), "#!mine");
    }
}

#[test]
fn upgrade_does_not_bring_back_what_was_renamed_or_deleted() {
    let installation = Installation::new();
    let files = [("git/receive-app", "#!old"), ("git/commands", "#!old"), ("ps/commands", "#!old")];
    installation.lay(&files);
    installation.rename("git/receive-app", "git/receive-app.bak");
    installation.rename("ps", ".ps");
    installation.lay(&[&files[..], &[("ps/added", "#!new")]].concat());
    assert!(!installation.has("git/receive-app") && installation.has("git/receive-app.bak"));
    assert!(!installation.has("ps") && installation.has(".ps/commands"));
}

#[test]
fn upgrade_keeps_the_mode_that_a_user_gave() {
    let installation = Installation::new();
    installation.lay(&[("git/receive-app", "#!old")]);
    installation.set_mode("git/receive-app", 0o644);
    installation.lay(&[("git/receive-app", "#!new")]);
    assert_eq!((installation.read("git/receive-app").as_str(), installation.mode("git/receive-app")), ("#!new", 0o644));
}

#[test]
fn plugin_without_the_mark_is_the_users() {
    let installation = Installation::new();
    installation.write("git/commands", "#!mine");
    installation.lay(&[("git/commands", "#!ours"), ("git/receive-app", "#!ours")]);
    assert_eq!(installation.read("git/commands"), "#!mine");
    assert!(!installation.has("git/receive-app"));
}

#[test]
fn core_plugins_of_a_bash_dokku_are_set_aside() {
    let installation = Installation::new();
    for file in ["git/.core", "git/commands", "redis/commands"] {
        installation.write(file, "theirs");
    }
    installation.shell("set_aside_foreign_core plugins sums aside");
    assert!(!installation.has("git") && installation.has("redis/commands"));
    assert_eq!(fs::read_to_string(installation.0.path().join("aside/git/commands")).unwrap(), "theirs");
}

#[test]
fn words_that_a_script_does_not_know_are_named() {
    for script in ["install", "demo", "test"] {
        let output = Command::new(format!("{}/scripts/{script}", env!("CARGO_MANIFEST_DIR"))).arg("--nonsense").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!(" !     --nonsense is not known to scripts/{script}: see scripts/{script} --help\n"));
        assert_eq!(output.status.code(), Some(1));
    }
}

/// A directory with `repository/plugins` (what a version brings) and `plugins` (what is installed).
struct Installation(TempDir);

impl Installation {
    fn new() -> Installation {
        Installation(tempfile::tempdir().unwrap())
    }

    /// Lays a version that consists of `files`; those that begin with `#!` are executable. Returns what is said.
    fn lay(&self, files: &[(&str, &str)]) -> String {
        let version = self.0.path().join("repository/plugins");
        let _ = fs::remove_dir_all(&version);
        for (file, text) in files {
            write(&version.join(file), text);
        }
        self.shell("lay_core_plugins plugins sums")
    }

    fn shell(&self, line: &str) -> String {
        let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/lib");
        let script = format!("set -euo pipefail; repository=repository; . {scripts}/say.sh; . {scripts}/layout.sh; {line}");
        let output = Command::new("bash").args(["-c", &script]).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn path(&self, file: &str) -> std::path::PathBuf {
        self.0.path().join("plugins").join(file)
    }

    fn has(&self, file: &str) -> bool {
        self.path(file).exists()
    }

    fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        write(&self.path(file), text);
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn mode(&self, file: &str) -> u32 {
        fs::metadata(self.path(file)).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(&self, file: &str, mode: u32) {
        fs::set_permissions(self.path(file), fs::Permissions::from_mode(mode)).unwrap();
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

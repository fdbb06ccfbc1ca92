//! Git repositories on the developer's side, and a git server for what a build fetches.

use std::fs;
use std::net::{IpAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{Output, within};

/// A work tree with a history of its own, on branch master.
pub struct Repository {
    pub path: PathBuf,
}

impl Repository {
    /// An empty one at `path`.
    pub fn new(path: &Path) -> Repository {
        fs::create_dir_all(path).unwrap();
        let repository = Repository { path: path.to_path_buf() };
        repository.git(&["-c", "init.defaultBranch=master", "init", "--quiet"]).succeeds();
        repository
    }

    /// Writes a file; one that begins with `#!` can be executed.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Takes over the files of a sample app, a directory.
    pub fn copy(&self, sample: &Path) {
        let from = sample.join(".");
        Output::of(Command::new("cp").arg("-RL").arg(from).arg(&self.path)).succeeds();
    }

    /// Commits the work tree as it is.
    pub fn commit(&self) {
        self.git(&["add", "--all"]).succeeds();
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "A step of the story"]).succeeds();
    }

    /// Runs git in the work tree, as an author whom no configuration of the machine knows.
    pub fn git(&self, words: &[&str]) -> Output {
        Output::of(self.command().args(words))
    }

    /// The command `git` in the work tree.
    pub fn command(&self) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.path);
        git.args(["-c", "user.name=Dev", "-c", "user.email=dev@localhost", "-c", "protocol.file.allow=always"]);
        git
    }
}

/// Serves every repository below a directory by the git protocol, on one address of this machine.
pub struct GitDaemon {
    process: Child,
    url: String,
}

impl GitDaemon {
    /// Serves what is in `directory`, on a free port of `address`.
    pub fn serve(directory: &Path, address: IpAddr) -> GitDaemon {
        let port = TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().port();
        let process = Command::new("git")
            .args(["daemon", "--export-all", "--reuseaddr", "--log-destination=none"])
            .arg(format!("--listen={address}"))
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", directory.display()))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        assert!(within(10, || TcpStream::connect((address, port)).is_ok()), "git daemon does not answer");
        GitDaemon { process, url: format!("git://{address}:{port}") }
    }

    /// The address of the repository `name` in the directory.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}/.git", self.url)
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        // It forks a child for the work (`git` runs `git-daemon`); SIGTERM to `git` is handed on.
        super::sshd::terminate(&mut self.process);
    }
}

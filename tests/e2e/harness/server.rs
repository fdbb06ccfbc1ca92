//! The installed dokku of this machine (scripts/install), and a developer whose key it knows.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::fcntl::{Flock, FlockArg};
use nix::unistd::User;
use tempfile::TempDir;

use super::sshd::make_key;
use super::{Output, Session, Sshd};

/// The key entries are one file: stories that run side by side change it one after the other.
static KEY_ENTRIES: Mutex<()> = Mutex::new(());

/// Two runs at once would take each other's apps for their own.
static ONE_RUN: OnceLock<Flock<File>> = OnceLock::new();

/// One story's way into the installed dokku: a key of its own and an sshd of its own.
pub struct Server {
    /// The story's scratch directory; user dokku can read it.
    pub directory: TempDir,
    /// `$DOKKU_ROOT` of the installation.
    pub root: PathBuf,
    /// The domain below which apps get their names.
    pub vhost: String,
    pub sshd: Sshd,
    key_name: String,
}

impl Server {
    /// Lets a developer in whose key is named after the story.
    pub fn start(story: &str) -> Server {
        ONE_RUN.get_or_init(|| {
            let lock = File::create("/run/dokku-e2e.lock").unwrap();
            Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, e)| e).unwrap()
        });
        let root = User::from_name("dokku").unwrap().expect("no user dokku here: run scripts/install").dir;
        let vhost = fs::read_to_string(root.join("VHOST")).expect("no VHOST: run scripts/install --vhost localhost");
        let directory = tempfile::Builder::new().prefix("dokku-e2e-").tempdir().unwrap();
        open_to_others(directory.path());
        let sshd = Sshd::start(&subdirectory(directory.path(), "sshd"), &Session::default());
        let key_name = format!("e2e-{story}");
        let server = Server { directory, root, vhost: vhost.trim().to_string(), sshd, key_name };
        make_key(&server.key());
        server.let_in();
        server
    }

    /// One more sshd, whose sessions differ as `session` says.
    pub fn with(&self, session: &Session) -> Sshd {
        Sshd::start(&self.scratch("sshd"), session)
    }

    /// Runs a dokku command as the developer does: over ssh, in one line.
    pub fn dokku(&self, line: &str) -> Output {
        self.dokku_through(&self.sshd, line)
    }

    /// The same through another sshd of this story.
    pub fn dokku_through(&self, sshd: &Sshd, line: &str) -> Output {
        let client = sshd.client(&self.key());
        Output::of(Command::new(&client[0]).args(&client[1..]).arg("dokku@127.0.0.1").arg(line))
    }

    /// A new directory of the story that user dokku can read.
    pub fn scratch(&self, name: &str) -> PathBuf {
        subdirectory(self.directory.path(), name)
    }

    /// The developer's private key.
    pub fn key(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    fn let_in(&self) {
        let _one_at_a_time = KEY_ENTRIES.lock().unwrap_or_else(PoisonError::into_inner);
        let public_key = fs::read(self.key().with_extension("pub")).unwrap();
        let mut acl_add = Command::new("sshcommand")
            .args(["acl-add", "dokku", &self.key_name])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        acl_add.stdin.take().unwrap().write_all(&public_key).unwrap();
        assert!(acl_add.wait().unwrap().success(), "sshcommand acl-add failed");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _one_at_a_time = KEY_ENTRIES.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = Command::new("sshcommand").args(["acl-remove", "dokku", &self.key_name]).status();
    }
}

/// Runs the docker client of this machine.
pub fn docker(words: &[&str]) -> Output {
    Output::of(Command::new("docker").args(words))
}

fn subdirectory(of: &Path, name: &str) -> PathBuf {
    let directory = tempfile::Builder::new().prefix(name).tempdir_in(of).unwrap().keep();
    open_to_others(&directory);
    directory
}

/// Lets every user into a directory, as temporary ones do not by themselves.
pub fn open_to_others(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
}

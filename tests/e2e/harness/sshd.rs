//! An sshd for user dokku, on a loopback port of its own. What a server may lack is shown by giving
//! its sessions another environment, or another view of the files, and nobody else.

use std::fmt::Display;
use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::within;

/// Where sessions look for programs unless told otherwise.
pub const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What the sessions of an sshd find: environment variables, and mounts that only they see.
#[derive(Default)]
pub struct Session {
    environment: Vec<(&'static str, String)>,
    path: Option<String>,
    mounts: Vec<String>,
}

impl Session {
    /// Sets an environment variable.
    pub fn env(mut self, name: &'static str, value: impl Into<String>) -> Session {
        self.environment.push((name, value.into()));
        self
    }

    /// Looks for programs in these directories, not in those of a plain Debian.
    pub fn path(mut self, directories: impl Display) -> Session {
        self.path = Some(directories.to_string());
        self
    }

    /// Runs a line of shell, as root, in the mount namespace of the sessions before they begin.
    pub fn mount(mut self, line: impl Into<String>) -> Session {
        self.mounts.push(line.into());
        self
    }

    fn configuration(&self, directory: &Path, port: u16) -> String {
        let path = self.path.as_deref().unwrap_or(PATH);
        let variables: String = self.environment.iter().map(|(name, value)| format!(" {name}={value}")).collect();
        format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM yes\nAllowUsers dokku\nSetEnv PATH={path}{variables}\n",
            directory.join("host_key").display()
        )
    }
}

/// A running sshd; it ends with the value.
pub struct Sshd {
    process: Child,
    port: u16,
}

impl Sshd {
    /// Starts one whose files lie in `directory`, which must be empty.
    pub fn start(directory: &Path, session: &Session) -> Sshd {
        make_key(&directory.join("host_key"));
        fs::create_dir_all("/run/sshd").unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let configuration = directory.join("sshd_config");
        fs::write(&configuration, session.configuration(directory, port)).unwrap();

        let mut lines = session.mounts.clone();
        lines.push("exec /usr/sbin/sshd -D -f \"$0\" -E \"$1\"".to_string());
        let process = Command::new("unshare")
            .args(["--mount", "sh", "-ec", &lines.join("\n")])
            .arg(&configuration)
            .arg(directory.join("sshd.log"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let sshd = Sshd { process, port };
        let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        assert!(within(10, answers), "sshd does not answer, see {}", directory.display());
        sshd
    }

    /// The command line of an ssh client that comes here with `key`, up to the name of the host.
    pub fn client(&self, key: &Path) -> Vec<String> {
        let key = key.display();
        format!(
            "ssh -p {} -i {key} -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR",
            self.port
        )
        .split(' ')
        .map(str::to_string)
        .collect()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        terminate(&mut self.process);
    }
}

/// Makes a key pair without passphrase at `path`.
pub fn make_key(path: &Path) {
    super::Output::of(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path)).succeeds();
}

/// Asks a process of ours to end, and waits for it.
pub fn terminate(process: &mut Child) {
    let pid = Pid::from_raw(process.id().try_into().unwrap());
    let _ = kill(pid, Signal::SIGTERM);
    let _ = process.wait();
}

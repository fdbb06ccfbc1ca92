//! A sandbox that notices: a canary nobody may start, a log of what is started, and checksums of all files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::sandbox::{Sandbox, Step};

/// Programs that what a stranger writes could start; each notes that it was started and then does its work.
const WATCHED: &[&str] =
    &["sh", "bash", "dash", "env", "sed", "awk", "perl", "python3", "xargs", "eval", "tar", "git", "git-shell", "nginx", "id"];

/// Places that every command may change: logs of the fakes, the fake engine's state, dokku's own state.
const OURS: &[&str] = &["calls/", "docker/", "lib/"];

/// The machine, with people's things on it and an app `mine` that the stranger has.
pub struct Fort {
    pub s: Sandbox,
}

/// Paths below the sandbox, with what is to stay as it is.
type Checksums = BTreeMap<String, (u32, u64)>;

impl Fort {
    pub fn new() -> Fort {
        let s = Sandbox::new();
        s.program("canary", "#!/bin/bash\necho \"$0 $*\" >>\"${0%/*}/../calls/canary\"\n");
        for name in WATCHED {
            if let Some(path) = ["/usr/bin", "/bin", "/usr/sbin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists()) {
                let path = path.display();
                s.program(name, &format!("#!/bin/bash\necho \"${{0##*/}} $*\" >>\"${{0%/*}}/../calls/started\"\nexec {path} \"$@\"\n"));
            }
        }
        s.file("VHOST", "dokku.test\n").file(".sshcommand", "dokku\n").file(".ssh/authorized_keys", "ssh-rsa AAAA root\n");
        s.file("../precious/file", "as it was\n").app("mine").app("other");
        s.deployed("victim", "buildstep");
        s.file("victim/VHOST", "victim.example.com\n*.wild.example.com\n").file("victim/ENV", "export SECRET='s'\n");
        s.file("victim/nginx.conf", "# victim's\n")
            .file("victim/DOCKER_OPTIONS_DEPLOY", "-v /v:/v\n")
            .file("victim/refs/heads/master", "x\n");
        Fort { s }
    }

    /// Runs dokku, as the administrator.
    pub fn run<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Step<'_> {
        self.s.run(words)
    }

    /// What sshd starts for a key: the user's shell with the forced command, which takes the line apart at blanks.
    pub fn over_ssh(&self, line: &[u8]) -> Step<'_> {
        use std::os::unix::ffi::OsStrExt;
        let variable = [b"SSH_ORIGINAL_COMMAND=".as_slice(), line].concat();
        let words = [OsStr::from_bytes(&variable), "NAME=joe".as_ref(), "/bin/bash".as_ref(), "-c".as_ref()];
        let forced =
            OsString::from(format!("FINGERPRINT=x NAME=joe `/bin/cat {}/.sshcommand` $SSH_ORIGINAL_COMMAND", self.s.home().display()));
        self.s.run_program("/usr/bin/env", words.into_iter().chain([forced.as_os_str()]))
    }

    /// Does something, and judges that nothing changed but below these paths, that nothing came of the canary, and that
    /// nothing panicked.
    #[track_caller]
    pub fn unharmed(&self, what: &str, may_change: &[&str], work: impl FnOnce() -> String) {
        let before = self.checksums();
        let text = work();
        let after = self.checksums();
        let changed = before.iter().filter(|(path, sum)| after.get(*path) != Some(sum)).map(|(path, _)| path);
        let added = after.keys().filter(|path| !before.contains_key(*path));
        let ours = |path: &&String| OURS.iter().chain(may_change).any(|start| path.starts_with(start));
        let touched: Vec<_> = changed.chain(added).filter(|path| !ours(path)).collect();
        assert!(touched.is_empty(), "{what} touched {touched:?}:\n{text}");
        let started = fs::read_to_string(self.s.dir().join("calls/canary")).unwrap_or_default();
        assert!(started.is_empty(), "{what} started {started}");
        assert!(!text.contains("panicked at") && !text.contains("[exit 134]"), "{what} panicked:\n{text}");
    }

    /// What has been started of the watched programs since the last look, by name; but for the fakes, which are scripts.
    pub fn started(&self) -> Vec<String> {
        let log = self.s.dir().join("calls/started");
        let text = fs::read(&log).unwrap_or_default();
        let _ = fs::remove_file(log);
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().filter(|line| !line.contains("/fakes/")).filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    fn checksums(&self) -> Checksums {
        let mut sums = Checksums::new();
        sum(self.s.dir(), "", &mut sums);
        sums
    }
}

/// Judges that a command refused what it was given: a code, and one line that says why.
#[track_caller]
pub fn refused(what: &str, step: &Step, part: &str) {
    let text = step.text();
    assert!(step.code() != 0 && text.contains(part), "{what} was to be refused with {part:?}:\n{text}");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("[stderr]") && !line.starts_with("[exit ")).collect();
    assert!(lines.len() == 1 && !lines[0].chars().any(char::is_control), "{what} was to be refused in one line:\n{text}");
}

fn sum(dir: &Path, prefix: &str, sums: &mut Checksums) {
    for entry in fs::read_dir(dir).expect("a directory").flatten() {
        let (path, data) = (entry.path(), entry.metadata().expect("an entry that is there"));
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if data.is_dir() {
            sums.insert(format!("{name}/"), (data.permissions().mode(), 0));
            sum(&path, &format!("{name}/"), sums);
        } else {
            let mut hasher = DefaultHasher::new();
            match data.is_file() && data.len() < 1 << 20 {
                true => fs::read(&path).expect("a file").hash(&mut hasher),
                false => (data.len(), data.mtime(), fs::read_link(&path).ok()).hash(&mut hasher),
            }
            sums.insert(name, (data.permissions().mode(), hasher.finish()));
        }
    }
}

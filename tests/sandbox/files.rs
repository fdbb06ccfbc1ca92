//! The sandbox's files: laid down before a step, read after it. Paths are below DOKKU_ROOT unless said otherwise.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Sandbox, build};

impl Sandbox {
    /// An app that was never deployed.
    pub fn app(&self, name: &str) -> &Sandbox {
        fs::create_dir(self.home().join(name)).expect("an app's directory");
        self
    }

    /// A file with this content; its directories are made.
    pub fn file(&self, path: &str, content: impl AsRef<[u8]>) -> &Sandbox {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().expect("a path in the sandbox")).expect("a directory");
        fs::write(path, content).expect("a file");
        self
    }

    /// A plugin's executable, `PLUGIN/HOOK`, in place of what the core may have there.
    pub fn plugin(&self, hook: &str, script: &str) -> &Sandbox {
        build::executable(&self.dir().join("plugins").join(hook), script.as_bytes());
        self
    }

    /// A program that is found before the system's of the same name.
    pub fn program(&self, name: &str, script: &str) -> &Sandbox {
        build::executable(&self.dir().join("fakes").join(name), script.as_bytes());
        self
    }

    /// Takes a core hook, `PLUGIN/HOOK`, away.
    pub fn remove_plugin(&self, hook: &str) -> &Sandbox {
        fs::remove_file(self.dir().join("plugins").join(hook)).expect("a hook that is there");
        self
    }

    /// A file as text.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Is there such a file or directory?
    pub fn exists(&self, path: &str) -> bool {
        fs::symlink_metadata(self.home().join(path)).is_ok()
    }

    /// The permission bits of a file.
    pub fn mode(&self, path: &str) -> u32 {
        fs::metadata(self.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}")).mode() & 0o7777
    }

    /// Judges a file's content in the middle of a chain.
    #[track_caller]
    pub fn has(&self, path: &str, content: &str) -> &Sandbox {
        assert_eq!(self.neutral(&self.read(path)), content, "{path}");
        self
    }

    /// Judges that there is no such file or directory.
    #[track_caller]
    pub fn lacks(&self, path: &str) -> &Sandbox {
        assert!(!self.exists(path), "{path} is there");
        self
    }

    /// Everything below DOKKU_ROOT in the order of names; directories end in `/`.
    pub fn tree(&self) -> Vec<String> {
        let mut paths = Vec::new();
        below(&self.home(), "", &mut paths);
        paths
    }

    /// What a fake was called with, a line for each call.
    pub fn calls(&self, program: &str) -> Vec<String> {
        let text = fs::read_to_string(self.dir().join("calls").join(program)).unwrap_or_default();
        text.lines().map(|line| self.neutral(line)).collect()
    }

    /// What `sudo`, `dig`, `hostname`, `ssh` or `curl` answers when its words, joined by blanks, match a regular
    /// expression (bash's, without groups that look back). The first that was scripted counts.
    pub fn answers(&self, program: &str, pattern: &str, code: i32, stdout: &str, stderr: &str) -> &Sandbox {
        let dir = self.dir().join("answers").join(program);
        fs::create_dir_all(&dir).expect("a directory");
        let place = fs::read_dir(&dir).expect("our directory").count();
        for (part, text) in [("pattern", pattern), ("code", &code.to_string()), ("stdout", stdout), ("stderr", stderr)] {
            fs::write(dir.join(format!("{place:03}.{part}")), text).expect("a part of an answer");
        }
        self
    }

    /// Text with the sandbox's own paths as `$HOME` and `$SANDBOX`.
    pub fn neutral(&self, text: &str) -> String {
        let path = |path: &Path| path.to_str().expect("a plain path").to_owned();
        text.replace(&path(&self.home()), "$HOME").replace(&path(self.dir()), "$SANDBOX")
    }

    /// Gives everything to the user that commands run as.
    pub(super) fn hand_over(&self) {
        if let Some(user) = &self.user {
            let owner = format!("{}:{}", user.uid, user.gid);
            // What a process of an earlier step takes away meanwhile need not be given: `-f`, and no judging of the code.
            std::process::Command::new("chown").args(["-R", "-h", "-f", &owner]).arg(self.dir()).status().expect("chown starts");
        }
    }
}

fn below(dir: &Path, prefix: &str, paths: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(dir).expect("a directory").flatten().collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            paths.push(format!("{name}/"));
            below(&entry.path(), &format!("{name}/"), paths);
        } else {
            paths.push(name);
        }
    }
}

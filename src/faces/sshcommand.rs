//! `sshcommand` (progrium, e6d1655): a user whose ssh keys run one command, and the list of those keys.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::Context;
use nix::fcntl::{Flock, FlockArg};

use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files::authorized_keys::{self, PublicKey};
use crate::files::{self, passwd};
use crate::house::House;
use crate::io::{Fd, scratch};
use crate::say;
use crate::tools::{accounts, ssh};

const HELP: &str = "\
Usage : sshcommand create user command
        sshcommand acl-add user identifier
        sshcommand acl-remove user identifier
        sshcommand help # shows this usage message";

/// How a shell's `exit -1` ends.
const WRONG_USAGE: i32 = 255;

/// Runs `sshcommand WORDS...` in this process's environment.
pub fn run(words: &[OsString]) -> Outcome {
    let mut house = House::rootless();
    house.env.remove(OsStr::new("DOKKU_TRACE"));
    let word = |place: usize| words.get(place).map(|word| word.to_string_lossy()).unwrap_or_default();
    let name = word(0).to_lowercase();
    match (name.as_str(), words.len()) {
        ("create", 3) => create(&house, &word(1), &words[2]),
        ("acl-add", 3) => add(&house, &word(1), &word(2)),
        ("acl-remove", 3) => remove(&house, &word(1), &word(2)),
        ("create", _) => wrong_usage(&house, "create user command"),
        ("acl-add" | "acl-remove", _) => wrong_usage(&house, &format!("{name} user identifier")),
        _ => say::line(&house, HELP),
    }
}

fn wrong_usage(house: &House, usage: &str) -> Outcome {
    say::line(house, format!("Usage : sshcommand {usage}"))?;
    Err(Fail::Code(WRONG_USAGE))
}

/// Makes the user, or takes the one that is there, and says what their keys run from now on.
fn create(house: &House, user: &str, command: &OsStr) -> Outcome {
    let home = match home_of(house, user)? {
        Some(home) => {
            say::line(house, format!("User '{user}' already exists"))?;
            home
        }
        None => {
            exec::run(house, &if has_adduser(house) { accounts::adduser(user) } else { accounts::useradd(user) })?;
            existing_home(house, user)?
        }
    };
    let keys = Keys::make(&home)?;
    keys.change(|text| text.to_vec())?;
    let line = [command.as_encoded_bytes(), b"\n"].concat();
    files::replace(&inside(&home, &home.join(".sshcommand"))?, &line, 0o644)?;
    exec::run(house, &accounts::own(user, &home))
}

/// Lets the key on stdin in under a name, and shows its fingerprint.
fn add(house: &House, user: &str, name: &str) -> Outcome {
    let home = existing_home(house, user)?;
    if !authorized_keys::is_name(name) {
        return Err(Fail::say(format!("{name:?} cannot be the name of a key: use letters, digits and @%_+=:,./-")));
    }
    let key = PublicKey::parse(&house.io.stdin.read_all()?).ok_or_else(not_one_key)?;
    let fingerprint = fingerprint(house, &key)?;
    let entry = authorized_keys::entry(&fingerprint, name, &home, &key);
    Keys::of(&home)?.change(|text| authorized_keys::with(text, &entry))?;
    say::line(house, fingerprint)
}

/// Shuts out every key of this name. A name that no key has is fine.
fn remove(house: &House, user: &str, name: &str) -> Outcome {
    Keys::of(&existing_home(house, user)?)?.change(|text| authorized_keys::without(text, name))
}

fn not_one_key() -> Fail {
    Fail::say("Standard input must hold exactly one public key, as in ~/.ssh/id_ed25519.pub")
}

/// The second word of what ssh-keygen tells about a key.
fn fingerprint(house: &House, key: &PublicKey) -> Outcome<String> {
    let mut asking = house.clone();
    asking.io.stdin = scratch(format!("{}\n", key.as_str()).as_bytes())?;
    asking.io.stderr = Fd::null()?;
    let said = exec::filtered(&asking, &ssh::fingerprint()).context("cannot run ssh-keygen")?;
    let text = String::from_utf8_lossy(&said.stdout);
    let word = text.split_ascii_whitespace().nth(1).filter(|word| authorized_keys::is_name(word));
    word.filter(|_| said.status.success()).map(str::to_owned).ok_or_else(not_one_key)
}

/// On some systems adduser is but another name of useradd.
fn has_adduser(house: &House) -> bool {
    let path = house.var("PATH").unwrap_or_default();
    let found =
        which::which_in("adduser", Some(path), "/").and_then(|path| fs::canonicalize(path).or(Err(which::Error::CannotCanonicalize)));
    found.is_ok_and(|program| program.file_name() != Some(OsStr::new("useradd")))
}

/// The home of a user, if there is such a user. Fails for a name that no user can have, or a home that cannot stand in an entry.
fn home_of(house: &House, user: &str) -> Outcome<Option<PathBuf>> {
    if user.starts_with('-') || user.contains(['/', ':']) || !authorized_keys::is_name(user) {
        return Err(Fail::say(format!("{user:?} cannot be the name of a user")));
    }
    let ask = || passwd::parse_user(&exec::captured(house, &accounts::lookup(user)).ok()?.text(), user);
    match passwd::user(user).or_else(ask).map(|user| user.home) {
        Some(home) if !authorized_keys::is_home(&home) => {
            Err(Fail::say(format!("User {user} has the home {}, which cannot hold ssh keys", home.display())))
        }
        home => Ok(home),
    }
}

fn existing_home(house: &House, user: &str) -> Outcome<PathBuf> {
    home_of(house, user)?.ok_or_else(|| Fail::say(format!("There is no user {user}")))
}

/// The keys of a home, ours alone as long as this lives.
struct Keys {
    file: PathBuf,
    /// `.ssh`, opened and locked.
    lock: Flock<File>,
}

impl Keys {
    /// Those of a home that may have no place for keys yet.
    fn make(home: &Path) -> Outcome<Keys> {
        fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
        match DirBuilder::new().mode(0o700).create(home.join(".ssh")) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                Err(anyhow::Error::from(error).context(format!("cannot make {}/.ssh", home.display())).into())
            }
            _ => Keys::of(home),
        }
    }

    /// Those of a home that `create` has seen.
    fn of(home: &Path) -> Outcome<Keys> {
        let dir = home.join(".ssh");
        let open = File::open(&dir).with_context(|| format!("cannot open {}; run `sshcommand create` first", dir.display()))?;
        let lock = Flock::lock(open, FlockArg::LockExclusive).map_err(|(_, errno)| std::io::Error::from(errno))?;
        Ok(Keys { file: inside(home, &dir.join("authorized_keys"))?, lock })
    }

    /// Replaces the file by what `change` makes of it, for its owner's eyes only. A new file belongs to whom `.ssh` does.
    fn change(&self, change: impl Fn(&[u8]) -> Vec<u8>) -> Outcome {
        let old = match fs::read(&self.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            text => Some(text.with_context(|| format!("cannot read {}", self.file.display()))?),
        };
        files::replace(&self.file, &change(old.as_deref().unwrap_or_default()), 0o600)?;
        if old.is_none() {
            let dir = self.lock.metadata()?;
            chown(&self.file, Some(dir.uid()), Some(dir.gid()))?;
        }
        Ok(fs::set_permissions(&self.file, Permissions::from_mode(0o600))?)
    }
}

/// Follows links, and fails when they lead out of the home: root must not write where a user points.
fn inside(home: &Path, file: &Path) -> Outcome<PathBuf> {
    let real = |path: &Path| fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()));
    let target = match fs::symlink_metadata(file) {
        Ok(_) => real(file)?,
        Err(_) => real(file.parent().unwrap_or(home))?.join(file.file_name().unwrap_or_default()),
    };
    if target.starts_with(real(home)?) { Ok(target) } else { Err(Fail::say(format!("{} leads out of {}", file.display(), home.display()))) }
}

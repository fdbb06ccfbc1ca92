//! The app's unprivileged user `u<digits>`, and `setuidgid`, which plugins use to become it.

use crate::failure::{Context, Failure, Outcome};
use crate::layout::Layout;
use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Above what a distribution gives to people and daemons, so that no app has the numbers of the host's dokku.
const IDS: Range<u32> = 10_000..60_000;

/// A user of the image: an entry of its passwd file.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

impl Account {
    /// Adds a user for the app to the image. Its number is that of the cache's owner where an earlier build left
    /// one: then a cache of many files need not be given away again. Otherwise it is a random one.
    pub fn create(layout: &Layout) -> Result<Account, Failure> {
        let taken = read(layout, "passwd")? + &read(layout, "group")?;
        let is_free = |id: &u32| !taken.contains(&format!(":{id}:"));
        let owner = fs::metadata(layout.cache()).map(|cache| cache.uid()).ok();
        let id = match owner.filter(|id| IDS.contains(id)).filter(is_free) {
            Some(id) => id,
            None => random_id(is_free).context(|| "choose a user id")?,
        };
        let name = format!("u{id}");
        let home = layout.app();
        append(layout, "group", &format!("{name}:x:{id}:"))?;
        append(layout, "passwd", &format!("{name}:x:{id}:{id}::{}:/bin/bash", home.display()))?;
        append(layout, "shadow", &format!("{name}:!:::::::"))?;
        Ok(Account { name, uid: id, gid: id })
    }

    /// The user that the build made for the app in this image.
    pub fn of_app(layout: &Layout) -> Result<Account, Failure> {
        let passwd = read(layout, "passwd")?;
        let mut accounts = passwd.lines().filter_map(entry);
        accounts
            .rfind(|account| is_app_user(&account.name))
            .ok_or_else(|| Failure::new("this image has no user u<digits>: /build/builder makes it when it builds an app"))
    }

    /// The user of that name.
    fn named(layout: &Layout, name: &str) -> Result<Account, Failure> {
        let passwd = read(layout, "passwd")?;
        let found = passwd.lines().filter_map(entry).find(|account| account.name == name);
        found.ok_or_else(|| Failure::with_code(111, format!("setuidgid: there is no user {name}")))
    }

    /// Makes this process the user's, for good. Does nothing in a container that runs unprivileged anyway.
    pub fn assume(&self) -> Result<(), Failure> {
        if !geteuid().is_root() {
            return Ok(());
        }
        let gid = Gid::from_raw(self.gid);
        setgroups(&[gid])
            .and_then(|()| setgid(gid))
            .and_then(|()| setuid(Uid::from_raw(self.uid)))
            .context(|| format!("become user {}", self.name))
    }
}

/// The face `setuidgid USER COMMAND...`, with the exit codes of daemontools: 100 for a wrong call, 111 when it
/// cannot be done.
pub fn setuidgid(layout: &Layout, args: &[OsString]) -> Outcome {
    let [name, program, args @ ..] = args else {
        return Err(Failure::with_code(100, "setuidgid: usage: setuidgid USER COMMAND..."));
    };
    Account::named(layout, &name.to_string_lossy())?.assume()?;
    let error = Command::new(program).args(args).exec();
    let program = program.display();
    Err(Failure::with_code(111, format!("setuidgid: could not run {program}: {error}")))
}

fn is_app_user(name: &str) -> bool {
    let digits = name.strip_prefix('u').unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
}

fn entry(line: &str) -> Option<Account> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, ..] = fields[..] else {
        return None;
    };
    Some(Account { name: name.to_owned(), uid: uid.parse().ok()?, gid: gid.parse().ok()? })
}

fn random_id(is_free: impl Fn(&u32) -> bool) -> io::Result<u32> {
    let mut random = fs::File::open("/dev/urandom")?;
    let mut bytes = [0; 4];
    loop {
        random.read_exact(&mut bytes)?;
        let id = IDS.start + u32::from_ne_bytes(bytes) % (IDS.end - IDS.start);
        if is_free(&id) {
            return Ok(id);
        }
    }
}

fn read(layout: &Layout, file: &str) -> Result<String, Failure> {
    let path = layout.accounts(file);
    fs::read_to_string(&path).context(|| format!("read {}", path.display()))
}

fn append(layout: &Layout, file: &str, line: &str) -> Result<(), Failure> {
    let path = layout.accounts(file);
    append_line(&path, line).context(|| format!("write {}", path.display()))
}

fn append_line(path: &Path, line: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).open(path)?;
    writeln!(file, "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nuucp:x:10:10::/:/bin/sh\n";

    fn image() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        for (file, text) in [("passwd", PASSWD), ("group", "root:x:0:\n"), ("shadow", "")] {
            fs::write(root.path().join("etc").join(file), text).unwrap();
        }
        root
    }

    #[test]
    fn the_created_user_is_the_apps() {
        let root = image();
        let layout = Layout::under(root.path());
        let account = Account::create(&layout).unwrap();
        assert_eq!(account.name, format!("u{}", account.uid));
        assert!(IDS.contains(&account.uid));
        assert_eq!(Account::of_app(&layout).unwrap(), account);
        let passwd = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
        assert!(passwd.starts_with(PASSWD) && passwd.ends_with("/app:/bin/bash\n"));
    }

    #[test]
    fn an_image_without_app_says_so() {
        let root = image();
        let failure = Account::of_app(&Layout::under(root.path())).unwrap_err();
        assert!(format!("{failure:?}").contains("/build/builder makes it"));
    }

    #[test]
    fn only_u_and_digits_is_an_apps_user() {
        assert!(is_app_user("u1234") && !is_app_user("uucp") && !is_app_user("u") && !is_app_user("1"));
    }
}

//! A full disk below DOKKU_ROOT, DOKKU_LIB_ROOT or TMPDIR: whatever the room is that is left, a command says that it is the
//! disk or succeeds, and the app is whole. The disks are small ones in memory, which only root can mount.

mod sandbox;

use std::fs;
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use sandbox::Sandbox;
use sandbox::deeds::{DEEDS, Deed};

/// Bytes of each small disk.
const SIZE: u64 = 4 << 20;

/// Blocks of 4096 bytes that are left free.
const FREE: &[u64] = &[0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30];

/// A small disk over a directory, with the directory's content; gone with the value.
struct Disk(PathBuf);

impl Disk {
    /// Mounted for this thread and its children alone.
    fn over(dir: &Path) -> Disk {
        let none = None::<&str>;
        unshare(CloneFlags::CLONE_NEWNS).expect("root may have mounts of its own");
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mounts of our own");
        let (kept, owner) = (tempfile::tempdir().expect("a directory"), fs::metadata(dir).expect("the directory"));
        copy(dir, kept.path());
        mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), Some(format!("size={SIZE}").as_str())).expect("a small disk");
        copy(kept.path(), dir);
        let (user, group) = (std::os::unix::fs::MetadataExt::uid(&owner), std::os::unix::fs::MetadataExt::gid(&owner));
        std::os::unix::fs::chown(dir, Some(user), Some(group)).expect("a directory of ours");
        Disk(dir.to_owned())
    }

    /// Leaves so many blocks free.
    fn fill(&self, free: u64) {
        let disk = nix::sys::statvfs::statvfs(&self.0).expect("the disk");
        let room = disk.blocks_available() * disk.fragment_size();
        fs::write(self.0.join(".filler"), vec![0; room.saturating_sub(free * 4096) as usize]).expect("room for the filler");
    }

    fn empty(&self) {
        fs::remove_file(self.0.join(".filler")).expect("our filler");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("/bin/cp").args(["-a", "-T"]).arg(from).arg(to).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} can be copied", from.display());
}

/// Does it on a disk over that directory of the sandbox, with more and more room on it.
fn full(deed: &Deed, dir: &str) {
    let s = Sandbox::new();
    deed.ready(&s);
    // Else builds are refused before they find the disk full.
    s.env("DOKKU_MIN_FREE_MB", "0").keeps_state();
    let wrong: Vec<String> = FREE.iter().filter_map(|free| with_room(&s, deed, dir, *free).err()).collect();
    assert!(wrong.is_empty(), "{} on {dir}: {} of {}\n{}", deed.name, wrong.len(), FREE.len(), wrong.join("\n"));
    println!("{} on {dir}: {} of {}", deed.name, FREE.len(), FREE.len());
}

fn with_room(s: &Sandbox, deed: &Deed, dir: &str, free: u64) -> Result<(), String> {
    s.goes_back();
    let disk = Disk::over(&s.dir().join(dir));
    disk.fill(free);
    let step = deed.done(s, "none");
    let (code, text) = (step.code(), step.text());
    s.settles();
    let within = |wrong: String| format!("{free} blocks free: {wrong}\n[{code}] {text}");
    let named = ["No space left on device", "half of what is free"].iter().any(|words| text.contains(words));
    if code != 0 && !named {
        return Err(within("nobody can tell that it is the disk".into()));
    }
    deed.judge(s).map_err(within)?;
    disk.empty();
    let next = s.run_line("cleanup").text();
    s.settles();
    deed.judge(s).map_err(|wrong| within(format!("after cleanup: {wrong} {next}")))?;
    let apps: Vec<&str> = ["a"].into_iter().filter(|app| s.exists(&format!("{app}/CONTAINER"))).collect();
    let left = s.leftovers(&apps);
    if left.is_empty() { Ok(()) } else { Err(within(format!("left over: {left:?} {next}"))) }
}

macro_rules! matrix {
    ($($name:ident: $place:expr),* $(,)?) => {$(
        mod $name {
            #[test] #[ignore = "needs root"] fn root() { super::full(&super::DEEDS[$place], "home"); }
            #[test] #[ignore = "needs root"] fn lib() { super::full(&super::DEEDS[$place], "lib"); }
            #[test] #[ignore = "needs root"] fn tmp() { super::full(&super::DEEDS[$place], "tmp"); }
        }
    )*};
}

matrix! {
    push: 0,
    dockerfile_push: 1,
    first_push: 2,
    restart: 3,
    config_set: 4,
    domains_add: 5,
    destroy: 6,
    import_ssl: 7,
    backup_import: 8,
}

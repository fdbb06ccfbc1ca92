//! Backups that somebody has tampered with: nothing is written but below the place of unpacking.

use std::fs;

use dokku::files::backup;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use crate::inputs;

const PATHS: &[&str] =
    &["a", "a/b", "./a", "/abs/x", "../up", "a/../../up", "link", "link/x", ".", "..", "", "a//b", "x/./y", "\u{1b}[2J", "-rf"];
const KINDS: &[u8] = b"01234567LKxgSMVD";

/// A member: path, kind, content.
fn member() -> impl Strategy<Value = (&'static str, u8, Vec<u8>)> {
    (prop::sample::select(PATHS), prop::sample::select(KINDS), prop::collection::vec(any::<u8>(), 0..40))
}

fn archive(members: &[(&str, u8, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, content) in members {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::new(*kind));
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.as_old_mut().linkname[..10].copy_from_slice(b"../outside");
        header.set_cksum();
        builder.append(&header, content.as_slice()).expect("a member in memory");
    }
    builder.into_inner().expect("an archive in memory")
}

proptest! {
    #![proptest_config(inputs(300))]

    #[test]
    fn nothing_lands_outside(members in prop::collection::vec(member(), 0..6), changed in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3)) {
        let dir = tempfile::tempdir().expect("a directory");
        let (inside, outside) = (dir.path().join("inside"), dir.path().join("outside"));
        fs::create_dir(&inside).expect("a directory");
        fs::create_dir(&outside).expect("a directory");
        let mut tar = archive(&members);
        for (place, byte) in changed {
            let place = place.index(tar.len());
            tar[place] = byte;
        }
        let _ = backup::unpack(tar.as_slice(), &inside, 1 << 20, |path| path.as_os_str() != "unwanted");
        prop_assert_eq!(fs::read_dir(dir.path()).expect("our directory").count(), 2);
        prop_assert_eq!(fs::read_dir(&outside).expect("our directory").count(), 0);
        prop_assert!(all_plain(&inside));
    }

    #[test]
    fn any_bytes_are_an_archive_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let dir = tempfile::tempdir().expect("a directory");
        let _ = backup::unpack(bytes.as_slice(), dir.path(), 1 << 20, |_| true);
    }
}

/// Are there only directories and files, neither links nor devices?
fn all_plain(dir: &std::path::Path) -> bool {
    let entries = fs::read_dir(dir).expect("a directory").flatten();
    entries
        .map(|entry| (entry.path(), entry.file_type().expect("a kind")))
        .all(|(path, kind)| kind.is_file() || (kind.is_dir() && all_plain(&path)))
}

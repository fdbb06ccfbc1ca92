//! Archives for nginx:import-ssl and backup:import.

use std::os::unix::ffi::OsStrExt;

use tar::{EntryType, Header};

use crate::corpus::{Case, cases};
use crate::fort::Fort;

/// A tar from the words of a case; what no crate would write is written byte by byte.
fn archive(text: &[u8], mut members: Vec<u8>) -> Vec<u8> {
    if let Some(raw) = text.strip_prefix(b"bytes ") {
        return [members, raw.to_vec()].concat();
    }
    for member in split(text, b" ; ") {
        members.extend(bytes_of(&member));
    }
    members.extend([0; 1024]);
    members
}

fn split(text: &[u8], separator: &[u8]) -> Vec<Vec<u8>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        parts.push(rest[..at].to_vec());
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest.to_vec());
    parts
}

fn bytes_of(member: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = member.splitn(4, |byte| *byte == b' ').collect();
    let word = |place: usize| words.get(place).copied().unwrap_or_default();
    let link = |kind| entry(kind, word(1), b"", word(2), None);
    match word(0) {
        b"file" => entry(EntryType::Regular, word(1), word(2), b"", None),
        b"dir" => entry(EntryType::Directory, word(1), b"", b"", None),
        b"symlink" => link(EntryType::Symlink),
        b"hardlink" => link(EntryType::Link),
        b"fifo" => link(EntryType::Fifo),
        b"char" => link(EntryType::Char),
        b"block" => link(EntryType::Block),
        b"sparse" => link(EntryType::GNUSparse),
        b"kind" => entry(EntryType::new(word(1)[0]), word(2), b"", b"", None),
        b"long" => [
            entry(EntryType::GNULongName, b"././@LongLink", &[word(1), b"\0"].concat(), b"", None),
            entry(EntryType::Regular, b"short", b"x", b"", None),
        ]
        .concat(),
        b"pax" => {
            let record = [b" ", word(1), b"\n"].concat();
            let length = (record.len()..).find(|length| length.to_string().len() + record.len() == *length).expect("a length");
            let record = [length.to_string().as_bytes(), &record].concat();
            [entry(EntryType::XHeader, b"pax", &record, b"", None), entry(EntryType::Regular, word(2), b"x", b"", None)].concat()
        }
        b"size" => entry(EntryType::Regular, word(2), b"x", b"", Some(String::from_utf8_lossy(word(1)).parse().expect("a size"))),
        other => panic!("{} is no member", String::from_utf8_lossy(other)),
    }
}

fn entry(kind: EntryType, path: &[u8], content: &[u8], target: &[u8], size: Option<u64>) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size.unwrap_or(content.len() as u64));
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
    header.set_cksum();
    let padding = content.len().next_multiple_of(512) - content.len();
    [header.as_bytes().as_slice(), content, &vec![0; padding]].concat()
}

/// A path of this machine may be longer than an old header holds.
fn fits(case: &Case) -> bool {
    case.text.starts_with(b"bytes") || case.text.starts_with(b"long") || case.text.starts_with(b"pax") || {
        split(&case.text, b" ; ").iter().flat_map(|member| split(member, b" ")).all(|word| word.len() < 100) || case.text.len() > 10_000
    }
}

#[test]
fn a_certificate_comes_as_two_plain_files_or_not_at_all() {
    let fort = Fort::new();
    fort.s.file("mine/VHOST", "mine.dokku.test\n");
    for case in cases(&fort.s, "archives.txt").iter().filter(|case| fits(case)) {
        let shown = case.shown();
        fort.unharmed(&shown, &[], || {
            let step = fort
                .s
                .stdin(archive(&case.text, Vec::new()))
                .run_program("/usr/bin/env", ["SSH_ORIGINAL_COMMAND=nginx:import-ssl mine", "dokku", "x"]);
            let text = step.text();
            assert!(step.code() != 0 && text.contains(&case.expected), "{shown}: {text}");
            assert!(!text.contains('\x1b'), "{shown} reaches the terminal: {text}");
            text
        });
    }
    assert_eq!(fort.started(), [""; 0]);
}

/// What a backup of an app `fresh` begins with.
fn backup() -> Vec<u8> {
    [
        entry(EntryType::Regular, b".dokku_backup_version", b"1\n", b"", None),
        entry(EntryType::Regular, b".dokku_backup_apps", b"fresh\n", b"", None),
    ]
    .concat()
}

#[test]
fn a_backup_brings_files_of_its_apps_and_nothing_else() {
    let fort = Fort::new();
    for case in cases(&fort.s, "archives.txt").iter().filter(|case| fits(case)) {
        for (from, line) in [("ssh", Some("backup:import")), ("the server", None)] {
            let shown = format!("{} from {from}", case.shown());
            fort.unharmed(&shown, &["home/fresh/"], || {
                let input = fort.s.stdin(archive(&case.text, backup()));
                let step = match line {
                    Some(line) => input.run_program("/usr/bin/env", [&format!("SSH_ORIGINAL_COMMAND={line}"), "dokku", "backup:import"]),
                    None => input.run(["backup:import"]),
                };
                let text = step.text();
                assert!(!text.contains('\x1b'), "{shown} reaches the terminal: {text}");
                assert!(step.code() == 0 || text.lines().count() > 1, "{shown}: {text}");
                text
            });
            let _ = std::fs::remove_dir_all(fort.s.home().join("fresh"));
        }
    }
    let started = fort.started();
    assert!(started.iter().all(|program| program == "git"), "{started:?}");
}

#[test]
fn a_backup_from_afar_lets_nobody_in_and_changes_nothing_that_counts_for_all() {
    let fort = Fort::new();
    let home = fort.s.home();
    let root = home.strip_prefix("/").unwrap().as_os_str().as_bytes();
    let file = |name: &str, content: &[u8]| {
        let path = [root, b"/", name.as_bytes()].concat();
        let long = entry(EntryType::GNULongName, b"././@LongLink", &[path.as_slice(), b"\0"].concat(), b"", None);
        [long, entry(EntryType::Regular, b"short", content, b"", None)].concat()
    };
    let names = [
        ".ssh/authorized_keys",
        ".sshcommand",
        "HOSTNAME",
        "VHOST",
        "ENV",
        "dokkurc",
        ".dokkurc/X",
        "VERSION",
        "tls/server.crt",
        "tls/server.key",
        "victim/ENV",
        "victim/VHOST",
        "victim/CONTAINER",
        "fresh/nginx.conf.template",
        "fresh/nginx.conf",
        "fresh/hooks/pre-receive",
        "fresh/CONTAINER",
        "fresh/DOCKER_OPTIONS_DEPLOY",
        "fresh/nginx.conf.d/x.conf",
        "tls/ENV",
        "tls/tls/server.crt",
        "plugins/x/commands",
    ];
    let tar = [backup(), names.iter().flat_map(|name| file(name, b"canary\n")).collect(), vec![0; 1024]].concat();
    fort.unharmed("a backup", &["home/fresh/"], || {
        let step = fort.s.stdin(&tar).run_program("/usr/bin/env", ["SSH_ORIGINAL_COMMAND=backup:import -f", "dokku", "backup:import"]);
        assert_eq!(step.code(), 0, "{}", step.text());
        step.text()
    });
    for name in ["nginx.conf.template", "nginx.conf", "CONTAINER", "DOCKER_OPTIONS_DEPLOY", "nginx.conf.d"] {
        assert!(!fort.s.exists(&format!("fresh/{name}")), "{name}");
    }
    assert!(!fort.s.read("fresh/hooks/pre-receive").contains("canary\n"));
    for list in
        ["../precious", "victim/..", "/", ".ssh/../precious", "a;canary", "$(canary)", "-rf", "UPPER", "dokkurc", "a..b", "\u{1b}[2J"]
    {
        let apps = entry(EntryType::Regular, b".dokku_backup_apps", format!("{list}\n").as_bytes(), b"", None);
        let tar = [entry(EntryType::Regular, b".dokku_backup_version", b"1\n", b"", None), apps, vec![0; 1024]].concat();
        fort.unharmed(list, &[], || {
            let step = fort.s.stdin(&tar).run_program("/usr/bin/env", ["SSH_ORIGINAL_COMMAND=backup:import -f", "dokku", "backup:import"]);
            assert!(step.code() != 0 && step.text().contains("nothing was imported"), "{list}: {}", step.text());
            step.text()
        });
    }
}

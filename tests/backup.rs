//! `backup`: what an installation cannot make again, out and in.

mod sandbox;

use sandbox::{Sandbox, Step};
use tar::{Builder, EntryType, Header};

/// An archive of these members, written without the tar crate's own caution.
fn archive(members: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, content) in members {
        let mut header = Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(if *kind == EntryType::Regular { content.len() as u64 } else { 0 });
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        if *kind != EntryType::Regular {
            header.set_link_name(content).unwrap();
        }
        header.set_cksum();
        let data = if *kind == EntryType::Regular { content.as_bytes() } else { b"" };
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A backup of these apps with files below DOKKU_ROOT.
fn backup(s: &Sandbox, apps: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let root = s.home().display().to_string();
    let paths: Vec<String> = files.iter().map(|(path, _)| format!("{root}/{path}")).collect();
    let mut members = vec![(".dokku_backup_version", EntryType::Regular, "1\n"), (".dokku_backup_apps", EntryType::Regular, apps)];
    members.extend(paths.iter().zip(files).map(|(path, (_, content))| (path.as_str(), EntryType::Regular, *content)));
    archive(&members)
}

/// Runs a command as somebody with a key does.
fn over_ssh<'a>(s: &'a Sandbox, line: &str) -> Step<'a> {
    s.run_program("env", [&format!("SSH_ORIGINAL_COMMAND={line}"), "dokku", line.split(' ').next().unwrap()])
}

/// Two apps and everything of the installation's own.
fn installation() -> Sandbox {
    let s = Sandbox::new();
    s.file("VHOST", "dokku.test\n").file(".sshcommand", "dokku\n").file(".ssh/authorized_keys", "key one\n");
    s.file("one/ENV", "export A='1'\n").file("one/VHOST", "one.example\n").file("two/VHOST", "two.example\n").file("tls/server.crt", "x");
    s
}

fn members(s: &Sandbox, file: &str) -> String {
    let list = s.run_program("tar", ["-tf", file]).text();
    let root = s.home().display().to_string();
    list.replace(root.trim_start_matches('/'), "ROOT").replace("$HOME", "ROOT")
}

#[test]
fn an_export_holds_what_plugins_name() {
    let s = installation();
    s.plugin("mine/backup-export", "#!/bin/sh\ncat; echo \"$2/DATA\"; echo\n").file("DATA/deep/file", "1");
    s.run(["backup:export", "../b.tar"]).shows("");
    let list = members(&s, "../b.tar");
    for name in [".sshcommand", ".ssh/authorized_keys", "HOSTNAME", "VHOST", "one/ENV", "one/VHOST", "two/VHOST", "DATA/deep/file"] {
        assert!(list.lines().any(|line| line.ends_with(&format!("/{name}"))), "{name} in {list}");
    }
    assert!(list.ends_with("\n.dokku_backup_version\n.dokku_backup_apps\n"), "{list}");
    s.run_program("tar", ["-xOf", "../b.tar", ".dokku_backup_version", ".dokku_backup_apps"]).shows("1\n.ssh\nDATA\none\ntls\ntwo\n");
    assert_eq!(s.mode("../b.tar"), 0o600);
}

#[test]
fn an_export_is_whole_or_not_there() {
    let s = installation();
    let tar = s.run(["backup:export"]).stdout().to_vec();
    s.file("../b.tar", &tar);
    assert!(members(&s, "../b.tar").ends_with(".dokku_backup_apps\n"));
    s.plugin("mine/backup-export", "#!/bin/sh\ncat; echo \"$2/MISSING\"\n");
    s.run(["backup:export", "../c.tar"])
        .shows("[stderr]\ndokku: cannot back up $HOME/MISSING: No such file or directory (os error 2)\n[exit 1]\n");
    s.lacks("../c.tar").run(["backup:export", "../nowhere/c.tar"]).fails("cannot write ../nowhere/c.tar");
    s.plugin("mine/backup-export", "#!/bin/sh\nexit 4\n").run(["backup:export"]).shows("[exit 4]\n");
    assert_eq!(std::fs::read_dir(s.dir().join("tmp")).unwrap().count(), 0);
}

#[test]
fn what_was_exported_comes_back() {
    let s = installation();
    s.run(["backup:export", "../b.tar"]).succeeds();
    for gone in ["one", "two", "VHOST", ".sshcommand"] {
        s.run_program("rm", ["-r", gone]).succeeds();
    }
    s.file(".ssh/authorized_keys", "key two\nkey one\n");
    s.run(["backup:import", "../b.tar"]).shows("Importing a version 1 backup...\nImported one\nImported two\nImport complete.\n");
    s.has("one/ENV", "export A='1'\n").has("one/VHOST", "one.example\n").has("two/VHOST", "two.example\n").has("VHOST", "dokku.test\n");
    s.has(".sshcommand", "dokku\n").has(".ssh/authorized_keys", "key one\nkey two\n");
    assert_eq!((s.mode(".ssh"), s.mode(".ssh/authorized_keys")), (0o700, 0o600));
    let hook = "#!/usr/bin/env bash\nset -e; set -o pipefail;\n\ncat | DOKKU_ROOT=\"$HOME\" dokku git-hook two\n";
    s.has("two/hooks/pre-receive", hook).has("two/HEAD", "ref: refs/heads/master\n");
}

#[test]
fn plugins_take_part() {
    let s = Sandbox::new();
    s.plugin("zz-mine/backup-check", "#!/bin/sh\necho \"checked $1\"\n");
    s.plugin("zz-mine/backup-import", "#!/bin/sh\ncp \"$2/one/DATA\" \"$3/one/\"; echo \"put $1 $(cat $4)\"\n");
    let tar = backup(&s, "one\n.ssh\ntls\n", &[("one/DATA", "data"), ("HOSTNAME", "other.test\n")]);
    s.stdin(&tar)
        .run(["backup:import"])
        .shows("Importing a version 1 backup...\nchecked 1\nImported one\nput 1 one\nImport complete.\n")
        .has("one/DATA", "data")
        .has("HOSTNAME", "other.test\n")
        .lacks("tls");
}

#[test]
fn an_app_in_the_way_stops_the_import_unless_forced() {
    let s = Sandbox::new();
    s.file("one/ENV", "export A='old'\n");
    let tar = backup(&s, "one\ntwo\n", &[("one/ENV", "export A='new'\n")]);
    s.stdin(&tar)
        .run(["backup:import"])
        .shows(
            "Importing a version 1 backup...\nTrying to import application one which already exists.\n\
             [stderr]\nArchive did not pass sanity checks. Use -f to import anyway\n[exit 1]\n",
        )
        .has("one/ENV", "export A='old'\n")
        .lacks("two");
    s.stdin(&tar)
        .run(["backup:import", "-f"])
        .shows(
            "Importing a version 1 backup...\nTrying to import application one which already exists.\n-f used. Ignoring warnings.\n\
             Imported one\nImported two\nImport complete.\n",
        )
        .has("one/ENV", "export A='new'\n");
}

#[test]
fn an_app_that_is_not_listed_stays_as_it_is() {
    let s = Sandbox::new();
    s.file("two/ENV", "export A='old'\n");
    let tar = backup(&s, "one\n", &[("one/ENV", "export A='1'\n"), ("two/ENV", "export A='new'\n")]);
    s.stdin(tar)
        .run(["backup:import"])
        .shows("Importing a version 1 backup...\nImported one\nImport complete.\n[stderr]\nNot imported: two\n")
        .has("two/ENV", "export A='old'\n");
}

#[test]
fn a_failed_import_leaves_no_app_behind() {
    let s = Sandbox::new();
    s.plugin("mine/backup-import", "#!/bin/sh\nexit 5\n").app("two");
    let tar = backup(&s, "one\ntwo\n", &[]);
    s.stdin(&tar).run(["backup:import", "-f"]).fails("[exit 5]").lacks("one");
    assert!(s.exists("two"));
    assert_eq!(std::fs::read_dir(s.dir().join("tmp")).unwrap().count(), 0);
}

#[test]
fn other_archives_are_refused() {
    let s = Sandbox::new();
    s.stdin("hello\n").run(["backup:import"]).fails("[exit 2]");
    s.run(["backup:import", "nowhere.tar"])
        .shows("[stderr]\nCannot import nowhere.tar: No such file or directory (os error 2)\n[exit 2]\n");
    s.stdin(archive(&[("x", EntryType::Regular, "y")])).run(["backup:import"]).shows("Unable to determine backup version\n[exit 1]\n");
    let newer = archive(&[(".dokku_backup_version", EntryType::Regular, "2\n")]);
    s.stdin(newer).run(["backup:import"]).shows("Unknown format version 2\n[exit 1]\n");
    let evil = archive(&[(".dokku_backup_version", EntryType::Regular, "a[$(touch evil)]\n")]);
    s.stdin(evil).run(["backup:import"]).shows("Unknown format version a[$(touch evil)]\n[exit 1]\n").lacks("evil");
}

#[test]
fn a_hostile_archive_touches_nothing_outside() {
    let s = Sandbox::new();
    s.file("../precious/file", "as it was\n");
    let precious = s.dir().join("precious").display().to_string();
    let inside = format!("{}/link", s.home().display());
    let tar = archive(&[
        (".dokku_backup_version", EntryType::Regular, "1\n"),
        (".dokku_backup_apps", EntryType::Regular, "one\n"),
        (&inside, EntryType::Symlink, &precious),
        (&format!("{inside}/file"), EntryType::Regular, "hostile\n"),
        (&format!("{precious}/file"), EntryType::Regular, "hostile\n"),
        (&format!("{}/HOSTNAME", s.home().display()), EntryType::Symlink, "/etc/hostname"),
    ]);
    s.stdin(tar).run(["backup:import"]).succeeds().has("../precious/file", "as it was\n").has("HOSTNAME", "dokku.test\n");
    let up = archive(&[("../../precious/file", EntryType::Regular, "hostile\n"), (".dokku_backup_version", EntryType::Regular, "1\n")]);
    s.stdin(up).run(["backup:import"]).fails("`..`").has("../precious/file", "as it was\n");
    for name in ["../precious", "a/b", "a;b", "-rf", "$(touch evil)"] {
        let tar = backup(&s, &format!("{name}\n"), &[]);
        s.stdin(tar).run(["backup:import", "-f"]).fails("nothing was imported");
    }
    assert_eq!(s.tree().iter().filter(|path| !path.starts_with("one/")).collect::<Vec<_>>(), ["HOSTNAME", "VERSION"]);
}

#[test]
fn over_ssh_an_export_goes_to_stdout_only() {
    let s = installation();
    over_ssh(&s, "backup:export ../b.tar").fails("standard output").lacks("../b.tar");
    let tar = over_ssh(&s, "backup:export").stdout().to_vec();
    s.file("../b.tar", &tar);
    assert!(members(&s, "../b.tar").ends_with(".dokku_backup_apps\n"));
}

#[test]
fn over_ssh_an_import_lets_nobody_in_and_runs_nothing() {
    let s = Sandbox::new();
    let files = [
        (".ssh/authorized_keys", "key mine\n"),
        (".sshcommand", "sh\n"),
        ("one/nginx.conf.template", "$(id)\n"),
        ("one/ENV", "touch evil\nexport A='1'\nexport B=$(touch evil)\n"),
    ];
    s.stdin(backup(&s, "one\n", &files));
    let text = over_ssh(&s, "backup:import").text();
    assert_eq!(text.matches("Not imported: ").count(), 3, "{text}");
    s.lacks(".ssh").lacks(".sshcommand").lacks("one/nginx.conf.template").has("one/ENV", "export A='1'\nexport B='$(touch evil)'\n");
}

#[test]
fn over_ssh_an_import_takes_nobody_s_domain() {
    let s = installation();
    let files = [("aaa/VHOST", "two.example\nown.example\n"), ("bbb/VHOST", "own.example\nOWN.example\n"), ("one/VHOST", "one.example\n")];
    s.stdin(backup(&s, "aaa\nbbb\none\n", &files));
    let text = over_ssh(&s, "backup:import -f").text();
    assert!(text.contains("Not imported: two.example of aaa, which is another app's domain\n"), "{text}");
    s.has("aaa/VHOST", "own.example\n").has("bbb/VHOST", "").has("one/VHOST", "one.example\n").has("two/VHOST", "two.example\n");
}

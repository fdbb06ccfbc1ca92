//! Export of what an installation cannot make again, and its import. Plugins say what that is.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::{Command, Plugin, domains};
use crate::app::{App, AppName};
use crate::args::Args;
use crate::fail::{Fail, Outcome};
use crate::files::backup::{self, Packer};
use crate::files::env::EnvFile;
use crate::files::{server_name, vhost};
use crate::house::House;
use crate::recovery::{Temporary, WayBack, or_back};
use crate::{files, hooks, operation, say};

/// The table of `backup`.
pub const PLUGIN: Plugin = Plugin {
    name: "backup",
    help: Some("backup"),
    commands: &[
        Command { name: "backup:export", help: &[("backup:export [file]", "Export dokku configuration files")], run: export_all },
        Command { name: IMPORT, help: &[("backup:import [file]", "Import dokku configuration files")], run: import_all },
    ],
    added: &[],
    hooks: &[],
};

/// The command that imports; what a killed one left is found under this name, which no app can have.
pub const IMPORT: &str = "backup:import";

/// The one version of the format that there ever was.
const VERSION: &str = "1";

/// What tar ended with when it could not read an archive.
const BAD_ARCHIVE: i32 = 2;

/// `backup:export [FILE]`: everything that plugins name, to a file or to stdout, whole or not at all.
fn export_all(house: &House, args: &Args) -> Outcome {
    if args.lacks(0) {
        let mut packed = pack(house, tempfile::tempfile_in(house.temp_dir()).context("cannot make a temporary file")?)?;
        packed.rewind()?;
        return Ok(house.io.stdout.copy_from(&mut packed)?);
    }
    if house.remote {
        return Err(Fail::say("Over ssh a backup goes to standard output: ssh dokku@HOST backup:export > FILE"));
    }
    let named = Path::new(args.word(0));
    let file = if named.is_dir() { named.join("backup.tar") } else { named.to_owned() };
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = || format!("cannot write {}", file.display());
    let packed = pack(house, tempfile::NamedTempFile::new_in(dir).with_context(failed)?)?;
    packed.persist(&file).with_context(failed)?;
    Ok(())
}

fn pack<W: Write>(house: &House, to: W) -> Outcome<W> {
    let words = [VERSION.into(), house.root.clone().into_os_string()];
    let listed = hooks::ask(house, "backup-export", &words)?;
    let mut packer = Packer::new(to);
    for path in listed.lines().filter(|line| !line.is_empty()) {
        packer.add(Path::new(path))?;
    }
    packer.add_text(backup::VERSION, format!("{VERSION}\n").as_bytes())?;
    packer.add_text(backup::APPS, &directories(&house.root)?)?;
    Ok(packer.finish()?)
}

/// The directories of DOKKU_ROOT, hidden ones too, a line each.
fn directories(root: &Path) -> Outcome<Vec<u8>> {
    let entries = fs::read_dir(root).with_context(|| format!("cannot list {}", root.display()))?.flatten();
    let mut names: Vec<_> =
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.file_name()).collect();
    names.sort();
    Ok(names.iter().flat_map(|name| [name.as_bytes(), b"\n"].concat()).collect())
}

/// `backup:import [-f] [FILE]`: makes the apps of a backup, then plugins put back what is theirs.
fn import_all(house: &House, args: &Args) -> Outcome {
    let import = App::at(house, AppName::parse(IMPORT.as_ref()).context(IMPORT)?);
    operation::alone(house, &import, IMPORT, |house| import_alone(house, args, &import))
}

/// The rest, as the only import.
fn import_alone(house: &House, args: &Args, import: &App) -> Outcome {
    let force = args.word(0) == "-f";
    if house.remote && !matches!(args.word(force.into()).to_str(), Some("" | "-")) {
        return Err(Fail::say("Over ssh a backup comes from standard input: ssh dokku@HOST backup:import < FILE"));
    }
    let dir = Temporary::make(house, import)?;
    unpack(house, args.word(force.into()), dir.path())?;
    let version = version(house, dir.path())?;
    let list = dir.path().join(backup::APPS);
    let apps = apps_of(house, &list)?;
    say::line(house, format!("Importing a version {version} backup..."))?;
    let from = below(dir.path(), &house.root);
    only_listed(house, &from, &apps)?;
    if house.remote {
        harmless_variables(&from, &apps)?;
        free_domains(house, &from, &apps)?;
    }
    let words = [version.into(), from.into_os_string(), house.root.clone().into_os_string(), list.into_os_string()];
    check(house, &words, force)?;
    // What would be left of an app that has just been made is nobody's.
    let new = apps.iter().map(|app| app.dir.clone()).filter(|dir| !dir.is_dir()).collect();
    or_back(WayBack::to_files(house, import, &[], new)?, || {
        make(house, &apps)?;
        hooks::fire(house, "backup-import", &words)
    })?;
    say::line(house, "Import complete.")
}

/// Unpacks a file, or stdin when its name is empty or `-`, and tells what had to be left out.
fn unpack(house: &House, file: &OsStr, dir: &Path) -> Outcome {
    let room = nix::sys::statvfs::statvfs(dir).context("cannot tell how much room there is")?;
    let room = room.blocks_available() as u64 * room.fragment_size() as u64 / 2;
    let named = if file.is_empty() || file == "-" { OsStr::new("standard input") } else { file };
    let opened = if named == file { File::open(file) } else { house.io.stdin.file() };
    let wanted = |path: &Path| !house.remote || is_harmless(path.strip_prefix(below(Path::new(""), &house.root)).unwrap_or(path));
    let unpacked = opened.map_err(anyhow::Error::from).and_then(|archive| backup::unpack(archive, dir, room, wanted));
    let left_out = unpacked.map_err(|cause| Fail::Said(BAD_ARCHIVE, format!("Cannot import {}: {cause:#}", named.display())))?;
    for path in left_out {
        not_imported(house, &path);
    }
    Ok(())
}

/// Whoever made the archive chose the name; a terminal must not obey it.
fn not_imported(house: &House, path: &Path) {
    say::error(house, format!("Not imported: {}", path.to_string_lossy().escape_debug()));
}

/// Where a path of the exporting machine is below `dir`.
fn below(dir: &Path, root: &Path) -> PathBuf {
    dir.join(root.strip_prefix("/").unwrap_or(root))
}

/// May this file come from somebody who has a key but is not root? What lets keys in, is run as code or counts for all
/// apps may not.
fn is_harmless(path: &Path) -> bool {
    let of_all = [".sshcommand", "HOSTNAME", "VHOST", "dokkurc"].iter().any(|name| path == Path::new(name));
    let of_keys = path.starts_with(".ssh") || path.starts_with(".dokkurc");
    !of_all && !of_keys && path.file_name() != Some(OsStr::new("nginx.conf.template"))
}

/// Plugins source ENV, so from afar it holds variables and nothing else.
fn harmless_variables(from: &Path, apps: &[App]) -> Outcome {
    for path in apps.iter().map(|app| from.join(app.name.as_str()).join("ENV")).filter(|path| path.is_file()) {
        let mut clean = EnvFile::default();
        EnvFile::load(&path)?.pairs().for_each(|(key, value)| clean.set(key, value));
        files::replace(&path, &clean.print(), 0o600)?;
    }
    Ok(())
}

/// Takes away domains that are another app's, on this server or before it in the backup.
fn free_domains(house: &House, from: &Path, apps: &[App]) -> Outcome {
    let mut taken: Vec<String> = Vec::new();
    for app in apps {
        let path = from.join(app.name.as_str()).join("VHOST");
        let Some(text) = files::text(&path) else { continue };
        let mut gone = Vec::new();
        for name in vhost::domains(&text) {
            if taken.iter().any(|known| server_name::overlap(known, name)) || domains::other_owner(house, app, name)?.is_some() {
                say::error(house, format!("Not imported: {} of {}, which is another app's domain", name.escape_debug(), app.name));
                gone.push(name);
            }
        }
        files::replace(&path, vhost::without(&text, &gone).as_bytes(), 0o644)?;
        taken.extend(vhost::domains(&text).filter(|name| !gone.contains(name)).map(str::to_owned));
    }
    Ok(())
}

/// Takes away what the backup holds for apps that its list does not name, and that nobody was asked about.
fn only_listed(house: &House, from: &Path, apps: &[App]) -> Outcome {
    fs::create_dir_all(from)?;
    for entry in fs::read_dir(from)?.flatten().filter(|entry| entry.path().is_dir()) {
        let name = entry.file_name();
        let listed = name == "tls" || name.as_bytes().starts_with(b".") || apps.iter().any(|app| OsStr::new(app.name.as_str()) == name);
        if !listed {
            not_imported(house, Path::new(&name));
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

fn version(house: &House, dir: &Path) -> Outcome<String> {
    let wrong = |text: &str| say::line(house, text).and(Err(Fail::Code(1)));
    match fs::read_to_string(dir.join(backup::VERSION)) {
        Ok(text) if text.trim() == VERSION => Ok(VERSION.into()),
        Ok(text) => wrong(&format!("Unknown format version {}", shortened(text.trim_end_matches('\n')))),
        Err(_) => wrong("Unable to determine backup version"),
    }
}

/// As much as fits into a line, on whatever terminal.
fn shortened(text: &str) -> String {
    text.chars().take(40).flat_map(char::escape_debug).collect()
}

/// The apps of a backup. Its list is written anew without what is no app: hidden directories and `tls`.
fn apps_of(house: &House, list: &Path) -> Outcome<Vec<App>> {
    let text = fs::read_to_string(list).map_err(|_| Fail::say("The backup does not say which apps it holds"))?;
    let is_no_app = |name: &&str| name.is_empty() || *name == "tls" || (name.starts_with('.') && !name.contains('/'));
    let names = text.lines().filter(|name| !is_no_app(name));
    let apps = names.map(|name| app_of(house, name)).collect::<Outcome<Vec<App>>>()?;
    let lines: String = apps.iter().map(|app| format!("{}\n", app.name)).collect();
    fs::write(list, lines)?;
    Ok(apps)
}

/// 0.3.18 took names that are not given any more, but none with other characters could ever be deployed. Somebody with a
/// key makes no app with such a name.
fn app_of(house: &House, name: &str) -> Outcome<App> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    let name = AppName::parse(OsStr::new(name)).filter(|name| plain && !name.is_reserved());
    let name = name.filter(|name| !house.remote || house.root.join(name).is_dir() || AppName::for_new_app(name.as_ref()).is_ok());
    name.map(|name| App::at(house, name)).ok_or_else(|| Fail::say("The backup names an app as no app can be named; nothing was imported"))
}

/// Asks plugins whether the backup may come in.
fn check(house: &House, words: &[OsString], force: bool) -> Outcome {
    let Err(fail) = hooks::fire(house, "backup-check", words) else { return Ok(()) };
    say::failure(house, &fail);
    if force {
        return say::line(house, "-f used. Ignoring warnings.");
    }
    Err(Fail::say("Archive did not pass sanity checks. Use -f to import anyway"))
}

/// Makes the apps' directories.
fn make(house: &House, apps: &[App]) -> Outcome {
    for app in apps {
        files::make_dir(&app.dir)?;
        say::line(house, format!("Imported {}", app.name))?;
    }
    Ok(())
}

/// The names that a hook finds in the list it is given by backup:import.
pub fn listed(house: &House, list: &OsStr) -> Outcome<Vec<App>> {
    let text = fs::read_to_string(list).with_context(|| format!("cannot read {}", list.display()))?;
    text.lines().map(|name| app_of(house, name)).collect()
}

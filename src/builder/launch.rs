//! `/start TYPE` and `/exec COMMAND...`: an app's processes, in the environment of its `.profile.d`, as its user.

use crate::account::Account;
use crate::failure::{Context, Failure, Outcome};
use crate::layout::Layout;
use crate::procfile::{self, ProcessTypes, Release};
use crate::{shell, supervise, tree};
use nix::sys::stat::{SFlag, fstat};
use nix::unistd::{Gid, Uid, fchown, geteuid, getpid, isatty};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind, stderr, stdin, stdout};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Sources what the buildpacks, dokku and plugins have put into `.profile.d`, in the same shell that then runs
/// the command, so that a script there may also define functions and options.
const PROFILE: &str = r#"for f in .profile.d/*.sh; do if [[ -r $f ]]; then source "$f"; fi; done; unset f"#;

/// The interpreter of the scripts `/start` and `/exec`: the first argument is the script's path. They are scripts,
/// and `/exec` is a link to `/start`, since plugins write their own over `/start`.
pub fn run(layout: &Layout, args: &[OsString]) -> Outcome {
    let Some((script, args)) = args.split_first() else {
        return Err(Failure::new("launch is the interpreter of /start and /exec"));
    };
    let args = texts(args)?;
    let command = match Path::new(script).file_name() {
        Some(name) if name == "start" => process_type(layout, &args)?,
        _ if args.is_empty() => {
            return Err(Failure::new("/exec needs a command: /exec COMMAND..."));
        }
        _ => shell::command_line(&args),
    };
    let account = Account::of_app(layout)?;
    if geteuid().is_root() {
        settle(layout, &account)?;
    }
    account.assume()?;
    start(&mut bash(layout, script, &command))
}

/// The command of a process type: the Procfile's, else the buildpack's default.
fn process_type(layout: &Layout, args: &[String]) -> Result<String, Failure> {
    let [name] = args else {
        return Err(Failure::new("/start needs a process type: /start web"));
    };
    let types = process_types(layout)?;
    let command = procfile::find(&types, name).map(str::to_owned);
    command.ok_or_else(|| Failure::new(format!("no process type {name}: the app declares {}", procfile::names(&types))))
}

/// What the Procfile declares, and of the buildpack's defaults what it does not.
fn process_types(layout: &Layout) -> Result<ProcessTypes, Failure> {
    let mut types = procfile::parse(&read(&layout.app().join("Procfile"))?);
    let release = Release::parse(&read(&layout.app().join(".release"))?).context(|| "read .release")?;
    let defaults = release.process_types().into_iter();
    let missing: ProcessTypes = defaults.filter(|(name, _)| procfile::find(&types, name).is_none()).collect();
    types.extend(missing);
    Ok(types)
}

/// Gives the user what root has put into the app since the build: files of dokku and of plugins beside the top of
/// the tree, and what is mounted there. The rest has been the user's since the build and is not looked at.
fn settle(layout: &Layout, account: &Account) -> Result<(), Failure> {
    give_stream(stdin(), account);
    give_stream(stdout(), account);
    give_stream(stderr(), account);
    let mut foreign = mounts_below(&layout.app());
    collect_foreign(&layout.app(), account, 2, &mut foreign);
    for path in foreign {
        match tree::give(&path, account) {
            Err(error) if !is_no_obstacle(&error) => {
                return Err(error).context(|| format!("give {} to {}", path.display(), account.name));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A program may open /dev/stdout again: a pipe or terminal that the engine made as root. Anything else, and what
/// is closed, is left alone.
fn give_stream(stream: impl AsFd, account: &Account) {
    let is_pipe = fstat(&stream).is_ok_and(|file| SFlag::from_bits_truncate(file.st_mode) & SFlag::S_IFMT == SFlag::S_IFIFO);
    if is_pipe || isatty(&stream).unwrap_or(false) {
        let _ = fchown(&stream, Some(Uid::from_raw(account.uid)), Some(Gid::from_raw(account.gid)));
    }
}

/// A read-only or remote volume keeps its owner; another process of the app may have removed a file meanwhile.
fn is_no_obstacle(error: &io::Error) -> bool {
    [ErrorKind::ReadOnlyFilesystem, ErrorKind::PermissionDenied, ErrorKind::NotFound].contains(&error.kind())
}

/// Entries down to `depth` levels below `directory` that are not the user's.
fn collect_foreign(directory: &Path, account: &Account, depth: u32, foreign: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.uid() != account.uid => foreign.push(entry.path()),
            Ok(metadata) if metadata.is_dir() && depth > 1 => {
                collect_foreign(&entry.path(), account, depth - 1, foreign);
            }
            _ => {}
        }
    }
}

fn mounts_below(directory: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    points.map(|point| PathBuf::from(point.replace("\\040", " "))).filter(|point| point.starts_with(directory)).collect()
}

/// Bash runs the command last of all in its `-c`, where it replaces itself by the last program it starts.
fn bash(layout: &Layout, name: &OsString, command: &str) -> Command {
    let app = layout.app();
    let mut bash = Command::new("bash");
    bash.arg("-c").arg(format!("{PROFILE}\n{command}")).arg(name);
    bash.current_dir(&app).env("HOME", &app);
    bash
}

/// As the container's first process, watches over the command; anywhere else becomes it.
fn start(command: &mut Command) -> Outcome {
    if getpid().as_raw() == 1 {
        return supervise::run(command);
    }
    let error = command.exec();
    Err(Failure::with_code(127, format!("could not run bash: {error}")))
}

fn texts(args: &[OsString]) -> Result<Vec<String>, Failure> {
    let texts = args.iter().map(|arg| arg.clone().into_string());
    texts.collect::<Result<_, _>>().map_err(|arg| Failure::new(format!("{} is not UTF-8", arg.display())))
}

/// A file's text, empty when there is no file.
fn read(path: &Path) -> Result<String, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).context(|| format!("read {}", path.display())),
    }
}

//! `/build/builder`: turns the source in /app into the app's home, with `/start` and `/exec` to run it.

use crate::account::Account;
use crate::failure::{Context, Failure, Outcome};
use crate::layout::Layout;
use crate::{supervise, tree};
use nix::unistd::geteuid;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Where the image keeps this program for `/start`, as a file of its own that no plugin writes over.
const START: &str = "#!/usr/lib/dokku/launch\n# Runs a process type of the app: /start TYPE; called as /exec, a command.\n";

/// Builds as the app's new user and, when that went well, leaves an image of the app. The exit code is the
/// buildpack's.
pub fn run(layout: &Layout) -> Outcome {
    if !geteuid().is_root() {
        return Err(Failure::new("the builder makes a user for the app and must run as root"));
    }
    let account = Account::create(layout)?;
    prepare(layout, &account)?;
    let code = supervise::run(&mut compile(&account)?)?;
    if code == 0 {
        finish(layout)?;
    }
    Ok(code)
}

/// The source goes to BUILD_DIR; all that a buildpack may write belongs to the user.
fn prepare(layout: &Layout, account: &Account) -> Result<(), Failure> {
    let (app, build) = (layout.app(), layout.build());
    let owned = [layout.env(), layout.cache().into(), layout.buildpacks(), app.clone(), build.clone()];
    for directory in &owned[..4] {
        fs::create_dir_all(directory).context(|| format!("make {}", directory.display()))?;
    }
    tree::move_contents(&app, &build)?;
    link_settings(&build, &app).context(|| format!("link settings into {}", app.display()))?;
    for directory in &owned {
        tree::give(directory, account).context(|| format!("give {} to {}", directory.display(), account.name))?;
    }
    Ok(())
}

/// What programs look for in the home of their user, such as `.netrc`, `.ssh` and `.npmrc`, is in HOME while
/// buildpacks run: an app or a plugin may have put it there for them.
fn link_settings(build: &Path, home: &Path) -> io::Result<()> {
    fs::create_dir_all(home)?;
    for entry in fs::read_dir(build)? {
        let entry = entry?;
        let link = home.join(entry.file_name());
        if entry.file_name().as_bytes().starts_with(b".") && !link.exists() {
            symlink(entry.path(), link)?;
        }
    }
    Ok(())
}

/// The unprivileged half, as a program of its own.
fn compile(account: &Account) -> Result<Command, Failure> {
    let program = std::env::current_exe().context(|| "find the builder's own file")?;
    let mut command = Command::new(program);
    command.arg0("compile").uid(account.uid).gid(account.gid);
    Ok(command)
}

/// The build becomes the app, and what only building needs goes.
fn finish(layout: &Layout) -> Result<(), Failure> {
    write_start(layout).context(|| "write /start")?;
    tree::remove_contents(&layout.app());
    tree::move_contents(&layout.build(), &layout.app())?;
    tree::remove_contents(&layout.tmp());
    let _ = fs::remove_dir_all(layout.programs());
    Ok(())
}

fn write_start(layout: &Layout) -> io::Result<()> {
    let (start, exec) = (layout.start(), layout.exec());
    for path in [&start, &exec] {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::write(&start, START)?;
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755))?;
    symlink(start, exec)
}

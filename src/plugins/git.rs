//! `git`: repositories of apps, and what a push into one starts.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{Command, Hook, Plugin};
use crate::app::{App, AppName};
use crate::args::Args;
use crate::fail::{Fail, Outcome, from_code};
use crate::files::env;
use crate::house::House;
use crate::io::Fd;
use crate::push::pushed::{self, Pushed};
use crate::push::{lock, tree};
use crate::recovery::{self, or_left_open};
use crate::tools::git;
use crate::{exec, files, hooks, operation, retirement, say};

/// The table of `git`.
pub const PLUGIN: Plugin = Plugin {
    name: "git",
    help: Some("git"),
    commands: &[
        Command { name: "git-hook", help: &[], run: hook },
        Command { name: "git-upload-pack", help: &[], run: upload_pack },
        Command { name: "git-build", help: &[], run: build },
        Command { name: "git-build-locked", help: &[], run: build_locked },
        Command { name: "git-*", help: &[], run: service },
    ],
    added: &[],
    hooks: &[Hook { name: "receive-app", run: receive_app }, Hook { name: "backup-import", run: backup_import }],
};

/// The one ref that is deployed.
const DEPLOYED: &[u8] = b"refs/heads/master";

/// `git-hook APP`: the lines `old new ref` of a pre-receive hook. Whoever answers receive-app may read on in them.
fn hook(house: &House, args: &Args) -> Outcome {
    while let Some(line) = house.io.stdin.read_line()? {
        let mut fields = line.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
        let [old, new, name] = [(); 3].map(|()| fields.next().unwrap_or_default());
        if name == DEPLOYED {
            let house = &pushed::told(house, args.word(0), &String::from_utf8_lossy(old), &String::from_utf8_lossy(new));
            hooks::fire(house, "receive-app", &[args.word(0).to_owned(), OsStr::from_bytes(new).to_owned()])?;
        } else {
            not_deployed(house, &String::from_utf8_lossy(name))?;
        }
    }
    Ok(())
}

fn not_deployed(house: &House, name: &str) -> Outcome {
    let branch = name.replacen("refs/heads/", "", 1);
    say::line(house, "\x1b[1G\x1b[K-----> WARNING: deploy did not complete, you must push to master.")?;
    say::line(house, format!("\x1b[1G\x1b[K-----> for example, try 'git push <dokku> {branch}:master'"))
}

/// receive-app APP REV: builds what was pushed, or master when there is no REV.
fn receive_app(house: &House, args: &Args) -> Outcome {
    let words: Vec<OsString> =
        std::iter::once("git-build".into()).chain(args.words.iter().filter(|word| !word.is_empty()).cloned()).collect();
    hooks::call(house, &words)
}

/// `git-build APP [REV]`: one build of an app at a time.
fn build(house: &House, args: &Args) -> Outcome {
    let app = App::named(house, args.word(0))?;
    // Below an operation the lock of the app's own is enough; whoever has this one may be waiting for that operation.
    let _locked = if operation::is_nested(house) { None } else { Some(lock::build(house, &app)?) };
    let words: Vec<OsString> = std::iter::once("git-build-locked".into()).chain(args.words.iter().cloned()).collect();
    hooks::call(house, &words)
}

fn build_locked(house: &House, args: &Args) -> Outcome {
    let app =
        App::at(house, AppName::parse(args.word(0)).ok_or_else(|| Fail::say(format!("{:?} is not the name of an app", args.text(0))))?);
    let pushed = Pushed::of(house, &app);
    let revision = Some(args.word(1)).filter(|_| args.words.len() >= 2);
    loop {
        pushed::await_others(house, &app, pushed.as_ref())?;
        let done = operation::alone(house, &app, "git-build", |house| {
            if pushed::must_wait(house, &app, pushed.as_ref()) {
                return Ok(false);
            }
            match &pushed {
                Some(pushed) => build_pushed(house, &app, pushed, revision),
                None => build_master(house, &app, revision),
            }
            .map(|()| true)
        })?;
        if done {
            return Ok(());
        }
    }
}

/// As a part of a push, whose commit git has not made master yet.
fn build_pushed(house: &House, app: &App, pushed: &Pushed, revision: Option<&OsStr>) -> Outcome {
    let revision = revision.unwrap_or(pushed.commit().as_ref());
    or_left_open(pushed.begin(house, app)?, || deploy(house, app, revision))?;
    retirement::ensure(house)
}

fn build_master(house: &House, app: &App, revision: Option<&OsStr>) -> Outcome {
    if recovery::is_being_pushed(house, app) {
        return Err(Fail::say(format!("A push to {0} is under way, and waits for this: {0} is not built meanwhile", app.name)));
    }
    match revision {
        Some(revision) => deploy(house, app, revision),
        None => deploy(house, app, &tree::master(house, app)?),
    }
}

fn deploy(house: &House, app: &App, revision: &OsStr) -> Outcome {
    tree::with(house, app, revision, |tree| {
        let house = tree::inside(house, app, tree);
        let (name, source) = (app.name.as_ref(), tree.source.as_str().as_ref());
        say::prefixed(&house, "\x1b[1G", |house| hooks::call(house, &["receive".as_ref(), name, source, tree.path().as_os_str()]))
    })
}

/// git-upload-pack: an app's repository, for those who pull.
fn upload_pack(house: &House, args: &Args) -> Outcome {
    let name = unquoted(args);
    let app = App::at(house, AppName::parse(&name).ok_or_else(|| Fail::say(format!("{name:?} is not the name of an app")))?);
    hooks::fire(house, "git-pre-pull", &[app.word()])?;
    exec::run(house, &git::upload_pack(&app.dir))?;
    hooks::fire(house, "git-post-pull", &[app.word()])
}

/// git-receive-pack and git's other services, by git-shell, which knows them.
fn service(house: &House, args: &Args) -> Outcome {
    match args.name {
        "git-receive-pack" => receive_pack(house, &unquoted(args)),
        "git-upload-archive" => serve(house, args.name, &App::named(house, &unquoted(args))?),
        // One word that is a whole line, as xargs makes it of quotes, would be split again by git-shell: a service with a path.
        name if name.contains(|c: char| c.is_ascii_whitespace()) => Err(Fail::say(format!("`{name}` is no service of git"))),
        name => {
            let words: Vec<&str> = std::iter::once(name).chain(args.words.iter().filter_map(|word| word.to_str())).collect();
            from_code(exec::status(house, &git::shell(words.join(" ")))?)
        }
    }
}

fn receive_pack(house: &House, name: &OsStr) -> Outcome {
    let app = match AppName::parse(name).filter(|name| !name.is_reserved()).map(|name| App::at(house, name)) {
        Some(app) if app.dir.is_dir() => app,
        _ => App::at(house, AppName::for_new_app(name)?),
    };
    // What a killed one left may be an app whose end is not finished.
    operation::settle(house, &app)?;
    if !has_repository(&app) {
        make_repository(house, &app)?;
    } else if files::text(&app.path(PRE_RECEIVE)).is_some_and(|text| text.ends_with(&format!(" dokku git-hook {}", app.name))) {
        // 0.3.18 wrote names as they are, and a shell took `a;b` for two commands.
        write_hook(house, &app)?;
    }
    let served = serve(house, "git-receive-pack", &app);
    // What git has refused after its hook had deployed it is taken back now, not only when somebody comes next. Our output is
    // git's, and ends with it.
    let mut hushed = house.clone();
    hushed.io.stdout = Fd::null()?;
    operation::settle(&hushed, &app).unwrap_or_else(|fail| say::failure(house, &fail));
    served
}

/// Has git-shell run a service on an app's repository.
fn serve(house: &House, service: &str, app: &App) -> Outcome {
    let line = [service.as_bytes(), b" ", &env::quoted(app.dir.as_os_str().as_bytes())].concat();
    // A developer's machine that hangs up must not end git: what is deployed by then would not be what the repository says.
    from_code(exec::status_unheard(house, &git::shell(OsStr::from_bytes(&line)))?)
}

/// The app that git asked for: its quotes undone, a leading slash taken away.
fn unquoted(args: &Args) -> OsString {
    let joined: Vec<&[u8]> = args.words.iter().map(|word| word.as_bytes()).collect();
    let joined = joined.join(&b' ');
    let (mut name, mut bytes) = (Vec::new(), joined.iter().copied().peekable());
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if bytes.peek() == Some(&b'\'') => name.extend(bytes.next()),
            b'\'' => {}
            byte => name.push(byte),
        }
    }
    OsStr::from_bytes(name.strip_prefix(b"/").unwrap_or(&name)).to_owned()
}

/// backup-import VERSION FROM TO APPS: every app gets its repository again, empty.
fn backup_import(house: &House, args: &Args) -> Outcome {
    let apps = super::backup::listed(house, args.word(3))?;
    apps.iter().filter(|app| !has_repository(app)).try_for_each(|app| make_repository(house, app))
}

/// Is it there, and whole? git makes the one killed in its making complete.
fn has_repository(app: &App) -> bool {
    ["refs", "objects", "HEAD", "config"].iter().all(|entry| app.path(entry).exists())
}

/// A bare repository whose pre-receive hook hands a push to us.
pub fn make_repository(house: &House, app: &App) -> Outcome {
    // First the hook: a repository without it would take a push and deploy nothing.
    files::make_dir(&app.path("hooks"))?;
    write_hook(house, app)?;
    let code = exec::status_hushed(house, &git::init_bare(&app.dir))?;
    if code != 0 && files::disk_is_full(&app.dir) {
        return Err(Fail::Said(
            code,
            format!("No space left on device for the repository of {}: make room in {}", app.name, house.root.display()),
        ));
    }
    from_code(code)
}

const PRE_RECEIVE: &str = "hooks/pre-receive";

fn write_hook(house: &House, app: &App) -> Outcome {
    let path = app.path(PRE_RECEIVE);
    let (root, name) = (house.root.display(), env::word(app.name.as_str()));
    let hook = format!("#!/usr/bin/env bash\nset -e; set -o pipefail;\n\ncat | DOKKU_ROOT=\"{root}\" dokku git-hook {name}\n");
    if files::text(&path).is_some_and(|text| text == hook.trim_end()) { Ok(()) } else { files::replace(&path, hook.as_bytes(), 0o755) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_what_git_quotes() {
        for (words, name) in
            [(vec!["'app'"], "app"), (vec!["'/app'"], "app"), (vec!["app"], "app"), (vec!["'a", "b'"], "a b"), (vec!["'a'\\''b'"], "a'b")]
        {
            let words = exec::words(words);
            assert_eq!(unquoted(&Args { name: "git-receive-pack", words: &words }), name);
        }
    }
}

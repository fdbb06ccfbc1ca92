//! One app's file that nginx refuses keeps nginx from starting and from taking up anything new, for all apps. Where that
//! would stop another app, the one at fault is set aside: its domains are answered with 503 until its configuration has
//! been mended and built anew. It is not served without what was broken: that may have been what kept people out.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::Duration;

use crate::app::{App, AppName};
use crate::fail::{Fail, Outcome};
use crate::files::{self, server_name, vhost};
use crate::house::House;
use crate::{nginx, say};

/// How long a file is given that somebody may be writing just now: a certificate and its key come one after the other.
const PATIENCE: Duration = Duration::from_secs(2);

/// How the configuration of an app begins that is set aside.
const MARK: &str = "# Set aside by dokku: nginx refused what this app had.";

/// The app that nginx complains of: of its file, else of its upstream, which a configuration of somebody else's has taken for
/// a host. Warnings name apps that are only old-fashioned.
pub fn blamed(house: &House, complaint: &str) -> Option<AppName> {
    let below = format!("{}/", house.root.display());
    let fatal: Vec<&str> = complaint.lines().filter(|line| line.contains("[emerg]")).collect();
    let said = if fatal.is_empty() { complaint.to_owned() } else { fatal.join("\n") };
    let of_file = said.split(&below).nth(1).and_then(|rest| rest.split_once('/'));
    let of_upstream = || said.split("upstream \"").nth(1)?.split_once('"');
    let (name, _) = of_file.or_else(of_upstream)?;
    AppName::parse(name.as_ref()).filter(|name| !name.is_reserved())
}

/// Has nginx take up what `change` does (for this app, if it is for one), and takes back when nginx refuses it. Where that
/// is another app's fault, the other is set aside, and the change made again.
pub fn past_others(house: &House, app: Option<&App>, change: impl Fn() -> Outcome) -> Outcome {
    let mut was_passing = false;
    loop {
        let Err(refused) = change() else { return Ok(()) };
        match judge(house, app, &refused)? {
            Fault::Others => {}
            // Once: if the other is refused only with our change, the change is at fault.
            Fault::Nobodys if !was_passing => was_passing = true,
            _ => return Err(refused),
        }
    }
}

enum Fault {
    /// Another app's, which hinders nobody any more.
    Others,
    /// Nothing is refused by now.
    Nobodys,
    Ours,
}

/// Whose fault is it that nginx has refused a change, which has been taken back since?
fn judge(house: &House, app: Option<&App>, refused: &Fail) -> Outcome<Fault> {
    let blamed_by = |fail: &Fail| blamed(house, &fail.text().unwrap_or_default());
    let is_other = |name: &AppName| app.is_none_or(|app| app.name != *name);
    let Some(other) = blamed_by(refused).filter(is_other).map(|name| App::at(house, name)) else { return Ok(Fault::Ours) };
    if !other.path("nginx.conf").is_file() || is_set_aside(&other) {
        return Ok(Fault::Ours);
    }
    sleep(PATIENCE);
    match nginx::test(house) {
        Ok(()) => Ok(Fault::Nobodys),
        Err(still) if blamed_by(&still).as_ref() == Some(&other.name) && set_aside(house, &other, &still)? => Ok(Fault::Others),
        Err(_) => Ok(Fault::Ours),
    }
}

/// Is nobody hindered by the app any more?
fn set_aside(house: &House, app: &App, refused: &Fail) -> Outcome<bool> {
    let conf = app.path("nginx.conf");
    let before = std::fs::read(&conf)?;
    files::replace(&kept(app), &before, 0o600)?;
    files::replace(&conf, instead(app).as_bytes(), 0o600)?;
    if let Err(still) = nginx::test(house)
        && blamed(house, &still.text().unwrap_or_default()).as_ref() == Some(&app.name)
    {
        // Somebody else's configuration names that file: this app is not at fault.
        files::replace(&conf, &before, 0o600)?;
        files::remove(&kept(app))?;
        return Ok(false);
    }
    say::failure(house, refused);
    say::error(
        house,
        format!(
            "nginx refuses the configuration of {0}, which would stop every other app: it is set aside as {1}, and {0} is answered with 503. \
             Mend what nginx complains of, then: dokku nginx:build-config {0}",
            app.name,
            kept(app).display()
        ),
    );
    Ok(true)
}

/// Is the app's configuration set aside?
pub fn is_set_aside(app: &App) -> bool {
    std::fs::read(app.path("nginx.conf")).is_ok_and(|now| now.starts_with(MARK.as_bytes()))
}

/// Takes away what was kept of the app's configuration: it has one again that nginx takes.
pub fn mended(app: &App) -> Outcome {
    files::remove(&kept(app))
}

fn kept(app: &App) -> PathBuf {
    app.path("nginx.conf.set-aside")
}

fn instead(app: &App) -> String {
    let text = files::text(&app.path("VHOST")).unwrap_or_default();
    let names: Vec<&str> = vhost::domains(&text).filter(|name| server_name::is_plain(name)).collect();
    match names.as_slice() {
        [] => format!("{MARK}\n"),
        names => format!(
            "{MARK}\nserver {{\n  listen      [::]:80;\n  listen      80;\n  server_name {} ;\n  return 503;\n}}\n",
            names.join(" ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::Env;
    use crate::io::Io;

    #[test]
    fn the_app_at_fault_is_the_one_that_is_fatal() {
        let house = House::from_env(Env::from([("DOKKU_ROOT".into(), "/home/dokku".into())]), Io::of_process()).unwrap();
        for (complaint, app) in [
            ("nginx: [emerg] unknown directive \"x\" in /home/dokku/a/nginx.conf.d/x.conf:1\n", Some("a")),
            ("nginx: [emerg] cannot load certificate \"/home/dokku/b.c/tls/server.crt\": BIO_new_file() failed", Some("b.c")),
            (
                "nginx: [warn] \"ssl\" is deprecated in /home/dokku/a/nginx.conf:3\nnginx: [emerg] bad in /home/dokku/b/nginx.conf:1",
                Some("b"),
            ),
            ("nginx: [warn] old in /home/dokku/a/nginx.conf:3\nnginx: [emerg] could not build server_names_hash", None),
            ("nginx: [emerg] cannot load certificate \"/home/dokku/tls/server.crt\"", None),
            ("nginx: [emerg] bad in /home/dokku/dokkurc", None),
            ("nginx: [emerg] upstream \"back\" may not have port 8080 in /etc/nginx/conf.d/x.conf:2", Some("back")),
        ] {
            assert_eq!(blamed(&house, complaint).as_ref().map(AppName::as_str), app, "{complaint}");
        }
    }
}

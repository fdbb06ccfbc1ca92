//! Domains: names that nginx takes whatever else it serves, and that are nobody else's.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use dokku::files::{server_name, vhost};

use crate::corpus::{Case, cases};
use crate::fort::{Fort, refused};
use crate::sandbox::Sandbox;

fn add<'f>(fort: &'f Fort, app: &str, case: &Case) -> crate::sandbox::Step<'f> {
    fort.run([OsStr::new("domains:add"), app.as_ref(), &case.word()])
}

/// Would nginx itself start with this configuration of an app? True where there is no nginx to ask.
fn nginx_takes(s: &Sandbox, app: &str) -> bool {
    let Some(nginx) = ["/usr/sbin/nginx"].into_iter().find(|path| fs::metadata(path).is_ok()) else { return true };
    let (dir, conf) = (tempfile::tempdir().unwrap(), s.read(&format!("{app}/nginx.conf")));
    fs::write(dir.path().join("app.conf"), conf).unwrap();
    let main = format!("error_log stderr; pid {0}/pid; events {{}} http {{ access_log off; include {0}/app.conf; }}", dir.path().display());
    fs::write(dir.path().join("nginx.conf"), main).unwrap();
    let tried =
        Command::new(nginx).arg("-t").arg("-q").arg("-p").arg(dir.path()).arg("-c").arg(dir.path().join("nginx.conf")).output().unwrap();
    let said = String::from_utf8_lossy(&tried.stderr).into_owned();
    // As nobody special it may not bind, or look at a certificate; that is no fault of the text.
    tried.status.success() || !said.contains("[emerg]") || said.contains("Permission denied")
}

#[test]
fn names_are_taken_or_refused_as_the_corpus_says() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep");
    for case in cases(&fort.s, "domains.txt") {
        let shown = case.shown();
        for app in ["mine", "full"] {
            for other in ["mine", "full"] {
                let _ = fs::remove_file(fort.s.home().join(other).join("VHOST"));
            }
            fort.unharmed(&shown, &[&format!("home/{app}/")], || {
                let step = add(&fort, app, &case);
                let taken = case.expected == "added" || (case.expected == "deployed" && app == "full");
                if taken {
                    assert_eq!(step.code(), 0, "{shown} for {app}: {}", step.text());
                    assert!(nginx_takes(&fort.s, app), "{shown} for {app}: {}", fort.s.read(&format!("{app}/nginx.conf")));
                } else if case.expected == "deployed" {
                    assert_ne!(step.code(), 0, "{shown} for {app}");
                } else if case.expected.starts_with("cannot") {
                    refused(&shown, &step, &case.expected);
                } else {
                    assert!(step.code() != 0 && step.text().contains(&case.expected), "{shown}: {}", step.text());
                }
                step.text()
            });
        }
    }
    assert_eq!(fort.started(), [""; 0]);
}

#[test]
fn what_is_removed_is_a_text_and_no_expression() {
    let fort = Fort::new();
    for case in cases(&fort.s, "domains.txt") {
        fort.s.file("mine/VHOST", "axb.example.org\nmine.example.org\n");
        fort.unharmed(&case.shown(), &["home/mine/"], || fort.run([OsStr::new("domains:remove"), "mine".as_ref(), &case.word()]).text());
        fort.s.has("mine/VHOST", "axb.example.org\nmine.example.org\n");
    }
}

#[test]
fn a_file_with_a_hostile_name_in_it_is_not_put_before_nginx() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep");
    for case in cases(&fort.s, "domains.txt").iter().filter(|case| case.expected.starts_with("cannot") && !case.text.is_empty()) {
        let name = String::from_utf8_lossy(&case.text).into_owned();
        let is_right = |name: &str| server_name::is_plain(name) || server_name::is_pattern(name);
        if vhost::domains(&name).all(is_right) {
            continue;
        }
        fort.s.file("full/VHOST", format!("{name}\n"));
        fort.unharmed(&case.shown(), &[], || {
            let step = fort.run(["nginx:build-config", "full"]);
            assert_ne!(step.code(), 0, "{}: {}", case.shown(), step.text());
            step.text()
        });
    }
}

#[test]
fn a_new_app_s_own_name_does_not_take_a_domain_from_another() {
    let fort = Fort::new();
    fort.run(["apps:create", "victim.example.com"]).succeeds();
    let text = fort.run(["domains:setup", "victim.example.com"]).text();
    assert!(text.contains("victim.example.com belongs to app victim"), "{text}");
    fort.s.has("victim.example.com/VHOST", "").has("victim/VHOST", "victim.example.com\n*.wild.example.com\n");
    fort.run(["domains:add", "victim.example.com", "free.example.org"]).succeeds().has("victim.example.com/VHOST", "free.example.org\n");
}

//! `nginx-vhosts`: nginx in front of the apps.

use super::{Command, Hook, Plugin};
use crate::app::App;
use crate::args::Args;
use crate::fail::Outcome;
use crate::files::{self, vhost};
use crate::house::House;
use crate::{hooks, nginx, say};

mod backup;
mod build_config;
mod certificates;
mod etc;
mod import_ssl;
mod install;
mod installed;
mod quarantine;
mod site;

pub use build_config::{is_right, renew};
pub use quarantine::{mended, past_others};

/// The table of `nginx-vhosts`.
pub const PLUGIN: Plugin = Plugin {
    name: "nginx-vhosts",
    help: Some("nginx"),
    commands: &[
        Command {
            name: "nginx:import-ssl",
            help: &[("nginx:import-ssl <app>", "Imports a tarball from stdin; should contain server.crt and server.key")],
            run: import_ssl::command,
        },
        Command {
            name: "nginx:build-config",
            help: &[("nginx:build-config <app>", "(Re)builds nginx config for given app")],
            run: changing!(build_config::command),
        },
    ],
    added: &[],
    hooks: &[
        Hook { name: "bind-external-ip", run: bind_external_ip },
        Hook { name: "post-deploy", run: post_deploy },
        Hook { name: "post-delete", run: post_delete },
        Hook { name: "post-domains-update", run: post_domains_update },
        Hook { name: "install", run: install::run },
        Hook { name: "dependencies", run: install::dependencies },
        Hook { name: "backup-export", run: backup::export },
        Hook { name: "backup-import", run: backup::import },
    ],
};

/// `true` when the app has no domain by which nginx could tell it apart, so that its port must be reachable from outside.
fn bind_external_ip(house: &House, args: &Args) -> Outcome {
    let app = App::named(house, args.word(0))?;
    let global = files::text(&house.root.join("VHOST")).unwrap_or_default();
    let nameless = global.is_empty() && !app.path("VHOST").is_file();
    let external = has_no_vhost(house, &app) || vhost::ends_in_ip_address(&global) || nameless;
    say::line(house, external.to_string())
}

fn post_deploy(house: &House, args: &Args) -> Outcome {
    let app = App::named(house, args.word(0))?;
    if has_no_vhost(house, &app) {
        say::info1(house, "NO_VHOST config detected")?;
    } else if !app.path("VHOST").is_file() {
        hooks::call(house, &["domains:setup", app.name.as_str()])?;
    }
    hooks::call(house, &["nginx:build-config".as_ref(), args.word(0), args.word(1), args.word(2)])
}

/// Is NO_VHOST set in the app's config?
fn has_no_vhost(house: &House, app: &App) -> bool {
    let value = hooks::collect(house, |house| hooks::call(house, &["config:get", app.name.as_str(), "NO_VHOST"]));
    value.is_ok_and(|value| !value.is_empty())
}

/// The app's files are gone: nginx forgets it.
fn post_delete(house: &House, _: &Args) -> Outcome {
    nginx::reload_hushed(house)
}

fn post_domains_update(house: &House, args: &Args) -> Outcome {
    hooks::call(house, &["nginx:build-config".as_ref(), args.word(0)])
}

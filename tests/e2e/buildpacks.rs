//! Apps that the builder image builds: each kind of source, from its push to its answer.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use crate::harness::{App, GitDaemon, Repository, Server, docker, procfile_app, sample};

#[test]
fn nodejs_app_with_a_dependency_from_npm() {
    sample_app_is_built_twice("node", "hello from node, 1m", "using the packages of the last build");
}

#[test]
fn python_app_with_a_dependency_from_pip() {
    sample_app_is_built_twice("python", "hello from python", "using the packages of the last build");
}

#[test]
fn ruby_app_with_a_gemfile() {
    sample_app_is_built_twice("ruby", "hello from ruby", "Installing gems");
}

#[test]
fn go_app_with_vendored_packages() {
    sample_app_is_built_twice("go", "hello from go", "");
}

#[test]
fn static_site() {
    sample_app_is_built_twice("static", "hello from static", "Serving files with nginx");
}

#[test]
fn procfile_is_enough() {
    let server = Server::start("procfile");
    let app = App::create(&server, "procfile");
    procfile_app(&app.source, "no language, just a program");
    app.push().succeeds().shows("Building e2e-procfile from buildstep");
    app.answers("no language, just a program");
}

#[test]
fn buildpack_of_ones_own_from_a_git_server_streams_its_output() {
    let server = Server::start("buildpack");
    let app = App::create(&server, "buildpack");
    let buildpack = Repository::new(&server.directory.path().join("slow-buildpack"));
    buildpack.write("bin/detect", "#!/bin/sh\necho Slow\n");
    buildpack.write("bin/compile", "#!/bin/sh\nfor second in 1 2 3 4; do echo \"second $second\"; sleep 1; done\n");
    buildpack.write("bin/release", "#!/bin/sh\nprintf 'default_process_types:\\n  web: exec perl server.pl\\n'\n");
    buildpack.git(&["checkout", "--quiet", "-b", "slow"]);
    buildpack.commit();
    let git = GitDaemon::serve(server.directory.path(), bridge());

    procfile_app(&app.source, "built by a buildpack of my own");
    fs::remove_file(app.source.path.join("Procfile")).unwrap();
    app.dokku("config:set-norestart", &format!("BUILDPACK_URL={}#slow", git.url("slow-buildpack"))).succeeds();
    let lines = app.push_watched();
    app.answers("built by a buildpack of my own");

    let arrival = |text: &str| lines.iter().find(|(_, line)| line.contains(text)).unwrap_or_else(|| panic!("no {text} in {lines:?}")).0;
    let apart = arrival("second 4") - arrival("second 1");
    assert!(apart > Duration::from_millis(2500), "lines that were 3 s apart came {apart:?} apart");
}

/// Pushes a sample app, then once more without a change: it answers, and the second build shows `again`.
fn sample_app_is_built_twice(kind: &str, message: &str, again: &str) {
    let server = Server::start(kind);
    let app = App::create(&server, kind);
    app.source.copy(&sample(kind));
    app.source.write("CHECKS", &format!("/ {message}\n"));
    app.push().succeeds().hides("the last build").shows("Application deployed");
    app.push().succeeds().shows(again);
    app.comes_to_answer(200, |body| body.contains(message));
}

/// The address of this machine that containers reach: the first of the bridge's network.
fn bridge() -> IpAddr {
    let subnet = docker(&["network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"]).succeeds().stdout;
    let network: Ipv4Addr = subnet.split('/').next().unwrap().parse().unwrap();
    Ipv4Addr::from_bits(network.to_bits() + 1).into()
}

//! Pushes that fail: they are rejected, say why, and the release before goes on serving.

use crate::harness::{App, Release, Server, dockerfile_app, procfile_app, sample};

#[test]
fn build_that_fails() {
    let server = Server::start("build-fails");
    let app = deployed(&server, "build-fails");
    app.source.write("Dockerfile", "FROM scratch\nCOPY no-such-file /\n");
    let before = Release::of(&app);
    app.push().fails().shows("no-such-file").shows("[remote rejected]");
    before.goes_on(&app);
}

#[test]
fn build_step_that_fails_shows_its_output() {
    let server = Server::start("step-fails");
    let app = deployed(&server, "step-fails");
    dockerfile_app(&app.source, "", "RUN echo the output of the step && exit 7");
    let before = Release::of(&app);
    app.push().fails().shows("the output of the step").shows("[remote rejected]");
    before.goes_on(&app);
}

#[test]
fn checks_that_fail() {
    let server = Server::start("checks-fail");
    let app = deployed(&server, "checks-fail");
    app.source.write("message", "the release after");
    app.source.write("CHECKS", "WAIT=1\nATTEMPTS=2\n/ something else\n");
    let before = Release::of(&app);
    app.push().fails().shows("[remote rejected]");
    before.goes_on(&app);
}

#[test]
fn app_that_ends_at_once() {
    let server = Server::start("ends");
    let app = deployed(&server, "ends");
    app.source.write("Procfile", "web: echo it is not well >&2; exit 3\n");
    let before = Release::of(&app);
    app.push().fails().shows("it is not well").shows("[remote rejected]");
    before.goes_on(&app);
}

#[test]
fn first_push_that_fails_leaves_an_app_that_can_be_destroyed() {
    let server = Server::start("first-fails");
    let app = App::create(&server, "first-fails");
    app.source.copy(&sample("node"));
    app.source.write("CHECKS", "WAIT=1\nATTEMPTS=1\n/ something else\n");
    app.push().fails();
    assert!(app.file("cache").exists(), "what the builder keeps there belongs to users that dokku is not");
    app.dokku("apps:destroy", "force").succeeds();
    assert!(!app.file("").exists());
    assert_eq!(app.containers(), Vec::<String>::new());
}

fn deployed<'a>(server: &'a Server, name: &str) -> App<'a> {
    let app = App::create(server, name);
    procfile_app(&app.source, "the release before");
    app.push().succeeds();
    app
}

//! Apps that bring a Dockerfile.

use crate::harness::{App, Server, docker, dockerfile_app};

#[test]
fn dockerfile_without_expose_listens_on_5000() {
    let server = Server::start("docker");
    let app = App::create(&server, "docker");
    dockerfile_app(&app.source, "from a Dockerfile", "");
    app.push().succeeds().shows("Building e2e-docker from dockerfile");
    app.answers("from a Dockerfile");
    assert_eq!(environment(&app, "PORT"), "5000");
}

#[test]
fn dockerfile_with_expose_listens_there() {
    let server = Server::start("expose");
    let app = App::create(&server, "expose");
    dockerfile_app(&app.source, "from port 3000", "EXPOSE 3000");
    app.push().succeeds();
    app.answers("from port 3000");
    assert_eq!(environment(&app, "PORT"), "3000");
    app.dokku("config:get", "DOKKU_DOCKERFILE_PORT").succeeds().shows("3000");
}

/// A variable in the environment of the container that serves.
fn environment(app: &App, name: &str) -> String {
    let format = "{{range .Config.Env}}{{println .}}{{end}}";
    let variables = docker(&["inspect", "--format", format, &app.container()]).succeeds().stdout;
    let assignment = format!("{name}=");
    variables.lines().find_map(|line| line.strip_prefix(&assignment)).unwrap_or_default().to_string()
}

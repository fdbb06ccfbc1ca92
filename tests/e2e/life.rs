//! The life of one app, from its first push to its end.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{App, Output, Server, docker, get, procfile_app, within};

#[test]
fn from_the_first_push_to_the_last_trace() {
    let server = Server::start("life");
    let app = App::create(&server, "life");
    procfile_app(&app.source, "the first");
    app.push().succeeds().shows(&format!("http://{}", app.host()));
    app.answers("the first");

    app.source.write("message", "the second");
    app.push().succeeds();
    app.answers("the second");

    app.dokku("config:set", "MESSAGE=configured").succeeds();
    app.answers("configured");
    app.dokku("run", "echo from inside").succeeds().shows("from inside");
    app.dokku("run", "false").fails();
    app.dokku("logs", "").succeeds().shows("listening on port 5000");

    app.dokku("ps:stop", "").succeeds();
    assert!(!app.running().contains(&app.container()));
    app.dokku("ps:start", "").succeeds();
    app.answers("configured");

    let containers = app.containers();
    app.dokku("apps:destroy", "force").succeeds();
    nothing_is_left_of(&app, &containers, &server.root);
}

fn nothing_is_left_of(app: &App, containers: &[String], root: &Path) {
    assert!(!root.join(&app.name).exists());
    assert!(within(10, || app.containers().is_empty()), "{:?}", app.containers());
    for container in containers {
        docker(&["inspect", container]).fails();
    }
    docker(&["image", "inspect", &format!("dokku/{}", app.name)]).fails();
    Output::of(Command::new("nginx").arg("-T")).succeeds().hides(&app.name);
    assert!(within(15, || get(&app.host(), "/").is_ok_and(|answer| answer.status == 404)), "nginx still knows {}", app.host());
    let state = Output::of(Command::new("find").args(["/var/lib/dokku", "-name"]).arg(format!("*{}*", app.name)));
    assert_eq!(state.succeeds().stdout, "");
    assert!(!fs::read_to_string("/proc/mounts").unwrap().contains(&app.name));
}

//! Each docker client of this machine, with and without BuildKit, builds both kinds of app.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::harness::{App, PATH, Server, Session, dockerfile_app, procfile_app};

#[test]
fn every_client_and_both_builders_deploy() {
    let server = Server::start("clients");
    let buildstep = App::create(&server, "client-buildstep");
    let dockerfile = App::create(&server, "client-dockerfile");
    for client in clients() {
        for buildkit in ["0", "1"] {
            let how = format!("{} DOCKER_BUILDKIT={buildkit}", client.display());
            let sshd = server.with(&session(&server, &client).env("DOCKER_BUILDKIT", buildkit));
            procfile_app(&buildstep.source, &how);
            buildstep.push_through(&sshd).succeeds();
            buildstep.answers(&how);
            dockerfile_app(&dockerfile.source, &how, "EXPOSE 3000");
            dockerfile.push_through(&sshd).succeeds();
            dockerfile.answers(&how);
        }
    }
}

/// The clients that are installed: every program named docker where a user's PATH leads to.
pub fn clients() -> Vec<PathBuf> {
    let directories = ["/usr/local/bin", "/usr/bin"];
    directories.iter().map(|d| Path::new(d).join("docker")).filter(|client| client.exists()).collect()
}

/// Sessions that find this client first.
pub fn session(server: &Server, client: &Path) -> Session {
    let first = server.scratch("client");
    symlink(client, first.join("docker")).unwrap();
    Session::default().path(format!("{}:{PATH}", first.display()))
}

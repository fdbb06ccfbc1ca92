//! What a server may lack: a push then ends with one clear line, and nothing is half done.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use crate::harness::{App, Release, Server, Session, SmallEngine, procfile_app};

#[test]
fn no_docker_client() {
    refused("no-docker", &["no `docker` program", "scripts/install"], |server, _| {
        let everything_else = server.scratch("programs");
        for program in ["/usr/local/bin", "/usr/bin"].iter().flat_map(|directory| fs::read_dir(directory).unwrap()) {
            let program = program.unwrap();
            if program.file_name() != "docker" {
                // Of two programs of one name the first counts, as on a PATH.
                let _ = symlink(program.path(), everything_else.join(program.file_name()));
            }
        }
        Session::default().path(everything_else.display())
    });
}

#[test]
fn engine_down() {
    refused("engine-down", &["Docker engine", "does not answer"], |server, _| {
        let nobody_listens = server.scratch("run").join("docker.sock");
        Session::default().env("DOCKER_HOST", format!("unix://{}", nobody_listens.display()))
    });
}

#[test]
fn socket_of_the_engine_is_closed_to_dokku() {
    refused("no-permission", &["Docker engine's socket", "usermod -aG docker dokku"], |server, _| {
        let socket = server.scratch("run").join("docker.sock");
        drop(UnixListener::bind(&socket).unwrap());
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o600)).unwrap();
        Session::default().env("DOCKER_HOST", format!("unix://{}", socket.display()))
    });
}

#[test]
fn builder_image_is_missing() {
    refused("no-image", &["e2e/no-such-image", "scripts/builder-image"], |_, _| Session::default().env("DOKKU_IMAGE", "e2e/no-such-image"));
}

#[test]
fn nginx_is_missing() {
    refused("no-nginx", &["nginx", "not installed"], |server, _| {
        let layer = server.scratch("layer");
        let layer = layer.display();
        Session::default()
            .mount(format!("mount -t tmpfs tmpfs {layer}; mkdir {layer}/upper {layer}/work"))
            .mount(format!("mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir={layer}/upper,workdir={layer}/work /usr/sbin"))
            .mount("rm /usr/sbin/nginx")
    });
}

#[test]
fn disk_is_full_when_the_source_is_checked_out() {
    refused("disk-full", &["No space left on device"], |server, app| {
        let full = server.scratch("full");
        let full = full.display();
        app.source.write("large", &"x".repeat(2_000_000));
        Session::default().mount(format!("mount -t tmpfs -o size=256k,mode=1777 tmpfs {full}")).env("TMPDIR", full.to_string())
    });
}

#[test]
fn disk_of_the_engine_is_full() {
    // A first push: a release that served would be another engine's, of which this one knows nothing.
    let engine = SmallEngine::start("32m");
    let server = Server::start("engine-full");
    let app = App::create(&server, "engine-full");
    app.source.write("Dockerfile", "FROM scratch\nCOPY . /\n");
    app.source.write("large", &"x".repeat(64_000_000));
    let sshd = server.with(&Session::default().env("DOCKER_HOST", engine.host()));
    app.push_through(&sshd).fails().shows_line(&["no space left on device"]);
    for file in ["CONTAINER", "IP", "PORT", "URL", "URLS", "nginx.conf", "refs/heads/master"] {
        assert!(!app.file(file).exists(), "{file} is left");
    }
}

/// Deploys an app, pushes it again in the sessions that `lacking` makes, and expects that the push is
/// refused with a line that has all of `words`, and that the first release goes on as it was.
#[track_caller]
fn refused(name: &str, words: &[&str], lacking: impl FnOnce(&Server, &App) -> Session) {
    let server = Server::start(name);
    let app = App::create(&server, name);
    procfile_app(&app.source, "the release before");
    app.push().succeeds();
    let before = Release::of(&app);

    let session = lacking(&server, &app);
    app.source.write("message", "the release after");
    app.push_through(&server.with(&session)).fails().shows_line(words);
    before.goes_on(&app);
}

//! Plugins of 2013 to 2015 (tests/fixtures/plugins) at work on the real engine, with every docker client of this machine.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::docker_clients::{clients, session};
use crate::harness::{App, Output, Server, Sshd, base_image, docker, open_to_others, procfile_app, within};

#[path = "../fixtures/plugins/native/program.rs"]
mod program;

/// An installation of its own plugins: the core's and some of the fixtures.
struct Plugins<'a> {
    server: &'a Server,
    dir: PathBuf,
    sshd: Sshd,
}

impl<'a> Plugins<'a> {
    /// With these fixtures, and sessions that find `client` first.
    fn new(server: &'a Server, client: &Path, names: &[&str]) -> Plugins<'a> {
        let dir = server.scratch("plugins");
        Output::of(Command::new("cp").args(["-aT", "/var/lib/dokku/plugins"]).arg(&dir)).succeeds();
        open_to_others(&dir);
        for name in names {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/plugins").join(name);
            Output::of(Command::new("cp").arg("-rT").arg(from).arg(dir.join(name))).succeeds();
        }
        let sshd = server.with(&session(server, client).env("PLUGIN_PATH", dir.to_str().unwrap()));
        Plugins { server, dir, sshd }
    }

    fn dokku(&self, line: &str) -> Output {
        self.server.dokku_through(&self.sshd, line)
    }

    fn push(&self, app: &App) -> Output {
        app.push_through(&self.sshd)
    }
}

/// The image that `ledger` runs; it is gone at the end of the story.
struct LedgerImage;

impl LedgerImage {
    fn make() -> LedgerImage {
        docker(&["tag", &base_image(), "ledger"]).succeeds();
        LedgerImage
    }
}

impl Drop for LedgerImage {
    fn drop(&mut self) {
        docker(&["rmi", "ledger"]);
    }
}

#[test]
fn a_database_serves_an_app_and_goes_with_it() {
    let server = Server::start("ledger");
    let _image = LedgerImage::make();
    for client in clients() {
        let plugins = Plugins::new(&server, &client, &["ledger"]);
        let app = App::create(&server, "ledger");
        let database = format!("ledger-{}", app.name);
        docker(&["rm", "-f", &database]);
        procfile_app(&app.source, "with a ledger");

        let made = plugins.dokku(&format!("ledger:create {}", app.name)).succeeds();
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = docker(&["inspect", "--format", format, &database]).succeeds().stdout;
        made.shows(&format!("-----> Ledger of {}: {}\n", app.name, address.trim()));
        let published = docker(&["port", &database, "5432"]).succeeds().stdout;
        let port = published.lines().next().unwrap().trim_start_matches("0.0.0.0:");
        assert!(fs::read_to_string(app.file("LEDGER")).unwrap().ends_with(&format!("{} {port}\n", address.trim())));

        plugins.push(&app).succeeds();
        app.answers("with a ledger");
        plugins.dokku(&format!("ledger:info {}", app.name)).succeeds().shows("       ledger://ledger:5432\n");
        docker(&["inspect", "--format", "{{.HostConfig.Links}}", &app.container()]).succeeds().shows(&format!("/{database}:/"));
        plugins.dokku(&format!("run {} getent hosts ledger", app.name)).succeeds().shows(address.trim());

        plugins.dokku(&format!("apps:destroy {} force", app.name)).succeeds();
        docker(&["inspect", &database]).fails();
        assert!(!server.root.join(".ledger").join(&app.name).exists());
        assert!(!app.file("").exists());
    }
    let _ = fs::remove_dir(server.root.join(".ledger"));
}

#[test]
fn layers_are_added_to_the_image_and_a_supervisor_takes_start() {
    let server = Server::start("layers");
    for client in clients() {
        let plugins = Plugins::new(&server, &client, &["layers", "herd"]);
        let app = App::create(&server, "layers");
        procfile_app(&app.source, "herded");
        app.source.write("layers", "echo out of the layers\necho made >/app/made\n");
        app.source.write("Procfile", "web: exec perl server.pl\nworker: echo at work; sleep 1000000\n");
        plugins.push(&app).succeeds().shows("out of the layers").shows("-----> Herding all processes ...");
        app.answers("herded");
        let container = app.container();
        docker(&["exec", &container, "cat", "/etc/layers", "/app/made"]).succeeds().shows(&format!("layers of {}\nmade\n", app.name));
        for line in ["herding web", "herding worker", "at work"] {
            assert!(within(10, || docker(&["logs", &container]).stdout.contains(line)), "{line}");
        }
    }
}

#[test]
fn volumes_and_links_reach_the_container() {
    let server = Server::start("shelf");
    for client in clients() {
        let plugins = Plugins::new(&server, &client, &["shelf", "cable"]);
        let app = App::create(&server, "shelf");
        procfile_app(&app.source, "on a shelf");
        let shelf = server.scratch("shelf");
        fs::write(shelf.join("book"), "a word").unwrap();
        fs::write(app.file("SHELF"), format!("# none\n{}:/shelf", shelf.display())).unwrap();
        let neighbour = format!("{}-neighbour", app.name);
        docker(&["rm", "-f", &neighbour]);
        docker(&["run", "-d", "--name", &neighbour, &base_image(), "sleep", "1000000"]).succeeds();
        plugins.dokku(&format!("cable:add {} {neighbour} near", app.name)).succeeds();
        plugins.push(&app).succeeds();
        docker(&["exec", &app.container(), "cat", "/shelf/book"]).succeeds().shows("a word");
        docker(&["exec", &app.container(), "getent", "hosts", "near"]).succeeds();
        docker(&["rm", "-f", &neighbour]).succeeds();
    }
}

#[test]
fn a_herald_in_place_of_receive_app_tells_of_one_build() {
    let server = Server::start("herald");
    let client = clients().remove(0);
    let plugins = Plugins::new(&server, &client, &["herald"]);
    fs::rename(plugins.dir.join("git/receive-app"), plugins.dir.join("git/receive-app.bak")).unwrap();
    let (url, heard) = listen();
    let before = fs::read(server.root.join(".herald/url")).ok();
    plugins.dokku(&format!("herald:to {url}")).succeeds();
    let app = App::create(&server, "herald");
    procfile_app(&app.source, "told");
    let pushed = plugins.push(&app);
    fs::remove_dir_all(server.root.join(".herald")).unwrap();
    assert_eq!(before, None, "somebody else's herald");
    let pushed = pushed.succeeds();
    assert_eq!(pushed.stderr.matches("Building ").count(), 1, "{pushed}");
    let revision = app.source.git(&["rev-parse", "HEAD"]).succeeds().stdout;
    let wait = Duration::from_secs(10);
    assert_eq!(heard.recv_timeout(wait).unwrap(), format!("event=received&app={}&revision={}&before=none", app.name, revision.trim()));
    let address = fs::read_to_string(app.file("IP")).unwrap();
    // `dokku url` gives the server's name as long as nginx, whose plugin comes later, has not named the app.
    let told = format!("event=deployed&app={}&port=5000&ip={}&url=http://{}", app.name, address.trim(), server.vhost);
    assert_eq!(heard.recv_timeout(wait).unwrap(), told);
    assert!(heard.try_recv().is_err(), "somebody was told twice");
}

/// A web server that takes whatever is posted, for the length of a story: its address, and the bodies.
fn listen() -> (String, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let (mut text, mut buffer) = (String::new(), [0; 4096]);
            while body(&text).is_none() {
                let count = connection.read(&mut buffer).unwrap();
                text += std::str::from_utf8(&buffer[..count]).unwrap();
            }
            connection.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            if tell.send(body(&text).unwrap()).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn body(request: &str) -> Option<String> {
    let (head, body) = request.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok())?;
    (body.len() >= length).then(|| body.to_owned())
}

#[test]
fn a_gate_lets_in_whom_it_knows_and_a_page_stands_before_the_app() {
    let server = Server::start("gate");
    let plugins = Plugins::new(&server, &clients().remove(0), &["gate", "pause"]);
    let app = App::create(&server, "gate");
    procfile_app(&app.source, "let in");
    let gate = app.file("gate");
    fs::create_dir(&gate).unwrap();
    fs::write(gate.join("somebody-else"), "").unwrap();
    Output::of(Command::new("chown").arg("dokku").arg(&gate)).succeeds();
    plugins.push(&app).fails().shows(&format!("e2e-gate may not push to {}", app.name)).hides("app detected");
    plugins.dokku(&format!("gate:open {} e2e-gate", app.name)).fails().shows("not e2e-gate");
    fs::write(gate.join("e2e-gate"), "").unwrap();
    plugins.push(&app).succeeds();
    app.answers("let in");
    plugins.dokku("nosuch:command").succeeds();

    plugins.dokku(&format!("pause:on {}", app.name)).succeeds();
    app.comes_to_answer(503, |body| body == format!("{} is paused\n", app.name));
    plugins.dokku(&format!("pause:off {}", app.name)).succeeds();
    app.answers("let in");
}

#[test]
fn backups_wrapped_commands_and_other_languages() {
    let server = Server::start("others");
    let plugins = Plugins::new(&server, &clients().remove(0), &["keepsake", "0-audit", "snake"]);
    fs::create_dir(plugins.dir.join("native")).unwrap();
    fs::copy(program::native_plugin(), plugins.dir.join("native/commands")).unwrap();
    fs::set_permissions(plugins.dir.join("native/commands"), fs::Permissions::from_mode(0o755)).unwrap();
    let app = App::create(&server, "others");

    plugins.dokku("snake one two").succeeds().shows("2 ['one', 'two'] 0\n");
    plugins.dokku("native one two").succeeds().shows("native, with 2 words\n");
    plugins.dokku("help").succeeds().shows("    snake <words>").shows("    native <words>").shows("    ps:restart <app>");

    fs::write(app.file("KEEPSAKE"), "a ring\n").unwrap();
    let exported = plugins.dokku("backup:export").succeeds();
    assert!(exported.stdout.contains(&format!("{}/KEEPSAKE", app.name)) && exported.stdout.contains("a ring"));

    fs::write(app.file("PROTECTED"), "").unwrap();
    plugins.dokku(&format!("apps:destroy {} force", app.name)).fails().shows("is protected");
    assert!(app.file("PROTECTED").exists());
    fs::remove_file(app.file("PROTECTED")).unwrap();
    plugins.dokku(&format!("apps:destroy {} force", app.name)).succeeds();
    assert!(!app.file("").exists());
    plugins.dokku("audit").succeeds().shows(&format!("e2e-others: apps:destroy {} force\n", app.name));
    fs::remove_dir_all(server.root.join(".audit")).unwrap();
}

//! The builder image on the real engine: apps of each kind, built as dokku builds them, and what their images do.
//! Needs an engine with the image that `scripts/builder-image` makes: `cargo test --test builder_image -- --ignored`.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What a program printed, both streams as they came from it, and its exit code.
struct Ended {
    text: String,
    code: i32,
}

fn docker(args: &[&str]) -> Ended {
    let output = Command::new("docker").args(args).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ended { text, code: output.status.code().unwrap() }
}

#[track_caller]
fn docker_succeeds(args: &[&str]) -> String {
    let ended = docker(args);
    assert_eq!(ended.code, 0, "docker {args:?}: {}", ended.text);
    ended.text.trim_end().to_owned()
}

fn builder_image() -> String {
    std::env::var("DOKKU_IMAGE").unwrap_or_else(|_| "progrium/buildstep".to_owned())
}

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path)
}

/// An app, with its source, its cache and, once built, its image. All of it goes when the test ends.
struct App {
    name: String,
    source: tempfile::TempDir,
}

impl Drop for App {
    fn drop(&mut self) {
        docker(&["image", "rm", "--force", &self.name]);
        docker(&["volume", "rm", "--force", &self.name]);
    }
}

impl App {
    fn new(name: &str) -> App {
        // Tests side by side must not share a cache.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        App { name: format!("builder-test-{name}-{}-{number}", std::process::id()), source: tempfile::tempdir().unwrap() }
    }

    /// The sample app of that name.
    fn sample(name: &str) -> App {
        let app = App::new(name);
        let from = fixture("apps").join(name).join(".");
        assert!(Command::new("cp").arg("-r").arg(from).arg(app.source.path()).status().unwrap().success());
        app
    }

    fn file(self, path: &str, text: &str) -> App {
        let path = self.source.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Creates the container of a build, with the source in it.
    fn container(&self, options: &[&str]) -> String {
        let (cache, image) = (format!("{}:/cache", self.name), builder_image());
        let create = ["create", "-v", &cache, "-e", "CACHE_PATH=/cache"];
        let id = docker_succeeds(&[&create, options, &[&image, "/build/builder"]].concat());
        docker_succeeds(&["cp", &format!("{}/.", self.source.path().display()), &format!("{id}:/app")]);
        id
    }

    /// Builds with options of docker; a build that goes well gives the app its image.
    fn build_with(&self, options: &[&str]) -> Ended {
        let id = self.container(options);
        self.run_and_commit(&id)
    }

    #[track_caller]
    fn builds(&self) -> String {
        let ended = self.build_with(&[]);
        assert_eq!(ended.code, 0, "{}", ended.text);
        ended.text
    }

    /// Runs `/exec` in a container of the app's image.
    fn exec(&self, args: &[&str]) -> Ended {
        docker(&[&["run", "--rm", &self.name, "/exec"], args].concat())
    }

    /// Changes the image as a plugin does: a container, a shell in it, a commit.
    fn change(&self, script: &str) {
        self.run_in(&self.name, &["/bin/bash", "-c", script]);
    }

    /// Runs a command in an image; what comes out is the app's.
    #[track_caller]
    fn run_in(&self, image: &str, command: &[&str]) {
        let id = docker_succeeds(&[&["create", image], command].concat());
        let ended = self.run_and_commit(&id);
        assert_eq!(ended.code, 0, "{command:?}: {}", ended.text);
    }

    /// Runs a container to its end and, when that is a good one, makes it the app's image.
    fn run_and_commit(&self, id: &str) -> Ended {
        let ended = docker(&["start", "--attach", id]);
        if ended.code == 0 {
            let image = docker_succeeds(&["commit", id]);
            docker(&["image", "rm", "--force", "--no-prune", &self.name]);
            docker_succeeds(&["tag", &image, &self.name]);
        }
        docker_succeeds(&["rm", id]);
        ended
    }

    fn start(&self, process_type: &str) -> Process {
        Process(docker_succeeds(&["run", "-d", "-e", "PORT=5000", &self.name, "/start", process_type]))
    }
}

/// A container that runs a process type.
struct Process(String);

impl Drop for Process {
    fn drop(&mut self) {
        docker(&["rm", "--force", "--volumes", &self.0]);
    }
}

impl Process {
    /// What the app answers, once it does.
    fn answer(&self) -> String {
        let address = docker_succeeds(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", &self.0]);
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            match get(&format!("{address}:5000")) {
                Ok(answer) if answer.lines().next().is_some_and(|line| line.contains(" 200 ")) => return answer,
                _ if Instant::now() > until => panic!("no answer: {}", self.logs()),
                _ => sleep(Duration::from_millis(100)),
            }
        }
    }

    fn logs(&self) -> String {
        docker(&["logs", &self.0]).text
    }

    fn logs_with(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        while !self.logs().contains(text) {
            assert!(Instant::now() < until, "no {text} in {}", self.logs());
            sleep(Duration::from_millis(50));
        }
    }

    /// Stops it as dokku does, which must not take docker's ten seconds, and returns its exit code.
    #[track_caller]
    fn stop(&self) -> i32 {
        let begin = Instant::now();
        docker_succeeds(&["stop", &self.0]);
        assert!(begin.elapsed() < Duration::from_secs(5), "docker stop took {:?}", begin.elapsed());
        docker_succeeds(&["inspect", "--format", "{{.State.ExitCode}}", &self.0]).parse().unwrap()
    }
}

fn get(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Builds a sample, asks it, and stops it, which it notices: its exit code is `code`.
#[track_caller]
fn sample_serves(name: &str, code: i32) -> (App, String) {
    let app = App::sample(name);
    let told = app.builds();
    let process = app.start("web");
    let answer = process.answer();
    assert!(answer.contains(&format!("hello from {name}")), "{answer}");
    assert_eq!(process.stop(), code, "{}", process.logs());
    (app, told)
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn node_installs_from_npm_and_uses_its_cache() {
    let (app, first) = sample_serves("node", 0);
    assert!(first.contains("Node.js app detected") && first.contains("added 1 package"), "{first}");
    let user = app.exec(&["id", "-u"]).text;
    let second = app.builds();
    assert!(second.contains("using the packages of the last build"), "{second}");
    assert_eq!(app.exec(&["id", "-u"]).text, user, "the cache's owner");
    assert!(app.start("web").answer().contains("hello from node"));
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn node_starts_by_npm_without_a_procfile() {
    let app = App::sample("node");
    fs::remove_file(app.source.path().join("Procfile")).unwrap();
    assert!(app.builds().contains("Default process types for Node.js -> web"));
    let process = app.start("web");
    assert!(process.answer().contains("hello from node"));
    process.stop();
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn python_installs_from_pip_and_uses_its_cache() {
    let (app, first) = sample_serves("python", 0);
    assert!(first.contains("Python app detected") && first.contains("Successfully installed itsdangerous"), "{first}");
    let second = app.builds();
    assert!(second.contains("using the packages of the last build"), "{second}");
    assert!(app.start("web").answer().contains("hello from python"));
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn ruby_serves_with_its_gems() {
    sample_serves("ruby", 0);
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn go_builds_a_vendored_module() {
    let (_, told) = sample_serves("go", 143);
    assert!(told.contains("Default process types for Go -> web"), "{told}");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn static_pages_are_served_but_no_dot_files() {
    let (app, _) = sample_serves("static", 0);
    app.change("echo secret > /app/.env");
    let process = app.start("web");
    process.answer();
    let address = docker_succeeds(&["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", &process.0]);
    let mut stream = TcpStream::connect(format!("{address}:5000")).unwrap();
    stream.write_all(b"GET /.env HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn procfile_is_enough() {
    let (_, told) = sample_serves("procfile", 0);
    assert!(told.contains("Procfile declares types -> web, worker"), "{told}");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn a_custom_buildpack_serves_with_its_variables() {
    let app = App::sample("custom-buildpack");
    let buildpack = format!("{}:/buildpack:ro", fixture("buildpack").display());
    let ended = app.build_with(&["-v", &buildpack, "-e", "BUILDPACK_URL=/buildpack"]);
    assert_eq!(ended.code, 0, "{}", ended.text);
    let process = app.start("web");
    assert!(process.answer().contains("hello from custom-buildpack"));
    assert_eq!(process.stop(), 0);
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn a_built_image_belongs_to_its_user_and_keeps_no_leftovers() {
    let app = App::new("clean").file("Procfile", "web: true\n").file("dir/file", "x");
    app.builds();
    let owners = "stat -c %U /app /app/dir/file /app/.profile.d/00_config_vars.sh | sort -u";
    let told = app.exec(&[&format!("{owners}; id -un; ls -A /tmp; test -e /build && echo /build; readlink /exec")]).text;
    let lines: Vec<&str> = told.lines().collect();
    let [owner, user, "/start"] = lines[..] else { panic!("{told}") };
    assert_eq!(owner, user);
    assert!(user.strip_prefix('u').is_some_and(|digits| digits.parse::<u32>().is_ok()), "{user}");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn each_command_hears_sigterm_and_nothing_waits_for_docker() {
    let trapping = "#!/usr/bin/perl\n$| = 1; $SIG{TERM} = sub { print \"ended well\\n\"; exit 0 };\nprint \"up\\n\"; sleep 1 while 1;\n";
    let procfile = "plain: perl sub/trap\nchain: cd sub && perl trap\nlist: perl sub/trap; echo after\ndeaf: echo up; sleep 1000\n";
    let app = App::new("signals").file("Procfile", procfile).file("sub/trap", trapping);
    app.builds();
    for (process_type, code, hears) in [("plain", 0, true), ("chain", 0, true), ("list", 143, true), ("deaf", 143, false)] {
        let process = app.start(process_type);
        process.logs_with("up");
        assert_eq!(process.stop(), code, "{process_type}");
        assert_eq!(process.logs().contains("ended well"), hears, "{process_type}: {}", process.logs());
    }
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn what_root_adds_later_is_the_users() {
    let app = App::new("added").file("Procfile", "web: true\n");
    app.builds();
    app.change("umask 077; mkdir /app/new; echo text > /app/new/file; echo \"export A='it'\\\\''s'\" > /app/.profile.d/01-app-env.sh");
    let told = app.exec(&["cat new/file; echo $A; touch new/own .profile.d/own && echo own"]);
    assert_eq!(told.text, "text\nit's\nown\n");
    let volume = docker(&["run", "--rm", "-v", &format!("{}:/app/storage", app.name), &app.name, "/exec", "touch storage/own && echo own"]);
    assert_eq!(volume.text, "own\n");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn a_plugins_start_is_exec_too_and_finds_setuidgid() {
    let app = App::new("plugin").file("Procfile", "web: true\n");
    app.builds();
    app.change("printf '#!/bin/bash\\necho \"$(basename $0) $*\"; setuidgid $(stat -c %%U /app) id -un; which ps\\n' > /start");
    let told = app.exec(&["a b", "c"]).text;
    assert!(told.starts_with("exec a b c\nu") && told.ends_with("/ps\n"), "{told}");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn a_source_in_a_committed_image_is_built() {
    let app = App::new("committed");
    let setup = "mkdir -p /app/sub && echo 'web: cat sub/text' > /app/Procfile && echo committed > /app/sub/text";
    app.run_in(&builder_image(), &["/bin/bash", "-c", setup]);
    app.run_in(&app.name, &["/build/builder"]);
    assert_eq!(docker(&["run", "--rm", &app.name, "/start", "web"]).text, "committed\n");
}

#[test]
#[ignore = "needs the engine and the builder image"]
fn a_build_fails_with_the_code_of_its_buildpack_and_ends_when_stopped() {
    let app = App::new("failing").file("buildpack/bin/detect", "#!/bin/sh\necho Failing\n");
    let app = app.file("buildpack/bin/compile", "#!/bin/sh\necho told; exit 42\n");
    let ended = app.build_with(&["-e", "BUILDPACK_URL=buildpack"]);
    assert!(ended.text.contains("\x1b[1G       told\n"), "{}", ended.text);
    assert_eq!(ended.code, 42);

    let app = app.file("buildpack/bin/compile", "#!/bin/sh\necho up; sleep 1000\n");
    let build = Process(app.container(&["-e", "BUILDPACK_URL=buildpack"]));
    docker_succeeds(&["start", &build.0]);
    build.logs_with("up");
    assert_eq!(build.stop(), 143);
}

//! A machine of its own in namespaces: an engine, nginx, sshd and dokku, none of which anybody else sees. What is done to
//! it, even a kill of its engine, is done to nothing else. It ends with the value.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Stories take turns: each has an engine, and times are judged.
static TURN: Mutex<()> = Mutex::new(());

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What takes longer hangs.
const LIMIT: &str = "90";

/// The machine.
pub struct Machine {
    process: Child,
    init: String,
    dir: TempDir,
    _turn: MutexGuard<'static, ()>,
}

/// How a command ended and what it wrote, on either stream.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub text: String,
}

impl Said {
    /// Ended with 0; what it wrote.
    #[track_caller]
    pub fn succeeds(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self.text
    }

    /// Ended with another code, and wrote this among other things.
    #[track_caller]
    pub fn fails(self, part: &str) {
        assert!(self.code != Some(0) && self.text.contains(part), "{part:?} expected:\n{self:?}");
    }
}

impl Machine {
    /// Boots one, with a Debian image and a small builder in its engine.
    pub fn boot() -> Machine {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // Not in /tmp: the machine has one of its own.
        let dir = tempfile::Builder::new().prefix("dokku-machine-").tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let image = dir.path().join("image.tar");
        save_image(&image);
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let process = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"])
            .arg(here.join("tests/machine/boot.sh"))
            .arg(dir.path())
            .arg(env!("CARGO_BIN_EXE_dokku"))
            .arg(here.join("plugins"))
            .arg(&image)
            .env_clear()
            .env("PATH", PATH)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        awaited(60, || dir.path().join("booted").exists());
        let children = format!("/proc/{0}/task/{0}/children", process.id());
        let init = fs::read_to_string(children).unwrap().trim().to_owned();
        let machine = Machine { process, init, dir, _turn: turn };
        machine.make_builder();
        machine
    }

    /// A file or directory that the machine sees under the same path.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    /// Runs a line of shell as the machine's root.
    pub fn sh(&self, line: &str) -> Said {
        let output = self.command(line).stdin(Stdio::null()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Said { code: output.status.code(), text: String::from_utf8_lossy(&text).trim_end().to_owned() }
    }

    /// Starts a line of shell and does not wait; what it writes is not heard.
    pub fn spawn(&self, line: &str) -> Child {
        self.command(line).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init, "--mount", "--net", "--pid", "--", "timeout", "--kill-after=1", LIMIT, "bash", "-c", line]);
        command.env_clear().env("PATH", PATH).env("LANG", "C.UTF-8").env("HOME", "/root");
        command
    }

    /// A file of the machine's.
    pub fn read(&self, path: &str) -> String {
        self.sh(&format!("cat {path}")).succeeds()
    }

    /// Makes an app whose answer is `answer`, of the kind that its files say, and returns the line that pushes it.
    pub fn app(&self, name: &str, kind: Kind, answer: &str) -> String {
        let source = self.path(name);
        fs::create_dir_all(&source).unwrap();
        let write = |file: &str, text: &str| fs::write(Path::new(&source).join(file), text).unwrap();
        write("server.pl", include_str!("../e2e/harness/server.pl"));
        write("message", answer);
        write("CHECKS", "WAIT=5\n/ .\n");
        match kind {
            Kind::Buildstep => write("Procfile", "web: perl server.pl\n"),
            Kind::Dockerfile => write(
                "Dockerfile",
                "FROM base\nCOPY . /app\nWORKDIR /app\nRUN [ ! -e wait ] || sleep 1000\nCMD [\"perl\", \"server.pl\"]\n",
            ),
        }
        let ssh = format!(
            "ssh -i {} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes",
            self.path("key")
        );
        let git = format!("git -C {source} -c user.name=n -c user.email=e@x -c safe.directory='*'");
        format!(
            "[ -e {source}/.git ] || git init -q -b master {source}; {git} add -A && {git} commit -q --allow-empty -m x && GIT_SSH_COMMAND='{ssh}' {git} push dokku@127.0.0.1:{name} master"
        )
    }

    /// The same, pushed.
    #[track_caller]
    pub fn deployed(&self, name: &str, kind: Kind, answer: &str) {
        self.sh("grep -qs DOKKU_WAIT_TO_RETIRE /home/dokku/ENV || echo \"export DOKKU_WAIT_TO_RETIRE='1'\" >> /home/dokku/ENV");
        self.sh(&self.app(name, kind, answer)).succeeds();
        awaited(10, || self.answer(name) == answer);
    }

    /// What nginx answers for an app: the body, or the status when that is not 200.
    pub fn answer(&self, app: &str) -> String {
        let said = self.sh(&format!("curl -s -m 5 -w '\\n%{{http_code}}' -H 'Host: {app}.test' http://127.0.0.1/"));
        let (body, status) = said.text.rsplit_once('\n').unwrap_or(("", &said.text));
        if status == "200" { body.trim().to_owned() } else { status.to_owned() }
    }

    /// Ends the engine as an init does, and starts it again.
    pub fn restart_engine(&self) {
        self.sh("p=$(cat /run/docker.pid); kill $p; while kill -0 $p; do sleep 0.05; done").succeeds();
        self.start_engine();
    }

    /// Kills the engine, and nothing that it has started.
    pub fn kill_engine(&self) {
        self.sh("p=$(cat /run/docker.pid); kill -9 $p; while kill -0 $p; do sleep 0.05; done");
    }

    /// Starts the engine; returns when it answers.
    pub fn start_engine(&self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/machine/engine.sh");
        self.sh(&format!("{} {}", script.display(), self.dir.path().display())).succeeds();
    }

    /// An app's running containers.
    pub fn running(&self, app: &str) -> Vec<String> {
        let said = self.sh(&format!("docker ps -q --no-trunc -f label=dokku.app={app}")).succeeds();
        said.lines().map(str::to_owned).collect()
    }

    /// Expects that the app serves `answer` from the one container on record, and that nothing else of it is there: no
    /// container, no work tree, no lock, no entry of a journal; and that what runs is what master says.
    #[track_caller]
    pub fn is_whole(&self, app: &str, answer: &str) {
        awaited(10, || self.answer(app) == answer);
        let record = self.read(&format!("/home/dokku/{app}/CONTAINER"));
        awaited(10, || self.running(app) == [record.clone()]);
        // What has been retired stays until the next cleaning up, as ever.
        let left = format!(
            "docker ps -aq --no-trunc -f label=dokku.app={app} | grep -v {record}; ls -d /tmp/dokku-* /var/lib/dokku/journal/{app}/* 2>/dev/null"
        );
        awaited(20, || {
            self.sh("dokku cleanup").succeeds();
            self.sh(&left).text.is_empty()
        });
        self.sh(&format!("flock -n /var/lib/dokku/operations/{app} true && flock -n /home/dokku/{app}/.build.lock true")).succeeds();
        let pushed = self.sh(&format!("git -C /home/dokku/{app} -c safe.directory='*' show master:message")).succeeds();
        assert_eq!(pushed, answer, "what master says");
    }

    fn make_builder(&self) {
        let dir = self.dir.path().join("builder");
        fs::create_dir(&dir).unwrap();
        let script = |name: &str, text: &str| {
            let path = dir.join(name);
            fs::write(&path, format!("#!/bin/bash\n{text}\n")).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        script("builder", "echo '-----> a small builder'; [ ! -e /app/wait ] || sleep 1000");
        script("start", "cd /app; for f in .profile.d/*.sh; do . $f; done; exec perl server.pl");
        script("exec", "cd /app; exec \"$@\"");
        fs::write(dir.join("Dockerfile"), "FROM base\nCOPY builder /build/builder\nCOPY start exec /\n").unwrap();
        let base = "docker tag $(docker images -q | head -1) base";
        self.sh(&format!("{base} && docker build -q -t progrium/buildstep {}", dir.display())).succeeds();
    }
}

/// What an app is built with.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Buildstep,
    Dockerfile,
}

impl Drop for Machine {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.sh(&format!("tail -5 {}/engine.log; docker ps -a", self.dir.path().display())).text);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        // The kernel ends the rest in its own time; until then directories are in use.
        awaited(20, || !Path::new("/proc").join(&self.init).exists() && fs::remove_dir_all(self.dir.path()).is_ok());
    }
}

/// Waits until it is so, for at most so many seconds; how long it took.
#[track_caller]
pub fn awaited(seconds: u64, is_so: impl Fn() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(seconds), "it does not come true");
        std::thread::sleep(Duration::from_millis(50));
    }
    began.elapsed()
}

/// Saves a Debian or Ubuntu image of this machine's engine.
fn save_image(path: &Path) {
    let listing = Command::new("docker").args(["images", "--format", "{{.Repository}}:{{.Tag}}"]).output().unwrap();
    let listing = String::from_utf8_lossy(&listing.stdout).into_owned();
    let is_base = |image: &&str| ["dokku-builder-base:", "debian:", "ubuntu:"].iter().any(|base| image.starts_with(base));
    let image = listing.lines().find(is_base).expect("no Debian or Ubuntu image: run scripts/builder-image");
    let saved = Command::new("docker").args(["save", image, "-o"]).arg(path).status();
    assert!(saved.is_ok_and(|status| status.success()), "{image} cannot be saved");
}

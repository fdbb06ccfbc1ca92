//! The sandbox's docker engine: what is in it, what it was asked, how it fails.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};

use super::Sandbox;

impl Sandbox {
    /// An image; `source` is its label `dokku.source`: `buildstep`, `dockerfile`, or empty for one from elsewhere.
    pub fn image(&self, name: &str, source: &str) -> &Sandbox {
        let tree = self.dir().join("tmp/image");
        fs::create_dir_all(&tree).expect("a directory");
        fs::write(tree.join("Dockerfile"), "FROM scratch\n").expect("a Dockerfile");
        let label = format!("dokku.source={source}");
        let labels: &[&str] = if source.is_empty() { &[] } else { &["--label", &label] };
        let built = self.fake_docker("docker").arg("build").args(labels).args(["-t", name, "."]).current_dir(&tree).status();
        assert!(built.is_ok_and(|status| status.success()), "an image can be made");
        fs::remove_dir_all(tree).expect("our directory");
        self
    }

    /// An app whose image (see `image`) runs in a container: CONTAINER, IP, PORT and URL are there.
    pub fn deployed(&self, app: &str, source: &str) -> &Sandbox {
        let image = format!("dokku/{app}");
        self.image(&image, source);
        let labels = ["--label", &format!("dokku.app={app}"), "--label", "dokku.phase=web"];
        let id = self.docker(["run", "-d", "-e", "PORT=5000"].into_iter().chain(labels).chain([image.as_str()]));
        let ip = self.inspect(&id)["NetworkSettings"]["IPAddress"].as_str().expect("an address").to_owned();
        for (entry, value) in [("CONTAINER", &id), ("IP", &ip), ("PORT", &"5000".into()), ("URL", &"http://dokku.test:5000".into())] {
            self.file(&format!("{app}/{entry}"), format!("{value}\n"));
        }
        self
    }

    /// From here on docker is the machine's own, with its engine; only root can let user dokku use that here.
    pub fn uses_engine(&mut self) -> &Sandbox {
        fs::remove_file(self.dir().join("fakes/docker")).expect("the fake docker");
        self.env("DOCKER_HOST", "unix:///var/run/docker.sock");
        let socket = fs::metadata("/var/run/docker.sock").expect("a Docker engine");
        if let Some(user) = &mut self.user {
            user.gid = std::os::unix::fs::MetadataExt::gid(&socket);
        }
        self
    }

    /// Runs the fake without logging; what it prints, without the newline. Fails the story if it fails.
    pub fn docker<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> String {
        let output = self.fake_docker("docker").args(words).output().expect("the fake docker runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// `docker inspect` of a container or image.
    pub fn inspect(&self, name: &str) -> Value {
        let text = self.docker(["inspect", name]);
        serde_json::from_str::<Value>(&text).expect("inspect gives JSON")[0].take()
    }

    /// Ids of an app's running containers, the newest first.
    pub fn running(&self, app: &str) -> Vec<String> {
        self.docker(["ps", "-q", "--no-trunc", "-f", &format!("label=dokku.app={app}")]).lines().map(str::to_owned).collect()
    }

    /// Starts the engine anew after a clean end: what is to come back runs, with another address.
    pub fn engine_restarts(&self) -> &Sandbox {
        self.docker(["fake-restart", "cleanly"]);
        self
    }

    /// Starts the engine anew after it was killed: nothing runs.
    pub fn engine_crashes(&self) -> &Sandbox {
        self.docker(["fake-restart", "crash"]);
        self
    }

    /// The variables of a container that docker gave it.
    pub fn container_env(&self, id: &str) -> BTreeMap<String, String> {
        let object = self.inspect(id);
        let pairs = object["Config"]["Env"].as_array().expect("a list").iter().filter_map(|pair| pair.as_str()?.split_once('='));
        pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// What docker was called with, a line for each call.
    pub fn docker_calls(&self) -> Vec<String> {
        self.calls("docker")
    }

    /// Calls whose words, joined by blanks, match the regular expression fail so, and do nothing.
    pub fn docker_fails(&self, pattern: &str, code: i32, stderr: &str) -> &Sandbox {
        self.docker_rule(json!({"pattern": pattern, "failure": [code, stderr]}))
    }

    /// What containers that are started, run or entered by such a call print, or what `logs` shows.
    pub fn docker_says(&self, pattern: &str, stdout: &str) -> &Sandbox {
        self.docker_rule(json!({"pattern": pattern, "stdout": stdout}))
    }

    /// Such calls do not return.
    pub fn docker_hangs(&self, pattern: &str) -> &Sandbox {
        self.docker_rule(json!({"pattern": pattern, "hangs": true}))
    }

    /// From here on docker does what it is asked.
    pub fn docker_obeys(&self) -> &Sandbox {
        fs::remove_file(self.dir().join("docker/rules.json")).expect("a rule that is there");
        self
    }

    /// One more rule; the first that matches counts.
    fn docker_rule(&self, rule: Value) -> &Sandbox {
        let path = self.dir().join("docker/rules.json");
        let known = fs::read(&path).map(|text| serde_json::from_slice(&text).expect("what we wrote"));
        let mut rules: Vec<Value> = known.unwrap_or_default();
        rules.push(rule);
        fs::write(path, Value::Array(rules).to_string()).expect("rules");
        self
    }

    /// A program whose calls of docker are not logged.
    pub(super) fn fake_docker(&self, program: &str) -> std::process::Command {
        let mut command = self.command(program);
        command.env("FAKE_DOCKER_SILENT", "1");
        command
    }
}

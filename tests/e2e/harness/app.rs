//! An app, from the developer's repository to what nginx answers for it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Answer, Output, Repository, Server, Sshd, docker, get, within};

/// One app of a story; it is destroyed with the value.
pub struct App<'a> {
    server: &'a Server,
    pub name: String,
    pub source: Repository,
}

impl<'a> App<'a> {
    /// An app named e2e-`name`, created but not pushed. Its checks wait a second where the defaults
    /// wait 5 and 30, and what it replaces is stopped after 3 seconds, not 60.
    pub fn create(server: &'a Server, name: &str) -> App<'a> {
        let source = Repository::new(&server.directory.path().join(name));
        let app = App { server, name: format!("e2e-{name}"), source };
        app.destroy(); // what a story that was killed left
        app.dokku("apps:create", "").succeeds();
        app.dokku("config:set-norestart", "DOKKU_CHECKS_WAIT=1 DOKKU_CHECKS_TIMEOUT=5 DOKKU_WAIT_TO_RETIRE=3").succeeds();
        app
    }

    /// Runs `dokku COMMAND APP ARGUMENTS` over ssh.
    pub fn dokku(&self, command: &str, arguments: &str) -> Output {
        self.server.dokku(&format!("{command} {} {arguments}", self.name))
    }

    /// Commits what is in the work tree and pushes it to master.
    pub fn push(&self) -> Output {
        self.push_through(&self.server.sshd)
    }

    /// The same through another sshd of this story.
    pub fn push_through(&self, sshd: &Sshd) -> Output {
        self.source.commit();
        Output::of(&mut self.push_command(sshd, "master"))
    }

    /// Pushes the commit that is checked out to `branch`.
    pub fn push_to(&self, branch: &str) -> Output {
        Output::of(&mut self.push_command(&self.server.sshd, &format!("HEAD:{branch}")))
    }

    /// Pushes as [`App::push`] does and notes when each line arrived, from the beginning.
    pub fn push_watched(&self) -> Vec<(Duration, String)> {
        self.source.commit();
        let begin = Instant::now();
        let mut push = self.push_command(&self.server.sshd, "master").stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(push.stderr.take().unwrap()).lines();
        let seen = lines.map(|line| (begin.elapsed(), line.unwrap())).collect();
        assert!(push.wait().unwrap().success(), "{seen:?}");
        seen
    }

    fn push_command(&self, sshd: &Sshd, refspec: &str) -> Command {
        let mut push = self.source.command();
        push.env("GIT_SSH_COMMAND", sshd.client(&self.server.key()).join(" "));
        push.args(["push", &format!("dokku@127.0.0.1:{}", self.name), refspec]);
        push
    }

    /// What nginx answers for the app.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        get(&self.host(), path).unwrap_or_else(|e| panic!("{}{path}: {e}", self.host()))
    }

    /// Expects status 200 and `body` for `/`, as [`App::comes_to_answer`] does.
    #[track_caller]
    pub fn answers(&self, body: &str) {
        self.comes_to_answer(200, |text| text.trim() == body);
    }

    /// Expects `status` and a body that `is_right` for `/`, at the latest when nginx has read what it was told to read and
    /// has let its old workers go. It does so in its own time, and for a moment now an old worker answers and now a new
    /// one: only a row of right answers tells that the old ones are gone.
    #[track_caller]
    pub fn comes_to_answer(&self, status: u16, is_right: impl Fn(&str) -> bool) {
        const ROW: usize = 10;
        let mut last = None;
        let mut is_answered = || {
            let answer = last.insert(get(&self.host(), "/"));
            answer.as_ref().is_ok_and(|answer| answer.status == status && is_right(&answer.body))
        };
        let came = within(15, || (0..ROW).all(|_| is_answered()));
        assert!(came, "not {status} or not the right answer, but {last:?} from {}", self.upstream());
    }

    /// Where nginx is told to ask, for those who look into a failure.
    fn upstream(&self) -> String {
        let configuration = fs::read_to_string(self.file("nginx.conf")).unwrap_or_default();
        configuration.lines().find(|line| line.contains("upstream")).unwrap_or_default().to_string()
    }

    /// The name under which nginx serves it.
    pub fn host(&self) -> String {
        format!("{}.{}", self.name, self.server.vhost)
    }

    /// A file below `$DOKKU_ROOT/APP`.
    pub fn file(&self, name: &str) -> PathBuf {
        self.server.root.join(&self.name).join(name)
    }

    /// The container of the release that serves.
    pub fn container(&self) -> String {
        fs::read_to_string(self.file("CONTAINER")).unwrap().trim().to_string()
    }

    /// Ids of all that the engine has of the app, ended containers too.
    pub fn containers(&self) -> Vec<String> {
        self.listed(&["ps", "--all"])
    }

    /// Ids of its containers that run.
    pub fn running(&self) -> Vec<String> {
        self.listed(&["ps"])
    }

    fn listed(&self, words: &[&str]) -> Vec<String> {
        let label = format!("label=dokku.app={}", self.name);
        let listing = docker(&[words, &["--no-trunc", "--quiet", "--filter", &label]].concat()).succeeds().stdout;
        listing.lines().map(str::to_string).collect()
    }

    fn destroy(&self) {
        if self.server.root.join(&self.name).exists() {
            self.dokku("apps:destroy", "force");
        }
    }
}

impl Drop for App<'_> {
    fn drop(&mut self) {
        self.destroy();
    }
}

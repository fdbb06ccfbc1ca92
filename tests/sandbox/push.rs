//! Pushes: a client's repository, and what `git push` finds at the other end.

use super::{Sandbox, Step};

/// What a client's git runs on the server.
pub const RECEIVE: &str = "--receive-pack=dokku git-receive-pack";

impl Sandbox {
    /// A machine into which can be pushed: checks pass at once, old containers are stopped at once, there is a domain.
    pub fn takes_pushes(&self) -> &Sandbox {
        self.env("DOKKU_CHECKS_WAIT", "0").env("DOKKU_CHECKS_TIMEOUT", "0").env("DOKKU_WAIT_TO_RETIRE", "0");
        self.image("progrium/buildstep", "").file("VHOST", "dokku.test\n").docker_says("^start -a", "-----> building\n");
        self.run_program("git", ["init", "-q", "-b", "master", "../client"]).succeeds()
    }

    /// Commits these files on master of the client.
    pub fn commit(&self, files: &[(&str, &str)]) -> &Sandbox {
        for (path, content) in files {
            self.file(&format!("../client/{path}"), content);
        }
        self.run_program("git", ["-C", "../client", "add", "-A"]).succeeds();
        let name = ["-c", "user.name=n", "-c", "user.email=e@x"];
        self.run_program("git", ["-C", "../client"].into_iter().chain(name).chain(["commit", "-q", "-m", "one"])).succeeds()
    }

    /// Pushes to app `a` as git over ssh does, with dokku at the other end.
    pub fn push(&self, refspec: &str) -> Step<'_> {
        self.run_program("git", ["-C", "../client", "push", "-q", RECEIVE, "file:///a", refspec])
    }
}

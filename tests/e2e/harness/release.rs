//! What must be as it was when a push has failed.

use std::fs;

use super::{App, docker, within};

/// The release of an app that serves: its files, its container, the commit at master, the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    files: Vec<Option<String>>,
    image: String,
    /// Those that run, and all: what a push that fails leaves must not even lie about.
    running: Vec<String>,
    containers: Vec<String>,
    master: String,
    answer: super::Answer,
}

impl Release {
    /// The one that serves now, once it is alone (what it replaced has been stopped) and nginx knows it.
    pub fn of(app: &App) -> Release {
        app.comes_to_answer(200, |_| true);
        assert!(within(20, || app.running().len() == 1), "not one container: {:?}", app.running());
        let files = ["CONTAINER", "IP", "PORT", "URL", "URLS", "VHOST", "nginx.conf"];
        Release {
            files: files.iter().map(|file| fs::read_to_string(app.file(file)).ok()).collect(),
            image: docker(&["image", "inspect", "--format", "{{.Id}}", &format!("dokku/{}", app.name)]).succeeds().stdout,
            containers: app.containers(),
            running: app.running(),
            master: fs::read_to_string(app.file("refs/heads/master")).unwrap(),
            answer: app.get("/"),
        }
    }

    /// Expects that it is still the one, whole and alone, once what a push left running has ended.
    #[track_caller]
    pub fn goes_on(&self, app: &App) {
        within(10, || app.containers().len() <= self.containers.len());
        let mut now = Release::of(app);
        now.containers.retain(|container| !self.containers.contains(container));
        assert_eq!(now.containers, Vec::<String>::new(), "containers of the push that failed");
        assert_eq!(&Release { containers: Vec::new(), ..self.clone() }, &now);
    }
}

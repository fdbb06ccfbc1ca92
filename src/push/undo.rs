//! The files of an app that a deployment switches, as they were before, for the case that it fails.

use std::fs;
use std::path::PathBuf;

use crate::app::App;
use crate::fail::Outcome;
use crate::house::House;
use crate::tools::nginx;
use crate::{exec, files, say};

/// What nginx reads of an app.
const NGINX: &str = "nginx.conf";

/// All that a deployment and its core hooks write.
const SWITCHED: &[&str] = &["CONTAINER", "IP", "PORT", "URL", "URLS", "VHOST", NGINX];

/// Content by path; `None` for a file that was not there.
pub struct Snapshot {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    nginx: PathBuf,
}

impl Snapshot {
    /// Reads them all.
    pub fn take(_house: &House, app: &App) -> Outcome<Snapshot> {
        let read = |entry: &&str| (app.path(entry), fs::read(app.path(entry)).ok());
        Ok(Snapshot { files: SWITCHED.iter().map(read).collect(), nginx: app.path(NGINX) })
    }

    /// Puts back what has changed; nginx is told if its part has. What cannot be put back is said.
    pub fn restore(&self, house: &House) {
        let nginx_read = fs::read(&self.nginx).ok();
        for (path, content) in &self.files {
            if fs::read(path).ok() == *content {
                continue;
            }
            let done = match content {
                Some(content) => files::replace(path, content, 0o644),
                None => files::remove(path),
            };
            if let Err(fail) = done {
                say::failure(house, &fail);
            }
        }
        let nginx_was = self.files.iter().find(|(path, _)| *path == self.nginx).and_then(|(_, content)| content.clone());
        if nginx_read != nginx_was
            && let Some(reload) = nginx::reload(&house.distro)
        {
            let _ = exec::silent(house, &reload);
        }
    }
}

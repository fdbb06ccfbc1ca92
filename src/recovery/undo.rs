//! Undoing what a journal remembers, or finishing what cannot be undone.

use super::journal::{Journal, Release};
use crate::app::App;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files;
use crate::files::env::EnvFile;
use crate::house::House;
use crate::push::{destroy, engine, image, tree};
use crate::tools::docker;
use crate::{hooks, lock, nginx, say};

/// What nginx reads of an app.
const NGINX: &str = "nginx.conf";

/// What a build sets in the app's ENV.
const PORT: &str = "DOKKU_DOCKERFILE_PORT";

/// Where the app's release listens, and what it is.
const RECORDS: &[&str] = &["CONTAINER", "IP", "PORT", "URL"];

/// DOKKU_DOCKERFILE_PORT of the app's config.
pub fn port(app: &App) -> Outcome<Option<Vec<u8>>> {
    Ok(EnvFile::load(&app.path("ENV"))?.get(PORT).map(<[u8]>::to_vec))
}

impl Journal {
    /// Undoes all of it.
    pub fn undo(&self, house: &House, app: &App) -> Outcome {
        self.undo_files(house)?;
        self.undo_rest(house, app)
    }

    /// Puts files back.
    pub fn undo_files(&self, house: &House) -> Outcome {
        let mut nginx_changed = false;
        for saved in self.files.iter().filter(|saved| saved.path.parent().is_some_and(|dir| dir.is_dir())) {
            nginx_changed |= saved.put_back()? && saved.path.ends_with(NGINX);
        }
        if nginx_changed { reload(house) } else { Ok(()) }
    }

    /// Undoes what is more than files of the app, once the containers that are not in service are gone.
    pub fn undo_rest(&self, house: &House, app: &App) -> Outcome {
        if self.destroyed {
            return destroy::finish(house, app);
        }
        let history = self.is_history(house, app)?;
        if self.pushed.is_some() && !history && !self.owner.lives() {
            // git-receive-pack was killed while it held these, and would never get them again.
            ["refs/heads/master.lock", "HEAD.lock"].iter().try_for_each(|lock| files::remove(&app.path(lock)))?;
        }
        if let Some(release) = self.release.as_ref().filter(|_| !history && app.dir.is_dir()) {
            if app.record("CONTAINER") == release.container {
                release.name_again(house, app)?;
            } else if self.pushed.is_some() {
                release.serve_again(house, app)?;
            }
        }
        // git takes its quarantine away by itself as long as it can.
        let ours = self.pushed.is_none() || !self.owner.lives();
        self.dirs.iter().filter(|dir| ours && dir.is_dir()).try_for_each(|dir| files::remove_dir(dir))
    }

    /// Has git taken the commit that was deployed?
    pub fn is_history(&self, house: &House, app: &App) -> Outcome<bool> {
        match &self.pushed {
            // A ref that git has just written is a file, unless the repository keeps its refs in another way.
            Some(commit) if files::text(&app.path("refs/heads/master")).as_ref() == Some(commit) => Ok(true),
            Some(commit) if app.dir.is_dir() => Ok(tree::tip(house, app)?.as_ref() == Some(commit)),
            _ => Ok(false),
        }
    }

    /// Is it of a push that is not deployed yet?
    pub fn is_of_a_build_of_a_push(&self) -> bool {
        self.pushed.is_some() && !self.done && self.owner.lives()
    }

    /// Is it still open whether git takes the commit? What cannot be told is open.
    pub fn is_pending(&self, house: &House, app: &App) -> bool {
        self.pushed.is_some() && self.done && self.owner.lives() && !self.is_history(house, app).unwrap_or(false)
    }
}

impl Release {
    /// Nothing else has come to serve: only names are to be put back.
    fn name_again(&self, house: &House, app: &App) -> Outcome {
        self.put_back_notes(house, app)?;
        let now = image::id(house, app)?;
        if now == self.image {
            return Ok(());
        }
        match &self.image {
            Some(before) => tag_again(house, app, before).map(drop),
            None => engine::output(house, &docker::rmi(&[app.image()])).map(drop),
        }
    }

    /// A release has come to serve that git did not take: this one is deployed again, or the app is one without any.
    fn serve_again(&self, house: &House, app: &App) -> Outcome {
        self.put_back_notes(house, app)?;
        let Some(image) = &self.image else { return withdraw(house, app) };
        say::error(house, format!("git has not taken the commit of {} that was deployed: going back to the release before", app.name));
        if !tag_again(house, app, image)? {
            return Ok(());
        }
        hooks::call(house, &["deploy", app.name.as_str()])
            .map_err(|fail| Fail::Said(fail.code(), format!("{} cannot go back to the release before: push it again", app.name)))
    }

    fn put_back_notes(&self, house: &House, app: &App) -> Outcome {
        self.note.put_back()?;
        // Without a release there is nothing that would listen at another port; 0.3.18 leaves what the build has set.
        if self.image.is_none() {
            return Ok(());
        }
        lock::holding(house, lock::Of::App(app), || {
            let path = app.path("ENV");
            let mut env = EnvFile::load(&path)?;
            if env.get(PORT).map(<[u8]>::to_vec) == self.port {
                return Ok(());
            }
            match &self.port {
                Some(value) => env.set(PORT, value),
                None => env.unset(PORT),
            }
            files::replace_private(&path, &env.print())
        })
    }
}

/// Is the image there still, and named the app's again? One that somebody has taken away meanwhile must not keep the app
/// from all that is done with it later.
fn tag_again(house: &House, app: &App, image: &str) -> Outcome<bool> {
    let said = exec::captured(house, &docker::tag(image, &app.image()))?;
    engine::missing_or(house, &said)?;
    if said.code != 0 {
        say::error(
            house,
            format!("The image of {0}'s release before is gone, so it cannot be named {1} again: push {0} again", app.name, app.image()),
        );
    }
    Ok(said.code == 0)
}

/// An app that had no release has none again.
fn withdraw(house: &House, app: &App) -> Outcome {
    let container = app.record("CONTAINER");
    RECORDS.iter().try_for_each(|entry| files::remove(&app.path(entry)))?;
    files::remove(&app.path(NGINX))?;
    reload(house)?;
    if let Some(id) = container {
        engine::output(house, &docker::rm_force(&[&id]))?;
    }
    engine::output(house, &docker::rmi(&[app.image()])).map(drop)
}

/// nginx reads what is there now. Where it is not running there is nobody to tell.
fn reload(house: &House) -> Outcome {
    let said = nginx::reload(house, |reload| exec::captured(house, reload))?;
    said.into_iter().filter(|said| said.code != 0).for_each(|said| say::raw_error(house, &said.stderr));
    Ok(())
}

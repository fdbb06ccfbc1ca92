//! An image in the making. As long as nobody looks it is one container, and `dokku/APP` stays what it was;
//! where a plugin's hook may look at it or change it, it is committed as `dokku/APP` and gone on from there.

use std::io::{Read, Write};
use std::path::Path;

use crate::app::App;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::house::House;
use crate::push::{engine, limits};
use crate::tools::docker;

/// A tar that is being written.
pub type Tar<'w> = tar::Builder<&'w mut dyn Write>;

/// The image in the making; a container that is still open goes with it.
pub struct Making<'h> {
    house: &'h House,
    app: App,
    base: String,
    container: Option<String>,
}

/// The largest file of an image that is read, in bytes.
const LARGEST: u64 = 8 << 20;

/// The command of containers that only carry files.
const NO_COMMAND: &[&str] = &["/bin/true"];

impl<'h> Making<'h> {
    /// From `image`.
    pub fn from(house: &'h House, app: &App, image: &str) -> Making<'h> {
        Making { house, app: app.clone(), base: image.to_owned(), container: None }
    }

    /// From `dokku/APP` as it is.
    pub fn of_image(house: &'h House, app: &App) -> Making<'h> {
        Making::from(house, app, &app.image())
    }

    /// Opens a container with these options for `docker create` and this command.
    pub fn open<I: AsRef<std::ffi::OsStr>>(&mut self, options: &[I], command: &[&str]) -> Outcome {
        let said = exec::captured(self.house, &docker::create(self.app.name.as_str(), "build", options, &self.base, command))?;
        if said.code != 0 && self.base == self.house.image && String::from_utf8_lossy(&said.stderr).contains("Unable to find image") {
            return Err(Fail::say(format!(
                "The builder image {} is not there. Make it on the server with scripts/builder-image, then push again.",
                self.base
            )));
        }
        engine::judge(self.house, &said)?;
        self.container = Some(said.text());
        Ok(())
    }

    fn opened(&mut self) -> Outcome<String> {
        if self.container.is_none() {
            self.open(&[] as &[&str], NO_COMMAND)?;
        }
        Ok(self.container.clone().unwrap_or_default())
    }

    /// Puts files in: `write` fills a tar whose paths begin at `/`. It is streamed, never held whole.
    pub fn put(&mut self, write: impl FnOnce(&mut Tar) -> std::io::Result<()>) -> Outcome {
        let id = self.opened()?;
        let said = exec::fed(self.house, &docker::unpack(&id), |pipe| {
            let mut tar = tar::Builder::new(pipe);
            tar.follow_symlinks(false);
            write(&mut tar)?;
            tar.finish()
        })?;
        engine::judge(self.house, &said)
    }

    /// A file of the image, if it is there.
    pub fn read(&mut self, path: &str) -> Outcome<Option<Vec<u8>>> {
        let id = self.opened()?;
        let said = exec::captured_at_most(self.house, &docker::pack(&id, path), LARGEST)?;
        if said.stdout.len() as u64 == LARGEST {
            return Err(Fail::say(format!("{path} of the image is larger than {LARGEST} bytes")));
        }
        engine::missing_or(self.house, &said)?;
        if said.code != 0 {
            return Ok(None);
        }
        let mut archive = tar::Archive::new(said.stdout.as_slice());
        let Some(entry) = archive.entries()?.next() else { return Ok(None) };
        let mut data = Vec::new();
        entry?.read_to_end(&mut data)?;
        Ok(Some(data))
    }

    /// Runs the container's command to its end, its output shown as it comes; the exit code.
    pub fn run(&mut self) -> Outcome<i32> {
        let id = self.opened()?;
        limits::run(self.house, &self.app, &docker::start_attached(&id))
    }

    /// Commits what there is as `dokku/APP`, with these labels, and goes on from it.
    pub fn publish(&mut self, labels: &[(&str, &str)]) -> Outcome {
        let Some(id) = self.container.clone() else { return Ok(()) };
        engine::output(self.house, &docker::commit(&id, &self.app.image(), labels))?;
        // The engine takes its time to unmount what has run, and nobody needs to wait for it.
        let _ = exec::detach(self.house, &docker::rm_force(&[&id]));
        self.container = None;
        self.go_on_from_image();
        Ok(())
    }

    /// Takes `dokku/APP` as it is for what there is so far: hooks may have changed it.
    pub fn go_on_from_image(&mut self) {
        self.base = self.app.image();
    }

    fn discard(&mut self) {
        if let Some(id) = self.container.take() {
            // What cannot be taken away now is found by its label at the next cleanup.
            let _ = exec::silent(self.house, &docker::rm_force(&[&id]));
        }
    }
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        self.discard();
    }
}

/// Adds a directory of the host under `path`.
pub fn add_tree(tar: &mut Tar, path: &str, tree: &Path) -> std::io::Result<()> {
    tar.append_dir_all(path, tree)
}

/// Adds a directory that everybody may enter.
pub fn add_dir(tar: &mut Tar, path: &str) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    header.set_mode(0o755);
    header.set_size(0);
    tar.append_data(&mut header, path, std::io::empty())
}

/// Adds a file that everybody may read.
pub fn add_file(tar: &mut Tar, path: &str, content: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, path, content)
}

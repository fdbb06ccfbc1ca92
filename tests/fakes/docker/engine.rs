//! Images and containers, kept in a file; one call at a time sees them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::{Failure, failure};

/// The whole state, locked until it is dropped.
pub struct Engine {
    dir: PathBuf,
    /// What is written to `engine.json`.
    pub state: State,
    _lock: Flock<File>,
}

/// Images and containers in the order in which they were made.
#[derive(Default, Serialize, Deserialize)]
pub struct State {
    made: u32,
    pub images: Vec<Image>,
    pub containers: Vec<Container>,
}

/// An image.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Image {
    pub id: String,
    pub names: Vec<String>,
    pub labels: BTreeMap<String, String>,
}

/// A container.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Container {
    pub id: String,
    pub name: String,
    /// The image's name as it was given.
    pub image: String,
    pub image_id: String,
    /// The words before the image.
    pub options: Vec<String>,
    /// The words after the image.
    pub command: Vec<String>,
    pub labels: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
    /// Published ports of the container, with the host's.
    pub ports: BTreeMap<String, u16>,
    pub address: String,
    /// What the engine does when it ends; empty for nothing.
    #[serde(default)]
    pub restart: String,
    /// `created`, `running`, `restarting` or `exited`.
    pub status: String,
    pub exit_code: i32,
}

impl Engine {
    /// Waits until no other call holds the state, and reads it.
    pub fn open(dir: &Path) -> Engine {
        let lock = File::create(dir.join("lock")).expect("the state can be locked");
        let lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno).expect("the state can be locked");
        let state = fs::read(dir.join("engine.json")).map(|text| serde_json::from_slice(&text).expect("engine.json is ours"));
        Engine { dir: dir.to_owned(), state: state.unwrap_or_default(), _lock: lock }
    }

    /// Writes what has changed.
    pub fn save(&self) {
        fs::write(self.dir.join("engine.json"), serde_json::to_vec_pretty(&self.state).expect("a state is JSON")).expect("written");
    }

    /// An id of 64 digits: known by the order of making, told apart by the letter in front.
    pub fn new_id(&mut self, letter: char) -> String {
        self.state.made += 1;
        format!("{letter}{:0>11}{}", self.state.made, "0".repeat(52))
    }

    /// The lowest address that no container holds which has not ended.
    pub fn free_address(&self) -> String {
        let held = |address: &String| self.state.containers.iter().any(|known| known.status != "exited" && known.address == *address);
        (2..).map(|place| format!("127.42.0.{place}")).find(|address| !held(address)).expect("a story makes few containers")
    }

    /// A number that no container has been given yet, for its address and port.
    pub fn place(&self) -> u32 {
        self.state.made
    }

    /// The directory that holds the files of a container or image.
    pub fn files(&self, id: &str) -> PathBuf {
        let dir = self.dir.join("files").join(id.trim_start_matches("sha256:"));
        fs::create_dir_all(&dir).expect("a directory for files");
        dir
    }

    /// Gives one object the files of another.
    pub fn copy_files(&self, from: &str, to: &str) {
        let copied = Command::new("/bin/cp").arg("-a").arg(self.files(from).join(".")).arg(self.files(to)).status();
        assert!(copied.is_ok_and(|status| status.success()), "files of {from} can be copied");
    }

    /// Forgets the files of an object.
    pub fn drop_files(&self, id: &str) {
        fs::remove_dir_all(self.files(id)).expect("files can be removed");
    }

    /// The container of this name, id or beginning of an id.
    pub fn container(&mut self, word: &str) -> Result<&mut Container, Failure> {
        let known = |container: &&mut Container| !word.is_empty() && (container.name == word || container.id.starts_with(word));
        match self.state.containers.iter_mut().find(known) {
            Some(container) => Ok(container),
            None => failure(format!("Error: No such container: {word}")),
        }
    }

    /// The image of this name, id or beginning of an id.
    pub fn image(&mut self, word: &str) -> Result<&mut Image, Failure> {
        let (name, id) = (full_name(word), word.trim_start_matches("sha256:"));
        let known = |image: &&mut Image| image.names.contains(&name) || (!id.is_empty() && image.id["sha256:".len()..].starts_with(id));
        match self.state.images.iter_mut().find(known) {
            Some(image) => Ok(image),
            None => failure(format!("Error: No such image: {word}")),
        }
    }

    /// Makes an image, and moves the name to it.
    pub fn add_image(&mut self, name: &str, labels: BTreeMap<String, String>) -> String {
        let id = format!("sha256:{}", self.new_id('a'));
        self.state.images.push(Image { id: id.clone(), names: Vec::new(), labels });
        self.give_name(&id, name);
        id
    }

    /// Moves a name to an image.
    pub fn give_name(&mut self, id: &str, name: &str) {
        let name = full_name(name);
        for image in &mut self.state.images {
            image.names.retain(|known| *known != name);
            if image.id == id {
                image.names.push(name.clone());
            }
        }
    }
}

/// A name with its tag, `latest` if it has none.
pub fn full_name(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

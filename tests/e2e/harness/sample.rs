//! The smallest app that serves: one Perl file, so that it runs in every Debian or Ubuntu image.

use std::path::{Path, PathBuf};

use super::{Repository, docker};

/// What it answers for `/` is `message`, or the variable MESSAGE when that is set.
pub fn procfile_app(source: &Repository, message: &str) {
    server(source, message);
    source.write("Procfile", "web: exec perl server.pl\n");
}

/// The same, from a Dockerfile; `expose` is its EXPOSE line, if any. Without PORT it listens on 5000.
pub fn dockerfile_app(source: &Repository, message: &str, expose: &str) {
    server(source, message);
    let base = base_image();
    let copy = "COPY . /app\nWORKDIR /app\nCMD [\"perl\", \"server.pl\"]";
    source.write("Dockerfile", &format!("FROM {base}\n{copy}\n{expose}\n"));
}

fn server(source: &Repository, message: &str) {
    source.write("server.pl", include_str!("server.pl"));
    source.write("message", message);
    source.write("CHECKS", "WAIT=1\n/ .\n");
}

/// The directory of a sample app that the repository brings.
pub fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/apps").join(name)
}

/// A Debian or Ubuntu image that the engine has, as the builder image was made from one.
pub fn base_image() -> String {
    let images = docker(&["images", "--format", "{{.Repository}}:{{.Tag}}"]).succeeds().stdout;
    let is_base = |image: &&str| ["dokku-builder-base:", "debian:", "ubuntu:"].iter().any(|base| image.starts_with(base));
    images.lines().find(is_base).expect("no Debian or Ubuntu image: run scripts/builder-image").to_string()
}

//! What an app's source tells the programs of the builder image: Procfile, `.env`, `.buildpacks`, BUILDPACK_URL.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use crate::corpus::{Case, cases};
use crate::sandbox::Sandbox;

/// The root of an image, as a build finds it, and a PATH with the canary.
struct Image {
    s: Sandbox,
    root: tempfile::TempDir,
}

impl Image {
    fn new() -> Image {
        let (s, root) = (Sandbox::new(), tempfile::tempdir().unwrap());
        s.program("canary", "#!/bin/bash\necho started >>\"${0%/*}/../calls/canary\"\n");
        let image = Image { s, root };
        for directory in ["app", "etc", "cache", "tmp/build", "tmp/env", "tmp/buildpacks/1/bin", "bin"] {
            fs::create_dir_all(image.path(directory)).unwrap();
        }
        let me = fs::metadata(image.path("app")).unwrap();
        fs::write(image.path("etc/passwd"), format!("u1000:x:{}:{}::/app:/bin/bash\n", me.uid(), me.gid())).unwrap();
        for (name, script) in [("detect", "echo One"), ("compile", "true")] {
            let path = image.path("tmp/buildpacks/1/bin").join(name);
            fs::write(&path, format!("#!/bin/bash\n{script}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        for face in ["compile", "launch"] {
            symlink(env!("CARGO_BIN_EXE_dokku-builder"), image.path("bin").join(face)).unwrap();
        }
        image
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Runs a face of the builder; fails the test when it panics, hangs or starts the canary.
    fn run(&self, case: &Case, face: &str, args: &[&str], env: &[(&str, &std::ffi::OsStr)]) -> Output {
        let mut command = Command::new(self.path("bin").join(face));
        let path = format!("{}/fakes:/usr/bin:/bin", self.s.dir().display());
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("app"))
            .env("DOKKU_BUILDER_ROOT", self.root.path())
            .args(args)
            .envs(env.iter().copied());
        let output = assert_cmd::Command::from_std(command).timeout(Duration::from_secs(60)).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code().is_some_and(|code| code != 101) && !text.contains("panicked"), "{}: {text}", case.shown());
        assert!(!self.s.dir().join("calls/canary").exists(), "{} started the canary", case.shown());
        output
    }
}

#[test]
fn procfiles_name_commands_or_none() {
    let image = Image::new();
    for case in cases(&image.s, "procfiles.txt") {
        fs::write(image.path("app/Procfile"), &case.text).unwrap();
        fs::write(image.path("tmp/build/Procfile"), &case.text).unwrap();
        image.run(&case, "launch", &["/start", "web"], &[]);
        let compiled = image.run(&case, "compile", &[], &[]);
        assert!(compiled.status.success(), "{}", case.shown());
        fs::write(image.path("app/Procfile"), "").unwrap();
        fs::write(image.path("app/.release"), [b"default_process_types: {web: \"true\"}\n# ", case.text.as_slice()].concat()).unwrap();
        image.run(&case, "launch", &["/start", "web"], &[]);
        fs::remove_file(image.path("app/.release")).unwrap();
    }
}

#[test]
fn settings_are_read_and_not_run() {
    let image = Image::new();
    for case in cases(&image.s, "dotenv.txt") {
        fs::write(image.path("tmp/build/.env"), &case.text).unwrap();
        // Settings that name a script for each new bash would start it in the buildpack, as they would have in buildstep.
        if !case.text.starts_with(b"export BASH_ENV") && !case.text.windows(8).any(|window| window == b"BASH_ENV") {
            image.run(&case, "compile", &[], &[]);
        }
    }
}

#[test]
fn buildpacks_that_are_none_are_named_in_a_line() {
    let image = Image::new();
    for case in cases(&image.s, "buildpacks.txt") {
        let listed = image.path("tmp/build/.buildpacks");
        fs::write(&listed, [case.text.as_slice(), b"\n"].concat()).unwrap();
        judge(&case, &image.run(&case, "compile", &[], &[]));
        fs::remove_file(listed).unwrap();
        judge(&case, &image.run(&case, "compile", &[], &[("BUILDPACK_URL", std::ffi::OsStr::from_bytes(&case.text))]));
    }
}

fn judge(case: &Case, output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    // What begins with `#` is a comment in a list.
    let is_comment = case.text.starts_with(b"#") || case.text.starts_with(b"\xff");
    assert!(is_comment || (output.status.code() != Some(0) && text.lines().count() == 1), "{}: {text}", case.shown());
}

//! The builder's programs, run by hand outside of any container: what buildpacks get and give, what `/start` and
//! `/exec` run. What needs root and an image is in `builder_image.rs`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The root of an image, with the source of an app where a build finds it.
struct Image {
    root: tempfile::TempDir,
}

/// What a program printed, and its exit code.
struct Ended {
    stdout: String,
    stderr: String,
    code: i32,
}

impl Image {
    fn new() -> Image {
        let image = Image { root: tempfile::tempdir().unwrap() };
        for directory in ["app", "etc", "cache", "tmp/build", "tmp/env", "tmp/buildpacks", "bin"] {
            fs::create_dir_all(image.path(directory)).unwrap();
        }
        // The app's user is who runs the test: becoming it changes nothing.
        let me = fs::metadata(image.path("app")).unwrap();
        image.write("etc/passwd", format!("u1000:x:{}:{}::/app:/bin/bash\n", me.uid(), me.gid()));
        image
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) -> &Image {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// A buildpack for every app, called by its name; `compile` is a script.
    fn buildpack(&self, path: &str, name: &str, compile: &str) -> &Image {
        self.program(&format!("{path}/bin/detect"), &format!("echo {name}"));
        self.program(&format!("{path}/bin/compile"), compile)
    }

    fn program(&self, path: &str, script: &str) -> &Image {
        self.write(path, format!("#!/bin/bash\n{script}\n"));
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// Runs one face of the builder.
    fn run(&self, face: &str, args: &[&str], environment: &[(&str, &str)]) -> Ended {
        let program = self.path("bin").join(face);
        if !program.exists() {
            symlink(env!("CARGO_BIN_EXE_dokku-builder"), &program).unwrap();
        }
        let mut command = Command::new(program);
        command.args(args).env_remove("CACHE_PATH").env("DOKKU_BUILDER_ROOT", self.root.path());
        ended(command.envs(environment.iter().copied()).output().unwrap())
    }

    fn compile(&self) -> Ended {
        self.run("compile", &[], &[])
    }

    fn start(&self, process_type: &str) -> Ended {
        self.run("launch", &["/start", process_type], &[("PORT", "5000")])
    }

    fn exec(&self, args: &[&str]) -> Ended {
        self.run("launch", &[&["/exec"], args].concat(), &[("PORT", "5000")])
    }
}

fn ended(output: Output) -> Ended {
    Ended {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("ended by a signal"),
    }
}

impl Ended {
    #[track_caller]
    fn succeeds_with(self, stdout: &str) {
        assert_eq!((self.stdout.as_str(), self.code), (stdout, 0), "{}", self.stderr);
    }

    #[track_caller]
    fn fails_with(self, code: i32, stderr: &str) {
        assert!(self.stderr.contains(stderr), "{}", self.stderr);
        assert_eq!(self.code, code, "{}", self.stderr);
    }
}

/// A repository of git with the buildpack in it, on branch `master`, tag `v1`.
fn repository(directory: &Path) {
    for args in [
        &["init", "--quiet", "--initial-branch=master"][..],
        &["add", "."],
        &["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "--message=first"],
        &["tag", "v1"],
    ] {
        let status = Command::new("git").arg("-C").arg(directory).args(args).status().unwrap();
        assert!(status.success(), "git {args:?}");
    }
}

#[test]
fn a_build_prints_its_steps_as_buildstep_did() {
    let image = Image::new();
    image.buildpack("tmp/buildpacks/one", "One", "echo '-----> Installing'; echo '  plain  '; echo last");
    image.program("tmp/buildpacks/one/bin/release", "echo 'default_process_types: {web: run, clock: tick}'");
    image.write("tmp/build/Procfile", "web: ./server\nworker: ./work\n");
    image.compile().succeeds_with(
        "\x1b[1G-----> One app detected\n\
         \x1b[1G-----> Installing\n\
         \x1b[1G       plain\n\
         \x1b[1G       last\n\
         \x1b[1G-----> Discovering process types\n\
         \x1b[1G       Procfile declares types -> web, worker\n\
         \x1b[1G       Default process types for One -> web, clock\n",
    );
}

#[test]
fn the_first_buildpack_that_detects_the_app_builds_it() {
    let image = Image::new();
    image.buildpack("tmp/buildpacks/1", "One", "echo one").program("tmp/buildpacks/1/bin/detect", "exit 1");
    image.buildpack("tmp/buildpacks/2", "Two", "echo two").buildpack("tmp/buildpacks/3", "Three", "echo three");
    let built = image.compile();
    assert!(built.stdout.starts_with("\x1b[1G-----> Two app detected\n\x1b[1G       two\n"), "{}", built.stdout);
}

#[test]
fn an_app_that_no_buildpack_knows_fails() {
    let image = Image::new();
    let built = image.compile();
    assert_eq!(built.stdout, "\x1b[1G-----> Unable to select a buildpack\n");
    built.fails_with(1, "set BUILDPACK_URL");
}

#[test]
fn buildpacks_get_directories_environment_and_variables() {
    let image = Image::new();
    let compile = r#"echo "$1 $2 $3"; echo "$APP_DIR $HOME $STACK $CURL_CONNECT_TIMEOUT"; echo "$SHOWN|${HIDDEN-unset}"
        [[ -n $REQUEST_ID ]] && cat "$3/NAME" && pwd"#;
    image.buildpack("tmp/buildpacks/1", "One", compile).write("tmp/env/NAME", "its value\n");
    image.write("tmp/build/.env", "export SHOWN='it'\\''s\n$(touch pwned)'\nHIDDEN=1\ntouch pwned\nexport HOME=/root\n");
    let root = image.root.path().display();
    let lines = [
        format!("{root}/tmp/build {root}/cache {root}/tmp/env"),
        format!("{root}/app {root}/app cedar-14 30"),
        "it's".to_owned(),
        "$(touch pwned)|unset".to_owned(),
        "its value".to_owned(),
        format!("{root}/tmp/build"),
    ];
    let told: String = lines.iter().map(|line| format!("\x1b[1G       {line}\n")).collect();
    image.compile().succeeds_with(&format!("\x1b[1G-----> One app detected\n{told}\x1b[1G-----> Discovering process types\n"));
    assert!(!image.path("tmp/build/pwned").exists());
}

#[test]
fn a_failing_buildpack_gives_its_output_and_its_exit_code() {
    let image = Image::new();
    image.buildpack("tmp/buildpacks/1", "One", "echo out; echo err >&2; exit 42");
    let built = image.compile();
    assert_eq!(built.stdout, "\x1b[1G-----> One app detected\n\x1b[1G       out\n");
    built.fails_with(42, "err\n !     the buildpack's bin/compile failed with exit code 42\n");

    image.buildpack("tmp/buildpacks/1", "One", "kill -9 $$").compile().fails_with(137, "exit code 137");
    image.buildpack("tmp/buildpacks/1", "One", "true").program("tmp/buildpacks/1/bin/release", "exit 3");
    image.compile().fails_with(3, "bin/release failed with exit code 3");
    image.program("tmp/buildpacks/1/bin/release", "echo 'a: b: c'").compile().fails_with(1, "what bin/release printed");
}

#[test]
fn release_becomes_a_file_and_its_variables_a_profile() {
    let image = Image::new();
    image.buildpack("tmp/buildpacks/1", "One", "true");
    image.program("tmp/buildpacks/1/bin/release", "echo 'config_vars: {A: \"it'\"'\"'s $HOME\", B: 1}'");
    assert_eq!(image.compile().code, 0);
    assert_eq!(image.read("tmp/build/.release"), "config_vars: {A: \"it's $HOME\", B: 1}\n");
    assert_eq!(image.read("tmp/build/.profile.d/00_config_vars.sh"), "export A='it'\\''s $HOME'\nexport B='1'\n");
}

#[test]
fn buildpack_url_names_a_repository_with_branch_tag_or_commit() {
    let image = Image::new();
    let url = image.path("mine").display().to_string();
    image.buildpack("mine", "First", "true");
    repository(&image.path("mine"));
    let commit = Command::new("git").arg("-C").arg(&url).args(["rev-parse", "HEAD"]).output().unwrap();
    let commit = String::from_utf8(commit.stdout).unwrap();
    image.buildpack("mine", "Second", "true");
    let status = Command::new("git").arg("-C").arg(&url).args(["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam2"]).status();
    assert!(status.unwrap().success());

    for (revision, name) in [("", "Second"), ("#v1", "First"), ("#master", "Second"), (&format!("#{}", commit.trim()), "First")] {
        let _ = fs::remove_dir_all(image.path("tmp/buildpacks/custom"));
        image.write("tmp/build/.env", format!("BUILDPACK_URL='file://{url}{revision}'\n"));
        let built = image.compile();
        let told = format!("\x1b[1G-----> Fetching custom buildpack\n\x1b[1G-----> {name} app detected\n");
        assert!(built.stdout.starts_with(&told), "{revision}: {} {}", built.stdout, built.stderr);
    }
    let _ = fs::remove_dir_all(image.path("tmp/buildpacks/custom"));
    image.write("tmp/build/.env", format!("BUILDPACK_URL=file://{url}#nowhere\n"));
    image.compile().fails_with(128, "could not fetch buildpack file://");
}

#[test]
fn buildpack_url_may_come_from_the_environment_and_name_a_directory() {
    let image = Image::new();
    image.buildpack("mine", "Mine", "true");
    fs::set_permissions(image.path("mine/bin/compile"), fs::Permissions::from_mode(0o644)).unwrap();
    let url = image.path("mine").display().to_string();
    let built = image.run("compile", &[], &[("BUILDPACK_URL", &url)]);
    assert!(built.stdout.contains("-----> Mine app detected"), "{}", built.stdout);
    assert_eq!(built.code, 0, "{}", built.stderr);
}

#[test]
fn a_custom_buildpack_builds_what_it_does_not_detect() {
    let image = Image::new();
    image.buildpack("mine", "Mine", "echo built").program("mine/bin/detect", "echo no; exit 1");
    let url = image.path("mine").display().to_string();
    let built = image.run("compile", &[], &[("BUILDPACK_URL", &url)]);
    assert!(built.stdout.contains("-----> no app detected\n\x1b[1G       built\n"), "{}", built.stdout);
}

#[test]
fn several_buildpacks_hand_their_environment_on() {
    let image = Image::new();
    image.buildpack("one", "One", "echo 'export FROM_ONE=\"a b\"' > \"$(dirname \"$0\")/../export\"");
    image.buildpack("two", "Two", "echo \"one left $FROM_ONE\"").program("two/bin/release", "echo 'default_process_types: {web: two}'");
    let (one, two) = (image.path("one"), image.path("two"));
    image.write("tmp/build/.buildpacks", format!("{}\n\n# the second\n{}\n", one.display(), two.display()));
    image.compile().succeeds_with(&format!(
        "\x1b[1G-----> Multipack app detected\n\
         \x1b[1G       =====> Downloading Buildpack: {}\n\
         \x1b[1G       =====> Detected Framework: One\n\
         \x1b[1G       =====> Downloading Buildpack: {}\n\
         \x1b[1G       =====> Detected Framework: Two\n\
         \x1b[1G       one left a b\n\
         \x1b[1G-----> Discovering process types\n\
         \x1b[1G       Default process types for Multipack -> web\n",
        one.display(),
        two.display()
    ));
    fs::remove_dir_all(image.path("tmp/buildpacks")).unwrap();
    image.program("two/bin/detect", "exit 1").compile().fails_with(1, "of .buildpacks does not know this app");
}

#[test]
fn start_runs_the_command_of_the_procfile_in_a_shell() {
    let image = Image::new();
    image.write("app/Procfile", "web: cd sub && printf '<%s>' \"a  b\" $PORT '$PORT' *.txt\nworker: exit 7\n");
    image.write("app/sub/x.txt", "").write("app/.release", "default_process_types: {web: other, clock: echo tick}");
    image.start("web").succeeds_with("<a  b><5000><$PORT><x.txt>");
    image.start("clock").succeeds_with("tick\n");
    assert_eq!(image.start("worker").code, 7);
    image.start("nosuch").fails_with(1, "no process type nosuch: the app declares web, worker, clock\n");
    image.run("launch", &["/start"], &[]).fails_with(1, "needs a process type");
}

#[test]
fn the_profile_reaches_the_command_unchanged() {
    let image = Image::new();
    image.write("app/.profile.d/01-app-env.sh", b"export A='it'\\''s \xff\n  $B  \"q\" `c`'\nLOCAL=local\nf() { echo \"f $1\"; }\n");
    image.write("app/Procfile", "web: f \"$LOCAL\"; printf %s \"$A\" | od -An -c; pwd; echo $HOME\n");
    let home = image.path("app").display().to_string();
    let bytes = "   i   t   '   s     377  \\n           $   B           \"   q   \"\n       `   c   `\n";
    image.start("web").succeeds_with(&format!("f local\n{bytes}{home}\n{home}\n"));
}

#[test]
fn exec_runs_a_command_as_the_app_would() {
    let image = Image::new();
    image.write("app/.profile.d/x.sh", "export URL='pg://a b'\n");
    image.exec(&["echo", "$PORT"]).succeeds_with("5000\n");
    image.exec(&["echo \"$URL\" && exit 3"]).fails_with(3, "");
    image.exec(&["bash", "-c", "printf '<%s>' a  \"b  c\" $0"]).succeeds_with("<a><b  c><bash>");
    image.exec(&["printf", "<%s>", "", "it's", "a\nb", "(x)"]).succeeds_with("<><it's><a\nb><(x)>");
    image.exec(&["nosuchcommand"]).fails_with(127, "nosuchcommand");
    image.exec(&[]).fails_with(1, "needs a command");
}

#[test]
fn an_image_that_was_not_built_says_so() {
    let image = Image::new();
    image.write("etc/passwd", "root:x:0:0::/root:/bin/sh\n").write("app/Procfile", "web: true");
    image.start("web").fails_with(1, "this image has no user u<digits>");
}

#[test]
fn setuidgid_keeps_the_exit_codes_of_daemontools() {
    let image = Image::new();
    image.run("setuidgid", &["u1000"], &[]).fails_with(100, "usage: setuidgid USER COMMAND...");
    image.run("setuidgid", &["nobody-here", "true"], &[]).fails_with(111, "there is no user nobody-here");
    image.run("setuidgid", &["u1000", "/nonexistent"], &[]).fails_with(111, "could not run /nonexistent");
    image.run("setuidgid", &["u1000", "echo", "hi"], &[]).succeeds_with("hi\n");
}

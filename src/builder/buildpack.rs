//! A buildpack: a directory with the programs `bin/detect`, `bin/compile` and `bin/release`.

use crate::failure::{Context, Failure};
use crate::layout::Layout;
use crate::{output, shell, supervise, tree};
use std::ffi::OsString;
use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// A buildpack that is there to be run.
#[derive(Debug)]
pub struct Buildpack {
    directory: PathBuf,
}

/// What buildpacks are run with.
pub struct Surroundings<'a> {
    pub layout: &'a Layout,
    pub variables: Vec<(String, OsString)>,
    /// Scripts that earlier buildpacks have left for later ones.
    pub exports: Vec<PathBuf>,
}

impl Buildpack {
    /// The buildpacks of the image, in the order in which they are tried.
    pub fn installed(layout: &Layout) -> Result<Vec<Buildpack>, Failure> {
        let directory = layout.buildpacks();
        let entries = fs::read_dir(&directory).context(|| format!("read {}", directory.display()))?;
        let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        found.sort();
        found.retain(|path| path.is_dir());
        Ok(found.into_iter().map(|directory| Buildpack { directory }).collect())
    }

    /// Gets a buildpack from `URL`, `URL#BRANCH`, `URL#TAG` or `URL#COMMIT`, a git repository, or from a plain
    /// directory of this container. `name` is a name for the copy.
    pub fn fetch(url: &str, name: &str, around: &Surroundings) -> Result<Buildpack, Failure> {
        let directory = around.layout.buildpacks().join(name);
        let local = around.layout.build().join(url.strip_prefix("file://").unwrap_or(url));
        let (repository, revision) = url.split_once('#').unwrap_or((url, ""));
        let fetched = if local.join("bin/compile").is_file() && !local.join(".git").exists() {
            tree::copy_contents(&local, &directory).context(|| "copy it")
        } else {
            clone(around, repository, revision, &directory)
        };
        fetched.map_err(|failure| failure.within(&format!("could not fetch buildpack {url}")))?;
        let buildpack = Buildpack { directory };
        buildpack.allow_running();
        Ok(buildpack)
    }

    /// Whether the buildpack is for this app, and the name that it gives to such apps.
    pub fn detect(&self, around: &Surroundings) -> Result<(bool, String), Failure> {
        let mut detect = self.command("detect", around, &[&around.layout.build()]);
        let output = detect.stderr(Stdio::inherit()).output();
        let output = output.context(|| format!("run {}", self.program("detect").display()))?;
        let name = String::from_utf8_lossy(&output.stdout);
        let name: Vec<&str> = name.split_whitespace().collect();
        Ok((output.status.success(), name.join(" ")))
    }

    /// Builds the app, its output shown as it comes. Fails with the exit code of the buildpack.
    pub fn compile(&self, around: &Surroundings) -> Result<(), Failure> {
        let layout = around.layout;
        let directories = [&layout.build(), layout.cache(), &layout.env()];
        let mut compile = self.command("compile", around, &directories);
        let child = compile.stdout(Stdio::piped()).spawn();
        let mut child = child.context(|| format!("run {}", self.program("compile").display()))?;
        if let Some(stdout) = child.stdout.take() {
            output::stream(BufReader::new(stdout)).context(|| "show the build's output")?;
        }
        let status = child.wait().context(|| "wait for the buildpack")?;
        succeeded("compile", status)
    }

    /// What the buildpack says of the built app, as YAML; nothing when it has no `bin/release`.
    pub fn release(&self, around: &Surroundings) -> Result<Option<Vec<u8>>, Failure> {
        let program = self.program("release");
        if !program.is_file() {
            return Ok(None);
        }
        let directories = [&around.layout.build(), around.layout.cache()];
        let mut release = self.command("release", around, &directories);
        let output = release.stderr(Stdio::inherit()).output();
        let output = output.context(|| format!("run {}", program.display()))?;
        succeeded("release", output.status)?;
        Ok(Some(output.stdout))
    }

    /// The script with the environment that this buildpack leaves to the next ones, if it wrote one.
    pub fn export(&self) -> Option<PathBuf> {
        Some(self.directory.join("export")).filter(|path| path.is_file())
    }

    /// Repositories may have lost the permission to run a program; where that cannot be mended, running it tells.
    fn allow_running(&self) {
        for name in ["detect", "compile", "release"] {
            let _ = fs::set_permissions(self.program(name), fs::Permissions::from_mode(0o755));
        }
    }

    fn program(&self, name: &str) -> PathBuf {
        self.directory.join("bin").join(name)
    }

    /// The buildpack's program, run by bash where the scripts of earlier buildpacks must be sourced before.
    fn command(&self, name: &str, around: &Surroundings, arguments: &[&Path]) -> Command {
        let program = self.program(name);
        let mut command = match around.exports.as_slice() {
            [] => Command::new(program),
            exports => {
                let sources = exports.iter().map(|path| format!("source {}; ", shell::quote(&path.to_string_lossy())));
                let script: String = sources.chain(["exec \"$0\" \"$@\"".to_owned()]).collect();
                let mut bash = Command::new("bash");
                bash.arg("-c").arg(script).arg(program);
                bash
            }
        };
        command.args(arguments).envs(variables(around));
        command.stdin(Stdio::null()).current_dir(around.layout.build());
        command
    }
}

fn succeeded(program: &str, status: ExitStatus) -> Result<(), Failure> {
    match supervise::exit_code(status) {
        0 => Ok(()),
        code => Err(Failure::with_code(code, format!("the buildpack's bin/{program} failed with exit code {code}"))),
    }
}

/// A branch or tag needs no history; git does not clone a commit, so that one is looked for in all of it.
fn clone(around: &Surroundings, repository: &str, revision: &str, directory: &Path) -> Result<(), Failure> {
    let to = directory.to_string_lossy();
    if revision.is_empty() {
        return git(around, &["clone", "--quiet", "--depth=1", "--", repository, &to]);
    }
    if revision.starts_with('-') {
        return Err(Failure::new(format!("{revision} is no branch, tag or commit")));
    }
    git(around, &["clone", "--quiet", "--depth=1", "--branch", revision, "--", repository, &to]).or_else(|_| {
        git(around, &["clone", "--quiet", "--", repository, &to])?;
        git(around, &["-C", &to, "checkout", "--quiet", revision, "--"])
    })
}

/// Runs git without a terminal to ask at; its last words are the failure.
fn git(around: &Surroundings, arguments: &[&str]) -> Result<(), Failure> {
    let mut git = Command::new("git");
    git.args(arguments).envs(variables(around)).env("GIT_TERMINAL_PROMPT", "0");
    // Not `ext::` and `fd::`, which start a program or wait for an open file.
    git.env("GIT_ALLOW_PROTOCOL", "file:git:http:https:ssh");
    let output = git.stdin(Stdio::null()).output().context(|| "run git")?;
    let said = String::from_utf8_lossy(&output.stderr);
    match supervise::exit_code(output.status) {
        0 => Ok(()),
        code => Err(Failure::with_code(code, said.trim().replace('\n', " "))),
    }
}

fn variables<'a>(around: &'a Surroundings) -> impl Iterator<Item = (&'a String, &'a OsString)> {
    around.variables.iter().map(|(name, value)| (name, value))
}

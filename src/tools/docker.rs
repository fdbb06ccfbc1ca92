//! docker. Our containers and images carry labels, so that they can be told from other people's.

use std::ffi::OsString;
use std::path::Path;

use crate::cmd::{Cmd, Limit};

/// Label with the app's name, on everything of ours.
pub const APP_LABEL: &str = "dokku.app";
/// Label with what a container is for: `build`, `probe`, `run` or `web`. An image that was committed from one says
/// `image`, so that what others run of it is not taken for ours.
pub const PHASE_LABEL: &str = "dokku.phase";
/// Label of a container that lives for a moment: the process that made it, as `PID START`.
pub const PROCESS_LABEL: &str = "dokku.process";
/// Label of an image: `buildstep` or `dockerfile`, how it is started.
pub const SOURCE_LABEL: &str = "dokku.source";
/// Label of a released image: the id of the built image below it, which the next release starts from.
pub const BUILT_LABEL: &str = "dokku.built";
/// Label of a released image: tells the state of the variables that are in it.
pub const ENV_LABEL: &str = "dokku.env";

/// A call that lasts as long as what it shows or starts, and which others end, or who looks on.
fn endless() -> Cmd {
    Cmd::new("docker")
}

/// A call that asks or tells one thing.
fn brief() -> Cmd {
    Cmd::new("docker").limit(Limit::Brief)
}

/// A call that moves files, or that waits for a process to end.
fn long() -> Cmd {
    Cmd::new("docker").limit(Limit::Long)
}

fn labels(app: &str, phase: &str) -> [String; 4] {
    ["--label".into(), format!("{APP_LABEL}={app}"), "--label".into(), format!("{PHASE_LABEL}={phase}")]
}

/// Prints the engine's version; fails when the engine does not answer.
pub fn server_version() -> Cmd {
    brief().args(["version", "--format", "{{.Server.Version}}"])
}

/// Prints the client's version.
pub fn client_version() -> Cmd {
    brief().args(["version", "--format", "{{.Client.Version}}"])
}

/// Fails when the client has no buildx.
pub fn buildx_version() -> Cmd {
    brief().args(["buildx", "version"])
}

/// Makes a container and does not start it; prints its id.
pub fn create<I: AsRef<std::ffi::OsStr>>(app: &str, phase: &str, options: &[I], image: &str, command: &[&str]) -> Cmd {
    long().arg("create").args(labels(app, phase)).args(options).arg(image).args(command)
}

/// An app's image is made here: one that is missing must not be looked for at a registry, where anybody may have its name.
const NEVER_FROM_ELSEWHERE: [&str; 2] = ["--pull", "never"];

/// Starts an app in the background; prints its id.
pub fn run_app<I: AsRef<std::ffi::OsStr>>(app: &str, options: &[I], image: &str, command: &[&str]) -> Cmd {
    long().args(["run", "-d"]).args(NEVER_FROM_ELSEWHERE).args(options).args(labels(app, "web")).arg(image).args(command)
}

/// Runs a command in a new container of the app's image.
pub fn run_command(app: &str, options: &[OsString], image: &str, command: &[OsString]) -> Cmd {
    endless().arg("run").args(NEVER_FROM_ELSEWHERE).args(options).args(labels(app, "run")).arg(image).args(command)
}

/// Starts a container and shows what it prints; ends with its exit code.
pub fn start_attached(id: &str) -> Cmd {
    endless().args(["start", "-a", id])
}

/// Starts a container that has ended.
pub fn start(id: &str) -> Cmd {
    long().args(["start", id])
}

/// What the engine does with containers that end: `unless-stopped` brings them back, at its own start too, `no` leaves them.
pub fn restart_policy<S: AsRef<std::ffi::OsStr>>(policy: &str, ids: &[S]) -> Cmd {
    brief().args(["update", &format!("--restart={policy}")]).args(ids)
}

/// Prints `format` for the engine itself.
pub fn info(format: &str) -> Cmd {
    brief().args(["info", "--format", format])
}

/// Unpacks a tar from stdin in the container.
pub fn unpack(id: &str) -> Cmd {
    long().args(["cp", "-"]).arg(format!("{id}:/"))
}

/// A path of the container as a tar on stdout; fails when it is not there.
pub fn pack(id: &str, path: &str) -> Cmd {
    long().arg("cp").arg(format!("{id}:{path}")).arg("-")
}

/// Makes an image of a container, with these labels, and names it.
pub fn commit(id: &str, image: &str, labels: &[(&str, &str)]) -> Cmd {
    let labels = [(PHASE_LABEL, "image")].iter().chain(labels).map(|(name, value)| format!("LABEL {name}={value}")).collect::<Vec<_>>();
    long().arg("commit").args(labels.iter().flat_map(|label| ["--change", label])).arg(id).arg(image)
}

/// Builds a Dockerfile in `tree`.
pub fn build(app: &str, image: &str, tree: &Path) -> Cmd {
    endless().arg("build").args(["--label", &format!("{APP_LABEL}={app}")]).args(["-t", image, "."]).dir(tree)
}

/// Gives an image one more name, or moves a name to it.
pub fn tag(image: &str, name: &str) -> Cmd {
    brief().args(["tag", image, name])
}

/// Prints `format` for an image.
pub fn inspect_image(format: &str, image: &str) -> Cmd {
    brief().args(["image", "inspect", "--format", format, image])
}

/// Prints `format` for a container.
pub fn inspect_container(format: &str, id: &str) -> Cmd {
    brief().args(["container", "inspect", "--format", format, id])
}

/// The host's address for a port of the container, a line for each family.
pub fn port(id: &str, port: &str) -> Cmd {
    brief().args(["port", id, port])
}

/// What the container has printed so far.
pub fn logs(id: &str) -> Cmd {
    long().args(["logs", id])
}

/// What the container prints, now and from now on.
pub fn follow_logs(id: &str) -> Cmd {
    endless().args(["logs", "--follow", id])
}

/// The last lines that the container has printed.
pub fn tail_logs(id: &str, lines: u32) -> Cmd {
    long().args(["logs", "--tail"]).arg(lines.to_string()).arg(id)
}

/// Ends a container: SIGTERM, SIGKILL after ten seconds.
pub fn stop(id: &str) -> Cmd {
    long().args(["stop", id])
}

/// Ends a container at once.
pub fn kill(id: &str) -> Cmd {
    brief().args(["kill", id])
}

/// Takes ended containers away.
pub fn rm<S: AsRef<std::ffi::OsStr>>(ids: &[S]) -> Cmd {
    long().arg("rm").args(ids)
}

/// Takes containers and their volumes away, be they running or not.
pub fn rm_force<S: AsRef<std::ffi::OsStr>>(ids: &[S]) -> Cmd {
    long().args(["rm", "-f", "-v"]).args(ids)
}

/// Takes images away.
pub fn rmi<S: AsRef<std::ffi::OsStr>>(images: &[S]) -> Cmd {
    long().arg("rmi").args(images)
}

/// Ids of containers, of all states, that pass these filters.
pub fn list_containers(filters: &[String]) -> Cmd {
    let filters = filters.iter().flat_map(|filter| ["-f", filter.as_str()]);
    brief().args(["ps", "-a", "-q", "--no-trunc"]).args(filters)
}

/// The same, each with a blank and the value of one of its labels behind it.
pub fn list_with_label(filters: &[String], label: &str) -> Cmd {
    let format = format!("{{{{.ID}}}} {{{{.Label \"{label}\"}}}}");
    let filters = filters.iter().flat_map(|filter| ["-f", filter.as_str()]);
    brief().args(["ps", "-a", "--no-trunc", "--format", &format]).args(filters)
}

/// Our containers that pass these filters, a line each: id, phase, app.
pub fn list_ours(filters: &[String]) -> Cmd {
    let format = format!("{{{{.ID}}}} {{{{.Label \"{PHASE_LABEL}\"}}}} {{{{.Label \"{APP_LABEL}\"}}}}");
    let filters = filters.iter().flat_map(|filter| ["-f", filter.as_str()]);
    brief().args(["ps", "-a", "--no-trunc", "-f", &format!("label={APP_LABEL}")]).args(filters).args(["--format", &format])
}

/// Ids of all running containers.
pub fn list_running() -> Cmd {
    brief().args(["ps", "-q", "--no-trunc"])
}

/// Ids of images that pass these filters.
pub fn list_images(filters: &[String]) -> Cmd {
    let filters = filters.iter().flat_map(|filter| ["-f", filter.as_str()]);
    brief().args(["images", "-q", "--no-trunc"]).args(filters)
}

/// Runs a command in a running container, on a terminal if there is one.
pub fn exec(id: &str, tty: bool, command: &[&str]) -> Cmd {
    endless().args(["exec", if tty { "-ti" } else { "-i" }, id]).args(command)
}

//! `plugins:*`: listing, checking, installing, updating and removing plugins.

mod sandbox;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use sandbox::Sandbox;
use sandbox::killed::dead;
use tempfile::TempDir;

const COMMANDS: &str = "#!/bin/sh\ncase \"$1\" in\nhelp) cat; echo '    hello <app>                  Say hello' ;;\nhello) echo hello ;;\n*) exit 10 ;;\nesac\n";

/// The repository of a plugin, on another machine as it were: root's, while the sandbox is user dokku's.
struct Origin(TempDir);

impl Origin {
    /// With these files, all executable.
    fn with(files: &[(&str, &str)]) -> Origin {
        let origin = Origin(tempfile::tempdir().expect("a directory"));
        origin.git(&["init", "-q"]).publish(files);
        origin
    }

    fn publish(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            std::fs::write(self.path().join(name), text).expect("a file");
            std::fs::set_permissions(self.path().join(name), Permissions::from_mode(0o755)).expect("a mode");
        }
        self.git(&["add", "-A"]).git(&["commit", "-q", "-m", "one more"]);
    }

    fn git(&self, words: &[&str]) -> &Origin {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.path()).args(["-c", "user.name=x", "-c", "user.email=x@localhost", "-c", "init.defaultBranch=master"]);
        assert!(git.args(words).status().expect("git runs").success(), "git {words:?}");
        self
    }

    fn path(&self) -> PathBuf {
        let path = self.0.path().join("dokku-hello");
        std::fs::create_dir_all(&path).expect("a directory");
        path
    }

    fn url(&self) -> String {
        self.path().display().to_string()
    }
}

/// Runs dokku as root; what it says, and how it ends. Plugins are root's, so that nobody else can tell these stories.
fn as_root(s: &Sandbox, words: &[&str]) -> String {
    let mut command = s.command("dokku");
    command.args(words).uid(0).gid(0);
    let output = command.output().expect("dokku runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    s.neutral(&text) + &format!("[{}]\n", dokku::exec::code_of(output.status))
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn plugins(s: &Sandbox) -> Vec<String> {
    let entries = std::fs::read_dir(s.dir().join("plugins")).expect("plugins");
    let core: Vec<&str> = dokku::plugins::ALL.iter().map(|plugin| plugin.name).chain(["common"]).collect();
    entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).filter(|name| !core.contains(&name.as_str())).collect()
}

#[test]
fn a_plugin_comes_is_renewed_and_goes() {
    if !is_root() {
        return;
    }
    let s = Sandbox::new();
    let said = "#!/bin/sh\n. $(dirname $0)/../common/functions\ndokku_log_verbose \"NAME in $(dirname $0) as $(id -un)\"\n";
    let dependencies = said.replace("NAME", "dependencies");
    let install = said.replace("NAME", "install").replace("/bin/sh", "/bin/bash");
    let origin =
        Origin::with(&[("commands", COMMANDS), ("dependencies", &dependencies.replace("/bin/sh", "/bin/bash")), ("install", &install)]);
    let place = "$SANDBOX/plugins/hello as root";
    assert_eq!(
        as_root(&s, &["plugins:install", &origin.url()]),
        format!(
            "-----> Installing hello from {}\n       dependencies in {place}\n       install in {place}\n-----> hello: nothing to tell\n[0]\n",
            origin.url()
        )
    );
    s.run(["hello"]).shows("hello\n");
    assert!(as_root(&s, &["plugins:install", &origin.url()]).contains("There is a plugin hello already"));
    assert_eq!(as_root(&s, &["plugins:update", "hello"]), "-----> hello is up to date\n[0]\n");

    s.plugin("hello/state", "kept\n");
    origin.publish(&[("commands", &COMMANDS.replace("echo hello", "echo good day")), ("update", "#!/bin/sh\necho renewed\n")]);
    let updated = as_root(&s, &["plugins:update"]);
    assert!(updated.starts_with("-----> Updating hello\n") && updated.contains("\nrenewed\n") && updated.ends_with("[0]\n"), "{updated}");
    s.run(["hello"]).shows("good day\n");
    assert_eq!(std::fs::read_to_string(s.dir().join("plugins/hello/state")).unwrap(), "kept\n");

    assert_eq!(as_root(&s, &["plugins:uninstall", "hello"]), "-----> hello is uninstalled\n[0]\n");
    assert!(as_root(&s, &["plugins:uninstall", "hello"]).contains("Plugin hello is not installed"));
    assert_eq!(plugins(&s), [""; 0]);
}

#[test]
fn what_fails_leaves_nothing() {
    if !is_root() {
        return;
    }
    let s = Sandbox::new();
    let origin = Origin::with(&[("commands", COMMANDS), ("install", "#!/bin/sh\necho half done; exit 3\n")]);
    let text = as_root(&s, &["plugins:install", &origin.url(), "other"]);
    assert!(text.ends_with("half done\nPlugin other is not installed: its install ended with 3\n[1]\n"), "{text}");
    assert!(as_root(&s, &["plugins:install", "/nowhere/x"]).contains("Plugin x is not installed: /nowhere/x cannot be cloned\n"));
    origin.git(&["rm", "-q", "commands", "install"]);
    origin.publish(&[("notes", "nothing to start\n")]);
    assert!(as_root(&s, &["plugins:install", &origin.url()]).contains("has neither commands nor hooks that can start"));
    assert!(as_root(&s, &["plugins:install", &origin.url(), "../x"]).contains("cannot be the name of a plugin"));
    assert!(as_root(&s, &["plugins:install", &origin.url(), "config"]).contains("There is a plugin config already"));
    assert!(as_root(&s, &["plugins:uninstall", "config"]).contains("comes with dokku and stays"));
    assert_eq!(plugins(&s), [""; 0]);
}

#[test]
fn an_update_that_fails_brings_the_old_version_back() {
    if !is_root() {
        return;
    }
    let s = Sandbox::new();
    let origin = Origin::with(&[("commands", COMMANDS)]);
    assert!(as_root(&s, &["plugins:install", &origin.url()]).ends_with("[0]\n"));
    origin.publish(&[("commands", "#!/bin/sh\necho broken\n"), ("update", "#!/bin/sh\nexit 4\n")]);
    let text = as_root(&s, &["plugins:update"]);
    assert!(text.ends_with("Plugin hello is as it was before: its update ended with 4\n[1]\n"), "{text}");
    s.run(["hello"]).shows("hello\n");
    assert_eq!(plugins(&s), ["hello"]);
}

#[test]
fn what_a_killed_command_left_is_put_right_by_the_next() {
    if !is_root() {
        return;
    }
    let s = Sandbox::new();
    let origin = Origin::with(&[("commands", COMMANDS), ("install", "#!/bin/sh\n[ -e $DOKKU_ROOT/calm ] || kill -9 $PPID\n")]);
    assert!(as_root(&s, &["plugins:install", &origin.url()]).ends_with("[137]\n"));
    s.file("calm", "");
    assert!(as_root(&s, &["plugins:install", &origin.url()]).ends_with("[0]\n"));

    let broken = "#!/bin/sh\nkill -9 $PPID\n";
    origin.publish(&[("commands", &COMMANDS.replace("echo hello", "echo new")), ("update", broken)]);
    assert!(as_root(&s, &["plugins:update"]).ends_with("[137]\n"));
    assert!(as_root(&s, &["plugins:install", "/nowhere/x"]).ends_with("[1]\n"));
    s.run(["hello"]).shows("hello\n");
    assert_eq!(plugins(&s), ["hello"]);
}

#[test]
fn only_root_changes_plugins_and_nobody_over_ssh() {
    let s = Sandbox::new();
    for words in [vec!["plugins:install", "/x"], vec!["plugins:update"], vec!["plugins:uninstall", "x"]] {
        if !is_root() || dokku::files::passwd::user("dokku").is_some() {
            let said = format!("[stderr]\n{} needs root: sudo dokku {}\n[exit 1]\n", words[0], words.join(" "));
            s.run(&words).shows(&said);
        }
    }
    s.env("SSH_ORIGINAL_COMMAND", "plugins:uninstall x").run([""; 0]).fails("`plugins:uninstall` cannot be run over ssh");
}

#[test]
fn a_plugin_that_had_the_command_first_keeps_it() {
    let s = Sandbox::new();
    s.plugin("mine/commands", "#!/bin/sh\ncase $1 in plugins:list | plugins:uninstall) echo \"mine as $(id -u)\" ;; *) exit 10 ;; esac\n");
    let me = s.run_program("id", ["-u"]).text();
    s.run(["plugins:list"]).shows(&format!("mine as {me}"));
    s.env("SSH_ORIGINAL_COMMAND", "plugins:uninstall x").run([""; 0]).shows(&format!("mine as {me}"));
}

#[test]
fn plugins_are_listed_with_what_they_do() {
    let s = Sandbox::new();
    s.plugin("hello/commands", COMMANDS).plugin("hello/pre-build", "#!/bin/sh\n").plugin("hello/helper", "#!/bin/sh\n");
    s.remove_plugin("git/receive-app");
    let text = s.run(["plugins:list"]).text();
    assert!(text.starts_with("=====> Plugins in $SANDBOX/plugins\n"), "{text}");
    assert!(text.contains("\nhello                   third party\n       hooks: pre-build\n       commands: hello\n"), "{text}");
    assert!(text.contains("\ngit                     core\n") && text.contains("       changed: receive-app\n"), "{text}");
}

#[test]
fn what_keeps_a_plugin_from_working_is_told() {
    let s = Sandbox::new();
    s.plugin("good/commands", COMMANDS).run(["plugins:check"]).shows("-----> good: nothing to tell\n");
    s.plugin("bad/commands", "#!/bin/sh\nexit 0\n").plugin("bad/pre-build", "echo no line\n").plugin("bad/post-build", "#!/no/such -x\n");
    s.plugin("bad/update", "#!/usr/bin/env no-such-program\n").plugin("bad/pre-deploy", "#!/bin/bash\r\n");
    s.plugin("bad/install", "#!/bin/sh\nVOLUME=$(docker inspect $ID | grep vfs/dir)\nid=$(docker run -i -a stdin x)\n");
    s.plugin("bad/docker-args", "#!/bin/sh\n");
    let path = s.dir().join("plugins/bad/docker-args");
    std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    s.run(["plugins:check", "bad"]).shows(
        "-----> bad: look at this
 !    docker-args: is not executable, so it is skipped; chmod +x $SANDBOX/plugins/bad/docker-args
 !    post-build: its interpreter \"/no/such\" is not here, so it is skipped
 !    pre-build: has no #! line, so it is skipped
 !    pre-deploy: its interpreter \"/bin/bash\\r\" is not here, so it is skipped
 !    update: its interpreter \"no-such-program\" is not here, so it is skipped
 !    commands: ends with 0 for a command that is not its own, so dokku never says that there is no such command
 !    commands: does not pass its input on at `help`, so the help of plugins before it is lost
 !    install:2: volumes lie in volumes/ID/_data, not below vfs/dir
 !    install:3: `docker run -i -a stdin` does not print the container's id
[exit 1]\n",
    );
    s.run(["plugins:check", "nosuch"]).shows("[stderr]\nPlugin nosuch is not installed\n[exit 1]\n");
}

#[test]
fn nobodys_commands_run_as_root() {
    if !is_root() {
        return;
    }
    let s = Sandbox::new();
    s.plugin("nosy/commands", "#!/bin/sh\nid -un >>$DOKKU_ROOT/seen\nexit 10\n");
    assert!(as_root(&s, &["plugins:uninstall", "nosuch"]).contains("Plugin nosuch is not installed"));
    s.lacks("seen");
}

#[test]
fn what_root_does_with_a_plugin_changes_no_app_of_that_name() {
    if !is_root() {
        return;
    }
    let s = Sandbox::new();
    s.app("a").was_killed(dead());
    let left = || s.read("../lib/operations/a");
    assert!(as_root(&s, &["plugins:uninstall", "a"]).contains("Plugin a is not installed"));
    // It is set right by user dokku, who could not read what root writes.
    assert!(!left().is_empty());
    s.run(["ps", "a"]).succeeds();
    assert!(left().is_empty());
}

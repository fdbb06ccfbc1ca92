//! `apps`, `apps:create`, `apps:destroy`.

mod sandbox;

use sandbox::Sandbox;

#[test]
fn lists_directories_that_are_not_hidden_in_order() {
    let s = Sandbox::new();
    s.app("b")
        .app("a")
        .app("tls")
        .app(".ssh")
        .file("ENV", "")
        .run(["apps"])
        .shows("=====> My Apps\na\nb\n")
        .run(["--quiet", "apps"])
        .shows("a\nb\n");
}

#[test]
fn creates_an_app_once() {
    Sandbox::new()
        .run(["apps:create", "a"])
        .shows("Creating a... done\n")
        .run(["apps:create", "a"])
        .shows(" !    Name is already taken\n[exit 1]\n")
        .run(["apps:create"])
        .shows("Please specify an app to run the command on\n[exit 1]\n");
}

#[test]
fn refuses_names_that_docker_or_the_file_system_would_misunderstand() {
    let s = Sandbox::new();
    let before = s.tree();
    for name in ["../x", "a/b", ".ssh", "-rf", "a;b", "x y", "UPPER", "tls", "a..b", &"x".repeat(64)] {
        s.run(["apps:create", name]).fails("cannot be the name of an app");
    }
    assert_eq!(s.tree(), before);
}

#[test]
fn destroys_what_was_confirmed() {
    let s = Sandbox::new();
    let question = " !    WARNING: Potentially Destructive Action\n !    This command will destroy a (including all add-ons).\n !    To proceed, type \"a\"\n\n";
    s.deployed("a", "buildstep");
    s.stdin("b\n").run(["apps:destroy", "a"]).shows(&format!("{question} !    Confirmation did not match a. Aborted.\n[exit 1]\n"));
    assert_eq!(s.running("a").len(), 1);
    s.stdin(" a \n").run(["apps:destroy", "a"]).shows(&format!("{question}Destroying a (including all add-ons)\n")).lacks("a");
    assert_eq!(s.docker(["ps", "-a", "-q"]) + &s.docker(["images", "-q"]), "");
}

#[test]
fn an_app_whose_name_begins_the_same_keeps_its_image() {
    let s = Sandbox::new();
    s.deployed("web", "buildstep").deployed("web-two", "buildstep");
    s.run(["apps:destroy", "web", "force"]).succeeds().lacks("web");
    assert_eq!(s.running("web-two").len(), 1);
    assert_ne!(s.docker(["images", "-q", "dokku/web-two"]), "");
}

#[test]
fn a_path_is_no_app() {
    let s = Sandbox::new();
    s.file("../victim/file", "x").app(".ssh");
    for name in ["../victim", ".ssh", ".", "..", "a/../.ssh"] {
        s.run(["apps:destroy", name, "force"]).fails(&format!("App {name} does not exist"));
    }
    assert!(s.exists("../victim/file") && s.exists(".ssh"));
}

#[test]
fn without_an_engine_nothing_is_destroyed() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").docker_fails("", 1, "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.");
    s.run(["apps:destroy", "a", "force"]).fails("The Docker engine does not answer.");
    assert!(s.exists("a/CONTAINER"));
}

#[test]
fn the_cache_of_an_app_that_has_got_a_dockerfile_is_emptied_by_the_builder_s_image() {
    for (source, image) in [("dockerfile", "progrium/buildstep"), ("buildstep", "dokku/a")] {
        let s = Sandbox::new();
        s.image("progrium/buildstep", "").deployed("a", source).file("a/cache/x", "");
        s.run(["apps:destroy", "a", "force"]).succeeds();
        let calls = s.docker_calls();
        assert!(
            calls.iter().any(|call| call.ends_with(&format!("{image} find /cache -depth -mindepth 1 -maxdepth 1 -exec rm -Rf {{}} ;"))),
            "{calls:#?}"
        );
    }
}

//! What the sandbox itself promises, so that a story can trust it.

mod sandbox;

use sandbox::Sandbox;

#[test]
fn a_step_is_judged_whole() {
    Sandbox::new()
        .plugin("x/commands", "#!/bin/sh\n[ \"$1\" = x ] || exit 10\ncat; echo in $DOKKU_ROOT; echo no >&2; exit 3\n")
        .stdin("given\n")
        .run(["x"])
        .shows("given\nin $HOME\n[stderr]\nno\n[exit 3]\n")
        .run(["x"])
        .shows("in $HOME\n[stderr]\nno\n[exit 3]\n");
}

#[test]
#[should_panic(expected = "seen:\n [exit 1]")]
fn a_step_that_shows_something_else_fails_the_story() {
    Sandbox::new().run_program("sh", ["-c", "printf ' '; exit 1"]).shows(" ");
}

#[test]
fn nothing_of_the_callers_environment_is_left() {
    let home = Sandbox::new();
    let env = String::from_utf8(home.run_program("env", [""; 0]).stdout().to_vec()).unwrap();
    let mut names: Vec<_> = env.lines().filter_map(|line| line.split('=').next()).collect();
    names.sort_unstable();
    assert_eq!(names, ["DOCKER_HOST", "DOKKU_LIB_ROOT", "DOKKU_ROOT", "HOME", "LANG", "PATH", "PLUGIN_PATH", "TMPDIR", "USER"]);
}

#[test]
fn programs_outside_answer_as_scripted() {
    Sandbox::new()
        .answers("sudo", "nginx -t$", 1, "", "nginx: no\n")
        .run_program("sudo", ["/usr/sbin/nginx", "-t"])
        .shows("[stderr]\nnginx: no\n[exit 1]\n")
        .run_program("sudo", ["-u", "dokku", "echo", "itself"])
        .shows("itself\n")
        .run_program("hostname", ["-f"])
        .shows("dokku.test\n")
        .run_program("curl", ["http://x/"])
        .fails("no answer is scripted");
}

#[test]
fn files_go_into_an_image_and_come_back() {
    let s = Sandbox::new();
    s.image("base", "buildstep").file("tree/app/hello", "world\n");
    let tar = s.run_program("tar", ["-C", "tree", "-cf", "-", "app"]).stdout().to_vec();
    let id = s.docker(["create", "base", "/bin/true"]);
    s.stdin(tar).run_program("docker", ["cp", "-", &format!("{id}:/")]).succeeds();
    s.docker(["commit", "--change", "LABEL a=b", &id, "dokku/a"]);
    let again = s.docker(["create", "dokku/a"]);
    let tar = s.run_program("docker", ["cp", &format!("{again}:/app/hello"), "-"]).stdout().to_vec();
    s.stdin(tar).run_program("tar", ["-xOf", "-", "hello"]).shows("world\n");
    assert_eq!(
        s.docker(["image", "inspect", "--format", "{{index .Config.Labels \"a\"}}{{index .Config.Labels \"dokku.source\"}}", "dokku/a"]),
        "bbuildstep"
    );
    assert_eq!(s.docker_calls(), [format!("cp - {id}:/"), format!("cp {again}:/app/hello -")]);
}

#[test]
fn a_container_has_an_address_ports_and_variables() {
    let s = Sandbox::new();
    s.deployed("a", "dockerfile").file("vars", "K=1\n# no\nL=two words\n");
    let id = s.docker(["run", "-d", "-p", "5000", "--env-file", "vars", "-e", "HOME", "-e", "M=3", "dokku/a"]);
    let env: Vec<_> = s.container_env(&id).into_iter().filter(|(key, _)| key != "HOME").collect();
    assert_eq!(env, [("K", "1"), ("L", "two words"), ("M", "3")].map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(s.docker(["port", &id, "5000"]).lines().count(), 2);
    assert_eq!(s.docker(["inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", &id]), "127.42.0.3");
    assert_eq!(s.running("a"), [s.read("a/CONTAINER").trim()]);
    s.docker(["stop", &id]);
    assert_eq!(s.docker(["inspect", "--format", "{{.State.Running}} {{json .State.Status}}", &id]), "false \"exited\"");
}

#[test]
fn docker_fails_and_speaks_where_the_story_says_so() {
    let s = Sandbox::new();
    s.image("base", "").docker_fails("^commit", 1, "no space left on device").docker_says("^start -a", "building\n");
    let id = s.docker(["create", "base"]);
    s.run_program("docker", ["start", "-a", &id]).shows("building\n");
    s.run_program("docker", ["commit", &id, "x"]).shows("[stderr]\nno space left on device\n[exit 1]\n");
    s.docker_obeys().run_program("docker", ["commit", &id, "x"]).succeeds();
    s.run_program("docker", ["inspect", "nobody"]).fails("No such object");
}

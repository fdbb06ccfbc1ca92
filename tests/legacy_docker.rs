//! The docker of 2015, over a client that behaves as those after docker 20.10 do.

mod sandbox;

use std::os::unix::fs::symlink;

use sandbox::Sandbox;

/// What matters of such a client, in the order of the stories below.
const CLIENT: &str = r#"#!/usr/bin/env bash
case "$1 $*" in
  "run "*"-a stdin"*)
    [[ $* == *nosuch* ]] && { echo "docker: no such image" >&2; exit 125; }
    while [[ $1 != --cidfile ]]; do shift; done
    echo 0123abcd >"$2"
    cat >"$DOKKU_ROOT/received"
    [[ $* == *badcommand* ]] && exit 127
    exit 3 ;;
  "inspect "*StartedAt*) [[ -e $DOKKU_ROOT/never ]] && echo 0001-01-01T00:00:00Z || echo 2026-01-01T00:00:00Z ;;
  "inspect "*) echo '[{"Id": "1", "NetworkSettings": {"SecondaryIPAddresses": null, "Networks": {"own": {"IPAddress": "10.9.0.2"}}}}]' ;;
  "attach "*gone) echo "You cannot attach to a stopped container, start it first" >&2; exit 1 ;;
  "attach "*there) echo "You said:"; cat; echo oops >&2; exit 4 ;;
  "logs "*gone) echo it ran; echo it failed >&2 ;;
  "wait "*gone) echo 7 ;;
  "ps "*) printf 'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES\n0123456789ab   dokku/a   "x"       now       Up        5000/tcp   one\n' ;;
  "port "*) printf '0.0.0.0:49153\n[::]:49153\n' ;;
  "commit "*) echo sha256:4567 ;;
  "pid "*) echo $$; kill -TERM $$ ;;
  *) printf '<%s>' "$@"; echo " buildkit=$DOCKER_BUILDKIT path=${PATH%%:*}"; exit 9 ;;
esac
"#;

/// A machine with the wrapper, the client, and a plugin whose command `d` calls docker with its words.
fn machine() -> Sandbox {
    let s = Sandbox::new();
    std::fs::remove_file(s.dir().join("fakes/docker")).expect("the fake docker");
    s.file("../fakes/docker", CLIENT);
    make_executable(&s);
    std::fs::create_dir(s.dir().join("lib/compat")).expect("a directory");
    symlink(s.dir().join("bin/dokku"), s.dir().join("lib/compat/docker")).expect("a link");
    s.plugin("d/commands", "#!/usr/bin/env bash\n[[ $1 == d ]] || exit 10\nshift\ndocker \"$@\"\n");
    s
}

fn make_executable(s: &Sandbox) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(s.dir().join("fakes/docker"), std::fs::Permissions::from_mode(0o755)).expect("a mode");
}

#[test]
fn an_id_is_printed_and_the_commands_code_is_left_to_wait() {
    machine()
        .stdin("some\0data")
        .run(["d", "run", "-i", "-a", "stdin", "image", "cat"])
        .shows("0123abcd\n")
        .has("received", "some\0data")
        .run(["d", "run", "-i", "-a", "stdin", "nosuch", "cat"])
        .shows("[stderr]\ndocker: no such image\n[exit 125]\n")
        .file("never", "")
        .run(["d", "run", "-i", "-a", "stdin", "image", "badcommand"])
        .shows("0123abcd\n[exit 127]\n");
}

#[test]
fn the_id_goes_where_the_caller_wants_it_too() {
    let s = machine();
    s.run(["d", "run", "--cidfile", s.home().join("id").to_str().unwrap(), "-i", "-a", "stdin", "image", "cat"])
        .shows("0123abcd\n")
        .has("id", "0123abcd\n");
}

#[test]
fn attaching_too_late_shows_what_was_missed() {
    machine()
        .run(["d", "attach", "gone"])
        .shows("it ran\n[stderr]\nit failed\n[exit 7]\n")
        .stdin("hello\n")
        .run(["d", "attach", "there"])
        .shows("You said:\nhello\n[stderr]\noops\n[exit 4]\n");
}

#[test]
fn listings_are_those_of_2015() {
    let s = machine();
    assert!(s.run(["d", "ps"]).text().contains("0123456789ab        dokku/a:latest      \"x\""));
    s.run(["d", "port", "one", "5000"]).shows("0.0.0.0:49153\n");
    s.run(["d", "commit", "one", "name"]).shows("4567\n");
    let text = s.run(["d", "inspect", "one"]).text();
    let found: Vec<&str> = text.lines().filter(|line| line.contains("IPAddress")).map(str::trim).collect();
    assert_eq!(found, ["\"IPAddress\": \"10.9.0.2\","]);
}

#[test]
fn all_else_is_the_clients_own() {
    let s = machine();
    let path = format!("path={}", s.dir().join("fakes").display());
    s.run(["d", "start", "a b", "", "-x\n"]).shows(&s.neutral(&format!("<start><a b><><-x\n> buildkit= {path}\n[exit 9]\n")));
    s.run(["d", "run", "-name=x", "y"]).shows(&s.neutral(&format!("<run><--name=x><y> buildkit= {path}\n[exit 9]\n")));
    s.run(["d", "build", "-rm", "."]).shows(&s.neutral(&format!("<build><--rm><.> buildkit=0 {path}\n[exit 9]\n")));
    s.env("DOCKER_BUILDKIT", "1").run(["d", "build", "."]).shows(&s.neutral(&format!("<build><.> buildkit=1 {path}\n[exit 9]\n")));
}

#[test]
fn the_client_takes_the_wrappers_process() {
    let s = machine();
    s.plugin("d/commands", "#!/usr/bin/env bash\n[[ $1 == d ]] || exit 10\ndocker pid & wait $!; echo \"ended with $?, itself: $!\"\n");
    let text = s.run(["d"]).text();
    let (pid, rest) = text.split_once('\n').expect("two lines");
    assert_eq!(rest, format!("ended with 143, itself: {pid}\n"));
}

#[test]
fn it_can_be_switched_off_and_is_never_dokkus_own() {
    let s = machine();
    s.env("DOKKU_LEGACY_DOCKER", "0").run(["d", "port", "one", "5000"]).shows("0.0.0.0:49153\n[::]:49153\n");
    let s = machine();
    s.plugin("e/commands", "#!/usr/bin/env bash\n[[ $1 == e ]] || exit 10\necho \"${PATH%%:*}\"; pluginhook who; dokku path\n");
    s.plugin("e/who", "#!/usr/bin/env bash\necho \"${PATH//[^:]}\"\n");
    s.file("dokkurc", "[[ $PATH == */compat:* ]] && echo dokku itself finds the wrapper\ntrue\n");
    s.plugin("f/commands", "#!/usr/bin/env bash\n[[ $1 == path ]] || exit 10\necho \"${PATH//[^:]}\"\n");
    s.run(["e"]).shows("$SANDBOX/lib/compat\n::::::::\n::::::::\n");
}

#[test]
fn nothing_changes_where_it_is_not_installed() {
    let s = machine();
    std::fs::remove_dir_all(s.dir().join("lib/compat")).expect("the wrapper");
    s.plugin("e/commands", "#!/usr/bin/env bash\n[[ $1 == e ]] || exit 10\necho \"${PATH%%:*}\"\n");
    s.run(["e"]).shows("$SANDBOX/fakes\n");
}

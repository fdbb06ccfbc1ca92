//! `build-env`: the variables of an app in the image in the making.

mod sandbox;

use sandbox::Sandbox;

/// A file of the image `dokku/a`; empty when it is not there.
fn in_image(s: &Sandbox, path: &str) -> String {
    let id = s.docker(["create", "dokku/a", "true"]);
    let tar = s.run_program("docker", ["cp", &format!("{id}:{path}"), "-"]);
    if tar.code() != 0 {
        return String::new();
    }
    let name = path.rsplit('/').next().unwrap();
    let tar = tar.stdout().to_vec();
    String::from_utf8(s.stdin(tar).run_program("tar", ["-xOf", "-", name]).stdout().to_vec()).unwrap()
}

#[test]
fn global_variables_come_before_the_app_s_own() {
    let s = Sandbox::new();
    s.app("a").image("dokku/a", "").file("ENV", "export G='1'\n").file("a/ENV", "export A='two words'\nexport B='it'\\''s'\n");
    s.run_program("pluginhook", ["pre-build", "a"]).shows("-----> Adding BUILD_ENV to build environment...\n");
    let global = "\nexport G='1'\nexport CURL_CONNECT_TIMEOUT=5\nexport CURL_TIMEOUT=30\n";
    assert_eq!(in_image(&s, "/app/.env"), format!("{global}\nexport A='two words'\nexport B='it'\\''s'\n\n"));
    assert_eq!(in_image(&s, "/tmp/env/A"), "two words\n");
    assert_eq!(in_image(&s, "/tmp/env/B"), "it's\n");
    s.has("ENV", &global[1..]);
}

#[test]
fn an_old_build_env_moves_into_env() {
    let s = Sandbox::new();
    s.app("a").image("dokku/a", "").file("BUILD_ENV", "export CURL_TIMEOUT=9\n");
    s.run_program("pluginhook", ["pre-build", "a"])
        .succeeds()
        .lacks("BUILD_ENV")
        .has("ENV", "export CURL_TIMEOUT=9\nexport CURL_CONNECT_TIMEOUT=5\n");
    assert_eq!(in_image(&s, "/tmp/env/CURL_TIMEOUT"), "9\n");
}

#[test]
fn a_file_without_an_end_of_its_last_line_keeps_that_line() {
    let s = Sandbox::new();
    s.app("a").image("dokku/a", "").file("ENV", "export A='1'").file("BUILD_ENV", "export B='2'");
    s.run_program("pluginhook", ["pre-build", "a"]).succeeds();
    s.has("ENV", "export A='1'\nexport B='2'\nexport CURL_CONNECT_TIMEOUT=5\nexport CURL_TIMEOUT=30\n");
}

#[test]
fn a_value_is_never_run() {
    let s = Sandbox::new();
    s.app("a").image("dokku/a", "").file("a/ENV", "export A='$(touch /tmp/pwn) `id` \\n'\n");
    s.run_program("pluginhook", ["pre-build", "a"]).succeeds();
    assert_eq!(in_image(&s, "/tmp/env/A"), "$(touch /tmp/pwn) `id` \\n\n");
}

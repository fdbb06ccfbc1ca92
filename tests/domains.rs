//! `domains`, `domains:setup`, `domains:add`, `domains:clear`, `domains:remove` and the install hook.

mod sandbox;

use sandbox::Sandbox;

#[test]
fn the_first_domain_is_below_the_host_s() {
    Sandbox::new()
        .file("VHOST", "dokku.test\n")
        .app("a")
        .run(["domains", "a"])
        .shows("-----> Creating new $HOME/a/VHOST...\n=====> a Domain Names\na.dokku.test\n")
        .run(["--quiet", "domains", "a"])
        .shows("a.dokku.test\n")
        .app("my.example.org")
        .run(["domains:setup", "my.example.org"])
        .shows("-----> Creating new $HOME/my.example.org/VHOST...\n")
        .has("my.example.org/VHOST", "my.example.org\n");
}

#[test]
fn a_plugin_may_choose_the_first_domain() {
    let s = Sandbox::new();
    s.file("VHOST", "dokku.test\n").app("a").plugin("x/nginx-hostname", "#!/bin/sh\ncat; echo $1-$2.$3\n");
    s.run(["domains:setup", "a"]).succeeds().has("a/VHOST", "a-a.dokku.test\n");
    s.app("b").plugin("x/nginx-hostname", "#!/bin/sh\nexit 5\n");
    s.run(["domains:setup", "b"]).shows("-----> Creating new $HOME/b/VHOST...\n[exit 5]\n").lacks("b/VHOST");
}

#[test]
fn an_address_switches_vhosts_off() {
    Sandbox::new()
        .file("HOSTNAME", "10.0.0.1\n")
        .app("a")
        .run(["domains:setup", "a"])
        .shows("=====> unsupported vhost config found. disabling vhost support\n-----> Setting config vars\n       NO_VHOST: 1\n")
        .has("a/ENV", "export NO_VHOST='1'\n")
        .lacks("a/VHOST");
}

#[test]
fn without_a_name_for_the_host_there_is_no_domain() {
    Sandbox::new()
        .app("a")
        .run(["domains", "a"])
        .shows("=====> a Domain Names\n[stderr]\ncat: $HOME/a/VHOST: No such file or directory\n[exit 1]\n")
        .run(["domains:remove", "a", "x.example"])
        .shows("[stderr]\na has no domains\n[exit 1]\n");
}

#[test]
fn domains_come_and_go() {
    let s = Sandbox::new();
    s.file("VHOST", "dokku.test\n").app("a");
    let added = s.run(["domains:add", "a", "www.example.com", "*.example.org"]).text();
    assert!(added.ends_with("-----> Added www.example.com to a\n-----> Added *.example.org to a\n"), "{added}");
    s.has("a/VHOST", "a.dokku.test\nwww.example.com\n*.example.org\n");
    s.run(["domains:add", "a", "www.example.com"]).shows("www.example.com is already defined for a\n[exit 1]\n");
    let removed = s.run(["domains:remove", "a", "www.example.com", "nope"]).text();
    assert!(removed.ends_with("-----> Removed www.example.com from a\n-----> Removed nope from a\n"), "{removed}");
    s.has("a/VHOST", "a.dokku.test\n*.example.org\n");
    let cleared = s.run(["domains:clear", "a"]).text();
    assert!(cleared.ends_with("-----> Cleared domains in a\n"), "{cleared}");
    s.has("a/VHOST", "a.dokku.test\n");
}

#[test]
fn says_what_is_missing() {
    Sandbox::new()
        .app("a")
        .run(["domains:add", "a"])
        .shows("Usage: dokku domains:add a DOMAIN [DOMAIN ...]\nMust specify DOMAIN.\n[exit 1]\n")
        .run(["domains:remove", "a", ""])
        .shows("Usage: dokku domains:remove a DOMAIN [DOMAIN ...]\nMust specify DOMAIN.\n[exit 1]\n")
        .run(["domains:clear"])
        .shows("Please specify an app to run the command on\n[exit 1]\n")
        .run(["domains", "b"])
        .shows("[stderr]\nApp b does not exist\n[exit 1]\n");
}

#[test]
fn a_name_that_nginx_would_choke_on_is_refused() {
    let s = Sandbox::new();
    s.file("a/VHOST", "a.example\n");
    for name in ["x{", "x;y", "a b", "", "x\ny", "\"x", "x$y", "a..b", "*", "a/b", "-rf;", "x}", "x#"] {
        s.run(["domains:add", "a", "good.example", name]).fails("cannot be a domain");
        s.has("a/VHOST", "a.example\n").lacks("a/nginx.conf");
    }
}

#[test]
fn a_domain_to_remove_is_text_and_no_program() {
    let s = Sandbox::new();
    s.file("a/VHOST", "axb\na.b\nc\nx{\n");
    s.run(["domains:remove", "a", "x{"]).succeeds().run(["domains:remove", "a", "a.b"]).succeeds().has("a/VHOST", "axb\nc\n");
    s.run(["domains:remove", "a", "x/!etouch pwned;#"]).succeeds().has("a/VHOST", "axb\nc\n").lacks("pwned");
}

#[test]
fn another_app_s_domain_is_refused() {
    let s = Sandbox::new();
    s.file("VHOST", "dokku.test\n").file("node/VHOST", "node.example.com\n").app("new").file("a/VHOST", "a.example\n");
    for (domain, owner) in [("node.example.com", "node"), ("NODE.example.COM", "node"), ("new.dokku.test", "new")] {
        s.run(["domains:add", "a", "fine.example", domain]).fails(&format!("{domain} belongs to app {owner}. Nothing has been added."));
    }
    s.has("a/VHOST", "a.example\n").has("node/VHOST", "node.example.com\n").lacks("new/VHOST");
    s.run(["domains:add", "a", "fine.example"]).succeeds().has("a/VHOST", "a.example\nfine.example\n");
}

#[test]
fn one_of_two_apps_that_want_a_domain_at_once_gets_it() {
    let s = Sandbox::new();
    s.file("a/VHOST", "a.example\n").file("b/VHOST", "b.example\n");
    let lines = ["a", "b"].map(|app| format!("domains:add {app} x.example"));
    let got = s.run_together(&lines);
    assert_eq!(got.iter().filter(|got| **got).count(), 1);
    assert_eq!(["a/VHOST", "b/VHOST"].map(|file| s.read(file).contains("x.example")).to_vec(), got);
}

#[test]
fn a_change_that_fails_leaves_everything_as_it_was() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").file("VHOST", "dokku.test\n").file("a/VHOST", "a.example\n");
    s.run(["nginx:build-config", "a"]).succeeds();
    let before = ["a/VHOST", "a/nginx.conf", "a/URLS"].map(|file| s.read(file));
    s.plugin("zzz/post-domains-update", "#!/bin/sh\necho no >&2; exit 3\n");
    for words in [&["domains:add", "a", "b.example"][..], &["domains:remove", "a", "a.example"], &["domains:clear", "a"]] {
        s.run(words).fails("no\n[exit 3]");
        assert_eq!(["a/VHOST", "a/nginx.conf", "a/URLS"].map(|file| s.read(file)), before, "{words:?}");
    }
}

#[test]
fn a_configuration_that_nginx_refuses_is_not_kept() {
    let s = Sandbox::new();
    s.deployed("a", "buildstep").file("a/VHOST", "a.example\n").answers("sudo", "nginx -t", 1, "", "nginx: [emerg] no\n");
    s.run(["domains:add", "a", "b.example"]).fails("[emerg] no").has("a/VHOST", "a.example\n").lacks("a/nginx.conf");
}

#[test]
fn installing_gives_deployed_apps_their_domain() {
    Sandbox::new()
        .file("VHOST", "dokku.test\n")
        .deployed("a", "buildstep")
        .file("b/VHOST", "b.example\n")
        .file("b/CONTAINER", "x\n")
        .app("c")
        .run_program("bash", ["-c", "$PLUGIN_PATH/domains/install"])
        .shows("-----> Creating new $HOME/a/VHOST...\n")
        .has("a/VHOST", "a.dokku.test\n")
        .has("b/VHOST", "b.example\n")
        .lacks("c/VHOST");
}

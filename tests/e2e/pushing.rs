//! What may be in a push: submodules, other branches.

use std::net::Ipv4Addr;
use std::process::Command;

use crate::harness::{App, GitDaemon, Output, Repository, Server, procfile_app};

#[test]
fn submodules_are_checked_out() {
    let server = Server::start("submodule");
    let app = App::create(&server, "submodule");
    let [_, by_path] = ["by-git", "by-path"].map(|name| {
        let library = Repository::new(&server.directory.path().join(name));
        library.write("word", name);
        library.commit();
        library
    });
    let git = GitDaemon::serve(server.directory.path(), Ipv4Addr::LOCALHOST.into());
    procfile_app(&app.source, "");
    app.source.git(&["submodule", "add", "--quiet", &git.url("by-git"), "one"]).succeeds();
    app.source.git(&["submodule", "add", "--quiet", by_path.path.to_str().unwrap(), "two"]).succeeds();
    // git reads no repository of a stranger, and dokku is who fetches this one.
    Output::of(Command::new("chown").args(["-R", "dokku"]).arg(&by_path.path)).succeeds();
    app.source.write("Procfile", "web: MESSAGE=\"$(cat one/word) $(cat two/word)\" exec perl server.pl\n");
    app.push().succeeds();
    app.answers("by-git by-path");
}

#[test]
fn branch_other_than_master_is_taken_but_not_deployed() {
    let server = Server::start("branch");
    let app = App::create(&server, "branch");
    procfile_app(&app.source, "never seen");
    app.source.commit();
    app.push_to("feature").succeeds().shows("WARNING: deploy did not complete, you must push to master.");
    assert!(!app.file("CONTAINER").exists());
    assert_eq!(app.containers(), Vec::<String>::new());
}

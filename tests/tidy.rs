//! Keeps the lines of the house: stubs are the table's, rooms know only lower rooms, one spawner, one printer, one reader
//! of the environment, a test file for every plugin.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use dokku::plugins;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The stubs that the tables ask for, by path below `plugins/`.
fn stubs() -> BTreeMap<String, Vec<u8>> {
    let mut stubs = BTreeMap::new();
    for plugin in plugins::ALL {
        let commands = (!plugin.commands.is_empty()).then_some("commands");
        for hook in commands.into_iter().chain(plugin.hooks.iter().map(|hook| hook.name)) {
            stubs.insert(format!("{}/{hook}", plugin.name), plugins::stub(plugin.name.as_ref(), hook));
        }
    }
    stubs
}

/// Files that are installed beside the stubs.
const BESIDE: &[&str] =
    &["common/functions", "nginx-vhosts/templates/nginx.conf.template", "nginx-vhosts/templates/nginx.ssl.conf.template", "shell/inputrc"];

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files_below(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found
}

#[test]
fn the_installed_hooks_are_those_of_the_tables() {
    let dir = top().join("plugins");
    if std::env::var_os("DOKKU_WRITE_STUBS").is_some() {
        for (path, content) in stubs() {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }
    let wanted = stubs();
    for path in files_below(&dir) {
        let name = path.strip_prefix(&dir).unwrap().to_string_lossy().into_owned();
        if BESIDE.contains(&name.as_str()) {
            continue;
        }
        assert_eq!(wanted.get(&name), Some(&fs::read(&path).unwrap()), "{name} is not what the tables say");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o111, 0o111, "{name} cannot be executed");
    }
    for name in wanted.keys() {
        assert!(dir.join(name).is_file(), "{name} is missing: run DOKKU_WRITE_STUBS=1 cargo test --test tidy");
    }
}

/// The sources of the program, with their paths below `src/`. The builder's programs are a house of their own.
fn sources() -> Vec<(String, String)> {
    let dir = top().join("src");
    let files = files_below(&dir).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let named = files.map(|path| (path.strip_prefix(&dir).unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()));
    named.filter(|(name, _)| !name.starts_with("builder/")).collect()
}

/// The code without its tests and comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn lower_rooms_do_not_know_upper_ones() {
    let forbidden: &[(&str, &[&str])] = &[
        ("files/", &["crate::house", "crate::hooks", "crate::push", "crate::plugins", "crate::faces", "crate::exec", "crate::say"]),
        ("tools/", &["crate::house", "crate::hooks", "crate::push", "crate::plugins", "crate::faces", "crate::exec", "crate::say"]),
        ("push/", &["crate::faces"]),
        ("plugins/", &["crate::faces"]),
    ];
    for (name, text) in sources() {
        for (_, words) in forbidden.iter().filter(|(room, _)| name.starts_with(room)) {
            for word in *words {
                assert!(!code(&text).contains(word), "src/{name} knows {word}");
            }
        }
    }
}

#[test]
fn one_place_spawns_one_prints_one_reads_the_environment() {
    let rules: &[(&str, &[&str])] = &[
        ("process::Command", &["exec.rs"]),
        ("println!", &["main.rs"]),
        ("print!", &[]),
        ("env::var", &["house.rs", "faces/dokku.rs"]),
        ("set_var", &[]),
        ("set_current_dir", &[]),
    ];
    for (name, text) in sources() {
        for (word, allowed) in rules {
            let text = if *word == "print!" { code(&text).replace("eprintln!", "").replace("println!", "") } else { code(&text) };
            assert!(allowed.contains(&name.as_str()) || !text.contains(word), "src/{name} uses {word}");
        }
    }
}

#[test]
fn every_file_says_what_lives_in_it() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "src/{name} has no //! line");
    }
}

#[test]
fn every_plugin_has_a_test_file() {
    for plugin in plugins::ALL {
        let name = plugin.name.trim_start_matches("00_dokku-").replace('-', "_");
        assert!(top().join(format!("tests/{name}.rs")).is_file(), "tests/{name}.rs is missing");
    }
}

/// Every file with tests, by its name without `.rs`.
fn tests_by_file() -> Vec<(String, String)> {
    let dirs = [top().join("tests"), top().join("src")];
    let files = dirs.iter().flat_map(|dir| files_below(dir)).filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn the_tests_that_the_docs_name_are_there() {
    let tests = tests_by_file();
    for page in fs::read_dir(top().join("docs")).unwrap().map(|entry| entry.unwrap().path()) {
        let text = fs::read_to_string(&page).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let Some((file, name)) = word.split_once("::").filter(|(_, name)| !name.contains(':')) else { continue };
            let there = tests.iter().any(|(stem, code)| stem == file && code.contains(&format!("fn {name}()")));
            assert!(there, "{} names {word}, which is no test", page.display());
        }
    }
}

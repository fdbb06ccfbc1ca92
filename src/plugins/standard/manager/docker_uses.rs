//! What scripts of 2015 expect of docker and find no more: some of it our wrapper gives them, the rest nobody can.

use std::fs;
use std::path::Path;

use crate::house::House;
use crate::legacy;

/// One thing that a line of a script may rely on.
struct Use {
    /// All of these stand in the line.
    words: &'static [&'static str],
    /// Does the wrapper give it?
    given: bool,
    /// What is different now.
    text: &'static str,
}

const USES: &[Use] = &[
    Use { words: &["172.17.42.1"], given: false, text: "the bridge is not at 172.17.42.1 any more; ask `docker network inspect bridge`" },
    Use { words: &["vfs/dir"], given: false, text: "volumes lie in volumes/ID/_data, not below vfs/dir" },
    Use { words: &["inspect", ".Volumes"], given: false, text: "`docker inspect` has no .Volumes any more; ask for .Mounts" },
    Use { words: &["lxc-"], given: false, text: "containers are not lxc's any more" },
    Use { words: &["aufs"], given: false, text: "images do not lie in aufs any more" },
    Use { words: &["docker insert"], given: false, text: "`docker insert` is gone" },
    Use { words: &["docker commit", "-run"], given: false, text: "`docker commit -run` is gone; use --change" },
    Use { words: &["docker login", "-e "], given: false, text: "`docker login` takes no e-mail address any more" },
    Use { words: &["docker", "-a stdin"], given: true, text: "`docker run -i -a stdin` does not print the container's id" },
    Use { words: &["docker", " -name"], given: true, text: "long options need two dashes: --name" },
    Use { words: &["docker inspect", "IPAddress"], given: true, text: "`docker inspect` prints several addresses, or an empty one" },
    Use { words: &["docker ps", ":latest"], given: true, text: "`docker ps` does not show :latest" },
    Use { words: &["docker attach"], given: true, text: "`docker attach` fails when the container has ended already" },
    Use { words: &["docker port"], given: true, text: "`docker port` prints a line for IPv6 as well" },
    Use { words: &["docker tag -f"], given: true, text: "`docker tag` takes no -f any more" },
];

/// Larger files are no scripts.
const LARGEST: u64 = 1 << 20;

/// What the plugin's files rely on in vain, with file and line. What the wrapper gives counts only where there is none.
pub fn of(house: &House, dir: &Path) -> Vec<String> {
    let wrapped = legacy::is_on(house);
    let uses: Vec<&Use> = USES.iter().filter(|expected| !(wrapped && expected.given)).collect();
    let mut found = Vec::new();
    for path in scripts(dir) {
        let name = path.strip_prefix(dir).unwrap_or(&path).display().to_string();
        let text = fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        found.extend(in_text(&text, &uses).map(|(line, expected)| format!("{name}:{line}: {}", expected.text)));
    }
    found
}

fn in_text<'a>(text: &'a str, uses: &'a [&'a Use]) -> impl Iterator<Item = (usize, &'a Use)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    lines.flat_map(|(place, line)| {
        let matching = uses.iter().filter(move |expected| expected.words.iter().all(|word| line.contains(word)));
        matching.map(move |expected| (place + 1, *expected))
    })
}

/// Texts that may be run: neither git's, nor documentation, nor programs.
fn scripts(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(dir).map(|entries| entries.flatten().collect()).unwrap_or_default();
    entries.sort_by_key(fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        match entry.metadata() {
            Ok(data) if data.is_dir() && name != ".git" => found.extend(scripts(&path)),
            Ok(data) if data.is_file() && data.len() <= LARGEST && !is_prose(&name) && !is_program(&path) => found.push(path),
            _ => {}
        }
    }
    found
}

fn is_prose(name: &str) -> bool {
    [".md", ".txt", ".rst"].iter().any(|end| name.to_lowercase().ends_with(end)) || ["README", "LICENSE", "CHANGELOG"].contains(&name)
}

fn is_program(path: &Path) -> bool {
    fs::read(path).map_or(true, |bytes| bytes.iter().take(512).any(|byte| *byte == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_named_and_comments_are_not() {
        let all: Vec<&Use> = USES.iter().collect();
        let found = |text: &str| in_text(text, &all).map(|(line, expected)| (line, expected.words[0])).collect::<Vec<_>>();
        assert_eq!(found("x\nid=$(docker run -i -a stdin $IMAGE cat)\n"), [(2, "docker")]);
        assert_eq!(found("IP=172.17.42.1 # docker\n# docker attach x\n"), [(1, "172.17.42.1")]);
        assert_eq!(found("docker ps | grep $db:latest; docker run --name x y\n"), [(1, "docker ps")]);
        assert!(found("docker ps; echo ok\n").is_empty());
    }
}

//! The words of `docker create` and `docker run` in front of the image.

use std::collections::BTreeMap;

use crate::{Failure, failure};

/// Options that take the next word as their value.
const WITH_VALUE: &[&str] = &[
    "-a",
    "-c",
    "-e",
    "-h",
    "-l",
    "-m",
    "-p",
    "-u",
    "-v",
    "-w",
    "--add-host",
    "--cap-add",
    "--cidfile",
    "--cpu-shares",
    "--cpus",
    "--device",
    "--dns",
    "--entrypoint",
    "--env",
    "--env-file",
    "--expose",
    "--hostname",
    "--label",
    "--link",
    "--log-driver",
    "--log-opt",
    "--memory",
    "--mount",
    "--name",
    "--net",
    "--pull",
    "--network",
    "--publish",
    "--restart",
    "--stop-timeout",
    "--tmpfs",
    "--ulimit",
    "--user",
    "--volume",
    "--volumes-from",
    "--workdir",
];

/// The words, sorted.
#[derive(Default)]
pub struct Parsed {
    /// Options by their long or short name, in order; switches have an empty value.
    pub options: Vec<(String, String)>,
    /// The words before the image as they were.
    pub words: Vec<String>,
    pub image: String,
    pub command: Vec<String>,
}

/// Sorts the words after `run` or `create`.
pub fn parse(words: &[String]) -> Result<Parsed, Failure> {
    let (mut parsed, mut at) = (Parsed::default(), 0);
    while let Some(word) = words.get(at).filter(|word| word.starts_with('-')) {
        at += 1;
        if let Some((name, value)) = word.split_once('=').filter(|(name, _)| name.starts_with("--")) {
            parsed.options.push((name.into(), value.into()));
        } else if WITH_VALUE.contains(&word.as_str()) {
            let value = words.get(at).cloned().unwrap_or_default();
            parsed.options.push((word.clone(), value));
            at += 1;
        } else {
            parsed.options.push((word.clone(), String::new()));
        }
    }
    let Some(image) = words.get(at) else { return failure("\"docker run\" requires at least 1 argument.") };
    parsed.words = words[..at].to_vec();
    parsed.image.clone_from(image);
    parsed.command = words[at + 1..].to_vec();
    Ok(parsed)
}

impl Parsed {
    /// Is one of these options there?
    pub fn has(&self, names: &[&str]) -> bool {
        self.values(names).next().is_some()
    }

    /// The values of an option under all its names.
    pub fn values<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str())
    }

    /// `--label KEY=VALUE`.
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.values(&["--label", "-l"]).filter_map(pair).collect()
    }

    /// Files of variables first, then single ones; a name without value comes from docker's own environment.
    pub fn env(&self) -> Result<BTreeMap<String, String>, Failure> {
        let mut env = BTreeMap::new();
        for path in self.values(&["--env-file"]) {
            let Ok(text) = std::fs::read(path) else {
                return Err(Failure(125, format!("docker: open {path}: no such file or directory.")));
            };
            for line in
                String::from_utf8_lossy(&text).lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'))
            {
                env.extend(variable(line));
            }
        }
        env.extend(self.values(&["-e", "--env"]).filter_map(variable));
        Ok(env)
    }
}

fn variable(word: &str) -> Option<(String, String)> {
    pair(word).or_else(|| Some((word.to_owned(), std::env::var_os(word)?.to_string_lossy().into_owned())))
}

/// `KEY=VALUE`.
pub fn pair(word: &str) -> Option<(String, String)> {
    word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()))
}

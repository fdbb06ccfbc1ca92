//! What an app can run: the `Procfile` of its tree and the `.release` of its buildpack, both YAML by contract.

use crate::dotenv::is_name;
use crate::shell::quote;
use serde::Deserialize;
use serde_norway::{Mapping, Value};

/// Names and commands of process types, in the order of the file.
pub type ProcessTypes = Vec<(String, String)>;

/// Reads a Procfile. One that is no YAML mapping, since commands may hold `: ` or begin with `*`, is read
/// as Heroku reads it: a name, a colon and a command on each line.
pub fn parse(text: &str) -> ProcessTypes {
    match serde_norway::from_str::<Mapping>(text) {
        Ok(mapping) => scalars(&mapping),
        Err(_) => text.lines().filter_map(process_type).collect(),
    }
}

/// The names of process types as buildstep prints them.
pub fn names(types: &ProcessTypes) -> String {
    let names: Vec<&str> = types.iter().map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

/// The command of one process type; of one that is declared twice, the last.
pub fn find<'a>(types: &'a ProcessTypes, name: &str) -> Option<&'a str> {
    let found = types.iter().rfind(|(key, _)| key == name);
    found.map(|(_, command)| command.as_str())
}

fn process_type(line: &str) -> Option<(String, String)> {
    let (name, command) = line.split_once(':')?;
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let (name, command) = (name.trim_end(), command.trim());
    let is_type = !name.is_empty() && name.chars().all(valid) && !command.is_empty();
    is_type.then(|| (name.to_owned(), command.to_owned()))
}

/// The output of a buildpack's `bin/release`.
#[derive(Debug, Default, Deserialize)]
pub struct Release {
    #[serde(default)]
    default_process_types: Option<Mapping>,
    #[serde(default)]
    config_vars: Option<Mapping>,
}

impl Release {
    /// Reads it; an empty one says nothing.
    pub fn parse(text: &str) -> Result<Release, serde_norway::Error> {
        Ok(serde_norway::from_str::<Option<Release>>(text)?.unwrap_or_default())
    }

    /// Process types for what the Procfile does not name.
    pub fn process_types(&self) -> ProcessTypes {
        self.default_process_types.as_ref().map_or_else(Vec::new, scalars)
    }

    /// The buildpack's default variables, as a script for `.profile.d`.
    pub fn profile(&self) -> String {
        let variables = self.config_vars.as_ref().map_or_else(Vec::new, scalars);
        variables.iter().filter(|(name, _)| is_name(name)).map(|(name, value)| format!("export {name}={}\n", quote(value))).collect()
    }
}

fn scalars(mapping: &Mapping) -> ProcessTypes {
    let pairs = mapping.iter();
    pairs.filter_map(|(key, value)| Some((scalar(key)?, scalar(value)?))).collect()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim_end_matches('\n').to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Release, find, names, parse};

    #[test]
    fn procfiles_are_read() {
        for (text, name, command) in [
            ("web: node server.js\n", "web", "node server.js"),
            ("web: bundle exec rails s -p $PORT\nworker: rake jobs", "worker", "rake jobs"),
            ("web: \"node 'x y'\"\n", "web", "node 'x y'"),
            ("web: cd x && ./y", "web", "cd x && ./y"),
            ("web: echo a: b\nother: *x\n", "web", "echo a: b"),
            ("web: echo a: b\nother: *x\n", "other", "*x"),
            ("web: >\n  node\n  server.js\n", "web", "node server.js"),
            ("web: a\nweb: b # c: d\n", "web", "b # c: d"),
            ("web:node\n", "web", "node"),
            ("clock-2: 5\n", "clock-2", "5"),
        ] {
            assert_eq!(find(&parse(text), name), Some(command), "{text:?}");
        }
    }

    #[test]
    fn what_names_no_command_is_no_process_type() {
        assert_eq!(parse(""), []);
        assert_eq!(parse("web:\n"), []);
        assert_eq!(parse("# nothing\n\nno colon\n a b: c\n"), []);
        assert_eq!(names(&parse("web: a\nworker: b\n")), "web, worker");
    }

    #[test]
    fn release_gives_types_and_quoted_variables() {
        let text = "---\naddons:\n- db\nconfig_vars:\n  A: it's\n  N: 1\n  'x;y': z\ndefault_process_types:\n  web: node .\n";
        let release = Release::parse(text).unwrap();
        assert_eq!(names(&release.process_types()), "web");
        assert_eq!(release.profile(), "export A='it'\\''s'\nexport N='1'\n");
    }

    #[test]
    fn release_may_be_empty_and_must_be_yaml() {
        for text in ["", "---\n", "--- {}\n", "addons: []\n", "config_vars:\ndefault_process_types:\n"] {
            assert_eq!(Release::parse(text).unwrap().process_types(), [], "{text:?}");
        }
        assert!(Release::parse("a: b: c").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_procfile_and_a_release_or_none(text in "[a-z:&*!|>{}\\[\\]\"' \n\t-]{0,60}|.{0,60}") {
            names(&parse(&text));
            if let Ok(release) = Release::parse(&text) {
                let profile = release.profile();
                proptest::prop_assert!(profile.is_empty() || profile.starts_with("export "));
            }
        }
    }
}

//! What a story says about calls: `rules.json` is a list of what `Sandbox::docker_fails` and its kin make.

use std::path::Path;

use regex::Regex;
use serde::Deserialize;

/// For calls whose words, joined by blanks, match `pattern`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Rule {
    pattern: String,
    /// Text for stdout: what the container prints, or what the log holds.
    pub stdout: String,
    /// Exit code and text for stderr; the verb does nothing then.
    pub failure: Option<(i32, String)>,
    /// Does the call not return?
    pub hangs: bool,
}

/// The first rule that matches; one that changes nothing if none does.
pub fn first(dir: &Path, line: &str) -> Rule {
    let Ok(text) = std::fs::read(dir.join("rules.json")) else { return Rule::default() };
    let rules: Vec<Rule> = serde_json::from_slice(&text).expect("rules.json is what the sandbox wrote");
    let matches = |rule: &Rule| Regex::new(&rule.pattern).expect("a pattern is a regular expression").is_match(line);
    rules.into_iter().find(matches).unwrap_or_default()
}

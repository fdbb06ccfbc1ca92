//! `inspect`: one `IPAddress` and one `Gateway` a container, with the value in them. Newer engines print several and leave
//! the one that plugins know empty, or out.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Client, Line};
use crate::fail::Outcome;

/// Runs `docker inspect`.
pub fn inspect(client: &Client, line: &Line) -> Outcome {
    if line.rest().iter().any(|word| is_format(word.as_bytes())) {
        let rest = line.rest().iter().map(|word| word.to_str().and_then(template).map_or_else(|| word.clone(), OsString::from));
        return client.take_over(&line.with_rest(rest));
    }
    client.mended(line, listing)
}

fn is_format(word: &[u8]) -> bool {
    word.starts_with(b"--format") || (word.starts_with(b"-f") && !word.starts_with(b"--"))
}

/// Fields that were the container's, and are each network's now.
const MOVED: &[&str] = &["IPAddress", "Gateway", "MacAddress", "IPPrefixLen"];

/// The template with `{{.NetworkSettings.IPAddress}}` asking the first network that has one. `None` when it does not ask.
fn template(text: &str) -> Option<String> {
    let (mut shown, mut rest, mut changed) = (String::new(), text, false);
    while let Some((before, action, after)) = next_action(rest) {
        let field = action.trim_matches('-').trim().strip_prefix(".NetworkSettings.");
        shown.push_str(before);
        match field.filter(|field| MOVED[..3].contains(field)) {
            Some(field) => {
                changed = true;
                shown.push_str(&format!(
                    "{{{{$v := \"\"}}}}{{{{range .NetworkSettings.Networks}}}}{{{{if not $v}}}}{{{{$v = .{field}}}}}{{{{end}}}}{{{{end}}}}{{{{$v}}}}"
                ));
            }
            None => shown.push_str(&format!("{{{{{action}}}}}")),
        }
        rest = after;
    }
    changed.then(|| shown + rest)
}

/// What stands before, in and after the next `{{...}}`.
fn next_action(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (action, after) = rest.split_once("}}")?;
    Some((before, action, after))
}

/// Marks a letter that is to be written as an escape.
const MARK: char = '\u{E000}';

/// The listing in the layout of 2015: keys sorted, four blanks a level. `None` when nothing in it is a container.
fn listing(text: &str) -> Option<String> {
    let mut things: Vec<Map<String, Value>> = serde_json::from_str(text).ok()?;
    if things.is_empty() || text.contains(MARK) {
        return None;
    }
    for thing in &mut things {
        mend(thing.get_mut("NetworkSettings")?.as_object_mut()?);
    }
    let shown: Option<Vec<String>> = things.iter().map(printed).collect();
    Some(format!("[{}\n]\n", shown?.join(",\n")))
}

/// Puts the first network's values where they were. What `grep IPAddress` must not find as well is spelled with an escape,
/// which every reader of JSON undoes.
fn mend(settings: &mut Map<String, Value>) {
    let networks = settings.get("Networks").and_then(Value::as_object).cloned().unwrap_or_default();
    let connected = networks.values().filter_map(Value::as_object).find(|network| !is_empty(network.get("IPAddress")));
    for field in MOVED {
        if is_empty(settings.get(*field)) {
            let value = connected.and_then(|network| network.get(*field)).cloned();
            settings.insert((*field).to_owned(), value.unwrap_or_else(|| if *field == "IPPrefixLen" { 0.into() } else { "".into() }));
        }
    }
    hide(settings, |name| name.starts_with("Secondary"));
    if let Some(Value::Object(networks)) = settings.get_mut("Networks") {
        networks.values_mut().filter_map(Value::as_object_mut).for_each(|network| hide(network, |_| true));
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value == "" || value == 0)
}

fn hide(object: &mut Map<String, Value>, which: impl Fn(&str) -> bool) {
    let known = |name: &str| name.contains("IPAddress") || name.contains("Gateway") || name.contains("MacAddress");
    *object = std::mem::take(object)
        .into_iter()
        .map(|(name, value)| if which(&name) && known(&name) { (marked(&name), value) } else { (name, value) })
        .collect();
}

/// With the mark before the first letter of what people look for.
fn marked(name: &str) -> String {
    name.replace("Address", &format!("{MARK}Address")).replace("Gateway", &format!("{MARK}Gateway"))
}

fn printed(thing: &Map<String, Value>) -> Option<String> {
    let mut bytes = Vec::new();
    let layout = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    thing.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, layout)).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let mut parts = text.split(MARK);
    let first = parts.next()?.to_owned();
    Some(parts.fold(first, |shown, part| {
        let mut letters = part.chars();
        let escaped = letters.next().map(|letter| format!("\\u{:04x}", u32::from(letter))).unwrap_or_default();
        shown + &escaped + letters.as_str()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
        text.lines().filter(|line| line.contains(word)).map(str::trim).collect()
    }

    #[test]
    fn one_address_is_found_and_it_is_the_right_one() {
        let network = r#"{"bridge": {"IPAddress": "172.17.0.3", "Gateway": "172.17.0.1", "IPv6Gateway": "", "IPPrefixLen": 16}}"#;
        for old in [r#""SecondaryIPAddresses": null, "IPAddress": "", "Gateway": "","#, ""] {
            let text = format!(r#"[{{"Id": "1", "NetworkSettings": {{{old} "Networks": {network}}}}}]"#);
            let shown = listing(&text).unwrap();
            assert_eq!(found(&shown, "IPAddress"), [r#""IPAddress": "172.17.0.3","#], "{shown}");
            assert_eq!(found(&shown, "\"Gateway"), [r#""Gateway": "172.17.0.1","#], "{shown}");
            let again: Value = serde_json::from_str(&shown).unwrap();
            assert_eq!(again[0]["NetworkSettings"]["Networks"], serde_json::from_str::<Value>(network).unwrap());
        }
    }

    #[test]
    fn a_container_without_a_network_has_an_empty_address() {
        let shown = listing(r#"[{"NetworkSettings": {"Networks": {"host": {"IPAddress": ""}}}}]"#).unwrap();
        assert_eq!(found(&shown, "IPAddress"), [r#""IPAddress": "","#]);
        assert!(shown.starts_with("[{\n    \"NetworkSettings\": {\n") && shown.ends_with("}\n]\n"), "{shown}");
    }

    #[test]
    fn images_and_errors_stay_as_they_are() {
        for text in ["[]\n", r#"[{"Id": "sha256:1"}]"#, "no json"] {
            assert_eq!(listing(text), None, "{text}");
        }
    }

    #[test]
    fn templates_ask_the_networks() {
        let asks = "{{$v := \"\"}}{{range .NetworkSettings.Networks}}{{if not $v}}{{$v = .IPAddress}}{{end}}{{end}}{{$v}}";
        assert_eq!(template("{{ .NetworkSettings.IPAddress }}").unwrap(), asks);
        assert_eq!(template("--format={{.Id}} {{.NetworkSettings.IPAddress}}:80").unwrap(), format!("--format={{{{.Id}}}} {asks}:80"));
        assert_eq!(template("{{.NetworkSettings.Ports}}"), None);
        assert_eq!(template("plain"), None);
    }
}

//! The part of Go's templates that we use: `{{.A.B}}`, `{{json .A}}`, `{{index .A "key"}}`, `{{range .A}}...{{end}}`.

use serde_json::Value;

/// The template's text for this object. Ends the fake where it meets what it does not know.
pub fn expand(template: &str, object: &Value) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").unwrap_or_else(|| panic!("no end of {{{{ in {template}"));
        text.push_str(before);
        rest = match action.trim().strip_prefix("range ") {
            Some(list) => {
                let (body, after) = after.split_once("{{end}}").unwrap_or_else(|| panic!("no {{{{end}}}} in {template}"));
                text.extend(elements(value(list, object)).map(|element| expand(body, element)));
                after
            }
            None => {
                text.push_str(&shown(action.trim(), object));
                after
            }
        };
    }
    text + rest
}

fn elements(list: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match list {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn shown(action: &str, object: &Value) -> String {
    if let Some(path) = action.strip_prefix("json ") {
        return value(path, object).to_string();
    }
    match value(action, object) {
        // A missing key of a map of texts is an empty text; elsewhere docker says so.
        Value::Null if action.starts_with("index ") => String::new(),
        Value::Null => "<no value>".into(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn value<'a>(path: &str, object: &'a Value) -> &'a Value {
    if let Some(words) = path.trim().strip_prefix("index ") {
        let (path, key) = words.trim().split_once(' ').unwrap_or_else(|| panic!("index without a key: {words}"));
        return &value(path, object)[key.trim().trim_matches('"')];
    }
    let path = path.trim().strip_prefix('.').unwrap_or_else(|| panic!("the fake docker does not know the template {path:?}"));
    path.split('.').filter(|name| !name.is_empty()).fold(object, |object, name| &object[name])
}

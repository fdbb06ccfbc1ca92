//! The part of Go's templates that we use: `{{.A.B}}`, `{{json .A}}`, `{{index .A "key"}}`, `{{range .A}}...{{end}}` and
//! `{{with .A}}...{{end}}`.

use serde_json::Value;

/// The template's text for this object. Ends the fake where it meets what it does not know.
pub fn expand(template: &str, object: &Value) -> String {
    let (mut text, mut rest) = (String::new(), template);
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").unwrap_or_else(|| panic!("no end of {{{{ in {template}"));
        let (shown, after) = perform(action.trim(), after, object);
        text.extend([before, &shown]);
        rest = after;
    }
    text + rest
}

/// The text of one action, and what of the template follows it.
fn perform<'t>(action: &str, after: &'t str, object: &Value) -> (String, &'t str) {
    if let Some(list) = action.strip_prefix("range ") {
        let (body, after) = block(after);
        (elements(value(list, object)).map(|element| expand(body, element)).collect(), after)
    } else if let Some(path) = action.strip_prefix("with ") {
        let (body, after) = block(after);
        let found = value(path, object);
        (if is_empty(found) { String::new() } else { expand(body, found) }, after)
    } else {
        (shown(action, object), after)
    }
}

/// What stands before the `{{end}}`, and what follows it. Blocks are not nested.
fn block(template: &str) -> (&str, &str) {
    template.split_once("{{end}}").unwrap_or_else(|| panic!("no {{{{end}}}} in {template}"))
}

fn elements(list: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match list {
        Value::Array(list) => Box::new(list.iter()),
        Value::Object(map) => Box::new(map.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::String(text) => text.is_empty(),
        list => elements(list).next().is_none(),
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

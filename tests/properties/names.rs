//! Names of apps and of hosts.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path};

use dokku::app::{AppName, LONGEST_NAME};
use dokku::files::server_name::{is_pattern, is_plain, overlap};
use proptest::prelude::*;

use crate::{inputs, nasty, nasty_text};

proptest! {
    #![proptest_config(inputs(500))]

    #[test]
    fn a_name_is_one_part_of_a_path(word in nasty()) {
        let word = OsString::from_vec(word);
        if let Some(name) = AppName::parse(&word) {
            let parts: Vec<Component> = Path::new(name.as_str()).components().collect();
            prop_assert_eq!(parts, [Component::Normal(&word)]);
            prop_assert!(!word.as_bytes().starts_with(b".") && !word.as_bytes().starts_with(b"-") && !word.as_bytes().contains(&b'\n'));
        }
    }

    #[test]
    fn a_new_name_is_nothing_to_a_shell_or_docker(word in prop_oneof![nasty_text(), "[a-z0-9._-]{0,70}"]) {
        if let Ok(name) = AppName::for_new_app(OsStr::new(&word)) {
            let name = name.as_str();
            prop_assert!(name == word && name.len() <= LONGEST_NAME && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte)));
            prop_assert!(!name.contains("..") && !name.starts_with(['.', '_', '-']) && !name.ends_with(['.', '_', '-']));
        }
    }

    #[test]
    fn a_server_name_stays_within_its_directive(name in prop_oneof![nasty_text(), nasty_text().prop_map(|text| format!("~{text}")), "[a-z.*]{0,20}"]) {
        let harmful = |c: char| c.is_whitespace() || c.is_control() || ";{}\"'#".contains(c);
        if is_plain(&name) || is_pattern(&name) {
            prop_assert!(!name.is_empty() && !name.contains(harmful) && !name.ends_with('\\'));
        }
        if is_plain(&name) {
            prop_assert!(!name.contains(['$', '\\', '/', '~', ':', '(']));
            prop_assert!(overlap(&name, &name.to_uppercase()));
        }
    }

    #[test]
    fn whoever_overlaps_is_overlapped(one in "[.*]{0,2}[ab.]{1,4}", other in "[.*]{0,2}[ab.]{1,4}") {
        prop_assert_eq!(overlap(&one, &other), overlap(&other, &one));
    }
}

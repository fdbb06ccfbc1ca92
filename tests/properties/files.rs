//! Formats of files: reading never panics, what is written is read as it was meant, by us and by others.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::process::Command;

use dokku::files::authorized_keys::{self, PublicKey};
use dokku::files::checks::Checks;
use dokku::files::env::{self, EnvFile};
use dokku::files::template::{Operation, Template, Values};
use dokku::files::variables::Variables;
use dokku::files::{certificate::Certificate, docker_env, docker_options, dockerfile, passwd, remotes, vhost};
use proptest::prelude::*;

use crate::{inputs, nasty, nasty_text};

fn key() -> impl Strategy<Value = String> {
    "[A-Z_][A-Z0-9_]{0,3}"
}

/// An ENV in which these pairs have been set one after the other.
fn env_of(pairs: &[(String, Vec<u8>)]) -> EnvFile {
    let mut file = EnvFile::default();
    pairs.iter().for_each(|(key, value)| file.set(key, value));
    file
}

fn last_of<'p>(pairs: &'p [(String, Vec<u8>)], key: &str) -> Option<&'p [u8]> {
    pairs.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_slice())
}

proptest! {
    #![proptest_config(inputs(400))]

    #[test]
    fn env_gives_back_what_was_set(pairs in prop::collection::vec((key(), nasty()), 0..6)) {
        let file = env_of(&pairs);
        let again = EnvFile::parse(&file.print());
        for (key, _) in &pairs {
            prop_assert_eq!(again.get(key), last_of(&pairs, key));
        }
        prop_assert_eq!(again.print(), file.print());
        prop_assert_eq!(again.pairs().count(), file.pairs().count());
    }

    #[test]
    fn env_of_any_bytes_is_read_and_stays_what_it_is(text in nasty()) {
        let once = EnvFile::parse(&text).print();
        prop_assert_eq!(EnvFile::parse(&once).print(), once.clone());
        prop_assert!(EnvFile::parse(&once).pairs().all(|(key, _)| env::is_key(key.as_bytes())));
    }

    #[test]
    fn unsetting_leaves_nothing_of_a_key_and_all_of_others(pairs in prop::collection::vec((key(), nasty()), 1..6)) {
        let mut file = EnvFile::parse(&env_of(&pairs).print());
        let gone = pairs[0].0.clone();
        file.unset(&gone);
        let again = EnvFile::parse(&file.print());
        prop_assert_eq!(again.get(&gone), None);
        for (key, _) in pairs.iter().filter(|(key, _)| *key != gone) {
            prop_assert_eq!(again.get(key), last_of(&pairs, key));
        }
    }

    #[test]
    fn docker_is_told_every_value_once(pairs in prop::collection::vec((key(), nasty()), 0..6)) {
        let file = env_of(&pairs);
        let printed = docker_env::print(std::slice::from_ref(&file));
        let lines = printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec);
        let Ok(options) = docker_env::options(std::slice::from_ref(&file)) else {
            prop_assert!(pairs.iter().any(|(_, value)| std::str::from_utf8(value).is_err()));
            return Ok(());
        };
        prop_assert!(options.chunks(2).all(|pair| pair[0] == "-e"));
        let given = options.chunks(2).map(|pair| pair[1].as_bytes().to_vec());
        let mut told: Vec<Vec<u8>> = lines.chain(given).collect();
        let mut expected: Vec<Vec<u8>> = file.pairs().map(|(key, value)| [key.as_bytes(), b"=", value].concat()).collect();
        told.sort();
        expected.sort();
        prop_assert_eq!(told, expected);
    }

    #[test]
    fn docker_options_are_lines(text in nasty_text(), option in nasty_text()) {
        let with = docker_options::with(&text, &option);
        prop_assert!(option.split('\n').filter(|line| !line.is_empty()).all(|line| with.split('\n').any(|known| known == line)));
        prop_assert_eq!(docker_options::with(&with, &option), with.clone());
        if !option.contains('\n') {
            prop_assert!(!docker_options::without(&with, &option).split('\n').any(|line| line == option && !line.is_empty()));
        }
        prop_assert!(!docker_options::words(&text).contains('\n'));
    }

    #[test]
    fn domains_come_and_go(text in nasty_text(), domain in "[a-z.*]{1,12}") {
        let with = vhost::with(&text, &[&domain]);
        prop_assert!(vhost::domains(&with).any(|known| known == domain));
        prop_assert!(!vhost::domains(&vhost::without(&with, &[&domain])).any(|known| known == domain));
        let _ = (vhost::ends_in_ip_address(&text), vhost::default_domain(&domain, &text), vhost::subdomain(&text, &domain));
    }

    #[test]
    fn a_page_is_asked_for_where_the_container_is(text in nasty_text()) {
        let Ok(checks) = (text + "\n").parse::<Checks>();
        for page in checks.pages {
            let url = page.url("10.0.0.1", "5000");
            let place = format!("{}://10.0.0.1:5000", page.protocol);
            let rest = url.strip_prefix(&place).expect("begins at the container");
            prop_assert!(!rest.split('/').next().expect("a part").contains('@'), "{}", url);
            let _ = (page.is_in(b"body"), page.shown());
        }
    }

    #[test]
    fn templates_of_any_bytes_are_read_or_refused(text in nasty(), value in nasty()) {
        if let Ok(template) = Template::parse(&text) {
            let Ok(rendered) = template.render(&Same(value.clone()));
            // Values are never expanded again.
            if template == Template::parse(b"$A").expect("a variable") {
                prop_assert_eq!(rendered, value);
            }
        }
        Variables::default().source(&EnvFile::parse(&text));
    }

    #[test]
    fn plain_text_is_its_own_expansion(text in "[a-zA-Z0-9 ;{}/.*~^()|#\t]{0,60}[a-z]") {
        let template = Template::parse(text.as_bytes()).expect("text");
        let Ok(rendered) = template.render(&Same(Vec::new()));
        prop_assert_eq!(rendered, text.into_bytes());
    }

    #[test]
    fn a_key_is_one_line_and_goes_as_it_came(text in nasty(), name in "[a-z@.]{1,8}", other in nasty()) {
        if let Some(key) = PublicKey::parse(&text) {
            prop_assert!(!key.as_str().contains(['\n', '\r', '\0']));
        }
        let key = PublicKey::parse(b"ssh-ed25519 AAAAC3 me").expect("a key");
        let entry = authorized_keys::entry("SHA256:x", &name, Path::new("/home/dokku"), &key);
        let with = authorized_keys::with(&other, &entry);
        let line = entry + "\n";
        prop_assert!(with.ends_with(line.as_bytes()));
        let without = authorized_keys::without(&with, &name);
        prop_assert!(with.starts_with(&without) && without.strip_suffix(b"\n").unwrap_or(&without) == other.strip_suffix(b"\n").unwrap_or(&other));
        prop_assert!(!authorized_keys::is_name(&String::from_utf8_lossy(&text)) || !text.iter().any(|byte| b" '\"\\$`;&|<>()\n".contains(byte)));
    }

    #[test]
    fn tables_and_listings_of_any_text_are_read(text in nasty_text()) {
        let _ = (passwd::parse_user(&text, "dokku"), remotes::parse(&text), dockerfile::first_port(&text), Certificate::parse(text.as_bytes()));
        prop_assert!(!dockerfile::is_port(&text) || text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/'));
    }

    #[test]
    fn certificates_of_any_bytes_are_read_or_refused(der in prop::collection::vec(any::<u8>(), 0..200), cut in 0usize..700, flip in 0usize..700) {
        let mut good = include_bytes!("../fixtures/hostile/certificate.der").to_vec();
        let place = flip % good.len();
        good[place] ^= 0x55;
        good.truncate(cut.max(10));
        for der in [der, good] {
            let _ = Certificate::parse(&pem(&der));
        }
    }
}

fn pem(der: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = b"-----BEGIN CERTIFICATE-----\n".to_vec();
    for part in der.chunks(3) {
        let number = part.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - part.len()));
        let digits = [18, 12, 6, 0].map(|shift| DIGITS[(number >> shift) as usize & 63]);
        text.extend(digits.iter().enumerate().map(|(place, digit)| if place <= part.len() { *digit } else { b'=' }));
        text.push(b'\n');
    }
    text.extend(b"-----END CERTIFICATE-----\n");
    text
}

/// The same value for every variable; operations do nothing.
struct Same(Vec<u8>);

impl Values for Same {
    type Error = std::convert::Infallible;

    fn value(&self, _: &str) -> Option<Vec<u8>> {
        Some(self.0.clone())
    }

    fn operate(&self, _: &Operation, value: Option<Vec<u8>>) -> Result<Vec<u8>, Self::Error> {
        Ok(value.unwrap_or_default())
    }
}

/// Does what is left to bash, as dokku does, where a canary is the only program.
struct Bash<'a> {
    bin: &'a Path,
    value: Vec<u8>,
}

impl Values for Bash<'_> {
    type Error = std::convert::Infallible;

    fn value(&self, _: &str) -> Option<Vec<u8>> {
        Some(self.value.clone())
    }

    fn operate(&self, operation: &Operation, value: Option<Vec<u8>>) -> Result<Vec<u8>, Self::Error> {
        let cmd = dokku::tools::bash::expand(&operation.before, &operation.after, value.as_deref());
        let mut bash = Command::new("/bin/bash");
        bash.args(&cmd.args).env_clear().env("PATH", self.bin).current_dir(self.bin);
        bash.envs(cmd.env.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))));
        Ok(bash.output().expect("bash runs").stdout)
    }
}

/// Expansions that bash is asked for, from pieces that could make a command of them.
fn operations() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "canary",
        "(canary)",
        "<(canary)",
        ">(canary)",
        "$(canary)",
        "`canary`",
        "a",
        "A",
        "0",
        "1",
        ":",
        "/",
        "//",
        "/#",
        "/%",
        "#",
        "##",
        "%",
        "%%",
        "^",
        "^^",
        ",",
        ",,",
        "@",
        "@P",
        "!",
        "*",
        "?",
        "-",
        " -",
        "+",
        "=",
        "[",
        "]",
        "(",
        ")",
        "{",
        "}",
        "$",
        "\\",
        "'",
        "\"",
        "<",
        ">",
        "&",
        ";",
        "|",
        "~",
        " ",
        "\t",
        "$((",
        "))",
        "x[",
        "[canary]",
        "\r",
        "é",
    ];
    let body = prop::collection::vec(prop::sample::select(PIECES), 1..8);
    (prop::sample::select(vec!["A", "#A", "!A", "A/", "A%", "A:"]), body).prop_map(|(start, body)| format!("${{{start}{}}}", body.concat()))
}

proptest! {
    #![proptest_config(inputs(150))]

    #[test]
    fn nothing_is_started_from_a_template_or_a_value(text in operations()) {
        let Ok(template) = Template::parse(text.as_bytes()) else { return Ok(()) };
        let dir = tempfile::tempdir().expect("a directory");
        let canary = dir.path().join("canary");
        std::fs::write(&canary, format!("#!/bin/bash\necho >{}/started\n", dir.path().display())).expect("a canary");
        std::fs::set_permissions(&canary, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
        let value = b"$(canary) `canary` x[$(canary)] <(canary)".to_vec();
        let Ok(_) = template.render(&Bash { bin: dir.path(), value });
        prop_assert!(!dir.path().join("started").exists(), "{}", text);
        prop_assert_eq!(std::fs::read_dir(dir.path()).expect("our directory").count(), 1, "{}", text);
    }
}

proptest! {
    #![proptest_config(inputs(8))]

    /// Many at a time, since bash has to start for them.
    #[test]
    fn a_shell_reads_what_we_quote(values in prop::collection::vec(nasty(), 200)) {
        let pairs: Vec<_> = values.iter().enumerate().map(|(place, value)| (format!("K{place}"), value.clone())).collect();
        let words = values.iter().map(|value| env::word(&String::from_utf8_lossy(value)));
        let mut script = EnvFile::parse(&env_of(&pairs).print()).script();
        script.extend(b"for place in {0..199}; do name=K$place; printf '%s\\0' \"${!name}\"; done\n");
        script.extend(words.flat_map(|word| format!("printf '%s\\0' {word}\n").into_bytes()));
        let output = Command::new("/bin/bash").arg("-c").arg(OsString::from_vec(script)).output().expect("bash runs");
        let texts = values.iter().map(|value| String::from_utf8_lossy(value).into_owned().into_bytes());
        let expected: Vec<u8> = values.iter().cloned().chain(texts).flat_map(|value| [value.as_slice(), b"\0"].concat()).collect();
        prop_assert!(output.stdout == expected, "{}", String::from_utf8_lossy(&output.stderr));
    }
}

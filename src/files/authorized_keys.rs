//! `.ssh/authorized_keys` (sshd(8)) with sshcommand's entries, each of which runs one command under a name.

use std::path::Path;

/// A public key as one line: type, base64 blob, comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey(String);

impl PublicKey {
    /// Takes the text of a `.pub` file, with blanks around it. `None` when it is not exactly one key: a second
    /// line would be a key without a command, and options in front of the key would take the place of ours.
    pub fn parse(text: &[u8]) -> Option<PublicKey> {
        let line = std::str::from_utf8(text).ok()?.trim();
        let mut words = line.split_ascii_whitespace();
        let (kind, blob) = (words.next()?, words.next()?);
        let is_kind = kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.@".contains(&byte));
        let is_blob = blob.starts_with("AAAA") && blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        (is_kind && is_blob && !line.contains(|c: char| c.is_control() && c != '\t')).then(|| PublicKey(line.to_owned()))
    }

    /// The line, without a newline.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// May a key go by this name? It stands unquoted in a line of sshd's and then of a shell.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "@%_+=:,./-".contains(c))
}

/// May this be the home in an entry? It stands unquoted as well.
pub fn is_home(home: &Path) -> bool {
    home.is_absolute() && home.parent().is_some() && home.to_str().is_some_and(is_name)
}

/// The entry that lets `key` run what `HOME/.sshcommand` says, and nothing else. sshd hands the quoted part to the
/// user's shell. `name` must pass `is_name`, `home` `is_home`.
pub fn entry(fingerprint: &str, name: &str, home: &Path, key: &PublicKey) -> String {
    let command = format!("FINGERPRINT={fingerprint} NAME={name} `cat {}/.sshcommand` $SSH_ORIGINAL_COMMAND", home.display());
    format!("command=\"{command}\",no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding {}", key.as_str())
}

/// The file with one more entry at its end.
pub fn with(text: &[u8], entry: &str) -> Vec<u8> {
    let mut text = text.to_vec();
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    text.extend_from_slice(entry.as_bytes());
    text.push(b'\n');
    text
}

/// The file without the entries of this name; every other line as it was.
pub fn without(text: &[u8], name: &str) -> Vec<u8> {
    let named = format!(" NAME={name} ");
    let is_of = |line: &&[u8]| command(line).is_some_and(|command| command.windows(named.len()).any(|part| part == named.as_bytes()));
    text.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_of(line)).collect::<Vec<_>>().concat()
}

/// What stands between the quotes of an entry that begins with a command.
fn command(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(b"command=\"")?.split(|byte| *byte == b'"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ joe@home";

    fn entry_of(name: &str) -> String {
        entry("SHA256:x", name, Path::new("/home/dokku"), &PublicKey::parse(KEY.as_bytes()).unwrap())
    }

    #[test]
    fn an_entry_looks_as_sshcommand_made_it() {
        let start = "command=\"FINGERPRINT=SHA256:x NAME=joe `cat /home/dokku/.sshcommand` $SSH_ORIGINAL_COMMAND\",";
        let options = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding ";
        assert_eq!(entry_of("joe"), format!("{start}{options}{KEY}"));
    }

    #[test]
    fn a_key_is_exactly_one_line() {
        for good in [KEY.to_owned(), format!("\n{KEY}\r\n\n"), "ssh-rsa AAAAB3Nza+/x==".into()] {
            assert!(PublicKey::parse(good.as_bytes()).is_some(), "{good:?}");
        }
        let two = format!("{KEY}\n{KEY}");
        let optioned = format!("command=\"sh\" {KEY}");
        for bad in ["", "hello", "ssh-rsa", "ssh-rsa hello", &two, &optioned, "# note AAAA", "ssh-rsa AAAA\0x"] {
            assert!(PublicKey::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn names_carry_nothing_into_the_line() {
        for good in ["joe", "joe@example.com", "a.b-c_d", "josé", "web/1"] {
            assert!(is_name(good), "{good:?}");
        }
        for bad in ["", "a b", "a\"b", "a\nb", "$(id)", "`id`", "a;b", "a&b", "a'b", "a\\", "~", "a#b"] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn adding_and_taking_away_leaves_other_lines_alone() {
        let before = format!("# mine\nssh-rsa AAAAB3 somebody NAME=joe x\n{}", entry_of("joel"));
        let after = with(before.as_bytes(), &entry_of("joe"));
        assert!(after.ends_with(format!("\n{}\n", entry_of("joe")).as_bytes()));
        assert_eq!(without(&after, "joe"), format!("{before}\n").as_bytes());
        assert_eq!(without(&after, "jo."), after);
    }
}

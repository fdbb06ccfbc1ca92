//! What `git remote -v` prints, and words as a server takes them apart again.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

/// A remote that is reached over ssh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its name here.
    pub name: String,
    /// Who logs in, if the address says so.
    pub user: Option<String>,
    /// The server.
    pub host: String,
    /// Its ssh port, if the address says so.
    pub port: Option<String>,
    /// The path there, which is the app.
    pub app: String,
}

/// The remotes for fetching, in git's order; those that are not reached over ssh are left out.
pub fn parse(listing: &str) -> Vec<Remote> {
    let lines = listing.lines().filter(|line| line.ends_with(" (fetch)"));
    lines.filter_map(|line| remote(line.trim_end_matches(" (fetch)"))).collect()
}

/// `NAME<tab>ADDRESS`, the address being `[USER@]HOST:PATH` or `ssh://[USER@]HOST[:PORT]/PATH`.
fn remote(line: &str) -> Option<Remote> {
    let (name, address) = line.split_once('\t')?;
    let (place, port, path) = match address.strip_prefix("ssh://") {
        Some(rest) => {
            let (place, path) = rest.split_once('/')?;
            let at = place.rfind('@').map_or(0, |at| at + 1);
            match place[at..].rsplit_once(':') {
                Some((host, port)) => (place[..at + host.len()].to_owned(), Some(port.to_owned()), path),
                None => (place.to_owned(), None, path),
            }
        }
        None => {
            let (place, path) = address.split_once(':').filter(|(place, path)| !place.contains('/') && !path.starts_with("//"))?;
            (place.to_owned(), None, path)
        }
    };
    let (user, host) = place.rsplit_once('@').map_or((None, place.as_str()), |(user, host)| (Some(user.to_owned()), host));
    let app = path.trim_start_matches("~/").trim_start_matches('/').to_owned();
    Some(Remote { name: name.to_owned(), user, host: host.to_owned(), port, app })
}

/// Words that arrive as they are where the server undoes quotes. A line whose quotes span words was quoted by somebody
/// who knows that, and stays as it is.
pub fn quoted(words: &[OsString]) -> Vec<OsString> {
    let spans = |word: &OsString| b"'\"".iter().any(|quote| word.as_encoded_bytes().iter().filter(|byte| *byte == quote).count() % 2 == 1);
    if words.iter().filter(|word| spans(word)).count() > 1 { words.to_vec() } else { words.iter().map(escaped).collect() }
}

fn escaped(word: &OsString) -> OsString {
    let mut safe = Vec::new();
    for byte in word.as_encoded_bytes() {
        if b" \t\n'\"\\".contains(byte) {
            safe.push(b'\\');
        }
        safe.push(*byte);
    }
    OsString::from_vec(if safe.is_empty() { b"''".to_vec() } else { safe })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_of_both_forms() {
        let list = "\
dokku\tdokku@example.com:web (fetch)
dokku\tdokku@example.com:web (push)
file\t/srv/x.git (fetch)
http\thttps://example.com/x (fetch)
long\tssh://dokku@example.com:2222/web (fetch)
plain\tssh://example.com/~/web (fetch)
";
        let found: Vec<_> = parse(list).into_iter().map(|r| (r.name, r.user, r.host, r.port, r.app)).collect();
        let remote = |name: &str, user: Option<&str>, port: Option<&str>| {
            (name.into(), user.map(String::from), "example.com".into(), port.map(String::from), "web".into())
        };
        assert_eq!(found, [remote("dokku", Some("dokku"), None), remote("long", Some("dokku"), Some("2222")), remote("plain", None, None)]);
    }

    #[test]
    fn words_arrive_as_they_were() {
        for (words, sent) in [
            (vec!["config:set", "a", "K=x y"], vec!["config:set", "a", r"K=x\ y"]),
            (vec!["K=it's", ""], vec![r"K=it\'s", "''"]),
            (vec![r#"K="hello"#, r#"world""#], vec![r#"K="hello"#, r#"world""#]),
        ] {
            assert_eq!(quoted(&words.into_iter().map(OsString::from).collect::<Vec<_>>()), sent);
        }
    }
}

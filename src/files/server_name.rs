//! Names that nginx takes as `server_name`: which are right by construction, which only nginx itself can judge.

/// The longest name of a host, in bytes (RFC 1035).
const LONGEST: usize = 253;

/// A host name, perhaps with `*` as its whole first or last label, with a dot in front of it or at its end: nginx takes
/// any of them, whatever else it serves.
pub fn is_plain(name: &str) -> bool {
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = name.strip_suffix('.').filter(|name| !name.ends_with('*')).unwrap_or(name);
    let labels: Vec<&str> = name.split('.').collect();
    let last = labels.len() - 1;
    let stars = labels.iter().filter(|label| **label == "*").count();
    let right = |(place, label): (usize, &&str)| is_label(label) || (*label == "*" && last > 0 && (place == 0 || place == last));
    name.len() <= LONGEST && stars <= 1 && labels.iter().enumerate().all(right)
}

/// A regular expression (`~...`) without anything that could end the directive it stands in, or go on after it.
pub fn is_pattern(name: &str) -> bool {
    let safe = |c: char| !c.is_whitespace() && !c.is_control() && !";{}\"'#".contains(c);
    name.starts_with('~') && !name.ends_with('\\') && name.chars().all(safe)
}

/// Would nginx serve some host under either name? It takes `.example` for `example` and `*.example`, and no notice of
/// case. Regular expressions are compared as they stand: an exact name or one with a `*` goes before them.
pub fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (hosts(one), hosts(other));
    one.iter().any(|host| other.contains(host))
}

fn hosts(name: &str) -> Vec<String> {
    let name = name.trim().to_lowercase();
    match name.strip_prefix('.') {
        Some(host) => vec![host.to_owned(), format!("*.{host}")],
        None => vec![name],
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_' || !c.is_ascii() && c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names() {
        for good in ["a", "a.example", "*.example", "www.*", ".example", "x_y-z.A", "münchen.de", "1.2.3.4", "a.", ".a.example."] {
            assert!(is_plain(good), "{good}");
        }
        for bad in
            ["", "*", "a..b", "a..", "www.*.", ".", "x{", "x;y", "a b", "*.a.*", "a.*.b", "a*.b", "x$y", "x\ny", "\"x\"", "~^x$", "..a"]
        {
            assert!(!is_plain(bad), "{bad:?}");
        }
        assert!(is_plain("a.".repeat(126).trim_end_matches('.')) && !is_plain(&"a".repeat(254)));
    }

    #[test]
    fn a_leading_dot_takes_the_name_and_all_below_it() {
        for (one, other) in [("a.b", "A.B"), (".a.b", "a.b"), ("*.a.b", ".a.b"), (".a.b", ".a.b"), ("~^x$", "~^x$")] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [("a.b", "b"), ("*.b", "a.b"), (".b", "a.b"), ("*.b", "b")] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }

    #[test]
    fn patterns() {
        assert!(is_pattern(r"~^www\d+\.example$"));
        for bad in ["^a$", "~a;b", "~a{2}", "~a b", "~a\n", "~\"a\"", "~a#", "~a\\"] {
            assert!(!is_pattern(bad), "{bad:?}");
        }
    }
}

//! `VHOST`: the domains of an app, one a line, or several that somebody wrote into one; `$DOKKU_ROOT/VHOST` holds the domain
//! below which apps get theirs.

/// The domains of an app in the order of the file.
pub fn domains(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split([' ', '\t'])).filter(|domain| !domain.is_empty())
}

/// The file's text without these domains, and without lines that nothing else is in.
pub fn without(text: &str, gone: &[&str]) -> String {
    let is_gone = |domain: &str| gone.contains(&domain);
    let left = |line: &str| match domains(line).any(is_gone) {
        true => domains(line).filter(|domain| !is_gone(domain)).collect::<Vec<_>>().join(" "),
        false => line.to_owned(),
    };
    let lines = text.lines().map(|line| (line, left(line))).filter(|(line, left)| line.is_empty() || !left.is_empty());
    lines.map(|(_, left)| format!("{left}\n")).collect()
}

/// The file's text with these domains at its end.
pub fn with(text: &str, more: &[&str]) -> String {
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    more.iter().fold(format!("{text}{end}"), |text, domain| text + domain + "\n")
}

/// The first label or labels of a new app's domain: its name without the global domain at its end.
pub fn subdomain<'a>(app: &'a str, global: &str) -> &'a str {
    app.strip_suffix(global).and_then(|start| start.strip_suffix('.')).unwrap_or(app)
}

/// An app's domain when nobody has chosen one: below the global domain, unless the name is a domain of its own.
pub fn default_domain(app: &str, global: &str) -> String {
    if app.contains('.') && subdomain(app, global) == app { app.to_owned() } else { format!("{app}.{global}") }
}

/// Is there an address where a domain should be, so that apps cannot be told apart by name? 0.3.18's rule: IPv4 at the
/// end (1.2.3.4.xip.io is a domain), IPv6 anywhere.
pub fn ends_in_ip_address(vhost: &str) -> bool {
    ends_in_ipv4(vhost) || vhost.contains("::") || has_eight_groups(vhost)
}

fn ends_in_ipv4(text: &str) -> bool {
    let is_number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.rsplitn(4, '.').collect();
    parts.len() == 4 && parts[..3].iter().all(|part| is_number(part)) && parts[3].ends_with(|c: char| c.is_ascii_digit())
}

/// An IPv6 address without `::`.
fn has_eight_groups(text: &str) -> bool {
    let hex = |c: char| c.is_ascii_hexdigit();
    let is_group = |part: &&str| (1..=4).contains(&part.len()) && part.chars().all(hex);
    let parts: Vec<&str> = text.split(':').collect();
    parts.windows(8).any(|window| window[0].ends_with(hex) && window[1..7].iter().all(is_group) && window[7].starts_with(hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_domains() {
        let addresses = ["10.0.0.1", "999.999.999.999", "a1.2.3.4", "::1", "2001:db8::1", "::ffff:10.0.0.1", "1:2:3:4:5:6:7:8", "fe80::1"];
        for address in addresses {
            assert!(ends_in_ip_address(address), "{address}");
        }
        for domain in
            ["example.com", "1.2.3.4.xip.io", "1.2.3", "abc:", "10.0.0.1\nexample.com", "a.2.3.4", "1:2:3:4:5:6:7", "1.2.3.4444", ""]
        {
            assert!(!ends_in_ip_address(domain), "{domain}");
        }
    }

    #[test]
    fn an_app_s_domain_is_below_the_global_one_or_its_own_name() {
        assert_eq!(default_domain("a", "dokku.test"), "a.dokku.test");
        assert_eq!(default_domain("my.example.org", "dokku.test"), "my.example.org");
        assert_eq!(default_domain("sub.dokku.test", "dokku.test"), "sub.dokku.test.dokku.test");
        assert_eq!(default_domain("dokku.test", "dokku.test"), "dokku.test");
    }

    #[test]
    fn lines_come_and_go() {
        assert_eq!(with("a\nb", &["c", "a"]), "a\nb\nc\na\n");
        assert_eq!(without("a.b\naxb\na.b\n\n", &["a.b"]), "axb\n\n");
        assert_eq!(without("a b c\nd\na \n", &["a", "c"]), "b\nd\n");
        assert_eq!(domains("a\n\nb c \r\n").collect::<Vec<_>>(), ["a", "b", "c"]);
    }
}

//! `/etc/passwd` and `/etc/group` (passwd(5), group(5)). A static program has no name service; who is kept
//! elsewhere is asked of getent by those who need it.

use std::path::PathBuf;

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Numeric user id.
    pub uid: u32,
    /// Numeric id of the main group.
    pub gid: u32,
    /// Home directory.
    pub home: PathBuf,
}

/// The account of this name, if `/etc/passwd` has it.
pub fn user(name: &str) -> Option<User> {
    parse_user(&std::fs::read_to_string("/etc/passwd").ok()?, name)
}

/// All groups of a user: the main one and those of `/etc/group` that list the name.
pub fn groups(name: &str, main: u32) -> Vec<u32> {
    let table = std::fs::read_to_string("/etc/group").unwrap_or_default();
    let mut groups = parse_groups(&table, name);
    groups.insert(0, main);
    groups.dedup();
    groups
}

/// The account of this name in a table of passwd(5), be it a file or getent's answer.
pub fn parse_user(table: &str, name: &str) -> Option<User> {
    let line = table.lines().find(|line| line.split(':').next() == Some(name))?;
    let fields: Vec<&str> = line.split(':').collect();
    Some(User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()?, home: fields.get(5)?.into() })
}

fn parse_groups(table: &str, name: &str) -> Vec<u32> {
    let member = |line: &&str| line.rsplit(':').next().is_some_and(|members| members.split(',').any(|member| member == name));
    table.lines().filter(member).filter_map(|line| line.split(':').nth(2)?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_by_the_whole_name() {
        let table = "root:x:0:0:root:/root:/bin/bash\ndokkux:x:7:7::/x:/bin/sh\ndokku:x:1000:1001:,,,:/home/dokku:/bin/bash\n";
        assert_eq!(parse_user(table, "dokku"), Some(User { uid: 1000, gid: 1001, home: "/home/dokku".into() }));
        assert_eq!(parse_user(table, "dok"), None);
    }

    #[test]
    fn lists_the_groups_of_a_member() {
        assert_eq!(parse_groups("docker:x:120:dokku,joe\nadm:x:4:joe\nweb:x:33:dokku\n", "dokku"), [120, 33]);
    }
}

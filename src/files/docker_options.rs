//! `DOCKER_OPTIONS_BUILD`, `_DEPLOY` and `_RUN`: options for docker, one a line; `#` begins a comment line.

/// The file's text with one more option: sorted, every line once, no blank ones (`sort -u`).
pub fn with(text: &str, option: &str) -> String {
    sorted(text.split('\n').chain(option.split('\n')))
}

/// The file's text without an option, sorted likewise.
pub fn without(text: &str, option: &str) -> String {
    sorted(text.split('\n').filter(|line| *line != option))
}

/// What docker is given: the options in the order of the file, with one blank between them. As for `read` in a shell, a
/// backslash stands for the character after it, and at the end of a line for nothing.
pub fn words(text: &str) -> String {
    let text = unescaped(text);
    let lines = text.lines().map(|line| line.trim_matches([' ', '\t']));
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect::<Vec<_>>().join(" ")
}

fn unescaped(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next().filter(|next| *next != '\n')),
            c => plain.push(c),
        }
    }
    plain
}

fn sorted<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_sorted_and_stand_once() {
        assert_eq!(with("-v /z\n\n# b\n-v /z\n", "-v /a"), "# b\n-v /a\n-v /z\n");
        assert_eq!(without("-v b\n-v a\n-v b\n", "-v b"), "-v a\n");
        assert_eq!(without("-v ab\n", "-v a."), "-v ab\n");
    }

    #[test]
    fn comments_and_blank_lines_are_no_options() {
        assert_eq!(words("# comment\n\n-v /a\n   -e   B=1  \n-no-newline"), "-v /a -e   B=1 -no-newline");
        assert_eq!(words("  # comment\n\n"), "");
        assert_eq!(words("-v a \\\n  -v b\n-e C=\\\\x\\y"), "-v a   -v b -e C=\\xy");
    }
}

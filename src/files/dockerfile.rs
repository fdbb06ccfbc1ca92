//! `Dockerfile`: the one thing we read in it.

/// The number of the first EXPOSE instruction; `None` when there is none, or when it is a variable.
pub fn first_port(text: &str) -> Option<u16> {
    let first =
        text.lines().map(str::split_ascii_whitespace).find_map(|mut words| (words.next() == Some("EXPOSE")).then(|| words.next()))??;
    let digits = first.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_instruction_s_number() {
        assert_eq!(first_port("FROM x\n# EXPOSE 1\n  EXPOSE 3000 4000\nEXPOSE 5\n"), Some(3000));
        assert_eq!(first_port("EXPOSE 53/udp"), Some(53));
        assert_eq!(first_port("EXPOSE $PORT\n"), None);
        assert_eq!(first_port("FROM x\n"), None);
    }
}

//! `Dockerfile`: the one thing we read in it.

/// What the first EXPOSE instruction names first, as it is written (`3000`, `53/udp`: 0.3.18 takes the protocol along);
/// `None` when there is none, or when it is a variable.
pub fn first_port(text: &str) -> Option<&str> {
    let first =
        text.lines().map(str::split_ascii_whitespace).find_map(|mut words| (words.next() == Some("EXPOSE")).then(|| words.next()))??;
    first.starts_with(|c: char| c.is_ascii_digit()).then_some(first)
}

/// A port as EXPOSE names one: a number, perhaps with its protocol.
pub fn is_port(text: &str) -> bool {
    let number = text.split_once('/').map_or(text, |(number, _)| number);
    let plain = number.bytes().all(|byte| byte.is_ascii_digit());
    plain && number.parse::<u16>().is_ok() && matches!(&text[number.len()..], "" | "/tcp" | "/udp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_first_instruction_s_number() {
        assert_eq!(first_port("FROM x\n# EXPOSE 1\n  EXPOSE 3000 4000\nEXPOSE 5\n"), Some("3000"));
        assert_eq!(first_port("EXPOSE 53/udp"), Some("53/udp"));
        assert_eq!(first_port("EXPOSE $PORT\n"), None);
        assert_eq!(first_port("FROM x\n"), None);
    }

    #[test]
    fn ports_are_numbers() {
        for (text, right) in
            [("5000", true), ("53/udp", true), ("1/tcp", true), ("", false), ("80@x", false), ("65536", false), ("+1", false)]
        {
            assert_eq!(is_port(text), right, "{text}");
        }
    }
}

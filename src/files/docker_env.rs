//! `DOCKERFILE_ENV_FILE`: an app's variables for `docker run --env-file`, and the rest, which that format cannot hold.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::env::EnvFile;

/// The longest line that docker reads; its scanner gives up at 64 KiB.
const LONGEST_LINE: usize = 65_000;

/// The file's content: `KEY=VALUE` lines. What these ENV files set comes in their order; the last value of a key counts.
pub fn print(files: &[EnvFile]) -> Vec<u8> {
    let lines = last_values(files).into_iter().filter(|(key, value)| fits(key, value));
    lines.flat_map(|(key, value)| [key.as_bytes(), b"=", value, b"\n"].concat()).collect()
}

/// `-e KEY=VALUE` for every value that does not fit into a line. Not `-e KEY` with the value in docker's environment:
/// an app's variables must not steer the docker client. Fails with the key of a value that is not UTF-8, since docker
/// would put other bytes in its place.
pub fn options(files: &[EnvFile]) -> Result<Vec<OsString>, String> {
    let mut options = Vec::new();
    for (key, value) in last_values(files).into_iter().filter(|(key, value)| !fits(key, value)) {
        std::str::from_utf8(value).map_err(|_| key.to_owned())?;
        options.extend(["-e".into(), OsString::from_vec([key.as_bytes(), b"=", value].concat())]);
    }
    Ok(options)
}

fn fits(key: &str, value: &[u8]) -> bool {
    let length = key.len() + value.len();
    length < LONGEST_LINE && !value.contains(&b'\n') && !value.ends_with(b"\r") && std::str::from_utf8(value).is_ok()
}

fn last_values(files: &[EnvFile]) -> Vec<(&str, &[u8])> {
    let mut values: Vec<(&str, &[u8])> = Vec::new();
    for (key, value) in files.iter().flat_map(EnvFile::pairs) {
        values.retain(|(known, _)| *known != key);
        values.push((key, value));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> [EnvFile; 2] {
        let mut own = EnvFile::parse(b"export A='2'\nexport Q='it'\\''s'\n");
        own.set("M", b"one\ntwo");
        own.set("R", b"end\r");
        own.set("T", b" two  words ");
        [EnvFile::parse(b"junk\nexport A='1'\nexport G='x=\"y\"'\nexport M='short'\n"), own]
    }

    #[test]
    fn ordinary_values_are_lines() {
        assert_eq!(String::from_utf8_lossy(&print(&files())), "G=x=\"y\"\nA=2\nQ=it's\nT= two  words \n");
    }

    #[test]
    fn the_rest_are_options() {
        assert_eq!(options(&files()), Ok(["-e", "M=one\ntwo", "-e", "R=end\r"].map(OsString::from).to_vec()));
        assert_eq!(options(&[EnvFile::parse(b"export K='a\xff'\n")]), Err("K".into()));
        let long = EnvFile::parse(format!("export L='{}'\n", "x".repeat(70_000)).as_bytes());
        assert_eq!((print(std::slice::from_ref(&long)).len(), options(&[long]).unwrap().len()), (0, 2));
    }
}

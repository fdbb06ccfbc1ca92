//! The nginx of this machine: its version, and what that means for a configuration.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::house::House;
use crate::tools::nginx;
use crate::{exec, files};

/// A version as nginx prints it: `nginx/1.22.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(u32, u32, u32);

/// How a server is told to speak HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2 {
    /// After `ssl` in `listen`.
    pub parameter: &'static str,
    /// Among the server's directives, on a line of its own.
    pub directive: &'static str,
}

/// Keeps the version between commands, with the program's time and size; a new nginx is asked anew.
const CACHE: &str = "nginx-version";

impl Version {
    /// Asks nginx; `None` when there is none.
    pub fn installed(house: &House) -> Option<Version> {
        let program = fs::metadata(nginx::PROGRAM).ok()?;
        let stamp = format!("{}-{}", program.mtime(), program.len());
        let cache = house.lib.join(CACHE);
        Version::cached(&cache, &stamp).or_else(|| {
            let said = exec::captured(house, &nginx::version()).ok()?;
            let text = String::from_utf8_lossy(&said.stderr).trim_end().to_owned();
            let version = Version::parse(&text)?;
            // Without a cache nginx is asked each time.
            let _ = files::replace(&cache, format!("{stamp} {text}\n").as_bytes(), 0o644);
            Some(version)
        })
    }

    fn cached(cache: &Path, stamp: &str) -> Option<Version> {
        let text = files::text(cache)?;
        let (known, version) = text.split_once(' ')?;
        (known == stamp).then(|| Version::parse(version))?
    }

    /// From what `nginx -v` prints.
    pub fn parse(text: &str) -> Option<Version> {
        let number = text.split_once("nginx/")?.1;
        let number = number.split(|c: char| c != '.' && !c.is_ascii_digit()).next()?;
        let mut parts = number.split('.').map(str::parse);
        let mut next = || parts.next().unwrap_or(Ok(0)).ok();
        Some(Version(next()?, next()?, next()?))
    }

    /// Can a server without a certificate refuse the handshake?
    pub fn rejects_handshakes(self) -> bool {
        self >= Version(1, 19, 4)
    }
}

impl Http2 {
    /// The form that this version takes; when it is not known, the one that all but the oldest take.
    pub fn of(version: Option<Version>) -> Http2 {
        match version {
            Some(version) if version >= Version(1, 25, 1) => Http2 { parameter: "", directive: "http2 on;" },
            Some(version) if version < Version(1, 9, 5) => Http2 { parameter: "", directive: "" },
            _ => Http2 { parameter: " http2", directive: "" },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_gets_its_own_form() {
        for (text, parameter, directive) in [
            ("nginx version: nginx/1.4.6 (Ubuntu)", "", ""),
            ("nginx version: nginx/1.22.1", " http2", ""),
            ("nginx version: nginx/1.25.0", " http2", ""),
            ("nginx version: nginx/1.25.1", "", "http2 on;"),
            ("nginx version: nginx/1.26", "", "http2 on;"),
            ("something else", " http2", ""),
        ] {
            assert_eq!(Http2::of(Version::parse(text)), Http2 { parameter, directive }, "{text}");
        }
        assert!(Version::parse("nginx/1.19.4").unwrap().rejects_handshakes());
        assert!(!Version::parse("nginx/1.18.0").unwrap().rejects_handshakes());
    }
}

//! curl, which speaks the HTTP of the checks.

use crate::cmd::{Cmd, Limit};

/// Fetches a page and prints its body; what went wrong is one line on stderr. Follows redirects, reads compressed
/// answers, fails for 4xx and 5xx and after `timeout` seconds (0: as late as any command of ours). `host` takes the place of the URL's own.
/// The user's `.curlrc` is not read; brackets and braces in the address are what they are, and it leads to HTTP only.
pub fn fetch(url: &str, host: Option<&str>, timeout: &str) -> Cmd {
    let endless = timeout.parse::<f64>().is_ok_and(|seconds| seconds <= 0.0);
    let curl = Cmd::new("curl").limit(if endless { Limit::Long } else { Limit::Never });
    let curl = curl.args(["-q", "--silent", "--show-error", "--compressed", "--fail", "--location", "--globoff"]);
    let curl = curl.args(["--proto", "=http,https", "--max-time", timeout]);
    let curl = match host {
        Some(host) => curl.arg("-H").arg(format!("Host:{host}")),
        None => curl,
    };
    curl.arg(url)
}

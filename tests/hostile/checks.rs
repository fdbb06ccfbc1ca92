//! CHECKS: pages of the app's own container, asked for by curl.

use std::process::{Command, Stdio};

use crate::corpus::cases;
use crate::fort::Fort;

/// Options that come before an address.
const OPTIONS: &str = "-q --silent --show-error --compressed --fail --location --globoff --proto =http,https --max-time ";

#[test]
fn curl_is_led_to_the_container_and_nowhere_else() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep").answers("curl", ".", 0, "page", "");
    for (name, value) in [("DOKKU_CHECKS_WAIT", "0"), ("DOKKU_CHECKS_TIMEOUT", "1"), ("DOKKU_CHECKS_ATTEMPTS", "1")] {
        fort.s.env(name, value);
    }
    let id = fort.s.read("full/CONTAINER").trim().to_owned();
    for case in cases(&fort.s, "checks.txt") {
        let shown = case.shown();
        put(&fort, &id, &case.text);
        fort.unharmed(&shown, &["home/full/"], || {
            fort.s.run_program("pluginhook", ["check-deploy", "full", "5000", "127.0.0.2", &id]).text()
        });
        for call in fort.s.calls("curl") {
            let rest = call.strip_prefix(OPTIONS).unwrap_or_else(|| panic!("{shown}: curl {call}"));
            let (timeout, rest) = rest.split_once(' ').unwrap();
            assert!(timeout.parse::<f64>().is_ok_and(|timeout| timeout >= 0.0), "{shown}: curl {call}");
            let address = rest.rsplit_once("http").unwrap().1;
            let host = address.trim_start_matches('s').strip_prefix("://127.0.0.2:5000").unwrap_or_else(|| panic!("{shown}: curl {call}"));
            assert!(host.split('/').next().is_some_and(|authority| !authority.contains('@')), "{shown}: curl {call}");
        }
        let _ = std::fs::remove_file(fort.s.dir().join("calls/curl"));
    }
    let started = fort.started();
    assert!(started.is_empty(), "{started:?}");
}

/// Puts a CHECKS into the container.
fn put(fort: &Fort, id: &str, text: &[u8]) {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(text.len() as u64);
    builder.append_data(&mut header, "app/CHECKS", text).unwrap();
    fort.s.stdin(builder.into_inner().unwrap()).run_program("docker", ["cp", "-", &format!("{id}:/")]).succeeds();
}

/// An answer without an end is cut off, long before it fills the memory.
#[test]
fn an_endless_answer_is_cut_off() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep").program("curl", "#!/bin/bash\nexec cat /dev/zero\n");
    for (name, value) in [("DOKKU_CHECKS_WAIT", "0"), ("DOKKU_CHECKS_TIMEOUT", "1"), ("DOKKU_CHECKS_ATTEMPTS", "1")] {
        fort.s.env(name, value);
    }
    let id = fort.s.read("full/CONTAINER").trim().to_owned();
    put(&fort, &id, b"/ x\n");
    let limited = format!("ulimit -v 600000; exec pluginhook check-deploy full 5000 127.0.0.2 {id}");
    let output = fort.s.command("/bin/bash").args(["-c", &limited]).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("answers with more than"), "{text}");
}

/// curl itself takes such an address as it is meant.
#[test]
fn curl_knows_all_options() {
    let output =
        Command::new("curl").args(OPTIONS.split_whitespace()).args(["1", "http://127.0.0.1:1/[1-3]{a,b}"]).output().expect("curl runs");
    assert_eq!(output.status.code(), Some(7), "{}", String::from_utf8_lossy(&output.stderr));
}

//! Certificates: the names in them become domains, and text of nginx's configuration.

use std::process::Command;

use crate::corpus::{Case, cases};
use crate::fort::Fort;

/// A certificate and its key with the names of a case; `None` where openssl itself makes none of them.
fn pair(case: &Case) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = String::from_utf8_lossy(&case.text).into_owned();
    let (common, names) = text.split_once(" | ").unwrap_or((&text, ""));
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    // In a file of its own, since `-subj` takes slashes and backslashes for itself.
    let quoted = common
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('$', "\\$")
        .replace('#', "\\#")
        .replace('"', "\\\"")
        .replace('\'', "\\'")
        .replace('`', "\\`");
    let mut config =
        format!("[req]\ndistinguished_name=dn\nx509_extensions=v3\nprompt=no\nstring_mask=utf8only\n[dn]\nCN={quoted}\n[v3]\n");
    if !names.is_empty() {
        let listed: Vec<String> = names.split(' ').map(|name| format!("DNS:{}", name.replace(['{', '}', ';'], ";"))).collect();
        config += &format!("subjectAltName={}\n", listed.join(","));
    }
    std::fs::write(path("config"), config).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "10", "-utf8", "-config"])
        .arg(path("config"))
        .arg("-keyout")
        .arg(path("key"))
        .arg("-out")
        .arg(path("crt"))
        .output()
        .expect("openssl runs");
    made.status.success().then(|| (std::fs::read(path("crt")).unwrap(), std::fs::read(path("key")).unwrap()))
}

fn tar(certificate: &[u8], key: &[u8]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in [("server.crt", certificate), ("server.key", key)] {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn names_are_hosts_or_left_out() {
    let fort = Fort::new();
    fort.s.deployed("full", "buildstep");
    let all = cases(&fort.s, "certificates.txt");
    let mut tried = 0;
    for case in &all {
        let Some((certificate, key)) = pair(case) else { continue };
        tried += 1;
        let shown = case.shown();
        let _ = std::fs::remove_dir_all(fort.s.home().join("full/tls"));
        fort.s.file("full/VHOST", "full.dokku.test\n");
        fort.unharmed(&shown, &["home/full/"], || {
            let step = fort.s.stdin(tar(&certificate, &key)).run(["nginx:import-ssl", "full"]);
            let text = step.text();
            match case.expected.as_str() {
                "names no host" => {
                    assert!(step.code() != 0 && text.contains("names no host") && !fort.s.exists("full/tls"), "{shown}: {text}")
                }
                "victim's" => assert!(step.code() == 0 && !fort.s.read("full/VHOST").contains("victim"), "{shown}: {text}"),
                names => {
                    assert_eq!(step.code(), 0, "{shown}: {text}");
                    let expected: String =
                        std::iter::once("full.dokku.test").chain(names.split(' ')).map(|name| format!("{name}\n")).collect();
                    fort.s.has("full/VHOST", &expected);
                }
            }
            text
        });
    }
    assert!(tried * 3 > all.len() * 2, "openssl made {tried} of {} certificates", all.len());
    assert_eq!(fort.started(), [""; 0]);
}

#[test]
fn what_is_no_certificate_is_said_and_leaves_nothing() {
    let fort = Fort::new();
    fort.s.file("mine/VHOST", "mine.dokku.test\n");
    for case in cases(&fort.s, "pem.txt") {
        let shown = case.shown();
        fort.unharmed(&shown, &[], || {
            let step = fort.s.stdin(tar(&case.text, b"key")).run(["nginx:import-ssl", "mine"]);
            let text = step.text();
            assert!(step.code() != 0 && text.contains("certificate"), "{shown}: {text}");
            text
        });
    }
}

#[test]
fn one_with_more_names_than_anybody_has_is_refused() {
    let fort = Fort::new();
    fort.s.file("mine/VHOST", "mine.dokku.test\n");
    let names: Vec<String> = (0..1500).map(|n| format!("n{n}.example.org")).collect();
    let case = Case { text: format!("www.example.org | {}", names.join(" ")).into_bytes(), expected: String::new() };
    let (certificate, key) = pair(&case).unwrap();
    fort.unharmed("1501 names", &[], || {
        let step = fort.s.stdin(tar(&certificate, &key)).run(["nginx:import-ssl", "mine"]);
        assert!(step.code() != 0 && step.text().contains("names 1501 hosts"), "{}", step.text());
        step.text()
    });
}

//! Certificates: the host names that one is good for.

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;
use x509_parser::prelude::FromDer;

/// The names in a certificate. Names that no host can have (`Example Ltd.`) are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Common names of the subject.
    pub common: Vec<String>,
    /// DNS names among the subject's alternative names.
    pub alternative: Vec<String>,
}

/// The most names in a certificate that is taken. Each becomes a server of nginx's, which all apps share.
const MOST_NAMES: usize = 1000;

impl Certificate {
    /// The first certificate of a PEM file, which is the server's own; others after it are its issuers.
    /// The error says what is wrong with the file.
    pub fn parse(file: &[u8]) -> Result<Certificate, String> {
        let own = Pem::iter_from_buffer(file).flatten().find(|pem| pem.label.ends_with("CERTIFICATE"));
        let own = own.ok_or("it holds no certificate in PEM form")?;
        let (_, own) = X509Certificate::from_der(&own.contents).map_err(|error| format!("its certificate cannot be read ({error})"))?;
        let common = own.subject().iter_common_name().filter_map(|name| name.as_str().ok()).map(str::to_owned);
        let alternative = own.subject_alternative_name().ok().flatten().map(|extension| &extension.value.general_names);
        let dns = |name: &GeneralName| if let GeneralName::DNSName(name) = name { Some((*name).to_owned()) } else { None };
        let names = Certificate {
            common: common.filter(|name| is_host(name)).collect(),
            alternative: alternative.into_iter().flatten().filter_map(dns).filter(|name| is_host(name)).collect(),
        };
        let count = names.common.len() + names.alternative.len();
        if count > MOST_NAMES { Err(format!("its certificate names {count} hosts; {MOST_NAMES} are taken at most")) } else { Ok(names) }
    }

    /// Is it good for this host?
    pub fn covers(&self, host: &str) -> bool {
        self.common.iter().chain(&self.alternative).any(|name| covers(name, host))
    }

    /// The names that 0.3.18 adds to an app's domains: the common one if no domain has it, and all alternative ones
    /// if no domain has any of them.
    pub fn missing_among(&self, domains: &[String]) -> Vec<String> {
        let mut known = domains.to_vec();
        for names in self.common.iter().map(std::slice::from_ref).chain([self.alternative.as_slice()]) {
            if !known.iter().any(|domain| names.iter().any(|name| covers(name, domain))) {
                known.extend_from_slice(names);
            }
        }
        known.split_off(domains.len())
    }
}

/// Does a name of a certificate cover a host? `*` stands for any text within one label.
fn covers(name: &str, host: &str) -> bool {
    let label = |pattern: &str, label: &str| match pattern.split_once('*') {
        Some((start, end)) => label.len() >= start.len() + end.len() && label.starts_with(start) && label.ends_with(end),
        None => pattern == label,
    };
    name.split('.').count() == host.split('.').count() && name.split('.').zip(host.split('.')).all(|(one, other)| label(one, other))
}

fn is_host(name: &str) -> bool {
    crate::files::server_name::is_plain(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(common: &[&str], alternative: &[&str]) -> Certificate {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Certificate { common: owned(common), alternative: owned(alternative) }
    }

    fn missing(certificate: &Certificate, domains: &[&str]) -> Vec<String> {
        certificate.missing_among(&domains.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_star_covers_one_label() {
        let wild = certificate(&["*.dokku.me"], &[]);
        for (host, good) in
            [("a.dokku.me", true), ("*.dokku.me", true), ("a.b.dokku.me", false), ("dokku.me", false), ("axdokku.me", false)]
        {
            assert_eq!(wild.covers(host), good, "{host}");
        }
    }

    #[test]
    fn names_are_added_when_no_domain_has_them() {
        let three = certificate(&["www.x"], &["www.x", "alt.x"]);
        assert_eq!(missing(&three, &["app.y"]), ["www.x"]);
        assert_eq!(missing(&three, &["alt.x"]), ["www.x"]);
        assert_eq!(missing(&three, &["www.x"]), [""; 0]);
        assert_eq!(missing(&certificate(&["one.x"], &["two.x", "three.x"]), &["app.y"]), ["one.x", "two.x", "three.x"]);
        assert_eq!(missing(&certificate(&[], &["two.x", "three.x"]), &[]), ["two.x", "three.x"]);
        assert_eq!(missing(&certificate(&["*.x"], &[]), &["a.x"]), [""; 0]);
    }

    #[test]
    fn what_is_no_certificate_is_said() {
        assert!(Certificate::parse(b"broken").unwrap_err().contains("no certificate"));
        let empty = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(Certificate::parse(empty).unwrap_err().contains("cannot be read"));
    }
}

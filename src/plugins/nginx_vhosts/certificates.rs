//! The certificate that an app is served with: its own, else the one for all apps.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::app::App;
use crate::fail::{Fail, Outcome};
use crate::files::certificate::Certificate;
use crate::house::House;

/// File names within a `tls` directory.
pub const CERTIFICATE: &str = "server.crt";
/// The key to the certificate.
pub const KEY: &str = "server.key";

/// A certificate with its key, in place.
pub struct Tls {
    /// `APP/tls`, or `$DOKKU_ROOT/tls`.
    pub dir: PathBuf,
    /// The names in the certificate.
    pub names: Certificate,
    /// nginx's own configuration names the global one; the app's has to be named in the app's.
    pub directives: String,
}

impl Tls {
    /// The app's, else the global one, where both certificate and key are there.
    pub fn of(house: &House, app: &App) -> Outcome<Option<Tls>> {
        let (own, global) = (app.path("tls"), house.root.join("tls"));
        let is_there = |dir: &PathBuf| dir.join(CERTIFICATE).exists() && dir.join(KEY).exists();
        let Some(dir) = [&own, &global].into_iter().find(|dir| is_there(dir)) else { return Ok(None) };
        let path = dir.join(CERTIFICATE);
        let file = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let names = usable(&file).map_err(|reason| Fail::say(format!("{}: {reason}", path.display())))?;
        let shown = dir.display();
        let named = format!("  ssl_certificate     {shown}/{CERTIFICATE};\n  ssl_certificate_key {shown}/{KEY};");
        let directives = if *dir == own { named } else { String::new() };
        Ok(Some(Tls { dir: dir.clone(), names, directives }))
    }
}

/// The names in a certificate; the error says why it is of no use.
pub fn usable(file: &[u8]) -> Result<Certificate, String> {
    let names = Certificate::parse(file)?;
    if names == Certificate::default() { Err("its certificate names no host".into()) } else { Ok(names) }
}

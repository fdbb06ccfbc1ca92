//! What nginx is to serve for an app, and the text of its `nginx.conf`.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::certificates::Tls;
use super::installed::{Http2, Version};
use crate::app::App;
use crate::args::Args;
use crate::exec;
use crate::fail::{Fail, Outcome};
use crate::files::template::{Operation, Template, Values};
use crate::files::variables::Variables;
use crate::files::{dockerfile, server_name};
use crate::house::House;
use crate::push::container::{Container, Place};
use crate::push::deploy::PUBLISHED_IP;
use crate::tools::bash;

/// Where nginx sends an app's requests.
pub struct Upstream {
    pub ip: String,
    pub port: String,
    /// Does nobody listen there?
    pub is_down: bool,
}

impl Upstream {
    /// From `nginx:build-config APP PORT IP`, else from what is on record, as far as that is still so; `None` for an app
    /// that was never deployed.
    pub fn of(house: &House, app: &App, args: &Args) -> Outcome<Option<Upstream>> {
        let told = |place: usize| Some(args.text(place).into_owned()).filter(|text| !text.is_empty());
        let (port, ip) = (told(1), told(2));
        if port.is_none() && ip.is_none() {
            let Some(on_record) = Place::on_record(app) else { return Ok(None) };
            return Upstream::at(app, as_it_is(house, app, on_record)).map(Some);
        }
        let (Some(port), Some(ip)) = (port.or_else(|| app.record("PORT")), ip.or_else(|| app.record("IP"))) else { return Ok(None) };
        let told = Place { ip, port };
        if house.remote && Place::on_record(app).as_ref() != Some(&told) {
            return Err(Fail::say(format!("Over ssh nginx is only led to where {0} listens: dokku nginx:build-config {0}", app.name)));
        }
        Upstream::at(app, Some(told)).map(Some)
    }

    /// At this place, or nowhere.
    pub fn at(app: &App, place: Option<Place>) -> Outcome<Upstream> {
        let Some(Place { ip, port }) = place else {
            // A template that names the address itself gets one where nobody listens: port 9 is `discard`.
            return Ok(Upstream { ip: PUBLISHED_IP.to_owned(), port: "9".to_owned(), is_down: true });
        };
        let is_host = ip.chars().all(|c| c.is_ascii_alphanumeric() || ".-_:[]".contains(c));
        // A protocol behind the port comes from EXPOSE and stays, as in 0.3.18; nginx judges it.
        if !dockerfile::is_port(&port) || !is_host {
            return Err(Fail::say(format!("{} cannot be reached at port {port:?} of {ip:?}: deploy it anew", app.name)));
        }
        Ok(Upstream { ip, port, is_down: false })
    }
}

/// The address on record is believed only as long as it is the container's: another app's may have got it since. An
/// engine that does not answer, or that is about to start the container again, leaves us with the record.
fn as_it_is(house: &House, app: &App, on_record: Place) -> Option<Place> {
    let Some(id) = app.record("CONTAINER") else { return Some(on_record) };
    match Container::find(house, &id) {
        Ok(Some(container)) if !container.is_restarting() => container.place(&on_record),
        Ok(None) => None,
        _ => Some(on_record),
    }
}

/// The line that tells nginx where the app's requests go. That of an app which was never deployed is marked as down:
/// without it nginx would take the app's name for a host's, and refuse to start when there is none. So is that of an app
/// which does not run.
pub fn upstream_line(app: &App, upstream: Option<&Upstream>) -> String {
    match upstream {
        Some(Upstream { ip, port, is_down: false }) => format!("upstream {} {{ server {ip}:{port}; }}\n", app.name),
        Some(Upstream { ip, port, is_down: true }) => format!("upstream {} {{ server {ip}:{port} down; }}\n", app.name),
        None => format!("upstream {} {{ server 127.0.0.1:5000 down; }}\n", app.name),
    }
}

/// All that the configuration of an app is made of.
pub struct Site<'a> {
    pub app: &'a App,
    pub upstream: Option<Upstream>,
    pub tls: Option<Tls>,
    /// Domains that the certificate covers.
    pub secure: Vec<String>,
    /// All others.
    pub plain: Vec<String>,
    /// The environment with the global and the app's own config.
    pub variables: Variables,
}

/// The app's own template, when it has one.
pub fn own_template(app: &App) -> Option<PathBuf> {
    Some(app.path("nginx.conf.template")).filter(|path| path.is_file())
}

impl Site<'_> {
    /// `https` when there is a certificate.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The text of `nginx.conf`.
    ///
    /// A template or a certificate that nginx has never seen may be wrong, and one wrong file keeps nginx from
    /// starting. They are tried when the app is deployed; until then its domains get the plain configuration.
    pub fn render(&self, house: &House) -> Outcome<Vec<u8>> {
        let mut text = if self.upstream.is_some() { self.full(house)? } else { self.parked(house)? };
        text.extend(upstream_line(self.app, self.upstream.as_ref()).into_bytes());
        Ok(text)
    }

    /// Servers for each domain that the certificate covers, then for all others together.
    fn full(&self, house: &House) -> Outcome<Vec<u8>> {
        let template = |default: &str| own_template(self.app).unwrap_or_else(|| default_template(house, default));
        let (mut text, mut variables) = (Vec::new(), self.variables(house));
        if !self.secure.is_empty() {
            let template = read(&template("nginx.ssl.conf.template"))?;
            for name in &self.secure {
                variables.set("SSL_SERVER_NAME", name);
                variables.set("NOSSL_SERVER_NAME", name);
                text.extend(rendered(house, &template, &variables)?);
            }
        }
        if !self.plain.is_empty() {
            variables.set("NOSSL_SERVER_NAME", server_names(&self.plain));
            text.extend(rendered(house, &read(&template("nginx.conf.template"))?, &variables)?);
        }
        Ok(text)
    }

    fn parked(&self, house: &House) -> Outcome<Vec<u8>> {
        let names = [self.secure.as_slice(), &self.plain].concat();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut variables = self.variables(house);
        variables.set("NOSSL_SERVER_NAME", server_names(&names));
        rendered(house, &read(&default_template(house, "nginx.conf.template"))?, &variables)
    }

    /// Variables that templates may name. Ours win over the app's.
    fn variables(&self, house: &House) -> Variables {
        let (mut variables, http2) = (self.variables.clone(), self.http2(house));
        let dir = self.tls.as_ref().map(|tls| tls.dir.as_os_str().as_bytes().to_vec()).unwrap_or_default();
        let (ip, port) = self.upstream.as_ref().map_or(("", ""), |upstream| (&upstream.ip, &upstream.port));
        let directive = if http2.directive.is_empty() { String::new() } else { format!("\n  {}", http2.directive) };
        for (name, value) in [
            ("APP", self.app.name.as_str().as_bytes()),
            ("DOKKU_ROOT", house.root.as_os_str().as_bytes()),
            ("DOKKU_APP_LISTEN_IP", ip.as_bytes()),
            ("DOKKU_APP_LISTEN_PORT", port.as_bytes()),
            ("SCHEME", self.scheme().as_bytes()),
            ("SSL_INUSE", &dir),
            ("SSL_DIRECTIVES", self.tls.as_ref().map_or(b"", |tls| tls.directives.as_bytes())),
            ("SSL_SERVER_NAME", b""),
            ("HTTP2_PARAMETER", http2.parameter.as_bytes()),
            ("HTTP2_DIRECTIVE", directive.as_bytes()),
            ("VHOST_PATH", self.app.path("VHOST").as_os_str().as_bytes()),
        ] {
            variables.set(name, value);
        }
        variables
    }

    fn http2(&self, house: &House) -> Http2 {
        Http2::of(self.tls.as_ref().and_then(|_| Version::installed(house)))
    }

    /// Fails for a name that nginx would not take, or, until the app is deployed, one that only nginx can judge.
    pub fn check_names(&self, house: &House) -> Outcome {
        let app = &self.app.name;
        if !server_name::is_plain(app.as_str()) {
            return Err(Fail::say(format!("nginx cannot serve an app with the name {app:?}: give it another")));
        }
        // nginx knows no capitals in names of upstreams; 0.3.18 took apps for different that docker and nginx cannot tell apart.
        let is_twin = |other: &App| other.name != *app && other.name.as_str().eq_ignore_ascii_case(app.as_str());
        if let Some(twin) = App::all(house)?.into_iter().find(|other| is_twin(other) && other.path("nginx.conf").is_file()) {
            return Err(Fail::say(format!("nginx cannot tell {app} from {}: take one of them away with `dokku apps:destroy`", twin.name)));
        }
        let is_right = |name: &&String| server_name::is_plain(name) || (self.upstream.is_some() && server_name::is_pattern(name));
        match self.secure.iter().chain(&self.plain).find(|name| !is_right(name)) {
            None => Ok(()),
            Some(name) => Err(Fail::say(format!(
                "{name:?} among the domains of {app} is none that nginx can serve: take it away with `dokku domains:remove {app} '{name}'`"
            ))),
        }
    }
}

/// Several names for one `server_name`, with a blank at the end as 0.3.18 writes it.
fn server_names(names: &[String]) -> String {
    names.join(" ") + " "
}

fn default_template(house: &House, name: &str) -> PathBuf {
    house.plugin_path.join("nginx-vhosts/templates").join(name)
}

fn read(path: &Path) -> Outcome<Template> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Template::parse(&text).map_err(|refused| Fail::say(format!("{}: {refused}", path.display())))
}

fn rendered(house: &House, template: &Template, variables: &Variables) -> Outcome<Vec<u8>> {
    let mut text = template.render(&WithBash { house, variables })?;
    text.push(b'\n');
    Ok(text)
}

/// Variables, and bash for what is more than a plain one.
struct WithBash<'a> {
    house: &'a House,
    variables: &'a Variables,
}

impl Values for WithBash<'_> {
    type Error = Fail;

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        self.variables.value(name)
    }

    fn operate(&self, operation: &Operation, value: Option<Vec<u8>>) -> Outcome<Vec<u8>> {
        let said = exec::captured(self.house, &bash::expand(&operation.before, &operation.after, value.as_deref()))?;
        match said.code {
            0 => Ok(said.stdout),
            code => Err(Fail::Said(code, String::from_utf8_lossy(&said.stderr).trim_end().to_owned())),
        }
    }
}

//! What the engine says of a container: whether it runs, and where it can be reached.

use serde_json::Value;

use crate::app::App;
use crate::exec;
use crate::fail::Outcome;
use crate::files;
use crate::house::House;
use crate::push::deploy::{DEFAULT_PORT, PUBLISHED_IP};
use crate::push::engine;
use crate::tools::docker;

/// A container at the moment when it was asked for.
pub struct Container {
    state: Value,
    network: Value,
}

impl Container {
    /// The container with this id; `None` when there is none. Fails when the engine does not answer.
    pub fn find(house: &House, id: &str) -> Outcome<Option<Container>> {
        let format = "{\"state\":{{json .State}},\"network\":{{json .NetworkSettings}}}";
        let said = exec::captured(house, &docker::inspect_container(format, id))?;
        if said.code != 0 {
            return engine::missing_or(house, &said).map(|()| None);
        }
        let mut all: Value = serde_json::from_slice(&said.stdout).map_err(anyhow::Error::from)?;
        Ok(Some(Container { state: all["state"].take(), network: all["network"].take() }))
    }

    /// Does it run? One that waits for the engine to restart it does not.
    pub fn is_running(&self) -> bool {
        self.state["Running"] == true && !self.is_restarting()
    }

    /// Has it ended, and will the engine restart it in a moment?
    pub fn is_restarting(&self) -> bool {
        self.state["Restarting"] == true
    }

    /// Its own address: of the default bridge, else of the first network that has given it one. The engine also shows an
    /// address that a container had before it ended.
    pub fn ip(&self) -> Option<String> {
        let given = |value: &Value| value.as_str().filter(|ip| !ip.is_empty()).map(str::to_owned);
        let networks = self.network["Networks"].as_object().into_iter().flat_map(|networks| networks.values());
        let of_networks = networks.filter_map(|network| given(&network["IPAddress"])).next();
        given(&self.network["IPAddress"]).or(of_networks)
    }

    /// The host's port for its port 5000, of IPv4 where there are both.
    fn published_port(&self) -> Option<String> {
        let bindings = self.network["Ports"][format!("{DEFAULT_PORT}/tcp")].as_array()?;
        let is_v4 = |binding: &&Value| binding["HostIp"].as_str().is_none_or(|ip| !ip.contains(':'));
        bindings.iter().find(is_v4).or(bindings.first())?["HostPort"].as_str().map(str::to_owned)
    }

    /// Where it listens now, as IP and PORT have it; `before` is what they say. `None` when it cannot be reached.
    pub fn place(&self, before: &Place) -> Option<Place> {
        if !self.is_running() {
            return None;
        }
        match before.is_published() {
            true => Some(Place { ip: PUBLISHED_IP.to_owned(), port: self.published_port()? }),
            false => Some(Place { ip: self.ip()?, port: before.port.clone() }),
        }
    }
}

/// Where an app listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// An address.
    pub ip: String,
    /// A port, as PORT has it.
    pub port: String,
}

impl Place {
    /// Where an app listens as far as is on record.
    pub fn on_record(app: &App) -> Option<Place> {
        Some(Place { ip: app.record("IP")?, port: app.record("PORT")? })
    }

    /// Puts it on record: IP, PORT, URL.
    pub fn record(&self, house: &House, app: &App) -> Outcome {
        let hostname = files::text(&house.root.join("HOSTNAME")).unwrap_or_default();
        app.write_record("IP", &self.ip)?;
        app.write_record("PORT", &self.port)?;
        app.write_record("URL", &format!("http://{hostname}:{}", self.port))
    }

    /// Is it a port of the host?
    pub fn is_published(&self) -> bool {
        self.ip == PUBLISHED_IP
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn container(state: Value, network: Value) -> Container {
        Container { state, network }
    }

    fn place(ip: &str, port: &str) -> Place {
        Place { ip: ip.into(), port: port.into() }
    }

    #[test]
    fn an_address_counts_while_the_container_runs() {
        let network = json!({"IPAddress": "172.17.0.9", "Networks": {}});
        let before = place("172.17.0.2", "3000");
        let running = container(json!({"Running": true, "Restarting": false}), network.clone());
        assert_eq!(running.place(&before), Some(place("172.17.0.9", "3000")));
        for state in [json!({"Running": false}), json!({"Running": true, "Restarting": true})] {
            assert_eq!(container(state, network.clone()).place(&before), None);
        }
    }

    #[test]
    fn a_container_without_the_default_bridge_has_the_address_of_its_network() {
        let network = json!({"IPAddress": "", "Networks": {"own": {"IPAddress": "10.1.0.7"}}});
        assert_eq!(container(json!({"Running": true}), network).ip().as_deref(), Some("10.1.0.7"));
    }

    #[test]
    fn a_published_port_is_that_of_ipv4() {
        let bindings = json!([{"HostIp": "::", "HostPort": "49000"}, {"HostIp": "0.0.0.0", "HostPort": "49001"}]);
        let published = container(json!({"Running": true}), json!({"IPAddress": "172.17.0.9", "Ports": {"5000/tcp": bindings}}));
        assert_eq!(published.place(&place(PUBLISHED_IP, "49153")), Some(place(PUBLISHED_IP, "49001")));
    }
}

//! Where a node shows its metrics: `metrics.listen`, a key of ours.
//!
//! ```text
//! 9404, :9404          127.0.0.1:9404, nobody else can ask
//! 0.0.0.0:9404, [::]:9404, 10.0.0.7:9404
//! ```
//! Not set: nowhere. A name is no address: what is shown to whom shall not depend on a resolver.

use std::net::{Ipv4Addr, SocketAddr};

use super::BrokerConfig;
use crate::ConfigError;

pub(super) const LISTEN: &str = "metrics.listen";

impl BrokerConfig {
    /// Whether it is a key that no Kafka has and this one reads.
    pub(crate) fn is_own_key(name: &str) -> bool {
        name == LISTEN
    }

    /// The address, if there is to be one.
    pub fn metrics_listen(&self) -> Result<Option<SocketAddr>, ConfigError> {
        let given = self.static_properties.get(LISTEN).unwrap_or_default().trim();
        if given.is_empty() {
            return Ok(None);
        }
        let port = given.strip_prefix(':').unwrap_or(given).parse::<u16>();
        let alone = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        alone.or_else(|_| given.parse()).map(Some).map_err(|_| ConfigError::InvalidValue {
            name: LISTEN.to_owned(),
            value: given.to_owned(),
            allowed: "a port, which is one of 127.0.0.1, or an address and a port, as in \
                      0.0.0.0:9404"
                .to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Properties;

    fn listen(value: &str) -> Result<Option<SocketAddr>, String> {
        let text = format!(
            "node.id=1\nprocess.roles=broker,controller\n\
             listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters=1@localhost:9093\n{value}"
        );
        let properties = Properties::parse(text.as_bytes()).unwrap();
        let (config, warnings) = BrokerConfig::from_properties(&properties).unwrap();
        assert!(!format!("{warnings:?}").contains(LISTEN), "{warnings:?}");
        config.check_start().map_err(|error| error.to_string())?;
        Ok(config.metrics_listen().unwrap())
    }

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_an_address_is_what_it_says() {
        for (value, expected) in [
            ("", None),
            ("metrics.listen=", None),
            ("metrics.listen=9404", Some("127.0.0.1:9404")),
            ("metrics.listen= :9404 ", Some("127.0.0.1:9404")),
            ("metrics.listen=0.0.0.0:9404", Some("0.0.0.0:9404")),
            ("metrics.listen=[::1]:1", Some("[::1]:1")),
        ] {
            let expected = expected.map(|address| address.parse().unwrap());
            assert_eq!(listen(value), Ok(expected), "{value}");
        }
        for value in ["host:9404", "9404x", "0.0.0.0", "70000", "0.0.0.0:"] {
            let said = listen(&format!("metrics.listen={value}")).unwrap_err();
            assert!(said.contains(value) && said.contains("0.0.0.0:9404"), "{said}");
        }
    }
}

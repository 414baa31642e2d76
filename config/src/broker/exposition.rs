//! Where a node shows its metrics and its page: `metrics.listen`, a key of ours.
//!
//! ```text
//! 9404, :9404          127.0.0.1:9404, nobody else can ask
//! 0.0.0.0:9404, [::]:9404, 10.0.0.7:9404
//! https://…            the same by TLS, with the stores of ssl.*, or listener.name.metrics.ssl.*
//! ```
//! Not set: nowhere. A name is no address: what is shown to whom shall not depend on a resolver.

use std::net::{Ipv4Addr, SocketAddr};

use super::{BrokerConfig, TlsListener};
use crate::{ConfigError, SecurityProtocol};

pub(super) const LISTEN: &str = "metrics.listen";
/// By which keys with a prefix name the listener of metrics.
const NAME: &str = "metrics";

/// Where a node shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsListener {
    pub address: SocketAddr,
    pub is_encrypted: bool,
}

impl MetricsListener {
    /// The name under which its keys and certificates are kept.
    pub const NAME: &'static str = NAME;
}

impl BrokerConfig {
    /// Whether it is a key that no Kafka has and this one reads.
    pub(crate) fn is_own_key(name: &str) -> bool {
        name == LISTEN
    }

    /// The address, if there is to be one.
    pub fn metrics_listener(&self) -> Result<Option<MetricsListener>, ConfigError> {
        let given = self.static_properties.get(LISTEN).unwrap_or_default().trim();
        if given.is_empty() {
            return Ok(None);
        }
        let (is_encrypted, place) = match given.split_once("://") {
            None => (false, given),
            Some(("http", place)) => (false, place),
            Some(("https", place)) => (true, place),
            Some(_) => (false, ""),
        };
        let place = place.strip_suffix('/').unwrap_or(place);
        let port = place.strip_prefix(':').unwrap_or(place).parse::<u16>();
        let alone = port.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let address = alone.or_else(|_| place.parse()).map_err(|_| ConfigError::InvalidValue {
            name: LISTEN.to_owned(),
            value: given.to_owned(),
            allowed: "a port, which is one of 127.0.0.1, or an address and a port, as in \
                      0.0.0.0:9404, with https:// before it to speak TLS"
                .to_owned(),
        })?;
        Ok(Some(MetricsListener { address, is_encrypted }))
    }
}

/// What keys and certificates are read for, where metrics are shown by TLS.
pub(super) fn tls_listener(config: &BrokerConfig) -> Option<TlsListener> {
    let listener = config.metrics_listener().ok()??;
    listener.is_encrypted.then(|| TlsListener {
        name: NAME.to_owned(),
        // As at a listener where one logs in: certificates are asked for where it is said of this
        // listener alone.
        protocol: SecurityProtocol::SaslSsl,
        is_served: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Properties;

    fn listen(value: &str) -> Result<Option<MetricsListener>, String> {
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
        Ok(config.metrics_listener().unwrap())
    }

    #[test]
    fn a_port_alone_is_one_of_this_machine_and_an_address_is_what_it_says() {
        for (value, expected) in [
            ("", None),
            ("metrics.listen=", None),
            ("metrics.listen=9404", Some(("127.0.0.1:9404", false))),
            ("metrics.listen= :9404 ", Some(("127.0.0.1:9404", false))),
            ("metrics.listen=0.0.0.0:9404", Some(("0.0.0.0:9404", false))),
            ("metrics.listen=[::1]:1", Some(("[::1]:1", false))),
            ("metrics.listen=http://:9404/", Some(("127.0.0.1:9404", false))),
            ("metrics.listen=https://9404", Some(("127.0.0.1:9404", true))),
            ("metrics.listen=https://0.0.0.0:9404", Some(("0.0.0.0:9404", true))),
        ] {
            let expected = expected.map(|(address, is_encrypted)| MetricsListener {
                address: address.parse().unwrap(),
                is_encrypted,
            });
            assert_eq!(listen(value), Ok(expected), "{value}");
        }
        for value in
            ["host:9404", "9404x", "0.0.0.0", "70000", "0.0.0.0:", "ssl://:1", "https://h:1"]
        {
            let said = listen(&format!("metrics.listen={value}")).unwrap_err();
            assert!(said.contains(value) && said.contains("0.0.0.0:9404"), "{said}");
        }
    }
}

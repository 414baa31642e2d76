//! Listeners as images handle them: bound where they are advertised, and what they speak.

use crate::endpoint::csv;
use crate::{Properties, SecurityProtocol};

/// `NAME://host:port,…` with every host as 0.0.0.0: cp-kafka and apache/kafka listen on all
/// addresses where only the advertised ones are given.
pub(super) fn everywhere(advertised: &str) -> String {
    let entry = |entry: &str| match entry.split_once("://") {
        Some((name, address)) => {
            let port = address.rsplit_once(':').map_or("", |(_, port)| port);
            format!("{name}://0.0.0.0:{port}")
        }
        // Kafka itself says what is wrong with it.
        None => entry.to_owned(),
    };
    advertised.split(',').map(|each| entry(each.trim())).collect::<Vec<_>>().join(",")
}

/// The first listener in use that speaks TLS: the key that names it, its name, and
/// what it speaks.
pub(super) fn secured(properties: &Properties) -> Option<(&'static str, String, String)> {
    for key in ["advertised.listeners", "listeners"] {
        for entry in csv(properties.get(key).unwrap_or_default()) {
            let Some((name, _)) = entry.split_once("://") else { continue };
            if let Some(protocol) = protocol(properties, name) {
                return Some((key, name.to_owned(), protocol));
            }
        }
    }
    let key = "controller.listener.names";
    for name in csv(properties.get(key).unwrap_or_default()) {
        if let Some(protocol) = protocol(properties, &name) {
            return Some((key, name, protocol));
        }
    }
    let key = "security.inter.broker.protocol";
    let between = properties.get(key).filter(|_| properties.get("listeners").is_none())?;
    let is_encrypted = SecurityProtocol::named(between.trim()).is_none_or(is_encrypted);
    is_encrypted.then(|| (key, between.to_owned(), between.to_owned()))
}

fn is_encrypted(protocol: SecurityProtocol) -> bool {
    matches!(protocol, SecurityProtocol::Ssl | SecurityProtocol::SaslSsl)
}

/// What a listener speaks, if that is known and TLS.
fn protocol(properties: &Properties, name: &str) -> Option<String> {
    let map = properties.get("listener.security.protocol.map").filter(|map| !map.trim().is_empty());
    let named = match map {
        None => name.to_owned(),
        Some(map) => {
            let entries = csv(map);
            let mapped = entries.iter().filter_map(|entry| entry.rsplit_once(':'));
            // The last of several counts, as in Kafka.
            let (_, protocol) = mapped
                .rev()
                .find(|(listener, _)| listener.trim().eq_ignore_ascii_case(name.trim()))?;
            protocol.trim().to_owned()
        }
    };
    let known = SecurityProtocol::named(named.trim())?;
    is_encrypted(known).then(|| known.name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_bind_everywhere_where_they_are_advertised() {
        let table = [
            ("PLAINTEXT://kafka:9092", "PLAINTEXT://0.0.0.0:9092"),
            ("A://x:1, B://[::1]:2", "A://0.0.0.0:1,B://0.0.0.0:2"),
            ("A://:1", "A://0.0.0.0:1"),
            ("nonsense", "nonsense"),
        ];
        for (advertised, listeners) in table {
            assert_eq!(everywhere(advertised), listeners, "{advertised}");
        }
    }
}

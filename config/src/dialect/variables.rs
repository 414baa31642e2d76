//! The variables of a container: read once, with what engines and orchestrators do to them undone.
//!
//! - A list entry `KAFKA_X = y` of a compose file is the variable `KAFKA_X ` with the value ` y`:
//!   it is read as what was meant, with one notice.
//! - Kubernetes sets variables for every service of the namespace; a service called `kafka` gives
//!   `KAFKA_PORT=tcp://10.0.0.1:9092` and its like. They are left out, with one notice.

use std::collections::BTreeMap;

use super::Notice;

/// Names and values, in the order of names.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    notices: Vec<Notice>,
}

impl Variables {
    pub fn read(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut read = Self::default();
        let mut blank = Vec::new();
        let mut links = Vec::new();
        for (name, value) in pairs {
            if is_service_link(&name, &value) {
                links.extend(is_of_an_image(&name).then_some(name));
            } else if name.trim() == name {
                read.values.insert(name, value);
            } else {
                blank.push((name, value));
            }
        }
        for (name, value) in blank {
            let name = name.trim().to_owned();
            if name.is_empty() || read.values.contains_key(&name) {
                continue;
            }
            if is_of_an_image(&name) {
                read.notices.push(Notice::Blanks { variable: name.clone() });
            }
            read.values.insert(name, value.trim().to_owned());
        }
        if !links.is_empty() {
            links.sort_unstable();
            read.notices.push(Notice::ServiceLinks { variables: links });
        }
        read
    }

    /// The value, which may be empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The value, if it is not empty; most images treat an empty one as none.
    pub fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
    }

    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What was noticed while reading.
    pub(super) fn notices(&self) -> &[Notice] {
        &self.notices
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self::read(pairs.into_iter().map(|(name, value)| (name.into(), value.into())))
    }
}

/// Whether an image of Kafka or ZooKeeper would read the variable.
fn is_of_an_image(name: &str) -> bool {
    const OTHERS: &[&str] = &["CLUSTER_ID", "HOSTNAME_COMMAND", "PORT_COMMAND", "RACK_COMMAND"];
    ["KAFKA_", "ZOOKEEPER_", "ZOO_"].iter().any(|prefix| name.starts_with(prefix))
        || OTHERS.contains(&name)
}

/// Whether Kubernetes (or a link of Docker) sets this for a service.
fn is_service_link(name: &str, value: &str) -> bool {
    const TRANSPORTS: [&str; 3] = ["tcp", "udp", "sctp"];
    let is_url = TRANSPORTS
        .iter()
        .any(|transport| value.strip_prefix(transport).is_some_and(|rest| rest.starts_with("://")));
    if is_url && (name.ends_with("_PORT") || name.contains("_PORT_")) {
        return true;
    }
    if name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT") {
        return true;
    }
    if name.contains("_SERVICE_PORT_") && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    // X_PORT_9092_TCP, and _ADDR, _PORT, _PROTO behind it.
    let Some((_, rest)) = name.split_once("_PORT_") else {
        return false;
    };
    let mut parts = rest.split('_');
    let is_port = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
    let transport = parts.next().unwrap_or_default().to_ascii_lowercase();
    is_port && TRANSPORTS.contains(&transport.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_services_are_told_from_settings() {
        let table = [
            ("KAFKA_PORT", "tcp://10.0.0.1:9092", true),
            ("KAFKA_PORT", "9092", false),
            ("KAFKA_SERVICE_HOST", "10.0.0.1", true),
            ("KAFKA_SERVICE_PORT", "9092", true),
            ("KAFKA_SERVICE_PORT_CLIENT", "9092", true),
            ("KAFKA_PORT_9092_TCP", "tcp://10.0.0.1:9092", true),
            ("KAFKA_PORT_9092_TCP_ADDR", "10.0.0.1", true),
            ("KAFKA_PORT_9092_TCP_PROTO", "tcp", true),
            ("KAFKA_BROKER_PORT", "tcp://10.0.0.1:9092", true),
            ("KAFKA_ADVERTISED_PORT", "9092", false),
            ("KAFKA_LISTENERS", "PLAINTEXT://:9092", false),
        ];
        for (name, value, is_link) in table {
            assert_eq!(is_service_link(name, value), is_link, "{name}={value}");
        }
    }

    #[test]
    fn a_variable_without_blanks_wins_over_one_with_them() {
        let pairs = [("KAFKA_A ", " 1"), ("KAFKA_A", "2"), ("KAFKA_B ", " 3 ")];
        let read = pairs.into_iter().collect::<Variables>();
        assert_eq!(read.iter().collect::<Vec<_>>(), [("KAFKA_A", "2"), ("KAFKA_B", "3")]);
        assert_eq!(read.notices().len(), 1);
    }
}

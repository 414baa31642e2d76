//! Where a check of a node's health asks, and what, by the configuration it runs with.
//!
//! Pure: configuration in, question out.

use config::{BrokerConfig, Properties};

/// What shows that a node serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// The broker of this id is in the metadata that it answers with, so it is unfenced.
    Broker { id: i32, host: String, port: u16 },
    /// ApiVersions is answered.
    Controller { id: i32, host: String, port: u16 },
    /// `ruok` is answered by `imok`.
    ZooKeeper { host: String, port: u16 },
}

/// Why a node's properties do not tell where it listens.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoQuestion {
    #[error("\"{0}\" is no clientPort")]
    ClientPort(String),
    #[error("no listener is configured")]
    NoListener,
}

/// ZooKeeper's clientPort where its file names none.
const CLIENT_PORT: u16 = 2181;

/// What to ask a node that runs with this configuration. A node of both roles is asked as a broker.
pub(super) fn ask_node(config: &BrokerConfig) -> Result<Question, NoQuestion> {
    let id = config.node_id;
    let between_brokers =
        |name: &str| name.eq_ignore_ascii_case(&config.inter_broker_listener_name);
    let listeners =
        if config.process_roles.broker { &config.listeners } else { &config.controller_listeners };
    let listener = listeners.iter().find(|endpoint| between_brokers(&endpoint.listener));
    let listener = listener.or_else(|| listeners.first()).ok_or(NoQuestion::NoListener)?;
    let (host, port) = (reachable(listener.host.as_deref()), listener.port);
    Ok(if config.process_roles.broker {
        Question::Broker { id, host, port }
    } else {
        Question::Controller { id, host, port }
    })
}

/// What to ask a ZooKeeper service that runs with this file.
pub(super) fn ask_zookeeper(properties: &Properties) -> Result<Question, NoQuestion> {
    let port = match properties.get("clientPort").map(str::trim) {
        None => CLIENT_PORT,
        Some(port) => port.parse().map_err(|_| NoQuestion::ClientPort(port.to_owned()))?,
    };
    let host = reachable(properties.get("clientPortAddress").map(str::trim));
    Ok(Question::ZooKeeper { host, port })
}

/// A socket that listens on every address is reached at loopback.
fn reachable(host: Option<&str>) -> String {
    match host {
        None | Some("" | "0.0.0.0") => "127.0.0.1".to_owned(),
        Some("::") => "::1".to_owned(),
        Some(host) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(lines: &str) -> Properties {
        Properties::parse(lines.as_bytes()).unwrap()
    }

    fn ask(lines: &str) -> Question {
        ask_node(&BrokerConfig::from_properties(&properties(lines)).unwrap().0).unwrap()
    }

    #[test]
    fn a_broker_is_asked_where_brokers_reach_it() {
        let broker = "process.roles=broker\nnode.id=4\ncontroller.quorum.voters=9@c:9093\n\
            controller.listener.names=C\nlisteners=OUT://:9092,IN://:19092\n\
            advertised.listeners=OUT://example.org:9092,IN://k4:19092\n\
            listener.security.protocol.map=C:PLAINTEXT,OUT:PLAINTEXT,IN:PLAINTEXT\n\
            inter.broker.listener.name=IN\n";
        let host = "127.0.0.1".to_owned();
        let expected = Question::Broker { id: 4, host, port: 19092 };
        assert_eq!(ask(broker), expected);
    }

    #[test]
    fn a_controller_alone_is_asked_at_its_own_listener() {
        let controller = "process.roles=controller\nnode.id=9\ncontroller.quorum.voters=9@c:9093\n\
            controller.listener.names=CONTROLLER\nlisteners=CONTROLLER://c:9093\n";
        let expected = Question::Controller { id: 9, host: "c".to_owned(), port: 9093 };
        assert_eq!(ask(controller), expected);
    }

    #[test]
    fn the_zookeeper_service_is_asked_at_its_client_port() {
        let asked = |lines: &str| ask_zookeeper(&properties(lines));
        let at = |host: &str, port| Question::ZooKeeper { host: host.to_owned(), port };
        assert_eq!(asked("dataDir=/x\n").unwrap(), at("127.0.0.1", 2181));
        let lines = "clientPort=2182\nclientPortAddress=zk\n";
        assert_eq!(asked(lines).unwrap(), at("zk", 2182));
        assert!(matches!(asked("clientPort=x\n"), Err(NoQuestion::ClientPort(_))));
    }
}

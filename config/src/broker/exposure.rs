//! Nothing is served more openly than its file says: what a node that starts must satisfy beyond a
//! configuration that is valid.
//!
//! Judged are the listeners in use: those that this node opens, and the one at which a broker
//! connects to its controllers. The protocol map, whose default names SSL and SASL, and `ssl.*` and
//! `sasl.*` keys that no listener needs are no reason to refuse.
//!
//! Unlike Kafka: not all mechanisms of SASL are spoken yet (docs/decisions/0200).

use super::{BrokerConfig, authorization, plugins};
use crate::keys::{Key, Table};
use crate::{ConfigError, Properties};

impl BrokerConfig {
    /// What stands between this configuration and a node that runs. Formatting a directory asks
    /// nothing of the kind.
    pub fn check_start(&self) -> Result<(), ConfigError> {
        self.sasl.check()?;
        plugins::check(self)?;
        self.metrics_listener()?;
        authorization::check(self)
    }
}

/// Kafka takes its default map away from controllers once a listener is secured. A file of the
/// ZooKeeper era never named controllers: they keep it.
pub(super) fn map_controllers(given: &Properties, properties: &mut Properties) {
    const MAP: &str = "listener.security.protocol.map";
    let is_secured = |name: &str| name.starts_with("SSL:") || name.starts_with("SASL_");
    let listeners = crate::endpoint::csv(given.get("listeners").unwrap_or_default());
    let concerned = !given.contains("process.roles")
        && !properties.contains(MAP)
        && listeners.iter().any(|listener| is_secured(&listener.to_uppercase()));
    let names = properties.get("controller.listener.names").filter(|_| concerned);
    let default = Table::Broker.key(MAP).and_then(Key::default_value).and_then(|map| map.text());
    if let (Some(names), Some(default)) = (names.map(crate::endpoint::csv), default) {
        let controllers = names.iter().map(|name| format!(",{name}:PLAINTEXT"));
        let map = controllers.fold(default, |map, controller| map + &controller);
        properties.set(MAP, map);
    }
}

#[cfg(test)]
mod tests {
    use crate::{BrokerConfig, Properties};

    const COMBINED: &str = "node.id=1\nprocess.roles=broker,controller\n\
        controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@localhost:9093\n";
    const BROKER: &str = "node.id=2\nprocess.roles=broker\n\
        controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@localhost:9093\n";
    const CONTROLLER: &str = "node.id=1\nprocess.roles=controller\n\
        controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@localhost:9093\n";

    fn verdict(text: &str) -> Result<(), String> {
        let properties = Properties::parse(text.as_bytes()).unwrap();
        let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
        config.check_start().map_err(|error| error.to_string())
    }

    /// Head, more lines, and the words of the refusal; no words: it starts.
    const CASES: &[(&str, &str, &[&str])] = &[
        (COMBINED, "listeners=PLAINTEXT://:9092,CONTROLLER://:9093", &[]),
        (
            COMBINED,
            "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,\
             X:SASL_SSL\n\
             sasl.enabled.mechanisms=PLAIN\nssl.keystore.location=/k.jks\n\
             listener.name.x.plain.sasl.jaas.config=y",
            &[],
        ),
        (
            COMBINED,
            "listeners=PLAINTEXT://:9092,SSL://:9094,CONTROLLER://:9093\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL",
            &[],
        ),
        (
            COMBINED,
            "listeners=CLIENTS://h:9092,CONTROLLER://:9093\ninter.broker.listener.name=CLIENTS\n\
             sasl.enabled.mechanisms=PLAIN\nsasl.mechanism.inter.broker.protocol=PLAIN\n\
             listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            &["Listener CLIENTS", "'KafkaServer' or 'clients.KafkaServer'", "sasl.jaas.config"],
        ),
        (
            COMBINED,
            "listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_SSL",
            &["sasl.enabled.mechanisms", "GSSAPI"],
        ),
        (BROKER, "listeners=PLAINTEXT://:9092", &[]),
        (
            BROKER,
            "listeners=PLAINTEXT://:9092\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:SASL_SSL",
            &["GSSAPI"],
        ),
        (CONTROLLER, "listeners=CONTROLLER://:9093", &[]),
        (
            CONTROLLER,
            "listeners=CONTROLLER://:9093\nlistener.security.protocol.map=CONTROLLER:SSL",
            &[],
        ),
        (
            "broker.id=0\nzookeeper.connect=localhost:2181\n",
            "listeners=SASL_PLAINTEXT://:9092\nsecurity.inter.broker.protocol=SASL_PLAINTEXT\n\
             sasl.enabled.mechanisms=PLAIN\nsasl.mechanism.inter.broker.protocol=PLAIN",
            &["Listener SASL_PLAINTEXT", "PLAIN", "listener.name.sasl_plaintext.plain.sasl"],
        ),
    ];

    #[test]
    fn a_listener_in_use_is_never_served_more_openly_than_it_is_declared() {
        for (head, more, words) in CASES {
            match verdict(&format!("{head}{more}\n")) {
                Ok(()) => assert!(words.is_empty(), "{more} is refused"),
                Err(said) => {
                    assert!(!words.is_empty(), "{more} starts, not: {said}");
                    assert_eq!(said.lines().count(), 1, "{said}");
                    for word in *words {
                        assert!(said.contains(word), "{word:?} in {said}");
                    }
                }
            }
        }
    }
}

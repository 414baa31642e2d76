//! Java classes that a configuration names, and what becomes of each.
//!
//! Kafka's own class names mean ours where we have the thing. Any other class that would change who
//! may do what, or where data goes, is refused when the node starts; one that only watches is one
//! warning. A key below a listener (`listener.name.<listener>.<key>`) counts as the key.
//!
//! Classes that only TLS and SASL use are not here: without such a listener nobody would load them,
//! and with one the node does not start (`exposure`).

use super::BrokerConfig;
use crate::synonyms::below_listener;
use crate::{ConfigError, Warning};

/// What a class of somebody's own would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It decides; what is left undecided without it.
    Decides(&'static str),
    /// It moves data away once tiered storage is on.
    Tiers,
    /// It looks on.
    Watches,
}

/// A key that names a class.
struct Slot {
    key: &'static str,
    /// Kafka's own classes that we stand for.
    ours: &'static [&'static str],
    role: Role,
}

const fn slot(key: &'static str, ours: &'static [&'static str], role: Role) -> Slot {
    Slot { key, ours, role }
}

/// Keeps the state of share groups with the share coordinators.
const DEFAULT_PERSISTER: &str = "org.apache.kafka.server.share.persister.DefaultStatePersister";
/// Keeps it nowhere, as no class does.
const NO_OP_PERSISTER: &str = "org.apache.kafka.server.share.persister.NoOpStatePersister";

const JMX: &str = "org.apache.kafka.common.metrics.JmxReporter";

const SLOTS: &[Slot] = &[
    slot(
        "create.topic.policy.class.name",
        &[],
        Role::Decides("topics would be created that it forbids: take it out"),
    ),
    slot(
        "alter.config.policy.class.name",
        &[],
        Role::Decides("settings would be changed that it forbids: take it out"),
    ),
    slot(
        "replica.selector.class",
        &["org.apache.kafka.common.replica.RackAwareReplicaSelector"],
        Role::Decides(
            "clients would read from other replicas than it chooses: take it out, or use Kafka's \
             org.apache.kafka.common.replica.RackAwareReplicaSelector",
        ),
    ),
    slot(
        "principal.builder.class",
        &["org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"],
        Role::Decides("clients would be somebody else than it says: take it out"),
    ),
    slot(
        "client.quota.callback.class",
        &[],
        Role::Decides("clients would not be throttled as it says: take it out"),
    ),
    slot(
        "group.share.persister.class.name",
        &[DEFAULT_PERSISTER, NO_OP_PERSISTER],
        Role::Decides("the state of share groups would not be kept where it says: take it out"),
    ),
    slot("security.providers", &[], Role::Decides("no JVM asks it: take it out")),
    slot("remote.log.storage.manager.class.name", &[], Role::Tiers),
    slot("metric.reporters", &[JMX], Role::Watches),
    slot("kafka.metrics.reporters", &[], Role::Watches),
];

const TIERING: &str = "remote.log.storage.system.enable";

/// A class of somebody's own in one of the slots.
struct Found<'a> {
    name: &'a str,
    class: String,
    role: Role,
}

fn found(config: &BrokerConfig) -> impl Iterator<Item = Found<'_>> {
    config.static_properties.iter().chain(config.dynamic_own.iter()).flat_map(|(name, text)| {
        let base = below_listener(name).unwrap_or(name);
        let slot = SLOTS.iter().find(|slot| slot.key == base);
        slot.into_iter().flat_map(move |slot| {
            let foreign = |class: &String| !slot.ours.contains(&class.as_str());
            let classes = crate::endpoint::csv(text).into_iter().filter(foreign);
            classes.map(move |class| Found { name, class, role: slot.role })
        })
    })
}

/// Refuses the first class that decides something.
pub(super) fn check(config: &BrokerConfig) -> Result<(), ConfigError> {
    let tiering = config.values.typed::<bool>(TIERING)?;
    let refused = found(config).find_map(|found| {
        let remedy = match found.role {
            Role::Decides(remedy) => remedy,
            Role::Tiers if tiering => {
                "segments would not go where it keeps them: take it out and set \
                 remote.log.storage.system.enable=false"
            }
            Role::Tiers | Role::Watches => return None,
        };
        Some(ConfigError::Plugin { name: found.name.to_owned(), class: found.class, remedy })
    });
    refused.map_or(Ok(()), Err)
}

/// One warning for each class that would only have watched.
pub(super) fn notice(config: &BrokerConfig) -> Vec<Warning> {
    let watching = found(config).filter(|found| found.role == Role::Watches);
    watching
        .map(|found| Warning::Advice {
            message: format!(
                "{}={} is not loaded: it is a Java class, and no JVM is here to run it. It would \
                 only have watched.",
                found.name, found.class
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Properties;
    use crate::keys::Table;

    fn of(more: &str) -> (BrokerConfig, Vec<String>) {
        let text = format!(
            "node.id=1\nprocess.roles=broker,controller\n\
             listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters=1@localhost:9093\n{more}"
        );
        let properties = Properties::parse(text.as_bytes()).unwrap();
        let (config, warnings) = BrokerConfig::from_properties(&properties).unwrap();
        (config, warnings.iter().map(Warning::to_string).collect())
    }

    #[test]
    fn every_slot_is_a_key_of_kafka() {
        for slot in SLOTS {
            assert!(Table::Broker.key(slot.key).is_some(), "{}", slot.key);
        }
    }

    #[test]
    fn a_class_that_decides_is_refused_by_name() {
        for line in [
            "create.topic.policy.class.name=a.Policy",
            "alter.config.policy.class.name=a.Policy",
            "replica.selector.class=a.Selector",
            "principal.builder.class=a.Builder",
            "listener.name.plaintext.principal.builder.class=a.Builder",
            "client.quota.callback.class=a.Callback",
            "security.providers=a.Provider",
            "group.share.persister.class.name=a.Persister",
            "remote.log.storage.system.enable=true\nremote.log.storage.manager.class.name=a.Store",
        ] {
            let (config, _) = of(line);
            let said = config.check_start().unwrap_err().to_string();
            let named = line.lines().last().unwrap();
            assert!(said.contains(named) && said.contains("take it out"), "{line}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }

    #[test]
    fn kafkas_own_classes_are_ours_and_say_nothing() {
        for line in [
            "replica.selector.class=org.apache.kafka.common.replica.RackAwareReplicaSelector",
            "principal.builder.class=\
             org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder",
            "metric.reporters=org.apache.kafka.common.metrics.JmxReporter",
            "metric.reporters=",
            "create.topic.policy.class.name=",
            "group.share.persister.class.name=",
            "group.share.persister.class.name=\
             org.apache.kafka.server.share.persister.NoOpStatePersister",
            "group.share.persister.class.name=\
             org.apache.kafka.server.share.persister.DefaultStatePersister",
        ] {
            let (config, warnings) = of(line);
            assert_eq!(config.check_start(), Ok(()), "{line}");
            assert_eq!(warnings, Vec::<String>::new(), "{line}");
        }
    }

    #[test]
    fn a_class_that_watches_is_one_warning_by_name() {
        for (line, class) in [
            ("metric.reporters=io.confluent.metrics.reporter.ConfluentMetricsReporter", "io.conf"),
            ("metric.reporters=org.apache.kafka.common.metrics.JmxReporter,a.B", "a.B"),
            ("kafka.metrics.reporters=a.B", "a.B"),
        ] {
            let (config, warnings) = of(line);
            assert_eq!(config.check_start(), Ok(()), "{line}");
            assert_eq!(warnings.len(), 1, "{line}: {warnings:?}");
            assert!(warnings[0].contains(class) && !warnings[0].contains("Jmx"), "{warnings:?}");
        }
    }

    #[test]
    fn a_store_that_nothing_is_sent_to_is_no_reason_to_refuse() {
        let (config, _) = of("remote.log.storage.manager.class.name=a.Store");
        assert_eq!(config.check_start(), Ok(()));
    }
}

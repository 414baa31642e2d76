//! Environment variables as configuration, by the rules of the images that people come from.
//!
//! | image          | variable                 | rule                          |
//! |----------------|--------------------------|-------------------------------|
//! | apache/kafka   | `KAFKA_LOG_DIRS`         | `___` is `-`, `__` `_`, `_` `.` |
//! | cp-kafka       | `KAFKA_LOG_DIRS`         | the same                      |
//! | bitnami/kafka  | `KAFKA_CFG_LOG_DIRS`     | `_` is `.`                    |
//!
//! A pure function: the variables come in as pairs. Names are lower case afterwards, but for the
//! two of ZooKeeper's client that are not.

use crate::Properties;

/// Variables that start with `KAFKA_` and are no configuration: they are of the launch scripts.
const LAUNCHER: &[&str] = &[
    "KAFKA_VERSION",
    "KAFKA_HEAP_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_ZOOKEEPER_TLS_TRUSTSTORE_FILE",
    "KAFKA_CLUSTER_ID",
    "KAFKA_KRAFT_CLUSTER_ID",
    "KAFKA_HOME",
    "KAFKA_DEBUG",
    "KAFKA_MODE",
];

/// Which image's rules a set of variables follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rules {
    /// apache/kafka, apache/kafka-native and confluentinc/cp-kafka.
    Apache,
    /// bitnami/kafka.
    Bitnami,
}

/// The configuration that environment variables say. Others than configuration are left out.
pub fn properties<'a>(
    rules: Rules,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Properties {
    let named = variables.into_iter().filter_map(|(variable, value)| {
        let name = match rules {
            Rules::Apache => apache_name(variable),
            Rules::Bitnami => bitnami_name(variable),
        };
        Some((name?, value))
    });
    named.collect()
}

/// The key that a variable of apache/kafka or cp-kafka stands for, if it stands for one.
pub fn apache_name(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_").filter(|rest| !rest.is_empty())?;
    if LAUNCHER.contains(&variable) || variable.starts_with("KAFKA_CFG_") {
        return None;
    }
    // Runs of underscores are replaced from the left, the longest first.
    let dotted = rest.replace("___", "\u{1}").replace("__", "\u{2}").replace('_', ".");
    Some(spelled(&dotted.replace('\u{1}', "-").replace('\u{2}', "_").to_lowercase()))
}

/// The key that a variable of bitnami/kafka stands for, if it stands for one.
pub fn bitnami_name(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_CFG_").filter(|rest| !rest.is_empty())?;
    Some(spelled(&rest.replace('_', ".").to_lowercase()))
}

/// Keys whose own spelling is not all lower case.
fn spelled(name: &str) -> String {
    match name {
        "zookeeper.clientcnxnsocket" => "zookeeper.clientCnxnSocket".to_owned(),
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_of_apache_and_confluent_images_are_dots_underscores_and_dashes() {
        let table = [
            ("KAFKA_NODE_ID", Some("node.id")),
            ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", Some("listener.security.protocol.map")),
            ("KAFKA_A__B___C", Some("a_b-c")),
            ("KAFKA_ZOOKEEPER_CLIENTCNXNSOCKET", Some("zookeeper.clientCnxnSocket")),
            ("KAFKA_HEAP_OPTS", None),
            ("KAFKA_CFG_NODE_ID", None),
            ("KAFKA_", None),
            ("PATH", None),
        ];
        for (variable, name) in table {
            assert_eq!(apache_name(variable).as_deref(), name, "{variable}");
        }
    }

    #[test]
    fn underscores_of_bitnami_are_dots() {
        let variables =
            [("KAFKA_CFG_LOG_DIRS", "/data"), ("KAFKA_LOG_DIRS", "/no"), ("HOME", "/root")];
        let properties = properties(Rules::Bitnami, variables);
        assert_eq!(properties.iter().collect::<Vec<_>>(), [("log.dirs", "/data")]);
    }
}

//! From the name of a variable to the name of a key, and which variables are none.
//!
//! | image                  | variable             | rule                              |
//! |------------------------|----------------------|-----------------------------------|
//! | apache/kafka, cp-kafka | `KAFKA_LOG_DIRS`     | `___` is `-`, `__` `_`, `_` `.`   |
//! | bitnami/kafka          | `KAFKA_CFG_LOG_DIRS` | `_` is `.`, but `sasl_ssl`, `sasl_plaintext` |
//! | wurstmeister/kafka     | `KAFKA_LOG_DIRS`     | `_` is `.`                        |
//!
//! Names are lower case afterwards, but for the one key of ZooKeeper's client that is not.
//! Answers to env_to_props of Confluent's docker utilities and to kafka.docker.KafkaDockerWrapper.

/// Variables that start with `KAFKA_` and are no configuration: they are of launch scripts, of the
/// JVM or of an image's own steps.
const LAUNCHER: &[&str] = &[
    "KAFKA_VERSION",
    "KAFKA_HOME",
    "KAFKA_DEBUG",
    "KAFKA_MODE",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_LOG4J_CMD_OPTS",
    "KAFKA_CLUSTER_ID",
    "KAFKA_KRAFT_CLUSTER_ID",
    "KAFKA_DATA_DIRS",
    "KAFKA_CUB_ZK_TIMEOUT",
    "KAFKA_CREATE_TOPICS",
    "KAFKA_CREATE_TOPICS_SEPARATOR",
    "KAFKA_USER",
    "KAFKA_BASE_DIR",
    "KAFKA_CONF_DIR",
];

/// What a JVM would offer or be given.
const JAVA: &[&str] = &["KAFKA_JMX_PORT", "KAFKA_JMX_HOSTNAME", "KAFKA_JMX_OPTS", "JMX_PORT"];

/// Files of cp-kafka's TLS settings, which its scripts turn into ssl.* keys.
const SECRETS: &[&str] = &[
    "KAFKA_SSL_KEYSTORE_FILENAME",
    "KAFKA_SSL_KEYSTORE_CREDENTIALS",
    "KAFKA_SSL_KEY_CREDENTIALS",
    "KAFKA_SSL_TRUSTSTORE_FILENAME",
    "KAFKA_SSL_TRUSTSTORE_CREDENTIALS",
];

/// Whether the variable belongs to launch scripts: KAFKA_HEAP_OPTS must not become heap.opts.
pub(super) fn is_launchers(variable: &str) -> bool {
    (variable.starts_with("KAFKA_") && variable.ends_with("_OPTS"))
        || LAUNCHER.contains(&variable)
        || SECRETS.contains(&variable)
        || is_java(variable)
}

pub(super) fn is_java(variable: &str) -> bool {
    JAVA.contains(&variable)
}

/// The key that a variable of apache/kafka or cp-kafka stands for, if it stands for one.
pub fn apache_name(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_").filter(|rest| !rest.is_empty())?;
    if is_launchers(variable) || variable.starts_with("KAFKA_CFG_") {
        return None;
    }
    // cp-kafka 5 … 7 spell the one that is not all lower case with words of its own.
    if variable == "KAFKA_ZOOKEEPER_CLIENT_CNXN_SOCKET" {
        return Some("zookeeper.clientCnxnSocket".to_owned());
    }
    // Runs of underscores are replaced from the left, the longest first.
    let dotted = rest.replace("___", "\u{1}").replace("__", "\u{2}").replace('_', ".");
    Some(spelled(&dotted.replace('\u{1}', "-").replace('\u{2}', "_").to_lowercase()))
}

/// The key that a variable of bitnami/kafka stands for, if it stands for one.
pub fn bitnami_name(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_CFG_").filter(|rest| !rest.is_empty())?;
    let dotted = rest.replace('_', ".").to_lowercase();
    let dotted = dotted.replace("sasl.ssl", "sasl_ssl").replace("sasl.plaintext", "sasl_plaintext");
    Some(spelled(&dotted))
}

/// The key that a variable of wurstmeister/kafka stands for, if it stands for one.
pub(super) fn wurstmeister_name(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix("KAFKA_").filter(|rest| !rest.is_empty())?;
    (!is_launchers(variable)).then(|| spelled(&rest.replace('_', ".").to_lowercase()))
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
            ("KAFKA_ZOOKEEPER_CLIENT_CNXN_SOCKET", Some("zookeeper.clientCnxnSocket")),
            ("KAFKA_LISTENER_NAME_SASL__SSL_SSL_CLIENT_AUTH", {
                Some("listener.name.sasl_ssl.ssl.client.auth")
            }),
            ("KAFKA_HEAP_OPTS", None),
            ("KAFKA_GC_LOG_OPTS", None),
            ("KAFKA_CFG_NODE_ID", None),
            ("KAFKA_", None),
            ("PATH", None),
        ];
        for (variable, name) in table {
            assert_eq!(apache_name(variable).as_deref(), name, "{variable}");
        }
    }

    #[test]
    fn underscores_of_bitnami_are_dots_but_for_the_names_of_two_protocols() {
        let table = [
            ("KAFKA_CFG_LOG_DIRS", Some("log.dirs")),
            ("KAFKA_CFG_LISTENER_NAME_SASL_SSL_SSL_CLIENT_AUTH", {
                Some("listener.name.sasl_ssl.ssl.client.auth")
            }),
            ("KAFKA_CFG_ZOOKEEPER_CLIENTCNXNSOCKET", Some("zookeeper.clientCnxnSocket")),
            ("KAFKA_LOG_DIRS", None),
            ("KAFKA_CFG_", None),
        ];
        for (variable, name) in table {
            assert_eq!(bitnami_name(variable).as_deref(), name, "{variable}");
        }
    }
}

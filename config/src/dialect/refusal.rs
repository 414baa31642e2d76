//! Why an image's variables cannot be started from, by cause, with what to change.

use thiserror::Error;

use super::Dialect;
use crate::ConfigError;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("{variable} is required and not set: {why}.")]
    Missing { variable: &'static str, why: &'static str },
    #[error(
        "Neither {roles} nor {zookeeper} is set. Set {roles} (for example broker,controller) for a \
         node without ZooKeeper, or {zookeeper} to where the ZooKeeper service is."
    )]
    NoMode { roles: &'static str, zookeeper: &'static str },
    #[error(
        "KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller. Remove it, or set \
         KAFKA_PROCESS_ROLES to broker,controller."
    )]
    AdvertisedOnController,
    #[error("{variable}: {key} is deprecated. Please use KAFKA_ADVERTISED_LISTENERS instead.")]
    Deprecated { variable: &'static str, key: &'static str },
    /// A listener in use that is not plain text.
    #[error(
        "{source_name} names the listener {listener}, which speaks {protocol}. Only PLAINTEXT \
         and SASL_PLAINTEXT are served, and a listener is never served more openly than \
         configured. Give it one of these where the network may see everything, or stay with the node that you \
         have until {protocol} is there."
    )]
    Secured { source_name: String, listener: String, protocol: String },
    #[error(
        "Specify the same number of passwords on KAFKA_CLIENT_PASSWORDS ({passwords}) as the \
         number of users on KAFKA_CLIENT_USERS ({users})."
    )]
    Users { users: usize, passwords: usize },
    #[error("{variable} has a name or password with one of {not}, which cannot be written down.")]
    Unwritable { variable: &'static str, not: &'static str },
    #[error(
        "{variable}={value} asks for a secured connection to ZooKeeper, which this node cannot \
         make. Remove {variable}, or stay with the node that you have until it can."
    )]
    SecuredZooKeeper { variable: String, value: String },
    /// Kafka would refuse the file that results.
    #[error("{}{error}", of(variables))]
    Configuration { variables: Vec<String>, error: ConfigError },
    #[error("{path} cannot be read as properties: {error}")]
    MountedFile { path: String, error: ConfigError },
    #[error(
        "KAFKA_PROCESS_ROLES is not set. In the apache/kafka image one variable that configures \
         Kafka ({variable} here) takes the place of the whole file that it ships: set \
         KAFKA_NODE_ID, KAFKA_PROCESS_ROLES, KAFKA_LISTENERS, KAFKA_CONTROLLER_LISTENER_NAMES and \
         KAFKA_CONTROLLER_QUORUM_VOTERS too, or none."
    )]
    DefaultsReplaced { variable: String },
    #[error(
        "No listener or advertised hostname is configured. Set KAFKA_LISTENERS, \
         KAFKA_ADVERTISED_HOST_NAME or HOSTNAME_COMMAND."
    )]
    NoListener,
    #[error("KAFKA_LISTENERS must be set where KAFKA_ADVERTISED_LISTENERS is.")]
    ListenersNeeded,
    #[error("{variable} is \"{value}\": {expected} is expected.")]
    BadValue { variable: &'static str, value: String, expected: &'static str },
    #[error(
        "Set ALLOW_ANONYMOUS_LOGIN=yes: this ZooKeeper service lets everybody in, and the \
         bitnami/zookeeper image starts so only when told."
    )]
    AnonymousLogin,
}

impl Refusal {
    pub(super) fn no_mode(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Bitnami => Self::NoMode {
                roles: "KAFKA_CFG_PROCESS_ROLES",
                zookeeper: "KAFKA_CFG_ZOOKEEPER_CONNECT",
            },
            _ => {
                Self::NoMode { roles: "KAFKA_PROCESS_ROLES", zookeeper: "KAFKA_ZOOKEEPER_CONNECT" }
            }
        }
    }
}

fn of(variables: &[String]) -> String {
    if variables.is_empty() { String::new() } else { format!("{}: ", variables.join(", ")) }
}

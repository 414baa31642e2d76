//! confluentinc/cp-kafka 5 … 8: `/etc/confluent/docker/run` configures, ensures and launches.
//!
//! - KAFKA_PROCESS_ROLES (then CLUSTER_ID formats the storage) or KAFKA_ZOOKEEPER_CONNECT; 5 … 7.3
//!   know the second alone, 8 the first alone.
//! - KAFKA_ADVERTISED_LISTENERS is required, but refused on a node that is controller only.
//! - KAFKA_LISTENERS is what is advertised, on all addresses; KAFKA_LOG_DIRS /var/lib/kafka/data.
//! - advertised.host, advertised.port, host and port end the start.
//!
//! Before 7.4 people formatted by lines of their own behind `configure` or `ensure`: without
//! CLUSTER_ID nothing is formatted here, and the launch finds out whether somebody did.

use super::draft::{Draft, cluster_id};
use super::names::apache_name;
use super::plan::{Bound, InitialVoters, Plan, Storage};
use super::{Dialect, ImageEnvironment, Notice, Refusal, listeners};

pub(super) const CLUSTER_IDS: &[&str] =
    &["CLUSTER_ID", "KAFKA_CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID"];

const DEPRECATED: &[(&str, &str)] = &[
    ("KAFKA_ADVERTISED_PORT", "advertised.port"),
    ("KAFKA_ADVERTISED_HOST", "advertised.host"),
    ("KAFKA_HOST", "host"),
    ("KAFKA_PORT", "port"),
];

pub(super) fn plan(given: &ImageEnvironment) -> Result<Plan, Refusal> {
    plan_as(Dialect::CpKafka, given)
}

/// confluent-local has the same rules behind its defaults.
pub(super) fn plan_as(dialect: Dialect, given: &ImageEnvironment) -> Result<Plan, Refusal> {
    let variables = &given.variables;
    let roles = variables.filled("KAFKA_PROCESS_ROLES");
    let advertised = variables.filled("KAFKA_ADVERTISED_LISTENERS");
    let is_controller_only = roles.map(str::trim) == Some("controller");
    if roles.is_none() && variables.filled("KAFKA_ZOOKEEPER_CONNECT").is_none() {
        return Err(Refusal::no_mode(dialect));
    }
    match (is_controller_only, advertised) {
        (true, Some(_)) => return Err(Refusal::AdvertisedOnController),
        (false, None) => {
            let why = "it is what clients and other brokers connect to, for example \
                       PLAINTEXT://kafka:9092";
            return Err(Refusal::Missing { variable: "KAFKA_ADVERTISED_LISTENERS", why });
        }
        _ => {}
    }
    if let Some((variable, key)) =
        DEPRECATED.iter().find(|(variable, _)| variables.filled(variable).is_some())
    {
        return Err(Refusal::Deprecated { variable, key });
    }
    let mut draft = Draft::new(dialect, variables);
    draft.take(variables, apache_name);
    if is_controller_only {
        draft.remove("advertised.listeners");
    } else if let Some(advertised) = advertised {
        let listeners = listeners::everywhere(advertised);
        draft.set_default("listeners", &listeners, "KAFKA_ADVERTISED_LISTENERS");
    }
    draft.set_default("log.dirs", "/var/lib/kafka/data", "KAFKA_LOG_DIRS");
    refuse_secured_zookeeper(given)?;
    let storage = match roles {
        None => Storage::AtStart,
        Some(_) => match cluster_id(variables, CLUSTER_IDS, Bound::Strictly, &mut draft) {
            Some(cluster_id) => {
                Storage::Format { cluster_id, voters: InitialVoters::Configured, scram: Vec::new() }
            }
            None => {
                draft.notice(Notice::NoClusterId);
                Storage::Elsewhere
            }
        },
    };
    draft.finish(given, b"", storage)
}

/// A connection to ZooKeeper that a file asks to be secured is never made in plain text.
pub(super) fn refuse_secured_zookeeper(given: &ImageEnvironment) -> Result<(), Refusal> {
    const VARIABLES: &[&str] =
        &["KAFKA_ZOOKEEPER_SSL_CLIENT_ENABLE", "KAFKA_CFG_ZOOKEEPER_SSL_CLIENT_ENABLE"];
    let variables = &given.variables;
    let asks = |name: &&&str| {
        variables.filled(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    };
    match VARIABLES.iter().find(asks) {
        Some(variable) => Err(Refusal::SecuredZooKeeper {
            variable: (*variable).to_owned(),
            value: "true".to_owned(),
        }),
        None => Ok(()),
    }
}

//! THE table: every key of Kafka 4.3, and the older ones that a file may still carry.
//!
//! One file per theme holds the rows; `key` the language they are written in. Tables:
//! broker keys, topic keys, group keys, keys of client metrics subscriptions, throttles that exist
//! only dynamically, legacy keys of brokers and topics, and broker keys of our own.
//!
//! A row says what the key does here. `acting()` lists those that do something, with the field of
//! `BrokerConfig` or `TopicConfig` through which they act; a key that claims to act and whose field
//! nobody reads is a lie that a test outside of this crate finds.

mod cleaner;
mod client_metrics;
mod group;
mod group_resource;
mod key;
mod legacy;
mod legacy_topic;
mod log;
mod metrics;
mod oauth;
mod own;
mod quorum;
mod quota;
mod quota_resource;
mod replication;
mod sasl;
mod security;
mod server;
mod share;
mod socket;
mod streams;
mod tiered;
mod tls;
mod topic;
mod transaction;
mod valid;
mod why;
mod zookeeper;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use key::{Effect, Fallback, Importance, Key, Update};
pub use valid::Valid;
pub(crate) use valid::iso_duration_ms;

/// The themes of the broker table, with the titles that documentation gives them.
pub const BROKER_THEMES: &[(&str, &[Key])] = &[
    ("Node and topics", server::KEYS),
    ("Listeners and connections", socket::KEYS),
    ("Logs", log::KEYS),
    ("Compaction", cleaner::KEYS),
    ("Replication", replication::KEYS),
    ("Groups and offsets", group::KEYS),
    ("Share groups", share::KEYS),
    ("Streams groups", streams::KEYS),
    ("Transactions", transaction::KEYS),
    ("Controller quorum", quorum::KEYS),
    ("Security", security::KEYS),
    ("TLS", tls::KEYS),
    ("SASL", sasl::KEYS),
    ("OAUTHBEARER", oauth::KEYS),
    ("Quotas", quota::KEYS),
    ("Metrics", metrics::KEYS),
    ("Tiered storage", tiered::KEYS),
];

/// A kind of thing that has configuration, and so a table of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    Broker,
    Topic,
    Group,
    ClientMetrics,
    /// Throttles of a broker that only a dynamic change can set.
    Quota,
    LegacyBroker,
    LegacyTopic,
    /// Broker keys that Kafka does not have.
    Own,
}

const TABLES: &[Table] = &[
    Table::Broker,
    Table::Topic,
    Table::Group,
    Table::ClientMetrics,
    Table::Quota,
    Table::LegacyBroker,
    Table::LegacyTopic,
    Table::Own,
];

type Rows = BTreeMap<&'static str, &'static Key>;

impl Table {
    /// The rows, by name.
    pub fn rows(self) -> &'static Rows {
        static ROWS: OnceLock<BTreeMap<Table, Rows>> = OnceLock::new();
        static NONE: Rows = BTreeMap::new();
        let all = ROWS.get_or_init(|| {
            let by_name = |table: &Self| {
                let rows = table.themes().into_iter().flatten().map(|key| (key.name, key));
                (*table, rows.collect())
            };
            TABLES.iter().map(by_name).collect()
        });
        all.get(&self).unwrap_or(&NONE)
    }

    pub fn key(self, name: &str) -> Option<&'static Key> {
        self.rows().get(name).copied()
    }

    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        self.rows().values().copied()
    }

    fn themes(self) -> Vec<&'static [Key]> {
        match self {
            Self::Broker => BROKER_THEMES.iter().map(|(_, rows)| *rows).collect(),
            Self::Topic => vec![topic::KEYS],
            Self::Group => vec![group_resource::KEYS],
            Self::ClientMetrics => vec![client_metrics::KEYS],
            Self::Quota => vec![quota_resource::KEYS],
            Self::LegacyBroker => vec![legacy::KEYS, zookeeper::KEYS],
            Self::LegacyTopic => vec![legacy_topic::KEYS],
            Self::Own => vec![own::KEYS],
        }
    }
}

/// Whether a key that is ignored for this reason can be set without a word about it.
pub(crate) fn is_quiet(reason: &str) -> bool {
    why::QUIET.contains(&reason)
}

/// Whether a node refuses to start with another value than Kafka's own for this reason.
pub(crate) fn is_refusing(reason: &str) -> bool {
    why::REFUSING.contains(&reason)
}

/// A key that claims to do something, and the field through which it does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Acting {
    pub table: Table,
    pub name: &'static str,
    /// A field of `BrokerConfig` for a key of brokers, of `TopicConfig` for a topic key.
    pub field: String,
}

/// Every key that claims to do something.
pub fn acting() -> impl Iterator<Item = Acting> {
    [Table::Broker, Table::Topic, Table::Own].into_iter().flat_map(|table| {
        table
            .keys()
            .filter_map(move |key| key.field().map(|field| Acting { table, name: key.name, field }))
    })
}

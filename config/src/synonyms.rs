//! Which keys say the same thing: topic keys and their broker defaults, and one duration in units.
//!
//! Answers to ServerTopicConfigSynonyms and DynamicBrokerConfig.brokerConfigSynonyms. Among broker
//! keys of one meaning the first that is set counts.

/// In which unit a broker key gives what its topic key has in milliseconds (or as it is).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Same,
    Minutes,
    Hours,
}

impl Unit {
    pub(crate) fn factor(self) -> i64 {
        match self {
            Self::Same => 1,
            Self::Minutes => 60_000,
            Self::Hours => 3_600_000,
        }
    }
}

/// A topic key and the broker keys that give its default, the strongest first.
pub type Synonym = (&'static str, &'static [(&'static str, Unit)]);

/// Every topic key that has a broker key.
pub const TOPIC_SYNONYMS: &[Synonym] = &[
    ("segment.bytes", &[("log.segment.bytes", Unit::Same)]),
    ("segment.ms", &[("log.roll.ms", Unit::Same), ("log.roll.hours", Unit::Hours)]),
    (
        "segment.jitter.ms",
        &[("log.roll.jitter.ms", Unit::Same), ("log.roll.jitter.hours", Unit::Hours)],
    ),
    ("segment.index.bytes", &[("log.index.size.max.bytes", Unit::Same)]),
    ("flush.messages", &[("log.flush.interval.messages", Unit::Same)]),
    (
        "flush.ms",
        &[("log.flush.interval.ms", Unit::Same), ("log.flush.scheduler.interval.ms", Unit::Same)],
    ),
    ("retention.bytes", &[("log.retention.bytes", Unit::Same)]),
    (
        "retention.ms",
        &[
            ("log.retention.ms", Unit::Same),
            ("log.retention.minutes", Unit::Minutes),
            ("log.retention.hours", Unit::Hours),
        ],
    ),
    ("max.message.bytes", &[("message.max.bytes", Unit::Same)]),
    ("index.interval.bytes", &[("log.index.interval.bytes", Unit::Same)]),
    ("delete.retention.ms", &[("log.cleaner.delete.retention.ms", Unit::Same)]),
    ("min.compaction.lag.ms", &[("log.cleaner.min.compaction.lag.ms", Unit::Same)]),
    ("max.compaction.lag.ms", &[("log.cleaner.max.compaction.lag.ms", Unit::Same)]),
    ("file.delete.delay.ms", &[("log.segment.delete.delay.ms", Unit::Same)]),
    ("min.cleanable.dirty.ratio", &[("log.cleaner.min.cleanable.ratio", Unit::Same)]),
    ("cleanup.policy", &[("log.cleanup.policy", Unit::Same)]),
    ("unclean.leader.election.enable", &[("unclean.leader.election.enable", Unit::Same)]),
    ("min.insync.replicas", &[("min.insync.replicas", Unit::Same)]),
    ("compression.type", &[("compression.type", Unit::Same)]),
    ("compression.gzip.level", &[("compression.gzip.level", Unit::Same)]),
    ("compression.lz4.level", &[("compression.lz4.level", Unit::Same)]),
    ("compression.zstd.level", &[("compression.zstd.level", Unit::Same)]),
    ("preallocate", &[("log.preallocate", Unit::Same)]),
    ("message.timestamp.type", &[("log.message.timestamp.type", Unit::Same)]),
    ("message.timestamp.before.max.ms", &[("log.message.timestamp.before.max.ms", Unit::Same)]),
    ("message.timestamp.after.max.ms", &[("log.message.timestamp.after.max.ms", Unit::Same)]),
    ("local.retention.ms", &[("log.local.retention.ms", Unit::Same)]),
    ("local.retention.bytes", &[("log.local.retention.bytes", Unit::Same)]),
];

/// The broker keys that give the default of a topic key, the strongest first.
pub fn broker_keys(topic_key: &str) -> &'static [(&'static str, Unit)] {
    let found = TOPIC_SYNONYMS.iter().find(|(name, _)| *name == topic_key);
    found.map_or(&[], |(_, broker_keys)| broker_keys)
}

/// Names under which a broker's own configuration says the same as under `name`, strongest first.
/// `listeners` adds the plain name below one with the prefix of a listener.
pub(crate) fn of_broker_key(name: &str, listeners: bool) -> Vec<String> {
    let group: &[&str] = match name {
        "log.roll.ms" | "log.roll.hours" => &["log.roll.ms", "log.roll.hours"],
        "log.roll.jitter.ms" | "log.roll.jitter.hours" => {
            &["log.roll.jitter.ms", "log.roll.jitter.hours"]
        }
        // Not the other way round: the scheduler's interval is a key of its own.
        "log.flush.interval.ms" => &["log.flush.interval.ms", "log.flush.scheduler.interval.ms"],
        "log.retention.ms" | "log.retention.minutes" | "log.retention.hours" => {
            &["log.retention.ms", "log.retention.minutes", "log.retention.hours"]
        }
        _ => &[],
    };
    if !group.is_empty() {
        return group.iter().map(|name| (*name).to_owned()).collect();
    }
    let mut names = vec![name.to_owned()];
    if let Some(base) = below_listener(name).filter(|_| listeners) {
        let known = MECHANISM_KEYS.iter().copied().find(|key| base.ends_with(key));
        let mechanism = known.or_else(|| base.strip_prefix(OF_OAUTHBEARER));
        names.push(mechanism.unwrap_or(base).to_owned());
    }
    names
}

/// Keys that stand below a listener and a mechanism: `listener.name.<listener>.<mechanism>.<key>`.
const MECHANISM_KEYS: &[&str] = &[
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
    "connections.max.reauth.ms",
];

/// What stands before any other of its keys.
const OF_OAUTHBEARER: &str = "oauthbearer.";

/// What stands behind `listener.name.<listener>.`, if the name is of that form.
pub(crate) fn below_listener(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("listener.name.")?;
    rest.split_once('.').map(|(_, base)| base)
}

//! The configuration of a subscription of client metrics (KIP-714): what it may say, whom it
//! matches, and what all of a client's subscriptions ask of it together.
//!
//! Patterns match a whole attribute. Unlike Kafka: what only Java's patterns have, such as
//! look-around, is an illegal pattern (docs/decisions/0461).
//! Answers to ClientMetricsConfigs, ClientMetricsInstanceMetadata and
//! ClientMetricsManager.createClientInstance.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};

use crate::keys::Table;
use crate::{ConfigError, Properties, Value, Values};

/// Asks for all metrics.
const ALL: &str = "*";
/// What is asked of a client that no subscription means, and the most that any asks for.
const PUSH_INTERVAL_MS_MAX: i32 = 300_000;
/// What one compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What a client can be matched by.
const MATCHABLE: &[&str] = &[
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Checks all settings that a subscription would have.
pub fn validate_all(own: &Properties) -> Result<(), ConfigError> {
    if let Some((name, _)) = own.iter().find(|(name, _)| Table::ClientMetrics.key(name).is_none()) {
        let message = format!("Unknown client metrics configuration: {name}");
        return Err(ConfigError::BadRequest { message });
    }
    let values = Values::read(Table::ClientMetrics, own)?;
    let interval: i32 = values.typed("interval.ms")?;
    if !(100..=3_600_000).contains(&interval) {
        let message = format!(
            "Invalid value {interval} for interval.ms, interval must be between 100 and 3600000 \
             (1 hour)"
        );
        return Err(ConfigError::BadRequest { message });
    }
    values.typed::<Vec<String>>("match")?.iter().try_for_each(|text| pattern(text).map(drop))
}

/// What the metrics of which clients are asked for.
#[derive(Debug, Clone)]
pub struct Subscription {
    metrics: Vec<String>,
    push_interval_ms: i32,
    /// Attributes and what they must be; of two patterns of one attribute the later counts.
    patterns: Vec<(&'static str, Regex)>,
}

impl Subscription {
    /// Reads the settings of a subscription, which may be none that [`validate_all`] allows.
    pub fn read(own: &Properties) -> Result<Self, ConfigError> {
        let values = Values::read(Table::ClientMetrics, own)?;
        let mut patterns: Vec<(&'static str, Regex)> = Vec::new();
        for text in values.typed::<Vec<String>>("match")? {
            let (attribute, regex) = pattern(&text)?;
            patterns.retain(|(other, _)| *other != attribute);
            patterns.push((attribute, regex));
        }
        Ok(Self {
            metrics: values.typed("metrics")?,
            push_interval_ms: values.typed("interval.ms")?,
            patterns,
        })
    }

    /// Whether the client is meant.
    pub fn matches(&self, client: &ClientAttributes) -> bool {
        let matches = |(attribute, regex): &(&str, Regex)| {
            client.value(attribute).is_some_and(|value| regex.is_match(value.as_bytes()))
        };
        self.patterns.iter().all(matches)
    }
}

/// What a client can be matched by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientAttributes {
    pub client_instance_id: String,
    pub client_id: String,
    pub client_software_name: String,
    pub client_software_version: String,
    pub client_source_address: String,
    pub client_source_port: String,
}

impl ClientAttributes {
    fn value(&self, attribute: &str) -> Option<&str> {
        match attribute {
            "client_instance_id" => Some(&self.client_instance_id),
            "client_id" => Some(&self.client_id),
            "client_software_name" => Some(&self.client_software_name),
            "client_software_version" => Some(&self.client_software_version),
            "client_source_address" => Some(&self.client_source_address),
            "client_source_port" => Some(&self.client_source_port),
            _ => None,
        }
    }
}

/// What is asked of a client by all subscriptions that mean it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// Beginnings of names, or `*` alone for all metrics.
    pub metrics: BTreeSet<String>,
    pub push_interval_ms: i32,
}

impl Subscribed {
    /// The metrics are those of any subscription, the interval is the shortest.
    pub fn by<'s>(
        subscriptions: impl IntoIterator<Item = &'s Subscription>,
        client: &ClientAttributes,
    ) -> Self {
        let mut all = Self { metrics: BTreeSet::new(), push_interval_ms: PUSH_INTERVAL_MS_MAX };
        for subscription in subscriptions.into_iter().filter(|each| each.matches(client)) {
            all.metrics.extend(subscription.metrics.iter().cloned());
            all.push_interval_ms = all.push_interval_ms.min(subscription.push_interval_ms);
        }
        if all.metrics.contains(ALL) {
            all.metrics.retain(|name| name == ALL);
        }
        all
    }
}

/// An attribute and what it must be.
fn pattern(text: &str) -> Result<(&'static str, Regex), ConfigError> {
    let parts: Vec<_> = text.trim_end_matches('=').split('=').collect();
    let [name, value] = parts.as_slice() else {
        return Err(illegal(text));
    };
    let name = MATCHABLE.iter().find(|matchable| **matchable == name.trim());
    let Some(name) = name.filter(|_| !value.is_empty()) else {
        return Err(illegal(text));
    };
    // Java's classes such as \w are of ASCII, too.
    let regex = RegexBuilder::new(&format!(r"\A(?:{})\z", value.trim()))
        .unicode(false)
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    Ok((*name, regex.map_err(|_| illegal(text))?))
}

fn illegal(pattern: &str) -> ConfigError {
    let message = format!("Illegal client matching pattern: {pattern}");
    ConfigError::conflict(&["match"], message)
}

/// The value of every key of a subscription.
pub(crate) fn effective_values(own: &Properties) -> Values {
    let mut values = Values::defaults(Table::ClientMetrics);
    for (name, text) in own.iter() {
        let Some(key) = Table::ClientMetrics.key(name) else {
            continue;
        };
        values.set(key.name, key.parse(text).unwrap_or(Value::Null));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(settings: &[(&str, &str)]) -> Subscription {
        Subscription::read(&Properties::from_iter(settings.iter().copied())).unwrap()
    }

    fn client() -> ClientAttributes {
        ClientAttributes {
            client_instance_id: "zzzzzzzzzzzzzzzzzzzzzg".to_owned(),
            client_id: "orders-7".to_owned(),
            client_software_name: "apache-kafka-java".to_owned(),
            client_software_version: "4.3.1".to_owned(),
            client_source_address: "127.0.0.1".to_owned(),
            client_source_port: "40000".to_owned(),
        }
    }

    #[test]
    fn a_subscription_means_whoever_matches_all_its_patterns_wholly() {
        for (patterns, means) in [
            ("", true),
            ("client_id=orders-.*", true),
            ("client_id=orders", false),
            ("client_id=rders-7|orders-7", true),
            ("client_id=o.*, client_software_version=4\\.[0-9]+\\..*", true),
            ("client_id=o.*, client_software_version=3.*", false),
            ("client_id=nobody,client_id = orders-\\d", true),
            ("client_source_address=127.*,client_source_port=40000", true),
        ] {
            let subscription = subscription(&[("match", patterns)]);
            assert_eq!(subscription.matches(&client()), means, "{patterns}");
        }
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        for pattern in [
            "client_id",
            "=x",
            "client_id=",
            "client_id=a=b",
            "user=x",
            "client_id=(",
            "client_id=[",
            "client_id=(?=look)ahead",
            "client_id=(a{1000}){1000}",
        ] {
            let settings = Properties::from_iter([("match", pattern)]);
            let said = validate_all(&settings).unwrap_err().to_string();
            assert_eq!(said, format!("Illegal client matching pattern: {pattern}"));
            assert!(Subscription::read(&settings).is_err());
        }
    }

    #[test]
    fn of_several_subscriptions_all_metrics_and_the_shortest_interval_count() {
        let one = subscription(&[("metrics", "a.,b."), ("interval.ms", "2000")]);
        let other = subscription(&[("metrics", "b.,c."), ("interval.ms", "3600000")]);
        let all = subscription(&[("metrics", "*"), ("interval.ms", "9000")]);
        let elsewhere = subscription(&[("metrics", "z."), ("match", "client_id=else")]);
        let by = |subscriptions: &[&Subscription]| {
            let subscribed = Subscribed::by(subscriptions.iter().copied(), &client());
            (Vec::from_iter(subscribed.metrics).join(" "), subscribed.push_interval_ms)
        };
        assert_eq!(by(&[]), (String::new(), 300_000));
        assert_eq!(by(&[&elsewhere]), (String::new(), 300_000));
        assert_eq!(by(&[&other]), ("b. c.".to_owned(), 300_000), "five minutes at most");
        assert_eq!(by(&[&one, &other, &elsewhere]), ("a. b. c.".to_owned(), 2000));
        assert_eq!(by(&[&one, &all]), ("*".to_owned(), 2000));
    }
}

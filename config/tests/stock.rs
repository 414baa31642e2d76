//! What stock Kafka 4.3.1 says, compared with what is said here.
//!
//! The fixtures were printed by the programs in tests/dump, run with Kafka's own jars and, for
//! describe and alter, against a stock broker that was started with described.properties.

use std::collections::BTreeMap;

use config::describe::{self, Entry, Source};
use config::keys::{Fallback, Importance, Key, Table};
use config::{BrokerConfig, Properties, client_metrics, dynamic, group, topic};

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the fixture is there")
}

fn fact(scope: &str, key: &Key) -> String {
    let default = match key.fallback {
        Fallback::Required => "(required)",
        Fallback::Null => "(null)",
        Fallback::Value(text) => text,
    };
    let importance = match key.importance {
        Importance::High => "HIGH",
        Importance::Medium => "MEDIUM",
        Importance::Low => "LOW",
    };
    let update = if scope == "broker" { key.update.name() } else { "" };
    let internal = if key.internal { "internal" } else { "public" };
    let valid = key.valid.to_string();
    [scope, key.name, key.kind.name(), default, &valid, importance, update, internal].join("\t")
}

#[test]
fn every_key_has_the_facts_of_kafka_4_3() {
    let tables = [
        ("broker", Table::Broker),
        ("topic", Table::Topic),
        ("group", Table::Group),
        ("client-metrics", Table::ClientMetrics),
        ("quota", Table::Quota),
    ];
    let ours: Vec<String> =
        tables.iter().flat_map(|(scope, table)| table.keys().map(|key| fact(scope, key))).collect();
    let facts = fixture("kafka-4.3.1.tsv");
    let theirs: Vec<&str> = facts.lines().collect();
    assert!(theirs.len() > 380, "the fixture is whole");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn every_default_of_the_table_is_allowed() {
    let tables = [Table::Broker, Table::Topic, Table::Group, Table::ClientMetrics, Table::Quota];
    for key in tables.into_iter().flat_map(Table::keys) {
        if let Fallback::Value(text) = key.fallback {
            let parsed = key.parse(text).unwrap();
            assert_eq!(Some(parsed), key.default_value(), "{}", key.name);
        }
    }
    topic::TopicConfig::kafka_defaults();
}

#[test]
fn every_key_is_documented() {
    for table in [Table::Broker, Table::Topic, Table::Group, Table::ClientMetrics] {
        for key in table.keys() {
            assert!(key.documentation().len() > 10, "{}", key.name);
        }
    }
}

/// The broker that the fixtures were recorded from, with the dynamic settings it was given.
fn described() -> BrokerConfig {
    let properties = Properties::parse(fixture("described.properties").as_bytes())
        .expect("the fixture can be read");
    let (broker, _) = BrokerConfig::from_properties(&properties).expect("stock took it");
    let cluster = Properties::from_iter([
        ("message.max.bytes", "1500000"),
        ("log.roll.ms", "9000000"),
        ("leader.replication.throttled.rate", "5"),
        ("compression.type", "lz4"),
        // A fresh cluster has this record where eligible leader replicas are on.
        ("min.insync.replicas", "1"),
    ]);
    let own = Properties::from_iter([
        ("message.max.bytes", "2000000"),
        ("log.retention.ms", " 7000000 "),
        ("listener.name.plaintext.ssl.keystore.password", "x"),
        ("custom.key", "x"),
    ]);
    broker.with_dynamic(&cluster, &own).expect("stock took it")
}

fn topic_settings() -> Properties {
    Properties::from_iter([("retention.ms", "1000"), ("cleanup.policy", "compact")])
}

fn source(source: Source) -> &'static str {
    match source {
        Source::Topic => "DYNAMIC_TOPIC_CONFIG",
        Source::DynamicBroker => "DYNAMIC_BROKER_CONFIG",
        Source::DynamicDefaultBroker => "DYNAMIC_DEFAULT_BROKER_CONFIG",
        Source::StaticBroker => "STATIC_BROKER_CONFIG",
        Source::Default => "DEFAULT_CONFIG",
        Source::ClientMetrics => "DYNAMIC_CLIENT_METRICS_CONFIG",
        Source::Group => "DYNAMIC_GROUP_CONFIG",
    }
}

fn line(resource: &str, entry: &Entry) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonyms: Vec<String> = entry
        .synonyms
        .iter()
        .map(|each| format!("{}:{}={}", source(each.source), each.name, text(&each.value)))
        .collect();
    [
        resource,
        &entry.name,
        &text(&entry.value),
        source(entry.source),
        if entry.read_only { "ro" } else { "rw" },
        if entry.is_sensitive { "secret" } else { "open" },
        entry.kind.map_or("UNKNOWN", config::Kind::name),
        if entry.documentation.is_some() { "doc" } else { "nodoc" },
        &synonyms.join(";"),
    ]
    .join("\t")
}

#[test]
fn resources_are_described_as_stock_describes_them() {
    let broker = described();
    let group = Properties::from_iter([("consumer.session.timeout.ms", "50000")]);
    let metrics = Properties::from_iter([("interval.ms", "5000"), ("metrics", "a,b")]);
    let resources = [
        ("BROKER", describe::broker(&broker)),
        ("BROKER", describe::cluster_default(&broker)),
        ("TOPIC", describe::topic(&broker, &topic_settings())),
        ("GROUP", describe::group(&broker, &group)),
        ("CLIENT_METRICS", describe::client_metrics(&metrics)),
    ];
    let ours: Vec<String> = resources
        .iter()
        .flat_map(|(resource, entries)| entries.iter().map(|entry| line(resource, entry)))
        .collect();
    let recorded = fixture("describe-4.3.1.tsv");
    let theirs: Vec<&str> = recorded.lines().collect();
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

/// What the handlers of a broker would check for one change, without the resources' names.
fn alter(row: &[&str]) -> Result<(), String> {
    let [resource, name, operation, key, value] = row else { panic!("{row:?}") };
    let broker = described();
    let (table, own) = match (*resource, *name) {
        ("TOPIC", _) => (Table::Topic, topic_settings()),
        ("GROUP", _) => (Table::Group, Properties::new()),
        ("CLIENT_METRICS", _) => (Table::ClientMetrics, Properties::new()),
        ("BROKER", "") => (Table::Broker, broker.dynamic_defaults().clone()),
        _ => (Table::Broker, broker.dynamic_own().clone()),
    };
    let mut next = own.clone();
    let change = match *operation {
        "APPEND" => Some(dynamic::ListChange::Append),
        "SUBTRACT" => Some(dynamic::ListChange::Subtract),
        _ => None,
    };
    match change {
        None => next.set(*key, *value),
        Some(_) if !dynamic::is_list(table, key) && table == Table::Broker => {
            return Err(format!("Config value append is not allowed for config key: {key}"));
        }
        Some(_) if !dynamic::is_list(table, key) => {
            return Err(format!("Can't APPEND to key {key} because its type is not LIST."));
        }
        Some(change) => {
            let current = own.get(key).unwrap_or_default();
            next.set(*key, dynamic::change_list(change, current, value));
        }
    }
    let checked = match *resource {
        "TOPIC" => topic::validate_all(&broker, &own, &next),
        "GROUP" => group::validate_all(&broker, &next),
        "CLIENT_METRICS" => client_metrics::validate_all(&next),
        _ => dynamic::validate_with(&broker, &next, !name.is_empty()),
    };
    checked.map_err(|error| error.to_string())
}

#[test]
fn wrong_settings_are_refused_in_kafkas_words() {
    // Not checks of values: names of resources, a plug-in's class, the record behind ELR. And one
    // where Kafka says no more than `For input string: "c"`.
    let elsewhere: BTreeMap<&str, &str> = BTreeMap::from([
        ("metric.reporters", "no.Such"),
        ("min.insync.replicas", "2"),
        ("max.connections.per.ip.overrides", "a:b:c"),
    ]);
    let recorded = fixture("alter-4.3.1.tsv");
    let mut compared = 0;
    for recorded in recorded.lines() {
        let columns: Vec<&str> = recorded.split('\t').collect();
        let [row @ .., class, message] = columns.as_slice() else { panic!("{recorded}") };
        let named =
            matches!(row[1], "t" | "g" | "m" | "1") || (row[0] == "BROKER" && row[1].is_empty());
        if !named || elsewhere.get(row[3]) == Some(&row[4]) {
            continue;
        }
        let expected = if *class == "OK" { Ok(()) } else { Err((*message).to_owned()) };
        assert_eq!(alter(row), expected, "{recorded}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

//! What DescribeConfigs answers: every key of a resource with its value, where the value comes
//! from, and all places that say something about it, the strongest first.
//!
//! Values are those in force, read and written back; synonyms are texts as somebody gave them. A
//! name that no table has is taken for a secret. Entries come sorted by name.
//!
//! Answers to ConfigHelper.

use crate::keys::{Key, Table};
use crate::synonyms::{broker_keys, of_broker_key};
use crate::{BrokerConfig, Kind, Properties, Value, client_metrics, dynamic, group, topic};

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Topic,
    DynamicBroker,
    DynamicDefaultBroker,
    StaticBroker,
    Default,
    ClientMetrics,
    Group,
}

impl Source {
    /// The number of the source in a DescribeConfigs response.
    pub fn id(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefaultBroker => 3,
            Self::StaticBroker => 4,
            Self::Default => 5,
            Self::ClientMetrics => 7,
            Self::Group => 8,
        }
    }
}

/// A place that says something about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synonym {
    pub name: String,
    pub value: Option<String>,
    pub source: Source,
}

/// One key of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// Nothing for null, and for every secret.
    pub value: Option<String>,
    pub read_only: bool,
    pub source: Source,
    pub is_sensitive: bool,
    pub synonyms: Vec<Synonym>,
    /// Nothing for a name that no table has.
    pub kind: Option<Kind>,
    pub documentation: Option<String>,
}

impl Entry {
    /// The number of the type in a DescribeConfigs response; 0 for an unknown name.
    pub fn kind_id(&self) -> i8 {
        self.kind.map_or(0, Kind::id)
    }
}

/// A topic with its own settings, as the broker that is asked sees it.
pub fn topic(broker: &BrokerConfig, own: &Properties) -> Vec<Entry> {
    let values = topic::effective_values(broker, own);
    let describe = |(name, value): (String, Option<Value>)| {
        let key = Table::Topic.key(&name);
        let is_sensitive = is_sensitive(key);
        let text = shown(value, own.get(&name), is_sensitive);
        let mut synonyms = match broker_keys(&name).first() {
            Some((first, _)) => broker_synonyms(broker, first, is_sensitive),
            None => Vec::new(),
        };
        if own.contains(&name) {
            let own = Synonym { name: name.clone(), value: text.clone(), source: Source::Topic };
            synonyms.insert(0, own);
        }
        entry(name, text, key, synonyms, false)
    };
    listed(Table::Topic, &values, own).into_iter().map(describe).collect()
}

/// The broker itself: all it knows and all it was given.
pub fn broker(broker: &BrokerConfig) -> Vec<Entry> {
    let mut given = broker.static_properties().clone();
    dynamic::overlay(&mut given, broker.dynamic_defaults());
    dynamic::overlay(&mut given, broker.dynamic_own());
    let describe = |(name, value): (String, Option<Value>)| {
        let key = broker_key(&name);
        let is_sensitive = is_sensitive(key);
        let text = shown(value, given.get(&name), is_sensitive);
        let synonyms = broker_synonyms(broker, &name, is_sensitive);
        let read_only = !dynamic::is_dynamic(&name);
        entry(name, text, key, synonyms, read_only)
    };
    listed(Table::Broker, broker.values(), &given).into_iter().map(describe).collect()
}

/// The settings of the whole cluster (the broker with the empty name): only what is set.
pub fn cluster_default(broker: &BrokerConfig) -> Vec<Entry> {
    let describe = |(name, text): (&str, &str)| {
        let key = broker_key(name);
        let is_sensitive = is_sensitive(key);
        let text = (!is_sensitive).then(|| text.to_owned());
        let mut synonyms = broker_synonyms(broker, name, is_sensitive);
        synonyms.retain(|synonym| synonym.source == Source::DynamicDefaultBroker);
        entry(name.to_owned(), text, key, synonyms, !dynamic::is_dynamic(name))
    };
    broker.dynamic_defaults().iter().map(describe).collect()
}

/// A group with its own settings.
pub fn group(broker: &BrokerConfig, own: &Properties) -> Vec<Entry> {
    let values = group::effective_values(broker, own);
    let describe = |(name, value): (String, Option<Value>)| {
        let key = Table::Group.key(&name);
        let text = shown(value, own.get(&name), is_sensitive(key));
        let synonym = |value, source| Synonym { name: name.clone(), value, source };
        let mut synonyms = match group::broker_key(&name) {
            Some(broker_key) => broker_synonyms(broker, broker_key, false),
            None => {
                let default = key.and_then(Key::default_value).and_then(|value| value.text());
                let default = default.map(|text| synonym(Some(text), Source::Default));
                default.into_iter().collect()
            }
        };
        if own.contains(&name) {
            synonyms.insert(0, synonym(text.clone(), Source::Group));
        }
        entry(name, text, key, synonyms, false)
    };
    listed(Table::Group, &values, own).into_iter().map(describe).collect()
}

/// A subscription of client metrics with its settings.
pub fn client_metrics(own: &Properties) -> Vec<Entry> {
    let values = client_metrics::effective_values(own);
    let describe = |(name, value): (String, Option<Value>)| {
        let key = Table::ClientMetrics.key(&name);
        let text = shown(value, own.get(&name), false);
        let mut synonyms = Vec::new();
        if own.contains(&name) {
            let (name, value) = (name.clone(), text.clone());
            synonyms.push(Synonym { name, value, source: Source::ClientMetrics });
        }
        let mut entry = entry(name, text, key, synonyms, false);
        entry.is_sensitive = false;
        entry
    };
    listed(Table::ClientMetrics, &values, own).into_iter().map(describe).collect()
}

/// Names to describe: those of the table that are not internal, and all that was given.
fn listed(
    table: Table,
    values: &crate::Values,
    given: &Properties,
) -> std::collections::BTreeMap<String, Option<Value>> {
    let given = given.iter().map(|(name, _)| (name.to_owned(), values.get(name).cloned()));
    let known = table.keys().filter(|key| !key.internal);
    let known = known.map(|key| (key.name.to_owned(), values.get(key.name).cloned()));
    given.chain(known).collect()
}

/// The definition of a broker key, of one of our own, of a throttle, or of what stands below a
/// listener.
fn broker_key(name: &str) -> Option<&'static Key> {
    let tables = [Table::Broker, Table::Quota, Table::Own];
    let plain = |name: &str| tables.iter().find_map(|table| table.key(name));
    plain(name).or_else(|| of_broker_key(name, true).iter().find_map(|name| plain(name)))
}

/// Throttles are described, but have no documentation.
fn is_throttle(key: &Key) -> bool {
    Table::Quota.key(key.name).is_some()
}

fn is_sensitive(key: Option<&Key>) -> bool {
    key.is_none_or(Key::is_sensitive)
}

/// The value in force, or for a name without a definition the text that was given.
fn shown(value: Option<Value>, given: Option<&str>, is_sensitive: bool) -> Option<String> {
    match value {
        _ if is_sensitive => None,
        Some(value) => value.text(),
        None => given.map(str::to_owned),
    }
}

fn entry(
    name: String,
    value: Option<String>,
    key: Option<&Key>,
    synonyms: Vec<Synonym>,
    read_only: bool,
) -> Entry {
    Entry {
        value,
        read_only,
        source: synonyms.first().map_or(Source::Default, |synonym| synonym.source),
        is_sensitive: is_sensitive(key),
        synonyms,
        kind: key.map(|key| key.kind),
        documentation: key
            .filter(|key| key.name == name && !is_throttle(key))
            .map(Key::documentation),
        name,
    }
}

/// All places where a broker key or a synonym of it has a value, from the first place on that has
/// the key itself.
fn broker_synonyms(broker: &BrokerConfig, name: &str, is_sensitive: bool) -> Vec<Synonym> {
    let names = of_broker_key(name, true);
    let defaults: Properties = names
        .iter()
        .filter_map(|name| {
            let default = Table::Broker.key(name)?.default_value()?.text()?;
            Some((name.clone(), default))
        })
        .collect();
    let places = [
        (broker.dynamic_own(), Source::DynamicBroker),
        (broker.dynamic_defaults(), Source::DynamicDefaultBroker),
        (broker.static_properties(), Source::StaticBroker),
        (&defaults, Source::Default),
    ];
    let all = places.into_iter().flat_map(|(place, source)| {
        names.iter().filter_map(move |name| {
            let value = place.get(name)?;
            let value = (!is_sensitive).then(|| value.to_owned());
            Some(Synonym { name: name.clone(), value, source })
        })
    });
    all.skip_while(|synonym| synonym.name != name).collect()
}

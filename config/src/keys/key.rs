//! One row of the table, and the small language its rows are written in:
//!
//! ```text
//! int("num.partitions").or("1").at_least(1).acts("How many partitions a new topic gets ...")
//! ```
//!
//! A row starts with its type and name; without `or` its default is null, without an importance it
//! is of medium importance, without a scope it needs a restart. It ends with its effect.

use super::Valid;
use crate::{ConfigError, Kind, Value};

/// What a key is when nobody sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fallback {
    Required,
    Null,
    Value(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Importance {
    High,
    Medium,
    Low,
}

/// How a broker key can change while the broker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    ReadOnly,
    PerBroker,
    ClusterWide,
}

impl Update {
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadOnly => "read-only",
            Self::PerBroker => "per-broker",
            Self::ClusterWide => "cluster-wide",
        }
    }
}

/// What setting a key does here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The key is read, through the field of its own name or the one named here.
    Acts { through: Option<&'static str> },
    /// The key is accepted, checked, described, and changes nothing; why.
    Ignored(&'static str),
    /// The key is of an older Kafka; the keys that have its meaning today, if any.
    Legacy { maps_to: &'static [&'static str] },
}

/// A key: one row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    pub name: &'static str,
    pub kind: Kind,
    pub fallback: Fallback,
    pub valid: Valid,
    pub importance: Importance,
    pub update: Update,
    /// Internal keys can be set, but DescribeConfigs does not list them.
    pub internal: bool,
    pub effect: Effect,
    pub doc: &'static str,
}

impl Key {
    const fn new(kind: Kind, name: &'static str) -> Self {
        Self {
            name,
            kind,
            fallback: Fallback::Null,
            valid: Valid::Any,
            importance: Importance::Medium,
            update: Update::ReadOnly,
            internal: false,
            effect: Effect::Legacy { maps_to: &[] },
            doc: "",
        }
    }

    pub(super) const fn or(self, default: &'static str) -> Self {
        Self { fallback: Fallback::Value(default), ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { fallback: Fallback::Required, ..self }
    }

    pub(super) const fn valid(self, valid: Valid) -> Self {
        Self { valid, ..self }
    }

    pub(super) const fn at_least(self, least: i64) -> Self {
        self.valid(Valid::AtLeast(least))
    }

    /// A list of any elements: each once, none empty, at least one (KIP-1161).
    pub(super) const fn some_elements(self) -> Self {
        self.valid(Valid::Elements { or_none: false })
    }

    /// The same, that may be empty.
    pub(super) const fn any_elements(self) -> Self {
        self.valid(Valid::Elements { or_none: true })
    }

    pub(super) const fn high(self) -> Self {
        Self { importance: Importance::High, ..self }
    }

    pub(super) const fn low(self) -> Self {
        Self { importance: Importance::Low, ..self }
    }

    pub(super) const fn per_broker(self) -> Self {
        Self { update: Update::PerBroker, ..self }
    }

    pub(super) const fn cluster_wide(self) -> Self {
        Self { update: Update::ClusterWide, ..self }
    }

    pub(super) const fn internal(self) -> Self {
        Self { internal: true, ..self }
    }

    pub(super) const fn acts(self, doc: &'static str) -> Self {
        Self { effect: Effect::Acts { through: None }, doc, ..self }
    }

    /// Acts through a field that other keys share, such as one duration given in three units.
    pub(super) const fn acts_through(self, field: &'static str, doc: &'static str) -> Self {
        Self { effect: Effect::Acts { through: Some(field) }, doc, ..self }
    }

    pub(super) const fn ignored(self, why: &'static str) -> Self {
        Self { effect: Effect::Ignored(why), ..self }
    }

    pub(super) const fn legacy(self, maps_to: &'static [&'static str], doc: &'static str) -> Self {
        Self { effect: Effect::Legacy { maps_to }, doc, ..self }
    }

    /// Whether the value is a secret, which no answer shows.
    pub fn is_sensitive(&self) -> bool {
        self.kind == Kind::Password
    }

    /// The typed field through which the key acts, if it does.
    pub fn field(&self) -> Option<String> {
        match self.effect {
            Effect::Acts { through: Some(field) } => Some(field.to_owned()),
            Effect::Acts { through: None } => Some(self.name.replace('.', "_")),
            _ => None,
        }
    }

    /// What DescribeConfigs answers when documentation is asked for: our own words.
    pub fn documentation(&self) -> String {
        match self.effect {
            Effect::Ignored(why) if super::is_refusing(why) => {
                format!("Other classes than Kafka's own are refused at the start: {why}.")
            }
            Effect::Ignored(why) => format!("Accepted without effect: {why}."),
            _ => self.doc.to_owned(),
        }
    }

    /// Reads and checks a value of this key.
    pub fn parse(&self, text: &str) -> Result<Value, ConfigError> {
        self.parse_as(self.name, text)
    }

    /// The same, of a key that is given under another name (below a listener).
    pub(crate) fn parse_as(&self, name: &str, text: &str) -> Result<Value, ConfigError> {
        let mut value = self.kind.parse(name, text)?;
        if let Value::List(elements) = &mut value
            && self.valid.is_distinct()
        {
            *elements = distinct(elements);
        }
        self.valid.check(name, &value)?;
        Ok(value)
    }

    /// The list as given and as it is read, where it has elements more than once.
    pub(crate) fn repeated(&self, text: &str) -> Option<(Vec<String>, Vec<String>)> {
        match self.kind.parse(self.name, text) {
            Ok(Value::List(given)) if self.valid.is_distinct() => {
                let read = distinct(&given);
                (read.len() < given.len()).then_some((given, read))
            }
            _ => None,
        }
    }

    /// The value of the key when nobody set it; nothing if it must be set.
    pub fn default_value(&self) -> Option<Value> {
        match self.fallback {
            Fallback::Required => None,
            Fallback::Null => Some(Value::Null),
            // A test parses every default of the table, so that this cannot fail.
            Fallback::Value(text) => self.kind.parse(self.name, text).ok(),
        }
    }
}

/// The first of equal elements each, in their order.
fn distinct(elements: &[String]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::with_capacity(elements.len());
    for element in elements {
        if !kept.contains(element) {
            kept.push(element.clone());
        }
    }
    kept
}

pub(super) const fn boolean(name: &'static str) -> Key {
    Key::new(Kind::Boolean, name)
}

pub(super) const fn string(name: &'static str) -> Key {
    Key::new(Kind::String, name)
}

pub(super) const fn int(name: &'static str) -> Key {
    Key::new(Kind::Int, name)
}

pub(super) const fn short(name: &'static str) -> Key {
    Key::new(Kind::Short, name)
}

pub(super) const fn long(name: &'static str) -> Key {
    Key::new(Kind::Long, name)
}

pub(super) const fn double(name: &'static str) -> Key {
    Key::new(Kind::Double, name)
}

pub(super) const fn list(name: &'static str) -> Key {
    Key::new(Kind::List, name)
}

pub(super) const fn class(name: &'static str) -> Key {
    Key::new(Kind::Class, name)
}

pub(super) const fn password(name: &'static str) -> Key {
    Key::new(Kind::Password, name)
}

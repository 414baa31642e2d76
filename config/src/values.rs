//! Checked values of one table: what was given, read as its type, and defaults for the rest.
//!
//! Answers to ConfigDef.parse.

use std::collections::BTreeMap;
use std::fmt;

use crate::keys::{Fallback, Key, Table};
use crate::{ConfigError, Properties, Value};

/// A value for every key of a table.
#[derive(Clone, PartialEq)]
pub struct Values(BTreeMap<&'static str, Value>);

/// Secrets are not shown.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_shown = |name: &&str| Table::Broker.key(name).is_none_or(|key| !key.is_sensitive());
        f.debug_map().entries(self.0.iter().filter(|(name, _)| is_shown(name))).finish()
    }
}

impl Values {
    /// Reads every key of `table` from `given`; names that the table has not are left alone.
    pub fn read(table: Table, given: &Properties) -> Result<Self, ConfigError> {
        // Of several keys that are missing Kafka names process.roles first.
        let mut keys: Vec<_> = table.keys().collect();
        keys.sort_by_key(|key| (key.fallback != Fallback::Required, std::cmp::Reverse(key.name)));
        let mut values = BTreeMap::new();
        for key in keys {
            values.insert(key.name, Self::read_key(key, given)?);
        }
        Ok(Self(values))
    }

    fn read_key(key: &Key, given: &Properties) -> Result<Value, ConfigError> {
        match given.get(key.name) {
            Some(text) => key.parse(text),
            None => key
                .default_value()
                .ok_or_else(|| ConfigError::Missing { name: key.name.to_owned() }),
        }
    }

    /// The defaults of a table; keys that must be set are null.
    pub(crate) fn defaults(table: Table) -> Self {
        let default = |key: &'static Key| (key.name, key.default_value().unwrap_or(Value::Null));
        Self(table.keys().map(default).collect())
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn set(&mut self, name: &'static str, value: Value) {
        self.0.insert(name, value);
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// The value of a key as the Rust type that fits its type.
    pub(crate) fn typed<T: FromValue>(&self, name: &str) -> Result<T, ConfigError> {
        let value = self.get(name).and_then(T::from_value);
        value.ok_or_else(|| ConfigError::Missing { name: name.to_owned() })
    }
}

/// A Rust type that some values can be taken as.
pub(crate) trait FromValue: Sized {
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($variant:ident => $type:ty),*) => {$(
        impl FromValue for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::$variant(inner) => Some(inner.clone()),
                    _ => None,
                }
            }
        }
    )*};
}

from_value!(Boolean => bool, Int => i32, Short => i16, Long => i64, Double => f64,
    Text => String, List => Vec<String>);

/// Null is the absence of a value.
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

//! Names with text values, as a `.properties` file has them (`protocol::properties`); the last of
//! several equal names counts. Answers to java.util.Properties.

use std::collections::BTreeMap;
use std::fmt;

use protocol::properties;

use crate::ConfigError;

/// Configuration as text: what a file, an environment or a command line says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

/// Values that may be secrets are not shown.
impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |(name, value): (&String, &String)| {
            let value = if may_be_secret(name) { "[hidden]" } else { value.as_str() };
            (name.clone(), value.to_owned())
        };
        f.debug_map().entries(self.0.iter().map(shown)).finish()
    }
}

fn may_be_secret(name: &str) -> bool {
    const SECRETS: [&str; 4] = ["password", "secret", "jaas", "keystore.key"];
    SECRETS.iter().any(|word| name.contains(word))
}

impl Properties {
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the bytes of a `.properties` file.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let pairs = properties::parse(bytes).map_err(|error| ConfigError::Syntax {
            line: error.line,
            problem: error.to_string(),
        })?;
        Ok(pairs.into_iter().collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes over everything from `other`, which wins.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Applies one `name=value` of a command line; without a `=` the value is empty, as in Kafka.
    pub fn apply_override(&mut self, argument: &str) {
        let (name, value) = argument.split_once('=').unwrap_or((argument, ""));
        self.set(name, value);
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_names_counts() {
        let properties = Properties::parse(b"a=1\rb=x\na=2\r\na=3").unwrap();
        assert_eq!(properties.iter().collect::<Vec<_>>(), [("a", "3"), ("b", "x")]);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_latin1() {
        let latin1 = Properties::parse(b"broker.rack=k\xf6ln").unwrap();
        let utf8 = Properties::parse("\u{feff}broker.rack=köln".as_bytes()).unwrap();
        assert_eq!(latin1.get("broker.rack"), Some("köln"));
        assert_eq!(latin1, utf8);
    }

    #[test]
    fn a_malformed_escape_names_its_line() {
        let error = Properties::parse(b"a=b\n\nc=\\u00x1").unwrap_err();
        assert_eq!(error.to_string(), "line 3: Malformed \\uxxxx encoding.");
    }

    #[test]
    fn an_override_wins_and_may_hold_equal_signs() {
        let mut properties = Properties::parse(b"a=b\nc=d").unwrap();
        properties.apply_override("a=x=y");
        properties.apply_override("flag");
        assert_eq!(properties.get("a"), Some("x=y"));
        assert_eq!(properties.get("c"), Some("d"));
        assert_eq!(properties.get("flag"), Some(""));
    }
}

//! A principal's name in its parts: `service/host@REALM`, `user@REALM`, `user`.
//! Kafka: `KerberosName`.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KerberosName {
    /// The first component.
    pub service: String,
    /// The second one.
    pub host: Option<String>,
    pub realm: Option<String>,
}

impl KerberosName {
    /// Reads a name of at most two components. One without `@` is taken whole, whatever is in it;
    /// nothing where a name with `@` is malformed.
    pub fn parse(name: &str) -> Option<Self> {
        let Some((components, realm)) = name.split_once('@') else {
            return Some(Self { service: name.to_owned(), host: None, realm: None });
        };
        if realm.contains(['/', '@']) {
            return None;
        }
        let (service, host) = match components.split_once('/') {
            Some((_, host)) if host.contains('/') => return None,
            Some((service, host)) => (service, Some(host.to_owned())),
            None => (components, None),
        };
        Some(Self { service: service.to_owned(), host, realm: Some(realm.to_owned()) })
    }
}

impl fmt::Display for KerberosName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.service)?;
        if let Some(host) = &self.host {
            write!(f, "/{host}")?;
        }
        if let Some(realm) = &self.realm {
            write!(f, "@{realm}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_or_two_components_and_may_have_a_realm() {
        for (text, service, host, realm) in [
            ("kafka/h.example@EX.COM", "kafka", Some("h.example"), Some("EX.COM")),
            ("alice@EX", "alice", None, Some("EX")),
            ("alice", "alice", None, None),
            ("a/b", "a/b", None, None),
            ("", "", None, None),
            ("@EX", "", None, Some("EX")),
            ("a/@", "a", Some(""), Some("")),
        ] {
            let name = KerberosName::parse(text).unwrap();
            let parts = (&*name.service, name.host.as_deref(), name.realm.as_deref());
            assert_eq!(parts, (service, host, realm), "{text}");
            assert_eq!(name.to_string(), text);
        }
        for malformed in ["a/b/c@EX", "a@b@EX", "a@EX/b", "a/b@c/d@E"] {
            assert_eq!(KerberosName::parse(malformed), None, "{malformed}");
        }
    }
}

//! What the Kerberos library of the system reads from a process's environment, and nowhere else:
//! the variables that logins ask for (docs/decisions/0586).
//!
//! | variable | from |
//! |---|---|
//! | `KRB5_CONFIG` | `-Djava.security.krb5.conf=FILE` |
//! | `KRB5_KTNAME` | the keytab of a listener |
//! | `KRB5_CLIENT_KTNAME` | the keytab of who logs in elsewhere |
//! | `KRB5CCNAME` | its ticket cache; with a keytab, one in memory |
//!
//! Kept true: a variable has one value; logins that would need two are refused together.

use std::collections::BTreeMap;

use super::login::{KerberosError, KerberosLogin, TicketSource};

const CONFIG: &str = "KRB5_CONFIG";
const KEYTAB: &str = "KRB5_KTNAME";
const CLIENT_KEYTAB: &str = "KRB5_CLIENT_KTNAME";
const CACHE: &str = "KRB5CCNAME";
/// Of the process alone. The library puts tickets there that it asks for by the keytab, and others
/// before those expire.
const OWN_CACHE: &str = "MEMORY:gregor";

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KerberosEnvironment(BTreeMap<&'static str, String>);

impl KerberosEnvironment {
    /// What everybody needs who logs in by Kerberos or is logged in at.
    pub fn set_config(&mut self, path: &str) {
        self.0.insert(CONFIG, path.to_owned());
    }

    /// What a listener needs.
    pub fn accept(&mut self, login: &KerberosLogin) -> Result<(), KerberosError> {
        match &login.source {
            TicketSource::Keytab(Some(path)) => self.set(KEYTAB, format!("FILE:{path}")),
            TicketSource::Keytab(None) | TicketSource::Cache(_) => Ok(()),
        }
    }

    /// What somebody needs who logs in elsewhere.
    pub fn initiate(&mut self, login: &KerberosLogin) -> Result<(), KerberosError> {
        match &login.source {
            TicketSource::Keytab(path) => {
                if let Some(path) = path {
                    self.set(CLIENT_KEYTAB, format!("FILE:{path}"))?;
                }
                self.set(CACHE, OWN_CACHE.to_owned())
            }
            TicketSource::Cache(Some(path)) => self.set(CACHE, format!("FILE:{path}")),
            TicketSource::Cache(None) => Ok(()),
        }
    }

    /// Variables that are not as they are needed, as far as `present` tells.
    pub fn missing(&self, present: impl Fn(&str) -> Option<String>) -> Vec<(&'static str, String)> {
        let wrong =
            |(name, value): &(&&'static str, &String)| present(name).as_ref() != Some(value);
        self.0.iter().filter(wrong).map(|(&name, value)| (name, value.clone())).collect()
    }

    fn set(&mut self, variable: &'static str, value: String) -> Result<(), KerberosError> {
        match self.0.get(variable) {
            Some(one) if *one != value => {
                Err(KerberosError::Conflict { variable, one: one.clone(), other: value })
            }
            _ => {
                self.0.insert(variable, value);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(source: TicketSource) -> KerberosLogin {
        let principal = Some("kafka/h@EX".to_owned());
        KerberosLogin { principal, source, service_name: "kafka".to_owned() }
    }

    fn keytab(path: &str) -> KerberosLogin {
        login(TicketSource::Keytab(Some(path.to_owned())))
    }

    #[test]
    fn a_node_has_its_keytab_for_both_sides_and_tickets_in_memory() {
        let mut environment = KerberosEnvironment::default();
        environment.set_config("/etc/krb5.conf");
        environment.accept(&keytab("/k")).unwrap();
        environment.accept(&keytab("/k")).unwrap();
        environment.initiate(&keytab("/k")).unwrap();
        let expected = [
            ("KRB5CCNAME", "MEMORY:gregor"),
            ("KRB5_CLIENT_KTNAME", "FILE:/k"),
            ("KRB5_CONFIG", "/etc/krb5.conf"),
            ("KRB5_KTNAME", "FILE:/k"),
        ];
        let expected = expected.map(|(name, value)| (name, value.to_owned()));
        assert_eq!(environment.missing(|_| None), expected);
        let present = |name: &str| {
            let known = expected.iter().find(|(known, _)| *known == name);
            known.filter(|(name, _)| *name != "KRB5_KTNAME").map(|(_, value)| value.clone())
        };
        assert_eq!(environment.missing(present), [expected[3].clone()]);
    }

    #[test]
    fn a_client_has_the_cache_that_it_names_or_that_of_its_user() {
        let of = |path: Option<&str>| {
            let mut environment = KerberosEnvironment::default();
            let source = TicketSource::Cache(path.map(str::to_owned));
            environment.initiate(&login(source)).unwrap();
            environment.missing(|_| None)
        };
        assert_eq!(of(Some("/tmp/cc")), [("KRB5CCNAME", "FILE:/tmp/cc".to_owned())]);
        assert_eq!(of(None), []);
    }

    #[test]
    fn two_keytabs_in_one_process_are_refused() {
        let mut environment = KerberosEnvironment::default();
        environment.accept(&keytab("/a")).unwrap();
        let said = environment.accept(&keytab("/b")).unwrap_err().to_string();
        assert!(said.contains("both FILE:/a and FILE:/b") && said.contains("ktutil"), "{said}");
    }
}

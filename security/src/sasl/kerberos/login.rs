//! With which key or ticket a node or a client is somebody: the options of the JDK's
//! `com.sun.security.auth.module.Krb5LoginModule`, as `sasl.jaas.config` has them.
//!
//! ```text
//! useKeyTab=true keyTab="/etc/kafka.keytab" principal="kafka/host@REALM"     by a key
//! useTicketCache=true ticketCache="/tmp/krb5cc_1000"                         by kinit's ticket
//! ```
//! Where both are asked for, the key counts. Other options (`storeKey`, `renewTGT`, `debug`, ...)
//! tell the JDK how to go about it and change nothing. Kafka: `KerberosLogin`.

use super::super::jaas::Login;

/// The option of the login module that stands in for sasl.kerberos.service.name.
const SERVICE_NAME: &str = "serviceName";

/// Why nobody can log in by Kerberos with what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KerberosError {
    #[error(
        "Conflicting serviceName values found in JAAS and Kafka configs value in JAAS file {jaas}, \
         value in Kafka config {key}"
    )]
    ServiceNames { jaas: String, key: String },
    #[error(
        "No serviceName defined in either JAAS or Kafka config: set sasl.kerberos.service.name"
    )]
    NoServiceName,
    #[error(
        "Krb5LoginModule has neither useKeyTab=true nor useTicketCache=true, and nobody is here to \
         be asked for a password"
    )]
    NoSource,
    #[error("Krb5LoginModule with useKeyTab=true needs principal=\"...\"")]
    NoPrincipal,
    #[error(
        "a listener's Krb5LoginModule needs useKeyTab=true, keyTab=\"...\" and principal=\"...\""
    )]
    NoKeytab,
    #[error(
        "{variable} would have to be both {one} and {other}: the Kerberos library has one keytab \
         and one ticket cache in a process; merge keytabs with ktutil"
    )]
    Conflict { variable: &'static str, one: String, other: String },
}

/// Where keys or tickets are. Without a path, where the library looks by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketSource {
    Keytab(Option<String>),
    Cache(Option<String>),
}

/// A login by Kerberos.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KerberosLogin {
    /// Who logs in; without one, whoever the ticket is of.
    pub principal: Option<String>,
    pub source: TicketSource,
    /// sasl.kerberos.service.name: the first component of the name of whom one logs in at.
    pub service_name: String,
}

impl KerberosLogin {
    /// Of a login module and of sasl.kerberos.service.name.
    pub fn of(login: &Login, service_name: Option<&str>) -> Result<Self, KerberosError> {
        let option = |name: &str| login.option(name).map(|value| value.reveal().trim());
        let is_on = |name: &str| option(name).is_some_and(|it| it.eq_ignore_ascii_case("true"));
        let path = |name: &str| {
            let path = option(name).filter(|path| !path.is_empty())?;
            Some(path.strip_prefix("FILE:").unwrap_or(path).to_owned())
        };
        let service_name = match (option(SERVICE_NAME), service_name) {
            (Some(jaas), Some(key)) if jaas != key => {
                let (jaas, key) = (jaas.to_owned(), key.to_owned());
                return Err(KerberosError::ServiceNames { jaas, key });
            }
            (Some(name), _) | (None, Some(name)) => name.to_owned(),
            (None, None) => return Err(KerberosError::NoServiceName),
        };
        let principal = option("principal").filter(|name| !name.is_empty()).map(str::to_owned);
        let source = if is_on("useKeyTab") {
            if principal.is_none() {
                return Err(KerberosError::NoPrincipal);
            }
            TicketSource::Keytab(path("keyTab"))
        } else if is_on("useTicketCache") {
            TicketSource::Cache(path("ticketCache"))
        } else {
            return Err(KerberosError::NoSource);
        };
        Ok(Self { principal, source, service_name })
    }

    /// The same, of somebody whom others log in at.
    pub fn of_listener(login: &Login, service_name: Option<&str>) -> Result<Self, KerberosError> {
        let own = Self::of(login, service_name)?;
        match own.source {
            TicketSource::Keytab(_) => Ok(own),
            TicketSource::Cache(_) => Err(KerberosError::NoKeytab),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::jaas::parse_property;
    use super::*;

    const MODULE: &str = "com.sun.security.auth.module.Krb5LoginModule required";

    fn read(options: &str, service_name: Option<&str>) -> Result<KerberosLogin, String> {
        let login = parse_property(&format!("{MODULE} {options};")).unwrap();
        KerberosLogin::of(&login, service_name).map_err(|error| error.to_string())
    }

    #[test]
    fn a_login_is_by_a_keytab_or_by_a_ticket_cache() {
        let keytab = |path: Option<&str>| TicketSource::Keytab(path.map(str::to_owned));
        let cache = |path: Option<&str>| TicketSource::Cache(path.map(str::to_owned));
        for (options, principal, source) in [
            (
                "useKeyTab=true storeKey=true keyTab=\"/k\" principal=\"kafka/h@EX\"",
                Some("kafka/h@EX"),
                keytab(Some("/k")),
            ),
            ("useKeyTab=TRUE principal=a keyTab=\"FILE:/k\"", Some("a"), keytab(Some("/k"))),
            ("useKeyTab=true principal=a", Some("a"), keytab(None)),
            ("useKeyTab=true useTicketCache=true principal=a", Some("a"), keytab(None)),
            ("useTicketCache=true", None, cache(None)),
            (
                "useTicketCache=true ticketCache=\"FILE:/t\" principal=b",
                Some("b"),
                cache(Some("/t")),
            ),
        ] {
            let login = read(options, Some("kafka")).unwrap();
            assert_eq!(login.principal.as_deref(), principal, "{options}");
            assert_eq!(login.source, source, "{options}");
            assert_eq!(login.service_name, "kafka");
        }
        assert_eq!(read("useTicketCache=true serviceName=x", None).unwrap().service_name, "x");
    }

    #[test]
    fn what_nobody_can_log_in_with_is_refused() {
        for (options, service_name, words) in [
            ("useTicketCache=true", None, "No serviceName defined"),
            (
                "useTicketCache=true serviceName=x",
                Some("y"),
                "JAAS file x, value in Kafka config y",
            ),
            ("debug=true", Some("kafka"), "neither useKeyTab=true nor useTicketCache=true"),
            ("useKeyTab=true keyTab=\"/k\"", Some("kafka"), "needs principal"),
        ] {
            let said = read(options, service_name).unwrap_err();
            assert!(said.contains(words), "{words} in {said}");
        }
        let login = parse_property(&format!("{MODULE} useTicketCache=true;")).unwrap();
        let refused = KerberosLogin::of_listener(&login, Some("kafka"));
        assert_eq!(refused, Err(KerberosError::NoKeytab));
    }
}

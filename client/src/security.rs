//! How a client is configured to go into a cluster: `security.protocol` and what belongs to it.
//!
//! Pure. A client that shall be secured in a way that is not spoken is refused before anything is
//! sent. Answers to `ClientUtils.createChannelBuilder` and `JaasContext.loadClientContext`.

use std::sync::Arc;

use ::security::sasl::Mechanism;
use ::security::sasl::client::ClientLogin;
use ::security::sasl::jaas::{self, JaasFile, KAFKA_CLIENT};

use crate::admin::SettingsError;

/// Not one of Kafka's keys, but of the JVM: the text of the file that it names.
pub const LOGIN_FILE: &str = "java.security.auth.login.config";

/// The keys, as far as they were given.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecurityKeys {
    protocol: Option<String>,
    mechanism: Option<String>,
    jaas: Option<String>,
    login_file: Option<String>,
}

/// Values hold passwords.
impl std::fmt::Debug for SecurityKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecurityKeys").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl SecurityKeys {
    /// Takes one key of a client's configuration; whether it is one of those that stand here.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        let place = match name {
            "security.protocol" => &mut self.protocol,
            "sasl.mechanism" => &mut self.mechanism,
            "sasl.jaas.config" => &mut self.jaas,
            LOGIN_FILE => &mut self.login_file,
            _ => return false,
        };
        *place = Some(value.to_owned());
        true
    }

    /// How the client logs in; nothing where it need not.
    pub fn login(&self) -> Result<Option<Arc<ClientLogin>>, SettingsError> {
        let given = self.protocol.as_deref().unwrap_or("PLAINTEXT");
        match given.trim().to_ascii_uppercase().as_str() {
            "PLAINTEXT" => Ok(None),
            "SASL_PLAINTEXT" => self.sasl().map(Arc::new).map(Some),
            known @ ("SSL" | "SASL_SSL") => Err(SettingsError::Insecure(known.to_owned())),
            _ => Err(SettingsError::NoProtocol(given.to_owned())),
        }
    }

    fn sasl(&self) -> Result<ClientLogin, SettingsError> {
        let wrong = |error: jaas::JaasError| SettingsError::Login(error.to_string());
        let name = self.mechanism.as_deref().unwrap_or("GSSAPI").trim();
        let mechanism =
            Mechanism::named(name).ok_or_else(|| SettingsError::NoMechanism(name.to_owned()))?;
        let login = match (&self.jaas, &self.login_file) {
            (Some(text), _) => jaas::parse_property(text).map_err(wrong)?,
            (None, file) => {
                let text = file.as_deref().unwrap_or_default();
                let section = JaasFile::parse(text).map_err(wrong)?.client(mechanism);
                section.ok_or(SettingsError::NoLogin(KAFKA_CLIENT))?.map_err(wrong)?
            }
        };
        Ok(ClientLogin { mechanism, credentials: login.credentials().map_err(wrong)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required \
        username=\"alice\" password=\"s3cret\";";

    fn keys(given: &[(&str, &str)]) -> SecurityKeys {
        let mut keys = SecurityKeys::default();
        for (name, value) in given {
            assert!(keys.set(name, value), "{name}");
        }
        keys
    }

    #[test]
    fn a_login_is_made_of_its_keys_or_of_a_file() {
        let protocol = ("security.protocol", "sasl_plaintext");
        let mechanism = ("sasl.mechanism", "SCRAM-SHA-512");
        let file = format!("KafkaClient {{ {SCRAM} }};");
        for login in [("sasl.jaas.config", SCRAM), (LOGIN_FILE, &file)] {
            let keys = keys(&[login, protocol, mechanism]);
            let login = keys.login().unwrap().unwrap();
            assert_eq!(login.mechanism.name(), "SCRAM-SHA-512");
            assert_eq!(login.credentials.username, "alice");
            assert!(!format!("{keys:?} {login:?}").contains("s3cret"));
        }
        assert_eq!(SecurityKeys::default().login(), Ok(None));
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |given: &[(&str, &str)]| keys(given).login().unwrap_err().to_string();
        let protocol = ("security.protocol", "SASL_PLAINTEXT");
        for (given, words) in [
            (vec![("security.protocol", "SASL_SSL")], "SASL_SSL"),
            (vec![("security.protocol", "TLS")], "Invalid value TLS"),
            (vec![protocol], "sasl.mechanism=GSSAPI"),
            (vec![protocol, ("sasl.mechanism", "PLAIN")], "'KafkaClient'"),
            (
                vec![protocol, ("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", "a.B required;")],
                "login module a.B",
            ),
        ] {
            let said = refused(&given);
            assert!(said.contains(words), "{words} in {said}");
        }
    }
}

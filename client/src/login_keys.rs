//! With what a client logs in: `sasl.mechanism`, and a JAAS section of its keys or of a file.
//!
//! Pure. A mechanism that is not spoken is refused before anything is sent. Answers to
//! `JaasContext.loadClientContext`.

use std::collections::BTreeMap;

use security::sasl::Mechanism;
use security::sasl::client::ClientLogin;
use security::sasl::jaas::{self, JaasFile, KAFKA_CLIENT};
use security::sasl::kerberos::KerberosLogin;
use security::sasl::oauthbearer::{self, BearerLogin};

use crate::admin::SettingsError;

/// Not one of Kafka's keys, but of the JVM: the text of the file that it names.
pub const LOGIN_FILE: &str = "java.security.auth.login.config";

/// What keys begin with that say where a token of OAUTHBEARER comes from.
const TOKENS: [&str; 2] = ["sasl.login.", "sasl.oauthbearer."];

/// The keys, as far as they were given.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct LoginKeys {
    mechanism: Option<String>,
    jaas: Option<String>,
    login_file: Option<String>,
    service_name: Option<String>,
    /// Those below `sasl.login.` and `sasl.oauthbearer.`, by their names.
    tokens: BTreeMap<String, String>,
}

/// Values hold passwords.
impl std::fmt::Debug for LoginKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginKeys").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl LoginKeys {
    /// Takes one key of a client's configuration; whether it is one of those that stand here.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        let place = match name {
            "sasl.mechanism" => &mut self.mechanism,
            "sasl.jaas.config" => &mut self.jaas,
            LOGIN_FILE => &mut self.login_file,
            "sasl.kerberos.service.name" => &mut self.service_name,
            name if TOKENS.iter().any(|prefix| name.starts_with(prefix)) => {
                self.tokens.insert(name.to_owned(), value.to_owned());
                return true;
            }
            _ => return false,
        };
        *place = Some(value.to_owned());
        true
    }

    /// How the client logs in.
    pub(crate) fn login(&self) -> Result<ClientLogin, SettingsError> {
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
        Ok(match mechanism {
            Mechanism::Plain => ClientLogin::Plain(login.credentials().map_err(wrong)?),
            Mechanism::Scram(scram) => {
                ClientLogin::Scram(scram, login.credentials().map_err(wrong)?)
            }
            Mechanism::OAuthBearer => {
                let find = |name: &str| self.tokens.get(name).cloned();
                let bearer = BearerLogin::of(&login, oauthbearer::LoginKeys::new(&find));
                ClientLogin::OAuthBearer(
                    bearer.map_err(|error| SettingsError::Login(error.to_string()))?,
                )
            }
            Mechanism::Gssapi => {
                let own = KerberosLogin::of(&login, self.service_name.as_deref());
                ClientLogin::Gssapi(own.map_err(|error| SettingsError::Login(error.to_string()))?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required \
        username=\"alice\" password=\"s3cret\";";

    fn keys(given: &[(&str, &str)]) -> LoginKeys {
        let mut keys = LoginKeys::default();
        for (name, value) in given {
            assert!(keys.set(name, value), "{name}");
        }
        keys
    }

    #[test]
    fn a_login_is_made_of_its_keys_or_of_a_file() {
        let mechanism = ("sasl.mechanism", "SCRAM-SHA-512");
        let file = format!("KafkaClient {{ {SCRAM} }};");
        for login in [("sasl.jaas.config", SCRAM), (LOGIN_FILE, &file)] {
            let keys = keys(&[login, mechanism]);
            let login = keys.login().unwrap();
            assert_eq!(login.mechanism().name(), "SCRAM-SHA-512");
            assert_eq!(login.credentials().unwrap().username, "alice");
            assert!(!format!("{keys:?} {login:?}").contains("s3cret"));
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let refused = |given: &[(&str, &str)]| keys(given).login().unwrap_err().to_string();
        for (given, words) in [
            (vec![], "sasl.mechanism=GSSAPI"),
            (vec![("sasl.mechanism", "PLAIN")], "'KafkaClient'"),
            (
                vec![("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", "a.B required;")],
                "login module a.B",
            ),
        ] {
            let said = refused(&given);
            assert!(said.contains(words), "{words} in {said}");
        }
    }
}

//! How a client's connections are to be secured: `security.protocol`, the `ssl.*` keys, the login.
//!
//! The keys are collected, and what they name is read when all are there: a client whose stores
//! cannot be used, or that has no login where it needs one, is not made, as in Kafka. Secrets are
//! not printed. Answers to `CommonClientConfigs` and `ClientUtils.createChannelBuilder`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use security::sasl::client::ClientLogin;
use security::tls::{ClientContext, TlsContext, TlsError, TlsSettings};

use crate::Transport;
use crate::admin::SettingsError;
use crate::login_keys::LoginKeys;

/// The protocol, the keys, and the way that they come to.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecuritySettings {
    protocol: Option<String>,
    ssl: BTreeMap<String, String>,
    keys: LoginKeys,
    transport: Transport,
    login: Option<Arc<ClientLogin>>,
}

impl SecuritySettings {
    /// Those of a node among nodes, which has read its stores and logins itself.
    pub fn of_node(transport: Transport, login: Option<Arc<ClientLogin>>) -> Self {
        Self { transport, login, ..Self::default() }
    }

    /// Takes one key; whether it is one of those that stand here.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        if name == "security.protocol" {
            self.protocol = Some(value.to_owned());
            return true;
        }
        let is_of_tls = name.starts_with("ssl.");
        if is_of_tls {
            self.ssl.insert(name.to_owned(), value.trim().to_owned());
        }
        is_of_tls || self.keys.set(name, value)
    }

    /// After the last key: reads what they name, where it is needed.
    pub(crate) fn load(&mut self) -> Result<(), SettingsError> {
        let given = self.protocol.as_deref().unwrap_or("PLAINTEXT");
        let (is_tls, is_sasl) = match given.trim().to_ascii_uppercase().as_str() {
            "PLAINTEXT" => (false, false),
            "SSL" => (true, false),
            "SASL_PLAINTEXT" => (false, true),
            "SASL_SSL" => (true, true),
            _ => return Err(SettingsError::NoProtocol(given.to_owned())),
        };
        if is_sasl {
            self.login = Some(Arc::new(self.keys.login()?));
        }
        if is_tls {
            let context = self.context().map_err(|error| SettingsError::Tls(error.to_string()))?;
            self.transport = Transport::Tls(Arc::new(context));
        }
        Ok(())
    }

    fn context(&self) -> Result<ClientContext, TlsError> {
        let settings = TlsSettings::read(|name| self.ssl.get(name).cloned())?;
        let context = TlsContext::load(settings, &|path| std::fs::read(path))?;
        Ok(ClientContext::new(context.client()?))
    }

    /// How connections are made.
    pub fn transport(&self) -> Transport {
        self.transport.clone()
    }

    /// How the client logs in over them, where it must.
    pub fn login(&self) -> Option<Arc<ClientLogin>> {
        self.login.clone()
    }
}

impl fmt::Debug for SecuritySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.ssl.keys().collect();
        f.debug_struct("SecuritySettings")
            .field("protocol", &self.protocol)
            .field("ssl", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required \
        username=\"alice\" password=\"s3cret\";";

    fn loaded(given: &[(&str, &str)]) -> Result<SecuritySettings, SettingsError> {
        let mut settings = SecuritySettings::default();
        for (name, value) in given {
            assert!(settings.set(name, value), "{name}");
        }
        settings.load()?;
        Ok(settings)
    }

    #[test]
    fn a_protocol_asks_for_tls_for_a_login_or_for_both() {
        let login = [("sasl.mechanism", "PLAIN"), ("sasl.jaas.config", LOGIN)];
        for (protocol, is_tls, is_sasl) in [
            ("PLAINTEXT", false, false),
            ("ssl", true, false),
            ("SASL_PLAINTEXT", false, true),
            (" sasl_ssl ", true, true),
        ] {
            let settings = loaded(&[("security.protocol", protocol), login[0], login[1]]).unwrap();
            assert_eq!(settings.transport() != Transport::Plaintext, is_tls, "{protocol}");
            assert_eq!(settings.login().is_some(), is_sasl, "{protocol}");
            assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        }
        assert_eq!(loaded(&[]).unwrap().login(), None);
        for (protocol, words) in [("TLS", "Invalid value TLS"), ("SASL_SSL", "GSSAPI")] {
            let said = loaded(&[("security.protocol", protocol)]).unwrap_err().to_string();
            assert!(said.contains(words), "{words} in {said}");
        }
    }
}

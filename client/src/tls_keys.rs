//! How a client's connections are to be secured: `security.protocol` and the `ssl.*` keys.
//!
//! The keys are collected, and what they name is read when all are there: a client whose stores
//! cannot be used is not made, as in Kafka. Secrets are not printed. Answers to
//! `CommonClientConfigs` and `ClientUtils.createChannelBuilder`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use ::security::tls::{ClientContext, TlsContext, TlsError, TlsSettings};

use crate::Transport;
use crate::admin::SettingsError;

/// The protocol, the keys, and the way that they come to.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct TlsKeys {
    is_tls: bool,
    ssl: BTreeMap<String, String>,
    transport: Transport,
}

impl TlsKeys {
    /// Takes one key; whether it is one of those that stand here. The protocol is others' too.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        if name == "security.protocol" {
            self.is_tls = value.trim().to_ascii_uppercase().ends_with("SSL");
        }
        let is_ours = name.starts_with("ssl.");
        if is_ours {
            self.ssl.insert(name.to_owned(), value.trim().to_owned());
        }
        is_ours
    }

    /// Reads the stores that the keys name, where they are needed.
    pub(crate) fn load(&mut self) -> Result<(), SettingsError> {
        if self.is_tls {
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
}

impl fmt::Debug for TlsKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&String> = self.ssl.keys().collect();
        f.debug_struct("TlsKeys").field("is_tls", &self.is_tls).field("ssl", &names).finish()
    }
}

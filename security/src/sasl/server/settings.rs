//! What a listener asks of those who connect.

use std::time::Duration;

use super::super::gssapi::KerberosListener;
use super::super::mechanism::Mechanism;
use super::super::oauthbearer::TokenValidator;
use super::super::plain::PlainUsers;

/// A mechanism that a listener takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enabled {
    pub mechanism: Mechanism,
    /// connections.max.reauth.ms; 0 for a session without end.
    pub session_lifetime: Duration,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerSettings {
    enabled: Vec<Enabled>,
    plain_users: PlainUsers,
    token_validator: Option<TokenValidator>,
    kerberos: Option<KerberosListener>,
}

impl ServerSettings {
    pub fn new(mut enabled: Vec<Enabled>, plain_users: PlainUsers) -> Self {
        let buckets = set_buckets(enabled.len());
        enabled.sort_by_key(|each| java_hash(each.mechanism.name()) & (buckets - 1));
        Self { enabled, plain_users, ..Self::default() }
    }

    /// The same, with who decides about tokens of OAUTHBEARER.
    #[must_use]
    pub fn with_token_validator(self, validator: TokenValidator) -> Self {
        Self { token_validator: Some(validator), ..self }
    }

    pub fn token_validator(&self) -> Option<&TokenValidator> {
        self.token_validator.as_ref()
    }

    /// The same, with what it is to those who log in by GSSAPI.
    #[must_use]
    pub fn with_kerberos(self, listener: KerberosListener) -> Self {
        Self { kerberos: Some(listener), ..self }
    }

    pub fn kerberos(&self) -> Option<&KerberosListener> {
        self.kerberos.as_ref()
    }

    /// In the order in which Kafka names them.
    pub(super) fn enabled(&self) -> impl Iterator<Item = &Enabled> + Clone {
        self.enabled.iter()
    }

    pub(super) fn find(&self, name: &str) -> Option<Mechanism> {
        let named = self.enabled.iter().find(|each| each.mechanism.name() == name);
        named.map(|each| each.mechanism)
    }

    pub fn plain_users(&self) -> &PlainUsers {
        &self.plain_users
    }

    pub(super) fn session_lifetime(&self, mechanism: Mechanism) -> Duration {
        let own = self.enabled.iter().find(|each| each.mechanism == mechanism);
        own.map_or(Duration::ZERO, |each| each.session_lifetime)
    }
}

/// Kafka goes through a `HashSet`, whose order clients get to see.
fn java_hash(text: &str) -> u32 {
    let hash = text
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

fn set_buckets(count: usize) -> u32 {
    let asked = (count * 4 / 3 + 1).max(16).next_power_of_two();
    u32::try_from(asked).unwrap_or(u32::MAX / 2 + 1)
}

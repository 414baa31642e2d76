//! The mechanisms that are spoken. Kafka: `PlainSaslServer`, `ScramMechanism`,
//! `OAuthBearerLoginModule`, `SaslConfigs.GSSAPI_MECHANISM`.
//!
//! GSSAPI takes the Kerberos library of the system: it is spoken by a program that was built with
//! the feature `gssapi` (docs/decisions/0585).

use std::fmt;

use super::scram::ScramMechanism;

/// A SASL mechanism, both sides of which are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    Plain,
    Scram(ScramMechanism),
    OAuthBearer,
    Gssapi,
}

impl Mechanism {
    const ALL: [Self; 5] = [
        Self::Plain,
        Self::Scram(ScramMechanism::Sha256),
        Self::Scram(ScramMechanism::Sha512),
        Self::OAuthBearer,
        Self::Gssapi,
    ];

    /// Those that this program was built to speak.
    pub fn spoken() -> impl Iterator<Item = Self> {
        let is_built_in = |mechanism: &Self| *mechanism != Self::Gssapi || cfg!(feature = "gssapi");
        Self::ALL.into_iter().filter(is_built_in)
    }

    /// The mechanism of this registered name, if it is spoken.
    pub fn named(name: &str) -> Option<Self> {
        Self::spoken().find(|mechanism| mechanism.name() == name)
    }

    /// The cargo feature without which a program does not speak the mechanism of this name.
    pub fn missing_feature(name: &str) -> Option<&'static str> {
        let is_gssapi = name == Self::Gssapi.name() && Self::named(name).is_none();
        is_gssapi.then_some("gssapi")
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Scram(scram) => scram.name(),
            Self::OAuthBearer => "OAUTHBEARER",
            Self::Gssapi => "GSSAPI",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

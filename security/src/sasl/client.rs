//! What a client says to log in, token by token. Kafka: `SaslClientAuthenticator`,
//! `OAuthBearerSaslClient`.

use super::gssapi::{GssError, GssapiClient, Initiated, SecurityContext};
use super::jaas::Credentials;
use super::kerberos::KerberosLogin;
use super::mechanism::Mechanism;
use super::oauthbearer::{BearerLogin, InitialResponse};
use super::plain;
use super::scram::{NONCE_BYTES, ScramClient, ScramError, ScramMechanism};

/// How a client logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientLogin {
    Plain(Credentials),
    Scram(ScramMechanism, Credentials),
    OAuthBearer(BearerLogin),
    Gssapi(KerberosLogin),
}

impl ClientLogin {
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Self::Plain(_) => Mechanism::Plain,
            Self::Scram(scram, _) => Mechanism::Scram(*scram),
            Self::OAuthBearer(_) => Mechanism::OAuthBearer,
            Self::Gssapi(_) => Mechanism::Gssapi,
        }
    }

    /// A name and a password, where it is by them.
    pub fn credentials(&self) -> Option<&Credentials> {
        match self {
            Self::Plain(credentials) | Self::Scram(_, credentials) => Some(credentials),
            Self::OAuthBearer(_) | Self::Gssapi(_) => None,
        }
    }
}

/// One exchange of tokens.
#[derive(Debug)]
pub enum ClientExchange {
    Plain,
    Scram(Box<ScramClient>),
    OAuthBearer,
    Gssapi(GssapiClient),
}

/// Why a client goes no further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    #[error(transparent)]
    Scram(#[from] ScramError),
    #[error(transparent)]
    Gssapi(#[from] GssError),
}

impl ClientExchange {
    /// The exchange of somebody with a password, and the token that it begins with.
    pub fn plain(credentials: &Credentials) -> (Self, Vec<u8>) {
        let token = plain::token(&credentials.username, credentials.password.reveal());
        (Self::Plain, token)
    }

    /// The same by SCRAM.
    pub fn scram(
        mechanism: ScramMechanism,
        credentials: &Credentials,
        draw: [u8; NONCE_BYTES],
    ) -> (Self, Vec<u8>) {
        let client = ScramClient::new(mechanism, credentials.clone(), draw);
        let token = client.first();
        (Self::Scram(Box::new(client)), token)
    }

    /// The exchange of somebody who shows this token, which its login came by.
    pub fn bearer(login: &BearerLogin, token: &str) -> (Self, Vec<u8>) {
        let extensions = login.extensions.clone();
        let said = InitialResponse { extensions, ..InitialResponse::new(token) };
        (Self::OAuthBearer, said.to_bytes())
    }

    /// The exchange of somebody whose security context this is. It waits for files and servers.
    pub fn gssapi(context: Box<dyn SecurityContext>) -> Result<(Self, Vec<u8>), GssError> {
        let (client, token) = GssapiClient::begin(context)?;
        Ok((Self::Gssapi(client), token))
    }

    /// Answers a challenge; nothing when all is said.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, ExchangeError> {
        match self {
            Self::Plain => Ok(None),
            Self::Scram(client) => Ok(client.evaluate(challenge)?),
            // A server that says something says what is wrong, and says it in words to this.
            Self::OAuthBearer => Ok((!challenge.is_empty()).then(|| vec![1])),
            Self::Gssapi(client) => Ok(client.answer(challenge)?.map(Initiated::into_token)),
        }
    }
}

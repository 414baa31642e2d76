//! What a client says to log in, token by token. Kafka: `SaslClientAuthenticator`.

use super::jaas::Credentials;
use super::mechanism::Mechanism;
use super::plain;
use super::scram::{NONCE_BYTES, ScramClient, ScramError};

/// How a client logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientLogin {
    pub mechanism: Mechanism,
    pub credentials: Credentials,
}

/// One exchange of tokens.
#[derive(Debug)]
pub enum ClientExchange {
    Plain,
    Scram(Box<ScramClient>),
}

impl ClientExchange {
    /// The exchange and the token that it begins with.
    pub fn begin(login: &ClientLogin, draw: [u8; NONCE_BYTES]) -> (Self, Vec<u8>) {
        let credentials = &login.credentials;
        match login.mechanism {
            Mechanism::Plain => {
                let token = plain::token(&credentials.username, credentials.password.reveal());
                (Self::Plain, token)
            }
            Mechanism::Scram(mechanism) => {
                let client = ScramClient::new(mechanism, credentials.clone(), draw);
                let token = client.first();
                (Self::Scram(Box::new(client)), token)
            }
        }
    }

    /// Answers a challenge; nothing when all is said.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, ScramError> {
        match self {
            Self::Plain => Ok(None),
            Self::Scram(client) => client.evaluate(challenge),
        }
    }
}

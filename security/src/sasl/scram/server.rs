//! The side that knows what was made of passwords.
//!
//! Whoever holds a delegation token says its id for a name, and comes in as the token's owner.
//!
//! A user who has no credential is answered like one who has, with a salt that is always the same
//! for that name, and fails with the proof: nobody learns whom the cluster knows. Unlike Kafka,
//! which ends the exchange at once (docs/decisions/0521).

use super::keys::{ITERATIONS_MIN, ScramCredential, ScramMechanism};
use super::messages::{ClientFinal, ClientFirst, ServerFirst, signed};
use super::{NONCE_BYTES, ScramError, encode, nonce};
use crate::secret::are_equal;

/// How long the salts are that the tools of this project draw.
const DECOY_SALT_BYTES: usize = 24;

/// Makes up credentials of users that there are none of; the same for a name, as long as the seed
/// is.
#[derive(Clone)]
pub struct Decoy([u8; 32]);

impl Decoy {
    pub fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }

    /// A credential whose keys no proof comes to.
    pub(in crate::sasl) fn of(&self, mechanism: ScramMechanism, user: &str) -> ScramCredential {
        let mut salt = mechanism.mac(&self.0, user.as_bytes());
        let stored_key = mechanism.mac(&self.0, &salt);
        salt.truncate(DECOY_SALT_BYTES);
        let server_key = stored_key.clone();
        ScramCredential { salt, stored_key, server_key, iterations: ITERATIONS_MIN }
    }
}

impl std::fmt::Debug for Decoy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Decoy")
    }
}

/// One exchange.
#[derive(Debug)]
pub struct ScramServer {
    mechanism: ScramMechanism,
    state: State,
}

#[derive(Debug)]
enum State {
    ClientFirst,
    ClientFinal(Box<Challenge>),
    Over,
}

/// What a client has to answer to.
#[derive(Debug)]
struct Challenge {
    first: ClientFirst,
    server: ServerFirst,
    credential: ScramCredential,
    is_known: bool,
    holder: Option<TokenHolder>,
}

/// For whom the holder of a delegation token comes in, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHolder {
    /// Name of the owner's principal.
    pub owner: String,
    pub expires_at_ms: i64,
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub credential: ScramCredential,
    /// Where the name is that of a delegation token.
    pub holder: Option<TokenHolder>,
}

impl From<ScramCredential> for Stored {
    fn from(credential: ScramCredential) -> Self {
        Self { credential, holder: None }
    }
}

/// Who a client has proven to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    pub user: String,
    /// By a delegation token that expires then.
    pub token_expires_at_ms: Option<i64>,
}

/// What the server says, and who the client is where that is proven.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub token: Vec<u8>,
    pub proven: Option<Proven>,
}

impl ScramServer {
    pub fn new(mechanism: ScramMechanism) -> Self {
        Self { mechanism, state: State::ClientFirst }
    }

    pub fn mechanism(&self) -> ScramMechanism {
        self.mechanism
    }

    /// Takes the next message. After an error nothing more is taken. `find` is told whether the
    /// name is that of a delegation token.
    pub fn evaluate(
        &mut self,
        message: &[u8],
        find: impl FnOnce(&str, bool) -> Option<Stored>,
        decoy: &Decoy,
        draw: [u8; NONCE_BYTES],
    ) -> Result<Said, ScramError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::ClientFirst => {
                let challenge = self.challenge(ClientFirst::parse(message)?, find, decoy, draw)?;
                let token = challenge.server.text().into_bytes();
                self.state = State::ClientFinal(Box::new(challenge));
                Ok(Said { token, proven: None })
            }
            State::ClientFinal(challenge) => self.verify(&challenge, &ClientFinal::parse(message)?),
            State::Over => Err(ScramError::Over),
        }
    }

    fn challenge(
        &self,
        first: ClientFirst,
        find: impl FnOnce(&str, bool) -> Option<Stored>,
        decoy: &Decoy,
        draw: [u8; NONCE_BYTES],
    ) -> Result<Challenge, ScramError> {
        let user = first.user();
        if !first.authorization_id.is_empty() && first.authorization_id != user {
            return Err(ScramError::OtherAuthorizationId);
        }
        let (made_up, known) = (decoy.of(self.mechanism, &user), find(&user, first.is_of_token()));
        let is_known = known.is_some();
        let Stored { credential, holder } = known.unwrap_or_else(|| made_up.into());
        if credential.iterations < ITERATIONS_MIN {
            return Err(ScramError::TooFewIterations {
                iterations: credential.iterations,
                minimum: ITERATIONS_MIN,
                mechanism: self.mechanism.constant(),
            });
        }
        let server = ServerFirst {
            nonce: format!("{}{}", first.nonce, nonce(draw)),
            salt: credential.salt.clone(),
            iterations: credential.iterations,
        };
        Ok(Challenge { first, server, credential, is_known, holder })
    }

    fn verify(&self, challenge: &Challenge, last: &ClientFinal) -> Result<Said, ScramError> {
        let Challenge { first, server, credential, is_known, holder } = challenge;
        if last.nonce != server.nonce {
            return Err(ScramError::OtherNonce);
        }
        let message = signed(first, server, last);
        let signature = self.mechanism.mac(&credential.stored_key, &message);
        if last.proof.len() != signature.len() {
            return Err(ScramError::WrongProof);
        }
        let key: Vec<u8> =
            signature.iter().zip(&last.proof).map(|(one, other)| one ^ other).collect();
        let is_proven = are_equal(&self.mechanism.hash(&key), &credential.stored_key);
        match is_proven && *is_known {
            true => {
                let signature = self.mechanism.mac(&credential.server_key, &message);
                let token = format!("v={}", encode(&signature)).into_bytes();
                let proven = match holder {
                    Some(holder) => Proven {
                        user: holder.owner.clone(),
                        token_expires_at_ms: Some(holder.expires_at_ms),
                    },
                    None => Proven { user: first.user(), token_expires_at_ms: None },
                };
                Ok(Said { token, proven: Some(proven) })
            }
            false if *is_known => Err(ScramError::WrongProof),
            false if first.is_of_token() => Err(ScramError::UnknownToken),
            false => Err(ScramError::Unknown),
        }
    }
}

//! The side that knows a password. It proves that it does, and has the server prove the same.

use super::keys::{ITERATIONS_MIN, ScramMechanism};
use super::messages::{ClientFinal, ClientFirst, ServerFinal, ServerFirst, signed};
use super::{NONCE_BYTES, ScramError, nonce};
use crate::sasl::jaas::Credentials;
use crate::secret::are_equal;

#[derive(Debug)]
pub struct ScramClient {
    mechanism: ScramMechanism,
    credentials: Credentials,
    first: ClientFirst,
    state: State,
}

#[derive(Debug)]
enum State {
    ServerFirst,
    ServerFinal { signature: Vec<u8> },
    Over,
}

impl ScramClient {
    pub fn new(
        mechanism: ScramMechanism,
        credentials: Credentials,
        draw: [u8; NONCE_BYTES],
    ) -> Self {
        let mut first = ClientFirst::new(&credentials.username, nonce(draw));
        if credentials.is_token {
            first = first.of_token();
        }
        Self { mechanism, credentials, first, state: State::ServerFirst }
    }

    /// What is said first.
    pub fn first(&self) -> Vec<u8> {
        self.first.text().into_bytes()
    }

    /// Answers a challenge; nothing when the server has proven itself and all is said.
    pub fn evaluate(&mut self, challenge: &[u8]) -> Result<Option<Vec<u8>>, ScramError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::ServerFirst => self.prove(&ServerFirst::parse(challenge)?).map(Some),
            State::ServerFinal { signature } => match ServerFinal::parse(challenge)? {
                ServerFinal::Signature(theirs) if are_equal(&theirs, &signature) => Ok(None),
                ServerFinal::Signature(_) => Err(ScramError::ServerSignature),
                ServerFinal::Error(error) => {
                    Err(ScramError::Refused { mechanism: self.mechanism.constant(), error })
                }
            },
            State::Over => Err(ScramError::Over),
        }
    }

    fn prove(&mut self, server: &ServerFirst) -> Result<Vec<u8>, ScramError> {
        let mechanism = self.mechanism;
        if !server.nonce.starts_with(&self.first.nonce) {
            return Err(ScramError::ServerNonce);
        }
        if server.iterations < ITERATIONS_MIN {
            return Err(ScramError::TooFewIterations {
                iterations: server.iterations,
                minimum: ITERATIONS_MIN,
                mechanism: mechanism.constant(),
            });
        }
        let password = self.credentials.password.reveal();
        let salted = mechanism.salted_password(password, &server.salt, server.iterations);
        let mut last = ClientFinal {
            channel_binding: b"n,,".to_vec(),
            nonce: server.nonce.clone(),
            proof: Vec::new(),
        };
        let message = signed(&self.first, server, &last);
        let client_key = mechanism.client_key(&salted);
        let signature = mechanism.mac(&mechanism.hash(&client_key), &message);
        last.proof = client_key.iter().zip(&signature).map(|(one, other)| one ^ other).collect();
        let signature = mechanism.mac(&mechanism.server_key(&salted), &message);
        self.state = State::ServerFinal { signature };
        Ok(last.text().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Decoy, Proven, ScramServer, Stored, TokenHolder};
    use super::*;
    use crate::Secret;

    const PASSWORD: &str = "alice-secret";

    fn client(mechanism: ScramMechanism, user: &str, password: &str) -> ScramClient {
        let credentials = Credentials::new(user, Secret::new(password));
        ScramClient::new(mechanism, credentials, [1; NONCE_BYTES])
    }

    fn known(mechanism: ScramMechanism, name: &str, is_token: bool) -> Option<Stored> {
        let salted = mechanism.salted_password(PASSWORD, b"salt", ITERATIONS_MIN);
        let credential = mechanism.credential(b"salt", &salted, ITERATIONS_MIN);
        let holder = is_token.then(|| TokenHolder { owner: "bob".to_owned(), expires_at_ms: 9 });
        let names: &[&str] = if is_token { &["id"] } else { &["alice", "a,l=ice"] };
        names.contains(&name).then_some(Stored { credential, holder })
    }

    /// A message to a server whose draw is `draw`.
    fn tell(
        server: &mut ScramServer,
        message: &[u8],
        draw: u8,
    ) -> Result<(Vec<u8>, Option<Proven>), ScramError> {
        let decoy = Decoy::new([3; 32]);
        let mechanism = server.mechanism();
        let known = |name: &str, is_token| known(mechanism, name, is_token);
        let said = server.evaluate(message, known, &decoy, [draw; NONCE_BYTES])?;
        Ok((said.token, said.proven))
    }

    /// The whole conversation: who the client is.
    fn converse(
        mechanism: ScramMechanism,
        user: &str,
        password: &str,
    ) -> Result<Option<String>, ScramError> {
        let proven = converse_as(client(mechanism, user, password), mechanism)?;
        Ok(proven.map(|proven| proven.user))
    }

    fn converse_as(
        mut client: ScramClient,
        mechanism: ScramMechanism,
    ) -> Result<Option<Proven>, ScramError> {
        let mut server = ScramServer::new(mechanism);
        let (challenge, _) = tell(&mut server, &client.first(), 2)?;
        let proof = client.evaluate(&challenge)?.unwrap();
        let (last, proven) = tell(&mut server, &proof, 2)?;
        assert_eq!(client.evaluate(&last)?, None);
        Ok(proven)
    }

    #[test]
    fn whoever_holds_a_token_comes_in_as_its_owner_for_as_long_as_it_lasts() {
        let with = |id: &str, password: &str| {
            let credentials = Credentials::new(id, Secret::new(password)).of_token();
            let mechanism = ScramMechanism::Sha256;
            converse_as(ScramClient::new(mechanism, credentials, [1; NONCE_BYTES]), mechanism)
        };
        let owner = Proven { user: "bob".to_owned(), token_expires_at_ms: Some(9) };
        assert_eq!(with("id", PASSWORD), Ok(Some(owner)));
        assert_eq!(with("id", "other"), Err(ScramError::WrongProof));
        assert_eq!(with("alice", PASSWORD), Err(ScramError::UnknownToken), "a user is no token");
        let user = converse(ScramMechanism::Sha256, "id", PASSWORD);
        assert_eq!(user, Err(ScramError::Unknown), "a token is no user");
    }

    #[test]
    fn both_sides_come_to_know_one_another() {
        for mechanism in ScramMechanism::ALL {
            for user in ["alice", "a,l=ice"] {
                assert_eq!(converse(mechanism, user, PASSWORD), Ok(Some(user.to_owned())));
            }
        }
    }

    #[test]
    fn an_unknown_user_fails_where_a_wrong_password_does() {
        for mechanism in ScramMechanism::ALL {
            assert_eq!(converse(mechanism, "alice", "alice-secre"), Err(ScramError::WrongProof));
            assert_eq!(converse(mechanism, "mallory", PASSWORD), Err(ScramError::Unknown));
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_answered_alike_each_time() {
        let said = |draw| {
            let mut server = ScramServer::new(ScramMechanism::Sha256);
            let first = client(ScramMechanism::Sha256, "mallory", "x").first();
            String::from_utf8(tell(&mut server, &first, draw).unwrap().0).unwrap()
        };
        let salt = |text: &str| text.split(',').nth(1).unwrap().to_owned();
        assert_eq!(salt(&said(1)), salt(&said(2)));
        assert_ne!(said(1), said(2), "nonces differ");
    }

    #[test]
    fn an_old_exchange_proves_nothing() {
        let mechanism = ScramMechanism::Sha256;
        let mut client = client(mechanism, "alice", PASSWORD);
        let mut server = ScramServer::new(mechanism);
        let (challenge, _) = tell(&mut server, &client.first(), 2).unwrap();
        let proof = client.evaluate(&challenge).unwrap().unwrap();
        assert!(tell(&mut server, &proof, 2).unwrap().1.is_some());
        assert_eq!(tell(&mut server, &proof, 2), Err(ScramError::Over));
        // The same messages to a server that draws another nonce.
        let mut later = ScramServer::new(mechanism);
        tell(&mut later, &client.first(), 4).unwrap();
        assert_eq!(tell(&mut later, &proof, 4), Err(ScramError::OtherNonce));
    }

    #[test]
    fn the_last_nonce_must_be_the_servers_exactly() {
        let mechanism = ScramMechanism::Sha256;
        for change in ["", "x"] {
            let mut client = client(mechanism, "alice", PASSWORD);
            let mut server = ScramServer::new(mechanism);
            let (challenge, _) = tell(&mut server, &client.first(), 2).unwrap();
            // CVE-2024-56128: a nonce that only begins or ends like the one that was asked for.
            let challenge = String::from_utf8(challenge).unwrap();
            let nonce = challenge.split(',').next().unwrap();
            let other = challenge.replace(nonce, &format!("{nonce}{change}"));
            let proof = client.evaluate(other.as_bytes()).unwrap().unwrap();
            let told = tell(&mut server, &proof, 2);
            assert_eq!(told.is_ok(), change.is_empty(), "{told:?}");
        }
    }

    #[test]
    fn nobody_acts_for_another() {
        let mut server = ScramServer::new(ScramMechanism::Sha256);
        let refused = tell(&mut server, b"n,a=bob,n=alice,r=abc", 1);
        assert_eq!(refused, Err(ScramError::OtherAuthorizationId));
        let mut server = ScramServer::new(ScramMechanism::Sha256);
        assert!(tell(&mut server, b"n,a=alice,n=alice,r=abc", 1).is_ok());
    }

    #[test]
    fn a_client_knows_a_false_server() {
        let mechanism = ScramMechanism::Sha512;
        let mut one = client(mechanism, "alice", PASSWORD);
        let stolen = one.evaluate(b"r=abc,s=c2FsdA==,i=4096");
        assert_eq!(stolen, Err(ScramError::ServerNonce));
        let mut one = client(mechanism, "alice", PASSWORD);
        let nonce = nonce([1; NONCE_BYTES]);
        let cheap = one.evaluate(format!("r={nonce}x,s=c2FsdA==,i=4095").as_bytes());
        assert!(matches!(cheap, Err(ScramError::TooFewIterations { iterations: 4095, .. })));
        let mut one = client(mechanism, "alice", PASSWORD);
        one.evaluate(format!("r={nonce}x,s=c2FsdA==,i=4096").as_bytes()).unwrap();
        assert_eq!(one.evaluate(b"v=c2FsdA=="), Err(ScramError::ServerSignature));
    }
}

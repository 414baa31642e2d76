//! PLAIN (RFC 4616): a name and a password in the clear.
//!
//! ```text
//! [authzid] NUL authcid NUL passwd
//! ```
//!
//! Of a password only the SHA-256 is kept, and digests are compared: a user who is unknown costs
//! what a wrong password costs. The texts are Kafka's, which clients get to see. Answers to
//! `PlainSaslServer`, `PlainServerCallbackHandler` and `PlainSaslClient`.

use std::collections::HashMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use super::jaas::Login;
use crate::secret::are_equal;

const USER_PREFIX: &str = "user_";
/// Compared with where there is no such user; no password has this digest.
const NOBODY: [u8; 32] = [0; 32];

/// Who may come in, by the `user_NAME` options of a login module.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PlainUsers(HashMap<String, [u8; 32]>);

impl PlainUsers {
    pub fn of(login: &Login) -> Self {
        let users = login.options.iter().filter_map(|(name, password)| {
            let user = name.strip_prefix(USER_PREFIX)?;
            Some((user.to_owned(), digest(password.reveal())))
        });
        Self(users.collect())
    }

    pub(super) fn is_password_of(&self, user: &str, password: &str) -> bool {
        let own = self.0.get(user);
        are_equal(&digest(password), own.unwrap_or(&NOBODY)) & own.is_some()
    }

    /// The user whom a token proves to be somebody, or what the client is told.
    pub(super) fn evaluate(&self, token: &[u8]) -> Result<String, String> {
        let text = String::from_utf8_lossy(token);
        // A fourth part ends the search.
        let parts: Vec<&str> = text.splitn(4, '\0').collect();
        let [authorization_id, user, password] = parts[..] else {
            let count = parts.len();
            return Err(format!("Invalid SASL/PLAIN response: expected 3 tokens, got {count}"));
        };
        if user.is_empty() {
            return Err("Authentication failed: username not specified".to_owned());
        }
        if password.is_empty() {
            return Err("Authentication failed: password not specified".to_owned());
        }
        if !self.is_password_of(user, password) {
            return Err("Authentication failed: Invalid username or password".to_owned());
        }
        if !authorization_id.is_empty() && authorization_id != user {
            return Err(OTHER_AUTHORIZATION_ID.to_owned());
        }
        Ok(user.to_owned())
    }
}

/// What both mechanisms say of somebody who would act for another.
pub(super) const OTHER_AUTHORIZATION_ID: &str = "Authentication failed: Client requested an \
    authorization id that is different from username";

impl fmt::Debug for PlainUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PlainUsers").field(&self.0.len()).finish()
    }
}

fn digest(password: &str) -> [u8; 32] {
    Sha256::digest(password.as_bytes()).into()
}

/// What a client says.
pub(super) fn token(user: &str, password: &str) -> Vec<u8> {
    format!("\0{user}\0{password}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::jaas;

    fn users() -> PlainUsers {
        let login = jaas::parse_property(
            "org.apache.kafka.common.security.plain.PlainLoginModule required \
             user_alice=\"alice-secret\" user_bob=\"b\" username=\"admin\" password=\"other\";",
        );
        PlainUsers::of(&login.unwrap())
    }

    #[test]
    fn a_token_is_judged_in_kafkas_words() {
        const INVALID: &str = "Authentication failed: Invalid username or password";
        let cases: &[(&[u8], Result<&str, &str>)] = &[
            (b"\0alice\0alice-secret", Ok("alice")),
            (b"alice\0alice\0alice-secret", Ok("alice")),
            (b"\0bob\0b", Ok("bob")),
            (b"\0alice\0alice-secre", Err(INVALID)),
            (b"\0alice\0b", Err(INVALID)),
            (b"\0nobody\0b", Err(INVALID)),
            (b"\0admin\0other", Err(INVALID)),
            (b"bob\0alice\0wrong", Err(INVALID)),
            (b"bob\0alice\0alice-secret", Err(OTHER_AUTHORIZATION_ID)),
            (b"\0\0b", Err("Authentication failed: username not specified")),
            (b"\0bob\0", Err("Authentication failed: password not specified")),
            (b"", Err("Invalid SASL/PLAIN response: expected 3 tokens, got 1")),
            (b"\0bob", Err("Invalid SASL/PLAIN response: expected 3 tokens, got 2")),
            (b"\0bob\0b\0", Err("Invalid SASL/PLAIN response: expected 3 tokens, got 4")),
            (b"\0b\0b\0b\0b", Err("Invalid SASL/PLAIN response: expected 3 tokens, got 4")),
            (b"\0bob\0b\xff", Err(INVALID)),
        ];
        let users = users();
        for (token, expected) in cases {
            let found = users.evaluate(token);
            assert_eq!(found.as_deref().map_err(String::as_str), *expected, "{token:?}");
        }
    }

    #[test]
    fn what_a_client_says_is_what_a_server_takes() {
        assert_eq!(users().evaluate(&token("alice", "alice-secret")).as_deref(), Ok("alice"));
    }

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(format!("{:?}", users()), "PlainUsers(2)");
    }
}

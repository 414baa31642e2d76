//! HTTP Basic (RFC 7617): a name and a password in the clear, which nothing but TLS may carry,
//! judged by what logins with PLAIN and SCRAM are judged by.
//!
//! ```text
//! Authorization: Basic base64(user ":" password)
//! ```
//! Kept true: every store is asked in full, whatever the one before said, and a user who is unknown
//! costs what a wrong password costs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::plain::PlainUsers;
use super::scram::{Decoy, ScramCredential, ScramMechanism};
use crate::secret::{Secret, are_equal};

const SCHEME: &str = "basic";

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicLogin {
    pub user: String,
    password: Secret,
}

impl BasicLogin {
    /// Reads the value of an `Authorization` header; nothing where it is none of Basic.
    pub fn parse(header: &str) -> Option<Self> {
        let (scheme, encoded) = header.trim().split_once(' ')?;
        if !scheme.eq_ignore_ascii_case(SCHEME) {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        let is_said = !user.is_empty() && !password.is_empty();
        is_said.then(|| Self { user: user.to_owned(), password: Secret::new(password) })
    }

    /// Whether the password is the user's in one of these. Takes milliseconds of a processor.
    pub fn is_proven<'a>(
        &self,
        plain: impl IntoIterator<Item = &'a PlainUsers>,
        scram: impl Fn(ScramMechanism, &str) -> Option<ScramCredential>,
        decoy: &Decoy,
    ) -> bool {
        let (user, password) = (self.user.as_str(), self.password.reveal());
        let by_plain =
            plain.into_iter().fold(false, |is, users| is | users.is_password_of(user, password));
        let by_scram = ScramMechanism::ALL.into_iter().fold(false, |is, mechanism| {
            let made_up = decoy.of(mechanism, user);
            let known = scram(mechanism, user);
            let is_known = known.is_some();
            is | (is_password_of(mechanism, password, &known.unwrap_or(made_up)) & is_known)
        });
        by_plain | by_scram
    }
}

/// Whether a credential was made of this password.
fn is_password_of(mechanism: ScramMechanism, password: &str, credential: &ScramCredential) -> bool {
    let ScramCredential { salt, iterations, .. } = credential;
    let salted = mechanism.salted_password(password, salt, *iterations);
    let made = mechanism.credential(salt, &salted, *iterations);
    are_equal(&made.stored_key, &credential.stored_key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::jaas;

    fn header(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn a_header_is_a_name_and_a_password_or_nothing() {
        let read = |header: &str| {
            let login = BasicLogin::parse(header)?;
            Some((login.user.clone(), login.password.reveal().to_owned()))
        };
        let said = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(read(&header("alice:s3cret")), said("alice", "s3cret"));
        assert_eq!(read(&header("alice:a:b")), said("alice", "a:b"));
        assert_eq!(read(&header("ülker:pässword")), said("ülker", "pässword"));
        assert_eq!(read("bAsIc  YTpi"), said("a", "b"));
        for refused in ["", "Basic", "Basic ?", "Bearer YTpi", &header("alice"), &header(":b")] {
            assert_eq!(read(refused), None, "{refused}");
        }
        for refused in [header("alice:"), "Basic /w==".to_owned(), "YTpi".to_owned()] {
            assert_eq!(read(&refused), None, "{refused}");
        }
    }

    #[test]
    fn a_login_is_proven_by_whichever_store_has_the_user() {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        let users = |users: &str| {
            PlainUsers::of(&jaas::parse_property(&format!("{module} {users};")).unwrap())
        };
        let plain = [users("user_alice=\"a\""), users("user_bob=\"b\"")];
        let kept = |mechanism: ScramMechanism, user: &str| {
            let (salt, iterations) = (b"salt", 4096);
            let password = match (mechanism, user) {
                (ScramMechanism::Sha256, "carol") => "c256",
                (ScramMechanism::Sha512, "carol" | "alice") => "c512",
                _ => return None,
            };
            let salted = mechanism.salted_password(password, salt, iterations);
            Some(mechanism.credential(salt, &salted, iterations))
        };
        let decoy = Decoy::new([7; 32]);
        for (text, expected) in [
            ("alice:a", true),
            ("bob:b", true),
            ("carol:c256", true),
            ("carol:c512", true),
            ("alice:c512", true),
            ("alice:b", false),
            ("bob:a", false),
            ("bob:c512", false),
            ("carol:c", false),
            ("nobody:a", false),
            ("Alice:a", false),
        ] {
            let login = BasicLogin::parse(&header(text)).unwrap();
            assert_eq!(login.is_proven(&plain, kept, &decoy), expected, "{text}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let shown = format!("{:?}", BasicLogin::parse(&header("alice:s3cret")));
        assert!(shown.contains("alice") && !shown.contains("s3cret"), "{shown}");
    }
}

//! What is made of a password: salted, hashed over and over, and two keys of it.
//!
//! ```text
//! salted = Hi(password, salt, iterations)
//! stored key = H(HMAC(salted, "Client Key"))     server key = HMAC(salted, "Server Key")
//! ```

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256, Sha512};

/// Fewer are too cheap to guess through.
pub const ITERATIONS_MIN: i32 = 4096;
/// More cost every client too much.
pub const ITERATIONS_MAX: i32 = 16_384;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScramMechanism {
    Sha256,
    Sha512,
}

impl ScramMechanism {
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name() == name)
    }

    /// The mechanism of this number in records and requests.
    pub fn of_id(id: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.id() == id)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// Kafka's constant, which its texts show.
    pub fn constant(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM_SHA_256",
            Self::Sha512 => "SCRAM_SHA_512",
        }
    }

    pub fn id(self) -> i8 {
        match self {
            Self::Sha256 => 1,
            Self::Sha512 => 2,
        }
    }

    pub(super) fn mac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        // HMAC takes keys of any length.
        match self {
            Self::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
            Self::Sha512 => Hmac::<Sha512>::new_from_slice(key)
                .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
        }
        .unwrap_or_default()
    }

    pub(super) fn hash(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// `Hi` of RFC 5802: the password, salted and hashed over and over.
    pub fn salted_password(self, password: &str, salt: &[u8], iterations: i32) -> Vec<u8> {
        let first = [salt, &1_u32.to_be_bytes()].concat();
        match self {
            Self::Sha256 => {
                hi(Hmac::<Sha256>::new_from_slice(password.as_bytes()), &first, iterations)
            }
            Self::Sha512 => {
                hi(Hmac::<Sha512>::new_from_slice(password.as_bytes()), &first, iterations)
            }
        }
    }

    pub fn client_key(self, salted_password: &[u8]) -> Vec<u8> {
        self.mac(salted_password, b"Client Key")
    }

    pub fn server_key(self, salted_password: &[u8]) -> Vec<u8> {
        self.mac(salted_password, b"Server Key")
    }

    /// What a server keeps of a salted password.
    pub fn credential(
        self,
        salt: &[u8],
        salted_password: &[u8],
        iterations: i32,
    ) -> ScramCredential {
        ScramCredential {
            salt: salt.to_vec(),
            stored_key: self.hash(&self.client_key(salted_password)),
            server_key: self.server_key(salted_password),
            iterations,
        }
    }
}

/// The keyed state is made once: a round costs two blocks of the hash, not four.
fn hi<M: hmac::Mac + Clone, E>(keyed: Result<M, E>, first: &[u8], iterations: i32) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(keyed) = keyed else { return Vec::new() };
    let mut round = keyed.clone().chain_update(first).finalize().into_bytes();
    let mut salted = round.to_vec();
    for _ in 1..iterations {
        round = keyed.clone().chain_update(&round).finalize().into_bytes();
        for (salted, round) in salted.iter_mut().zip(round.iter()) {
            *salted ^= round;
        }
    }
    salted
}

/// What a server keeps of a user's password. Kafka: `ScramCredential`.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramCredential {
    pub salt: Vec<u8>,
    pub stored_key: Vec<u8>,
    pub server_key: Vec<u8>,
    pub iterations: i32,
}

impl fmt::Debug for ScramCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramCredential([hidden])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// PBKDF2 of one block is Hi: RFC 7914, section 11, and its kin for SHA-512.
    #[test]
    fn a_password_is_salted_as_pbkdf2_does() {
        let salted = ScramMechanism::Sha256.salted_password("passwd", b"salt", 1);
        assert_eq!(
            hex(&salted),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
        );
        let salted = ScramMechanism::Sha512.salted_password("password", b"salt", 4096);
        assert_eq!(
            hex(&salted),
            "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5\
             143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5"
        );
    }

    #[test]
    fn a_credential_is_not_shown() {
        let credential = ScramMechanism::Sha256.credential(b"salt", b"salted", 4096);
        assert_eq!(format!("{credential:?}"), "ScramCredential([hidden])");
    }
}

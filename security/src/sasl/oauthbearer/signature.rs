//! Which algorithms a token may be signed with (RFC 7518), and whether it was.
//!
//! The algorithm says which kind of key it takes, and no key is used with another: neither `none`
//! nor HMAC over a public key gets anywhere. Answers to jose4j's `RsaUsingShaAlgorithm` and
//! `EcdsaUsingShaAlgorithm`, whose keys are of 2048 bits at least.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    Rsa,
    EllipticCurve,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "P-256" => Some(Self::P256),
            "P-384" => Some(Self::P384),
            "P-521" => Some(Self::P521),
            _ => None,
        }
    }

    /// Of a coordinate.
    fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    Es512,
}

impl Algorithm {
    const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::Es512,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    pub(super) fn key_type(self) -> KeyType {
        if self.curve().is_some() { KeyType::EllipticCurve } else { KeyType::Rsa }
    }

    pub(super) fn curve(self) -> Option<Curve> {
        self.elliptic().map(|(curve, _)| curve)
    }

    fn elliptic(self) -> Option<(Curve, &'static EcdsaVerificationAlgorithm)> {
        match self {
            Self::Es256 => Some((Curve::P256, &ECDSA_P256_SHA256_FIXED)),
            Self::Es384 => Some((Curve::P384, &ECDSA_P384_SHA384_FIXED)),
            Self::Es512 => Some((Curve::P521, &ECDSA_P521_SHA512_FIXED)),
            _ => None,
        }
    }

    fn rsa(self) -> Option<&'static RsaParameters> {
        match self {
            Self::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
            Self::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
            Self::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
            Self::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
            Self::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
            Self::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    EllipticCurve {
        curve: Curve,
        /// Uncompressed: 4, x, y.
        point: Vec<u8>,
    },
}

impl PublicKey {
    /// Of coordinates, which may have zeros in front or lack them.
    pub(super) fn elliptic(curve: Curve, x: &[u8], y: &[u8]) -> Option<Self> {
        let mut point = vec![4];
        for coordinate in [x, y] {
            let zeros = coordinate.iter().take_while(|byte| **byte == 0).count();
            let digits = &coordinate[zeros..];
            let padding = curve.bytes().checked_sub(digits.len())?;
            point.extend(std::iter::repeat_n(0, padding));
            point.extend_from_slice(digits);
        }
        Some(Self::EllipticCurve { curve, point })
    }

    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Self::Rsa { .. } => KeyType::Rsa,
            Self::EllipticCurve { .. } => KeyType::EllipticCurve,
        }
    }

    pub(super) fn curve(&self) -> Option<Curve> {
        match self {
            Self::Rsa { .. } => None,
            Self::EllipticCurve { curve, .. } => Some(*curve),
        }
    }

    /// Whether the owner of the key has signed the message.
    pub(super) fn has_signed(&self, algorithm: Algorithm, message: &[u8], signed: &[u8]) -> bool {
        match self {
            Self::Rsa { modulus, exponent } => {
                let Some(parameters) = algorithm.rsa() else { return false };
                let key = RsaPublicKeyComponents { n: trimmed(modulus), e: trimmed(exponent) };
                key.verify(parameters, message, signed).is_ok()
            }
            Self::EllipticCurve { curve, point } => match algorithm.elliptic() {
                Some((own, verification)) if own == *curve => {
                    UnparsedPublicKey::new(verification, point).verify(message, signed).is_ok()
                }
                _ => false,
            },
        }
    }
}

/// Without the zeros in front that some write.
fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

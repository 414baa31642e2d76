//! Text that nobody is shown, and how two secrets are compared.

use std::fmt;

use subtle::ConstantTimeEq as _;

/// A password. `Debug` hides it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

/// Whether two digests are the same, in a time that their bytes have no part in.
pub(crate) fn are_equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        assert_eq!(format!("{:?}", [Secret::new("s3cret")]), "[[hidden]]");
    }

    #[test]
    fn digests_are_equal_where_every_byte_is() {
        let digest: Vec<u8> = (0..32).collect();
        assert!(are_equal(&digest, &digest));
        for position in 0..digest.len() {
            let mut other = digest.clone();
            other[position] ^= 0x80;
            assert!(!are_equal(&digest, &other), "{position}");
            assert!(!are_equal(&digest, &digest[..position]), "{position}");
        }
    }
}

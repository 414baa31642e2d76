//! Kafka's text of a UUID: URL-safe base64 of its 16 bytes without padding, 22 characters.
//!
//! Answers to org.apache.kafka.common.Uuid and DirectoryId.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Java's decoder takes text with and without padding, and any bits behind the last whole byte.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Ids below this are reserved for directories that are lost, migrating or unassigned.
const RESERVED: u128 = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uuid(pub uuid::Uuid);

impl Uuid {
    /// Reads the text form; bits behind the 128th are not looked at, as in Java.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 24 {
            return None;
        }
        let bytes = ENGINE.decode(text).ok()?;
        uuid::Uuid::from_slice(&bytes).ok().map(Self)
    }

    pub(crate) fn is_reserved(self) -> bool {
        self.0.as_u128() < RESERVED
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ENGINE.encode(self.0.as_bytes()))
    }
}

/// A random id: of a cluster or a directory. Its text never starts with `-`, which command lines
/// would take for a flag.
pub fn random_uuid() -> Uuid {
    loop {
        let uuid = Uuid(uuid::Uuid::new_v4());
        if !uuid.is_reserved() && !uuid.to_string().starts_with('-') {
            return uuid;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_and_print_as_kafka_prints_them() {
        let id = Uuid::parse("MvDxzVmcRsaTz33bUuRU6A").unwrap();
        assert_eq!(id.to_string(), "MvDxzVmcRsaTz33bUuRU6A");
        assert_eq!(Uuid::parse("MvDxzVmcRsaTz33bUuRU6A=="), Some(id));
        for wrong in ["", "short", "MvDxzVmcRsaTz33bUuRU6A=======", "Mv+xzVmcRsaTz33bUuRU6A"] {
            assert_eq!(Uuid::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn random_ids_differ_and_are_no_flags() {
        let ids: std::collections::BTreeSet<_> = (0..500).map(|_| random_uuid()).collect();
        assert_eq!(ids.len(), 500);
        assert!(ids.iter().all(|id| !id.to_string().starts_with('-') && !id.is_reserved()));
    }
}

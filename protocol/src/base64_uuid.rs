//! Kafka's text of a UUID: URL-safe base64 of its 16 bytes without padding, 22 characters.
//!
//! Answers to org.apache.kafka.common.Uuid and DirectoryId.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use uuid::Uuid;

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
/// The longest text that is looked at.
const TEXT_BYTES_MAX: usize = 24;

/// An id that is read and printed as Kafka does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Base64Uuid(pub Uuid);

impl Base64Uuid {
    /// Reads the text form; bits behind the 128th are not looked at, as in Java.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let bytes = ENGINE.decode(text).ok()?;
        Uuid::from_slice(&bytes).ok().map(Self)
    }

    /// The first of these draws that may name a cluster, topic or directory: not reserved, and
    /// without a `-` in front, which command lines would take for a flag.
    pub fn random(mut draw: impl FnMut() -> Uuid) -> Self {
        loop {
            let id = Self(draw());
            if !id.is_reserved() && !id.to_string().starts_with('-') {
                return id;
            }
        }
    }

    /// Whether the id means something of its own and never names anything.
    pub fn is_reserved(self) -> bool {
        self.0.as_u128() < RESERVED
    }
}

impl fmt::Display for Base64Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&ENGINE.encode(self.0.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_read_and_print_as_kafka_prints_them() {
        let id = Base64Uuid::parse("MvDxzVmcRsaTz33bUuRU6A").unwrap();
        assert_eq!(id.to_string(), "MvDxzVmcRsaTz33bUuRU6A");
        assert_eq!(Base64Uuid::parse("MvDxzVmcRsaTz33bUuRU6A=="), Some(id));
        for wrong in [
            "",
            "short",
            "MvDxzVmcRsaTz33bUuRU6A=======",
            "Mv+xzVmcRsaTz33bUuRU6A",
            "IHVlmclcDxD4AIwcshzA==",
        ] {
            assert_eq!(Base64Uuid::parse(wrong), None, "{wrong}");
        }
        let one = Uuid::from_u128(1);
        assert_eq!(Base64Uuid(one).to_string(), "AAAAAAAAAAAAAAAAAAAAAQ");
        let id = Uuid::parse_str("20756599-c95c-0f10-f800-8c1cb21cc00a").unwrap();
        assert_eq!(Base64Uuid(id).to_string(), "IHVlmclcDxD4AIwcshzACg");
        for id in [one, id, Uuid::max()] {
            assert_eq!(Base64Uuid::parse(&Base64Uuid(id).to_string()), Some(Base64Uuid(id)));
        }
    }

    #[test]
    fn the_first_draw_that_is_neither_reserved_nor_a_flag_is_taken() {
        let flag = Uuid::from_u128(62 << 122 | 7);
        let free = Uuid::from_u128(61 << 122 | 7);
        assert!(Base64Uuid(flag).to_string().starts_with('-'));
        let mut draws = [Uuid::nil(), Uuid::from_u128(99), flag, free].into_iter();
        assert_eq!(Base64Uuid::random(|| draws.next().unwrap()).0, free);
        assert!(!Base64Uuid(Uuid::from_u128(100)).is_reserved());
    }
}

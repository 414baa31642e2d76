//! A principal as one node tells it to another: Kafka's `DefaultPrincipalData` behind its version.
//!
//! ```text
//! int16 version (0) | compact string type | compact string name | bool token | tagged fields
//! ```
//! Kafka: `DefaultKafkaPrincipalBuilder.serialize` and `deserialize`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::messages::DefaultPrincipalData;
use protocol::wire::{Decodable, Encodable, StrBytes};

/// The only version there is.
const VERSION: i16 = 0;

/// Why bytes are no principal.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPrincipal {
    #[error("the principal has no version")]
    TooShort,
    #[error("Invalid principal data version {0}")]
    UnknownVersion(i16),
    #[error("the principal cannot be read: {0}")]
    Unreadable(String),
}

/// `Type:name` as bytes; `by_token`: it logged in by a delegation token.
pub(crate) fn serialize(principal: &str, by_token: bool) -> Result<Bytes, String> {
    let (kind, name) = principal.split_once(':').unwrap_or(("User", principal));
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let told = DefaultPrincipalData::default()
        .with_type(text(kind))
        .with_name(text(name))
        .with_token_authenticated(by_token);
    let mut out = BytesMut::new();
    out.put_i16(VERSION);
    told.encode(&mut out, VERSION).map_err(|error| error.to_string())?;
    Ok(out.freeze())
}

/// The principal as `Type:name`, and whether it logged in by a delegation token.
pub(crate) fn deserialize(mut bytes: Bytes) -> Result<(String, bool), NoPrincipal> {
    let version = bytes.try_get_i16().map_err(|_| NoPrincipal::TooShort)?;
    if version != VERSION {
        return Err(NoPrincipal::UnknownVersion(version));
    }
    let told = DefaultPrincipalData::decode(&mut bytes, version)
        .map_err(|error| NoPrincipal::Unreadable(error.to_string()))?;
    let principal = format!("{}:{}", told._type.as_str(), told.name.as_str());
    Ok((principal, told.token_authenticated))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `DefaultKafkaPrincipalBuilder.serialize` of 4.1.0 makes of `User:ANONYMOUS`.
    const ANONYMOUS: &[u8] = b"\x00\x00\x05User\x0aANONYMOUS\x00\x00";

    #[test]
    fn a_principal_is_told_in_kafkas_bytes() {
        assert_eq!(serialize("User:ANONYMOUS", false).unwrap(), ANONYMOUS);
        let told = deserialize(Bytes::from_static(ANONYMOUS)).unwrap();
        assert_eq!(told, ("User:ANONYMOUS".to_owned(), false));
        let by_token = serialize("User:ANONYMOUS", true).unwrap();
        assert_eq!(by_token[..by_token.len() - 2], ANONYMOUS[..ANONYMOUS.len() - 2]);
        assert_eq!(by_token[by_token.len() - 2..], [1, 0]);
        assert!(deserialize(by_token).unwrap().1);
    }

    #[test]
    fn names_may_hold_colons() {
        let told = serialize("User:CN=a:b", false).unwrap();
        assert_eq!(deserialize(told).unwrap().0, "User:CN=a:b");
    }

    #[test]
    fn what_is_no_principal_is_refused() {
        let refused = |bytes: &'static [u8]| deserialize(Bytes::from_static(bytes)).unwrap_err();
        assert_eq!(refused(b""), NoPrincipal::TooShort);
        assert_eq!(refused(b"\x00\x01\x05User"), NoPrincipal::UnknownVersion(1));
        for cut in 2..ANONYMOUS.len() {
            assert!(matches!(refused(&ANONYMOUS[..cut]), NoPrincipal::Unreadable(_)), "{cut}");
        }
        let huge = b"\x00\x00\xff\xff\xff\xff\x0fUser";
        assert!(matches!(refused(huge), NoPrincipal::Unreadable(_)));
    }
}

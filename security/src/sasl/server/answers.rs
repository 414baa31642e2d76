//! Answers of an authentication, as whole frames.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::frame::{RequestHeader, encode_response};
use protocol::messages::{ApiVersionsResponse, SaslAuthenticateResponse, SaslHandshakeResponse};
use protocol::wire::{Encodable, StrBytes};

fn encode<R: Encodable>(header: &RequestHeader, answer: &R) -> Option<Bytes> {
    let mut out = BytesMut::new();
    let (key, version) = (header.api.key, header.response_version());
    encode_response(&mut out, key, version, header.correlation_id, answer).ok()?;
    Some(out.freeze())
}

pub(super) fn handshake<'a>(
    header: &RequestHeader,
    error: Option<ErrorCode>,
    mechanisms: impl Iterator<Item = &'a str>,
) -> Option<Bytes> {
    let mechanisms = mechanisms.map(|name| StrBytes::from_string(name.to_owned()));
    let answer = SaslHandshakeResponse::default()
        .with_error_code(error.map_or(0, |error| error.code()))
        .with_mechanisms(mechanisms.collect());
    encode(header, &answer)
}

pub(super) fn authenticate(
    header: &RequestHeader,
    token: Vec<u8>,
    session_lifetime: Duration,
) -> Option<Bytes> {
    let lifetime_ms = i64::try_from(session_lifetime.as_millis()).unwrap_or(i64::MAX);
    let answer = SaslAuthenticateResponse::default()
        .with_error_message(Some(StrBytes::default()))
        .with_auth_bytes(Bytes::from(token))
        .with_session_lifetime_ms(lifetime_ms);
    encode(header, &answer)
}

pub(super) fn authentication_failed(header: &RequestHeader, text: &str) -> Option<Bytes> {
    let answer = SaslAuthenticateResponse::default()
        .with_error_code(ErrorCode::SaslAuthenticationFailed.code())
        .with_error_message(Some(StrBytes::from_string(text.to_owned())));
    encode(header, &answer)
}

/// To a request that is not due. Unlike Kafka, only what a client might say on its way in is
/// answered; anything else ends the connection without an answer (docs/decisions/0520).
pub(super) fn illegal_state(header: &RequestHeader) -> Option<Bytes> {
    match header.api.key {
        ApiKey::SaslHandshake => {
            handshake(header, Some(ErrorCode::IllegalSaslState), std::iter::empty())
        }
        ApiKey::ApiVersions => {
            let code = ErrorCode::IllegalSaslState.code();
            let answer = ApiVersionsResponse::default().with_error_code(code);
            encode(header, &answer)
        }
        _ => None,
    }
}

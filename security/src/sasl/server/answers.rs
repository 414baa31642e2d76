//! Answers of an authentication, as whole frames.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::frame::{RequestHeader, encode_response};
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::metadata_response::MetadataResponseTopic;
use protocol::messages::{
    ApiVersionsResponse, MetadataRequest, MetadataResponse, SaslAuthenticateResponse,
    SaslHandshakeResponse,
};
use protocol::wire::{Decodable, Encodable, StrBytes};

/// The version of Metadata since which an answer has an error code of its own (KIP-1102).
const METADATA_WITH_A_CODE: i16 = 13;

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
/// answered, and Metadata; anything else ends the connection without an answer
/// (docs/decisions/0520). The body was looked at before (`protocol::shape`).
pub(super) fn illegal_state(header: &RequestHeader, body: Bytes) -> Option<Bytes> {
    let code = ErrorCode::IllegalSaslState.code();
    match header.api.key {
        ApiKey::SaslHandshake => {
            handshake(header, Some(ErrorCode::IllegalSaslState), std::iter::empty())
        }
        ApiKey::ApiVersions => {
            let answer = ApiVersionsResponse::default().with_error_code(code);
            encode(header, &answer)
        }
        ApiKey::Metadata => metadata_refused(header, body, code),
        _ => None,
    }
}

/// Metadata is what a client asks that takes the server's error in OAUTHBEARER for its consent, as
/// kafkajs and aiokafka do. Unlike Kafka, none is answered that has no place for the code: its
/// answer is that there are neither brokers nor topics, and aiokafka waits for some.
fn metadata_refused(header: &RequestHeader, mut body: Bytes, code: i16) -> Option<Bytes> {
    let request = MetadataRequest::decode(&mut body, header.api_version).ok()?;
    let topics = request.topics.unwrap_or_default();
    let has_a_code = header.api_version >= METADATA_WITH_A_CODE;
    if topics.is_empty() && !has_a_code {
        return None;
    }
    let refused = |topic: MetadataRequestTopic| {
        MetadataResponseTopic::default()
            .with_name(Some(topic.name.unwrap_or_default()))
            .with_topic_id(topic.topic_id)
            .with_error_code(code)
    };
    let answer = MetadataResponse::default()
        .with_topics(topics.into_iter().map(refused).collect())
        .with_error_code(if has_a_code { code } else { 0 });
    encode(header, &answer)
}

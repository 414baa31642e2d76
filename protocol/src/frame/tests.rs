//! Headers good, cut and lying; frames against the general codec.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, HeartbeatResponse, MetadataRequest,
    RequestHeader as CrateRequestHeader, ResponseHeader as CrateResponseHeader,
};

use super::*;
use crate::wire::{Decodable, Encodable};

fn header(key: i16, version: i16, rest: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_i16(key);
    frame.put_i16(version);
    frame.put_i32(7);
    frame.put_slice(rest);
    frame.freeze()
}

fn parse(key: i16, version: i16, rest: &[u8]) -> Result<(RequestHeader, Bytes), HeaderError> {
    let mut frame = header(key, version, rest);
    RequestHeader::parse(&mut frame).map(|parsed| (parsed, frame))
}

#[test]
fn headers_of_all_apis_and_versions_parse_as_the_vocabulary_writes_them() {
    for api in api::all() {
        for version in api.min_version..=api.max_version {
            let mut frame = BytesMut::new();
            let unknown_tag = (api.request_header_version(version) >= 2)
                .then(|| (5, Bytes::from_static(b"from the future")));
            CrateRequestHeader::default()
                .with_request_api_key(api.key as i16)
                .with_request_api_version(version)
                .with_correlation_id(-9)
                .with_client_id(Some(StrBytes::from_static_str("someone")))
                .with_unknown_tagged_fields(unknown_tag.into_iter().collect())
                .encode(&mut frame, api.request_header_version(version))
                .unwrap();
            frame.put_slice(b"body");
            let mut frame = frame.freeze();
            let parsed = RequestHeader::parse(&mut frame).unwrap();
            assert_eq!(parsed.api.key, api.key);
            assert_eq!(parsed.api_version, version);
            assert_eq!(parsed.correlation_id, -9);
            assert_eq!(parsed.client_id.as_str(), "someone");
            assert_eq!(frame, b"body"[..]);
        }
    }
}

#[test]
fn a_null_client_id_is_an_empty_one_and_bad_utf8_is_replaced() {
    assert_eq!(parse(18, 0, &[0xff, 0xff]).unwrap().0.client_id.as_str(), "");
    assert_eq!(parse(18, 0, &[0x80, 0x00]).unwrap().0.client_id.as_str(), "");
    assert_eq!(parse(18, 0, &[0, 2, b'a', 0xff]).unwrap().0.client_id.as_str(), "a\u{fffd}");
}

#[test]
fn every_cut_of_a_header_is_too_short() {
    let whole = header(3, 12, &[0, 1, b'c', 1, 9, 2, 0, 0]);
    assert!(RequestHeader::parse(&mut whole.clone()).is_ok());
    for length in 0..whole.len() {
        let outcome = RequestHeader::parse(&mut whole.slice(..length));
        assert_eq!(outcome.err(), Some(HeaderError::TooShort), "{length}");
    }
}

#[test]
fn headers_that_lie_are_told_apart() {
    let cases: [(i16, &[u8], HeaderError); 6] = [
        (4, &[0, 0, 0], HeaderError::UnknownKey(4)),
        (-1, &[0, 0, 0], HeaderError::UnknownKey(-1)),
        (3, &[0x7f, 0xff, b'x'], HeaderError::TooShort),
        (3, &[0, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0], HeaderError::OverlongNumber),
        (3, &[0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f], HeaderError::NegativeSize),
        (3, &[0, 0, 1, 0, 100, 1, 2], HeaderError::TooShort),
    ];
    for (key, rest, expected) in cases {
        assert_eq!(parse(key, 12, rest).err(), Some(expected), "{key} {rest:?}");
    }
}

#[test]
fn a_negative_count_of_tagged_fields_is_none_as_in_kafka() {
    let (_, body) = parse(3, 12, &[0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 42]).unwrap();
    assert_eq!(body, [42u8][..]);
}

#[test]
fn api_versions_is_admitted_at_any_version_and_answered_in_version_0() {
    for version in [-1, 5, 99, i16::MAX] {
        let (parsed, _) = parse(18, version, &[0xff, 0xff, 0]).unwrap();
        assert_eq!(parsed.admit(Listener::Broker, false), Ok(()));
        assert!(parsed.is_unsupported_api_versions());
        assert_eq!((parsed.response_version(), parsed.response_header_version()), (0, 0));
    }
    let (parsed, _) = parse(18, 4, &[0xff, 0xff, 0]).unwrap();
    assert!(!parsed.is_unsupported_api_versions());
    assert_eq!((parsed.response_version(), parsed.response_header_version()), (4, 0));
}

#[test]
fn what_a_listener_does_not_have_is_not_admitted() {
    let (vote, _) = parse(52, 0, &[0, 0, 0]).unwrap();
    assert_eq!(
        vote.admit(Listener::Broker, true),
        Err(NotAdmitted::OtherListener { key: ApiKey::Vote, name: "Vote" })
    );
    for (key, name) in [
        (ApiKey::GetTelemetrySubscriptions, "GetTelemetrySubscriptions"),
        (ApiKey::PushTelemetry, "PushTelemetry"),
    ] {
        let (telemetry, _) = parse(key as i16, 0, &[0, 0, 0]).unwrap();
        let refused = Err(NotAdmitted::OtherListener { key, name });
        assert_eq!(telemetry.admit(Listener::Broker, false), refused);
        assert_eq!(telemetry.admit(Listener::Controller, true), refused);
        assert_eq!(telemetry.admit(Listener::Broker, true), Ok(()));
    }
}

#[test]
fn answers_are_framed_as_the_vocabulary_frames_them() {
    let response = HeartbeatResponse::default().with_error_code(3);
    for version in 0..=4 {
        let mut out = BytesMut::from(&b"before"[..]);
        encode_response(&mut out, ApiKey::Heartbeat, version, 11, &response).unwrap();
        let mut body = BytesMut::new();
        let header_version = Api::of(ApiKey::Heartbeat).response_header_version(version);
        CrateResponseHeader::default()
            .with_correlation_id(11)
            .encode(&mut body, header_version)
            .unwrap();
        let header_length = body.len();
        response.encode(&mut body, version).unwrap();
        let body_length = body.len() - header_length;
        let head = response_head(11, header_version, body_length).unwrap();
        assert_eq!(head[4..], body[..header_length]);
        assert_eq!(out[6..10], (body.len() as i32).to_be_bytes());
        assert_eq!(out[6..10], head[..4]);
        assert_eq!(out[10..], body[..]);

        let mut answer = out.freeze().slice(10..);
        assert_eq!(strip_response_header(&mut answer, ApiKey::Heartbeat, version), Ok(11));
        assert_eq!(HeartbeatResponse::decode(&mut answer, version).unwrap(), response);
    }
}

#[test]
fn a_message_that_its_version_cannot_hold_leaves_the_buffer_as_it_was() {
    let mut out = BytesMut::from(&b"before"[..]);
    let response = ApiVersionsResponse::default();
    let outcome = encode_response(&mut out, ApiKey::ApiVersions, 99, 1, &response);
    assert!(matches!(outcome, Err(EncodeError::Unencodable { version: 99, .. })), "{outcome:?}");
    assert_eq!(out, b"before"[..]);
}

#[test]
fn a_request_comes_out_as_it_went_in() {
    let mut out = BytesMut::new();
    let request = MetadataRequest::default().with_topics(None);
    encode_request(&mut out, ApiKey::Metadata, 12, 5, "peer", &request).unwrap();
    encode_request(&mut out, ApiKey::ApiVersions, 0, 6, "", &ApiVersionsRequest::default())
        .unwrap();
    let mut bytes = out.freeze();
    let length = bytes.get_i32() as usize;
    let mut first = bytes.split_to(length);
    let parsed = RequestHeader::parse(&mut first).unwrap();
    assert_eq!((parsed.api.key, parsed.correlation_id), (ApiKey::Metadata, 5));
    assert_eq!(parsed.client_id.as_str(), "peer");
    assert_eq!(MetadataRequest::decode(&mut first, 12).unwrap(), request);
    assert_eq!(bytes.get_i32() as usize, bytes.len());
    assert_eq!(RequestHeader::parse(&mut bytes).unwrap().correlation_id, 6);
}

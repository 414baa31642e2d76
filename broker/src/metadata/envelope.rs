//! A client's request on its way from a broker to the active controller: what goes around it, and
//! what the controller finds inside.
//!
//! ```text
//! EnvelopeRequest:  request header and body as the client sent them | principal | its address
//! EnvelopeResponse: error code of the envelope itself | response header and body
//! ```
//! Kafka: `ForwardingManager.buildEnvelopeRequest`, `EnvelopeUtils`.

use std::net::IpAddr;

use bytes::{Buf, Bytes};
use protocol::ErrorCode;
use protocol::api::Listener;
use protocol::frame::RequestHeader;
use protocol::messages::{EnvelopeRequest, EnvelopeResponse};
use protocol::shape::{self, DECODED_BUDGET};

use super::principal;
use crate::requests::requester::Client;

/// Puts a request, header and body, into an envelope.
pub(crate) fn wrap(client: &Client, request: Bytes) -> Result<EnvelopeRequest, String> {
    let address = match client.ip() {
        IpAddr::V4(ip) => Bytes::copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => Bytes::copy_from_slice(&ip.octets()),
    };
    Ok(EnvelopeRequest::default()
        .with_request_data(request)
        .with_request_principal(Some(principal::serialize(&client.principal, client.by_token)?))
        .with_client_host_address(address))
}

/// What was in an envelope.
#[derive(Debug)]
pub(crate) struct Unwrapped {
    pub(crate) header: RequestHeader,
    pub(crate) body: Bytes,
    pub(crate) client: Client,
}

/// Takes a request out of its envelope, which came by the connection of `sender`.
///
/// The code of a refusal says whether the envelope or its content was at fault: whoever sent the
/// content hears of UNSUPPORTED_VERSION by losing its connection, of all others as an unknown
/// error.
pub(crate) fn unwrap(sender: &Client, envelope: EnvelopeRequest) -> Result<Unwrapped, ErrorCode> {
    let told = envelope.request_principal.ok_or(ErrorCode::PrincipalDeserializationFailure)?;
    let (principal, by_token) =
        principal::deserialize(told).map_err(|_| ErrorCode::PrincipalDeserializationFailure)?;
    let address = &envelope.client_host_address[..];
    let ip = if let Ok(octets) = <[u8; 4]>::try_from(address) {
        IpAddr::from(octets)
    } else if let Ok(octets) = <[u8; 16]>::try_from(address) {
        // Java takes an IPv4 address in IPv6's clothes for what it is.
        IpAddr::from(octets).to_canonical()
    } else {
        return Err(ErrorCode::InvalidRequest);
    };
    let mut body = envelope.request_data;
    let header = RequestHeader::parse(&mut body).map_err(|_| ErrorCode::UnsupportedVersion)?;
    if !header.api.forwarded {
        return Err(ErrorCode::InvalidRequest);
    }
    // A key that Kafka forwards and this controller does not serve is as one of another version.
    header.admit(Listener::Controller, false).map_err(|_| ErrorCode::UnsupportedVersion)?;
    let body =
        shape::check(&header, body, DECODED_BUDGET).map_err(|_| ErrorCode::UnsupportedVersion)?;
    Ok(Unwrapped { header, body, client: sender.behind(&principal, by_token, ip) })
}

/// The envelope of an answer; `frame` has its length in front.
pub(crate) fn answered(mut frame: Bytes) -> EnvelopeResponse {
    frame.advance(size_of::<i32>().min(frame.len()));
    EnvelopeResponse::default().with_response_data(Some(frame))
}

/// The envelope alone.
pub(crate) fn refused(code: ErrorCode) -> EnvelopeResponse {
    EnvelopeResponse::default().with_error_code(code.code())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;

    use bytes::BytesMut;
    use protocol::api::ApiKey;
    use protocol::frame::{encode_request, encode_response};
    use protocol::messages::{
        CreateTopicsRequest, CreateTopicsResponse, EnvelopeRequest, HeartbeatRequest,
        MetadataRequest,
    };
    use protocol::wire::Encodable;

    use super::*;

    fn client(listener: &str, address: &str) -> Client {
        let anonymous = Arc::from("User:ANONYMOUS");
        Client::new(Arc::from(listener), SocketAddr::new(address.parse().unwrap(), 1), anonymous, 7)
    }

    fn request<T: Encodable>(key: ApiKey, version: i16, request: &T) -> Bytes {
        let mut out = BytesMut::new();
        encode_request(&mut out, key, version, 42, "me", request).unwrap();
        out.split_off(size_of::<i32>()).freeze()
    }

    fn create_topics() -> Bytes {
        let body = CreateTopicsRequest::default().with_timeout_ms(5);
        request(ApiKey::CreateTopics, 7, &body)
    }

    fn unwrapped(envelope: EnvelopeRequest) -> Result<Unwrapped, ErrorCode> {
        unwrap(&client("CONTROLLER", "10.0.0.9"), envelope)
    }

    #[test]
    fn what_goes_in_comes_out() {
        for address in ["127.0.0.1", "2001:db8::1"] {
            let envelope = wrap(&client("PLAINTEXT", address), create_topics()).unwrap();
            let found = unwrapped(envelope).unwrap();
            assert_eq!(found.header.api.key, ApiKey::CreateTopics);
            assert_eq!((found.header.api_version, found.header.correlation_id), (7, 42));
            assert_eq!(&*found.header.client_id, "me");
            assert_eq!(found.client.ip(), address.parse::<IpAddr>().unwrap());
            assert_eq!(&*found.client.principal, "User:ANONYMOUS");
            // It is served as what came by the controller's listener.
            assert_eq!((&*found.client.listener, found.client.connection_id), ("CONTROLLER", 7));
        }
    }

    fn bytes_of(message: &impl Encodable) -> BytesMut {
        let mut out = BytesMut::new();
        message.encode(&mut out, 0).unwrap();
        out
    }

    /// What `EnvelopeRequest` and `EnvelopeResponse` of 4.1.0 make of the same.
    #[test]
    fn envelopes_have_kafkas_bytes() {
        let request = b"\x15\x00\x13\x00\x07\x00\x00\x00\x2a\x00\x02me\x00\x01\x00\x00\x00\x05\
            \x00\x00\x14\x00\x00\x05User\x0aANONYMOUS\x00\x00\x05\x7f\x00\x00\x01\x00";
        let wrapped = wrap(&client("PLAINTEXT", "127.0.0.1"), create_topics()).unwrap();
        assert_eq!(&bytes_of(&wrapped)[..], request);
        let mut answer = BytesMut::new();
        let response = CreateTopicsResponse::default();
        encode_response(&mut answer, ApiKey::CreateTopics, 7, 42, &response).unwrap();
        let response = b"\x0c\x00\x00\x00\x2a\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00";
        assert_eq!(&bytes_of(&answered(answer.freeze()))[..], response);
        let refusal = refused(ErrorCode::NotController);
        assert_eq!(&bytes_of(&refusal)[..], b"\x00\x00\x29\x00");
    }

    #[test]
    fn faults_of_the_envelope_and_of_its_content_have_codes_of_their_own() {
        let good = || wrap(&client("PLAINTEXT", "127.0.0.1"), create_topics()).unwrap();
        let code = |envelope| unwrapped(envelope).unwrap_err();
        let with = |request_data| good().with_request_data(request_data);
        assert_eq!(
            code(good().with_request_principal(None)),
            ErrorCode::PrincipalDeserializationFailure
        );
        assert_eq!(
            code(good().with_client_host_address(Bytes::from_static(b"abc"))),
            ErrorCode::InvalidRequest
        );
        // Of those that no broker forwards one exists on the listener, the other does not.
        let metadata = request(ApiKey::Metadata, 1, &MetadataRequest::default());
        let heartbeat = request(ApiKey::Heartbeat, 4, &HeartbeatRequest::default());
        assert_eq!(code(with(metadata)), ErrorCode::InvalidRequest);
        assert_eq!(code(with(heartbeat)), ErrorCode::InvalidRequest);
        let whole = create_topics();
        assert_eq!(code(with(Bytes::new())), ErrorCode::UnsupportedVersion);
        assert_eq!(code(with(whole.slice(..whole.len() - 3))), ErrorCode::UnsupportedVersion);
        let mut newer = BytesMut::from(&whole[..]);
        newer[3] = 99;
        assert_eq!(code(with(newer.freeze())), ErrorCode::UnsupportedVersion);
    }
}

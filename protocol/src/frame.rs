//! What surrounds a message on the wire: the header of a request, the length and header of an
//! answer.
//!
//! ```text
//! request:  int32 length | int16 key | int16 version | int32 correlation | nullable string
//!           client id | (header 2) tagged fields | body
//! response: int32 length | int32 correlation | (header 1) tagged fields | body
//! ```
//!
//! Parsing takes the header off the front of a frame (without its length) and leaves the body.
//! Whether the request may be answered is asked separately, so that the caller can tell a frame
//! that is no request from a request that this listener doesn't take. Answers to Kafka's
//! `RequestHeader.parse`, `SocketServer.parseRequestHeader` and `SendBuilder`.

mod outgoing;
#[cfg(test)]
mod tests;
mod varint;

pub(crate) use outgoing::append_response;
pub use outgoing::{
    EncodeError, encode_asked, encode_request, encode_response, response_head, strip_header,
    strip_response_header,
};

use bytes::{Buf, Bytes};

use crate::api::{self, Api, ApiKey, Listener};
use crate::wire::StrBytes;

/// Why a frame has no usable header. Each of them closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    #[error("the frame ends inside the request header")]
    TooShort,
    #[error("unknown api key {0}")]
    UnknownKey(i16),
    #[error("the request header holds a number of more than five bytes")]
    OverlongNumber,
    #[error("the request header holds a tagged field of negative size")]
    NegativeSize,
}

/// Why a request with a good header isn't taken. Each of them closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    #[error("{name} ({key}) is not available on this listener", key = *.key as i16)]
    OtherListener { key: ApiKey, name: &'static str },
    #[error("{name} ({key}) has no version {version}", key = *.key as i16)]
    UnsupportedVersion { key: ApiKey, name: &'static str, version: i16 },
}

#[derive(Debug, Clone)]
pub struct RequestHeader {
    pub api: &'static Api,
    pub api_version: i16,
    pub correlation_id: i32,
    /// Empty when the client sent none, as Kafka takes it; invalid UTF-8 is replaced.
    pub client_id: StrBytes,
}

impl RequestHeader {
    /// Takes the header off the front of `frame`, which holds the body afterwards.
    ///
    /// Any version of a known key parses, since the header's own version follows from it.
    pub fn parse(frame: &mut Bytes) -> Result<Self, HeaderError> {
        let too_short = |_| HeaderError::TooShort;
        let key = frame.try_get_i16().map_err(too_short)?;
        let api_version = frame.try_get_i16().map_err(too_short)?;
        let api = api::by_key(key).ok_or(HeaderError::UnknownKey(key))?;
        let correlation_id = frame.try_get_i32().map_err(too_short)?;
        let client_id = take_client_id(frame)?;
        if api.request_header_version(api_version) >= 2 {
            skip_tagged_fields(frame)?;
        }
        Ok(Self { api, api_version, correlation_id, client_id })
    }

    /// Whether such a listener takes the request.
    ///
    /// ApiVersions is taken at any version: [`Self::is_unsupported_api_versions`]. What clients
    /// push is taken by a node with a `receiver` of it.
    pub fn admit(&self, listener: Listener, receiver: bool) -> Result<(), NotAdmitted> {
        let Api { key, name, .. } = *self.api;
        let is_received = receiver && self.api.needs_receiver() && self.api.exists_on(listener);
        if !self.api.is_served_on(listener) && !is_received {
            return Err(NotAdmitted::OtherListener { key, name });
        }
        if self.api.supports(self.api_version) || key == ApiKey::ApiVersions {
            return Ok(());
        }
        Err(NotAdmitted::UnsupportedVersion { key, name, version: self.api_version })
    }

    /// A client newer (or stranger) than us asks what we speak. The body is not to be read; the
    /// answer is of version 0, error UNSUPPORTED_VERSION, listing ApiVersions alone.
    pub fn is_unsupported_api_versions(&self) -> bool {
        self.api.key == ApiKey::ApiVersions && !self.api.supports(self.api_version)
    }

    /// The version in which the answer is encoded.
    pub fn response_version(&self) -> i16 {
        if self.is_unsupported_api_versions() { 0 } else { self.api_version }
    }

    pub fn response_header_version(&self) -> i16 {
        self.api.response_header_version(self.api_version)
    }
}

fn take_client_id(frame: &mut Bytes) -> Result<StrBytes, HeaderError> {
    let length = frame.try_get_i16().map_err(|_| HeaderError::TooShort)?;
    // Any negative length means null to Kafka, not only -1.
    let Ok(length) = usize::try_from(length) else {
        return Ok(StrBytes::new());
    };
    if frame.len() < length {
        return Err(HeaderError::TooShort);
    }
    let bytes = frame.split_to(length);
    Ok(StrBytes::from_utf8(bytes.clone())
        .unwrap_or_else(|_| StrBytes::from_string(String::from_utf8_lossy(&bytes).into_owned())))
}

fn skip_tagged_fields(frame: &mut Bytes) -> Result<(), HeaderError> {
    // The usual frame has none.
    if frame.first() == Some(&0) {
        frame.advance(1);
        return Ok(());
    }
    // Kafka counts with a signed number: a negative count is none.
    for _ in 0..varint::take(frame)?.max(0) {
        varint::take(frame)?;
        let size = varint::take(frame)?;
        let size = usize::try_from(size).map_err(|_| HeaderError::NegativeSize)?;
        if frame.len() < size {
            return Err(HeaderError::TooShort);
        }
        frame.advance(size);
    }
    Ok(())
}

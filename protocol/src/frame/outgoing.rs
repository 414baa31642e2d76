//! Frames that leave: answers to clients, requests to peers, and the header of a peer's answer.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{HeaderError, skip_tagged_fields};
use crate::api::{Api, ApiKey};
use crate::ask::AskedApi;
use crate::wire::Encodable;

/// Why a message could not be put on the wire: our own fault, never the peer's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    #[error("{name} version {version} cannot hold the message: {cause}")]
    Unencodable { name: &'static str, version: i16, cause: String },
    #[error("a frame of {0} bytes is longer than its length field can tell")]
    TooLong(usize),
}

/// Appends one whole answer to `out`. After an error `out` is as it was.
pub fn encode_response<T: Encodable>(
    out: &mut BytesMut,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    response: &T,
) -> Result<(), EncodeError> {
    append_response(out, key, version, correlation_id, |out| {
        response.encode(out, version).map_err(|cause| cause.to_string())
    })
}

/// Appends one whole answer whose body `write` writes.
pub(crate) fn append_response(
    out: &mut BytesMut,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    write: impl FnOnce(&mut BytesMut) -> Result<(), String>,
) -> Result<(), EncodeError> {
    let api = Api::of(key);
    append_frame(out, api.name, version, |out| {
        out.put_i32(correlation_id);
        if api.response_header_version(version) >= 1 {
            out.put_u8(0);
        }
        write(out)
    })
}

/// Appends one whole request to `out`. After an error `out` is as it was.
pub fn encode_request<T: Encodable>(
    out: &mut BytesMut,
    key: ApiKey,
    version: i16,
    correlation_id: i32,
    client_id: &str,
    request: &T,
) -> Result<(), EncodeError> {
    let asked = AskedApi::of(key);
    encode_asked(out, &asked, version, correlation_id, client_id, |out| {
        request.encode(out, version).map_err(|cause| cause.to_string())
    })
}

/// Appends one whole request whose body `write` writes. After an error `out` is as it was.
pub fn encode_asked(
    out: &mut BytesMut,
    api: &AskedApi,
    version: i16,
    correlation_id: i32,
    client_id: &str,
    write: impl FnOnce(&mut BytesMut) -> Result<(), String>,
) -> Result<(), EncodeError> {
    append_frame(out, api.name, version, |out| {
        out.put_i16(api.key);
        out.put_i16(version);
        out.put_i32(correlation_id);
        let length = i16::try_from(client_id.len()).map_err(|_| "client id too long")?;
        out.put_i16(length);
        out.put_slice(client_id.as_bytes());
        if api.request_header_version(version) >= 2 {
            out.put_u8(0);
        }
        write(out)
    })
}

fn append_frame(
    out: &mut BytesMut,
    name: &'static str,
    version: i16,
    write: impl FnOnce(&mut BytesMut) -> Result<(), String>,
) -> Result<(), EncodeError> {
    let start = out.len();
    out.put_i32(0);
    let outcome = write(out)
        .map_err(|cause| EncodeError::Unencodable { name, version, cause })
        .and_then(|()| {
            let length = out.len() - start - 4;
            i32::try_from(length).map_err(|_| EncodeError::TooLong(length))
        });
    match outcome {
        Ok(length) => {
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}

/// The first bytes of an answer whose body of `body_length` bytes is sent from elsewhere.
pub fn response_head(
    correlation_id: i32,
    header_version: i16,
    body_length: usize,
) -> Result<Bytes, EncodeError> {
    let header_length = if header_version >= 1 { 5 } else { 4 };
    let length = header_length + body_length;
    let mut head = BytesMut::with_capacity(9);
    head.put_i32(i32::try_from(length).map_err(|_| EncodeError::TooLong(length))?);
    head.put_i32(correlation_id);
    if header_version >= 1 {
        head.put_u8(0);
    }
    Ok(head.freeze())
}

/// Takes the header off a peer's answer and gives its correlation id; the body stays.
pub fn strip_response_header(
    frame: &mut Bytes,
    key: ApiKey,
    version: i16,
) -> Result<i32, HeaderError> {
    strip_header(frame, Api::of(key).response_header_version(version))
}

/// The same for a header of this version.
pub fn strip_header(frame: &mut Bytes, header_version: i16) -> Result<i32, HeaderError> {
    let correlation_id = frame.try_get_i32().map_err(|_| HeaderError::TooShort)?;
    if header_version >= 1 {
        skip_tagged_fields(frame)?;
    }
    Ok(correlation_id)
}

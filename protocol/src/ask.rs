//! What one node asks another: the request, the API that it belongs to, and its answer.
//!
//! Every request of the vocabulary can be asked. Answers to Kafka's `AbstractRequest.Builder`.

#[cfg(test)]
mod tests;

use bytes::{Bytes, BytesMut};

use crate::api::{Api, ApiKey};
use crate::wire::{Decodable, Request};

/// An API as who asks knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedApi {
    pub key: i16,
    pub name: &'static str,
    pub min_version: i16,
    pub max_version: i16,
    pub first_flexible: Option<i16>,
}

impl AskedApi {
    pub fn of(key: ApiKey) -> Self {
        let api = Api::of(key);
        Self {
            key: key as i16,
            name: api.name,
            min_version: api.min_version,
            max_version: api.max_version,
            first_flexible: api.first_flexible,
        }
    }

    fn is_flexible(&self, version: i16) -> bool {
        self.first_flexible.is_some_and(|first| version >= first)
    }

    pub fn request_header_version(&self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// ApiVersions is answered with header 0 always.
    pub fn response_header_version(&self, version: i16) -> i16 {
        match self.key == ApiKey::ApiVersions as i16 {
            true => 0,
            false => i16::from(self.is_flexible(version)),
        }
    }
}

/// A request, and how its answer is read.
pub trait Ask {
    type Answer;

    /// Nothing where nobody knows the request's key.
    fn api() -> Option<AskedApi>;

    /// Appends the body.
    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), String>;

    /// Reads the body of the answer; what is wrong with it where it is none.
    fn read(body: Bytes, version: i16) -> Result<Self::Answer, String>;
}

impl<R: Request> Ask for R {
    type Answer = R::Response;

    fn api() -> Option<AskedApi> {
        ApiKey::try_from(R::KEY).ok().map(AskedApi::of)
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), String> {
        self.encode(out, version).map_err(|cause| cause.to_string())
    }

    fn read(mut body: Bytes, version: i16) -> Result<R::Response, String> {
        R::Response::decode(&mut body, version).map_err(|cause| cause.to_string())
    }
}

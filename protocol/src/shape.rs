//! Checks a request's announced lengths and counts before anything is decoded from it.
//!
//! The general decoder reserves whatever count a frame announces. So every frame is walked first,
//! by a table of all requests' shapes (`requests`), and refused when a length or count exceeds what
//! can follow, or as soon as the decoded form would take more memory than allowed. The walk works
//! on the beginning of a frame too: the connection asks as its buffer grows, and a great frame of
//! tiny elements is refused at its first pages.
//!
//! Kept true: after a walk that accepts, decoding cannot fail and takes no more than was counted.
//! What Kafka's parser takes and the general decoder would not (invalid UTF-8, odd ways to say
//! null) is mended in a copy of the body. Answers to Kafka's generated `read` methods.
//!
//! Unlike Kafka: there is a limit on what a request may take when decoded, a string that mending
//! would make too long is refused (docs/decisions/0050-frames-are-walked-before-decoding.md).

mod malformed;
mod mend;
mod requests;
mod table;
#[cfg(test)]
mod tests;
mod walk;

pub use malformed::Malformed;
pub use requests::shape_of;
pub use table::{Element, Field, Fixed, Kind, Shape};

use bytes::Bytes;

use crate::api::{Api, ApiKey};
use crate::frame::RequestHeader;
use walk::{Stop, Walk};

/// What decoding one request may take, in bytes, beside the frame itself. Decoded elements are no
/// smaller than on the wire, so what is refused at doubling sizes is refused before 32 MiB arrived;
/// and what is accepted leaves its handler room to stay within 64 MiB as well.
pub const DECODED_BUDGET: usize = 16 << 20;

/// Why a request is not decoded; each of them closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("decoding it would take {needed} bytes, {allowed} are allowed")]
    OverBudget { needed: usize, allowed: usize },
    #[error("api key {key} has no version {version}")]
    UnsupportedVersion { key: i16, version: i16 },
    #[error("unknown api key {0}")]
    UnknownKey(i16),
}

/// What the beginning of a frame lets us say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong so far.
    NeedMore,
    /// The whole message is there.
    Fits,
}

/// Judges a frame by its first bytes: `frame` holds what arrived of a frame that announced
/// `frame_length` bytes, header included, the length field itself not.
///
/// It starts over on each call, so ask at doubling sizes.
pub fn check_prefix(frame_length: usize, frame: &[u8], budget: usize) -> Result<Verdict, Refusal> {
    let mut walk = Walk::new(frame, frame_length, budget);
    let outcome = walk.header().and_then(|(api, version)| {
        if api.supports(version) {
            let shape = shape_of(api.key);
            return walk.message(shape, version);
        }
        // A client newer than us asks what we speak: its body isn't read.
        match api.key {
            ApiKey::ApiVersions => Ok(()),
            key => Err(unsupported(key, version).into()),
        }
    });
    match outcome {
        Ok(()) => Ok(Verdict::Fits),
        Err(Stop::NeedMore) => Ok(Verdict::NeedMore),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}

/// Judges the whole body of a request and gives what to decode: the same bytes, or a mended copy
/// where the general decoder is stricter than Kafka.
pub fn check(header: &RequestHeader, body: Bytes, budget: usize) -> Result<Bytes, Refusal> {
    check_body(header.api, header.api_version, body, budget)
}

/// [`check`] for a request whose header was read elsewhere.
pub fn check_body(api: &Api, version: i16, body: Bytes, budget: usize) -> Result<Bytes, Refusal> {
    if !api.supports(version) {
        return Err(unsupported(api.key, version));
    }
    let mut walk = Walk::new(&body, body.len(), budget);
    match walk.message(shape_of(api.key), version) {
        Ok(()) => {}
        Err(Stop::Refused(refusal)) => return Err(refusal),
        // A whole body has nothing to wait for.
        Err(Stop::NeedMore) => return Err(Malformed::Truncated { wanted: 1, left: 0 }.into()),
    }
    let patches = walk.into_patches();
    Ok(if patches.is_empty() { body } else { mend::mended(&body, &patches) })
}

fn unsupported(key: ApiKey, version: i16) -> Refusal {
    Refusal::UnsupportedVersion { key: key as i16, version }
}

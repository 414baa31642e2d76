//! What is in a push: decompressed within bounds, then read.
//!
//! Kafka: `ClientTelemetryUtils.decompress`, `DefaultClientTelemetryPayload`.

use std::io::{self, Read};

use compression::Decompressor;
use metrics::client::Instances;
use metrics::otlp::{self, Malformed};
use protocol::batch::Compression;
use uuid::Uuid;

/// Why a push has nothing to take.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ContentError {
    #[error("Unknown compression type id: {0}")]
    UnknownCodec(i8),
    #[error("Failed to decompress metrics data: {0}")]
    Codec(io::Error),
    #[error("Decompressed telemetry metrics exceed maximum allowed size: {0}")]
    TooLarge(usize),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("decoding it panicked")]
    Panicked,
}

/// A message of metrics that can be read.
#[derive(Debug)]
pub(super) struct Content(Vec<u8>);

impl Content {
    /// Decompresses at most so many bytes, and looks whether all of them can be read.
    pub(super) fn decode(
        compression_type: i8,
        payload: &[u8],
        bytes_max: usize,
    ) -> Result<Self, ContentError> {
        let codec =
            u8::try_from(compression_type).ok().and_then(|id| Compression::from_id(id).ok());
        let codec = codec.ok_or(ContentError::UnknownCodec(compression_type))?;
        let mut message = Vec::new();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
        Decompressor::new(codec, payload)
            .and_then(|source| source.take(limit).read_to_end(&mut message))
            .map_err(ContentError::Codec)?;
        if message.len() > bytes_max {
            return Err(ContentError::TooLarge(bytes_max));
        }
        otlp::read(&message, &mut |_| {})?;
        Ok(Self(message))
    }

    /// Hands every value to the instance's series.
    pub(super) fn record<A>(
        &self,
        instances: &mut Instances<A>,
        instance: Uuid,
        now_ms: i64,
    ) -> Result<(), ContentError> {
        instances.record(instance, now_ms, |take| otlp::read(&self.0, take))?;
        Ok(())
    }
}

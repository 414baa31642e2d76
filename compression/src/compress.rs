//! Compresses a payload for a topic whose `compression.type` differs from its producers', and stops
//! as soon as the result cannot be stored anyway.

use std::io::{self, Write};

use flate2::write::GzEncoder;
use lz4::liblz4::BlockChecksum;
use lz4::{BlockMode, BlockSize, ContentChecksum, Encoder, EncoderBuilder};
use protocol::batch::Compression;

use super::snappy;

/// What Java's `SnappyOutputStream` cuts a stream into.
const SNAPPY_CHUNK_BYTES: usize = 32 * 1024;

/// Refuses to grow past its limit.
pub(crate) struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A payload being compressed.
pub struct Compressor(Kind);

enum Kind {
    None(Bounded),
    Gzip(GzEncoder<Bounded>),
    Snappy { out: Bounded, chunk: Vec<u8> },
    Lz4(Box<Encoder<Bounded>>),
    Zstd(zstd::stream::write::Encoder<'static, Bounded>),
}

impl Compressor {
    /// `limit` is in compressed bytes; a write that passes it fails with `FileTooLarge`.
    pub fn new(codec: Compression, level: i32, limit: usize) -> io::Result<Self> {
        let mut out = Bounded { bytes: Vec::new(), limit };
        Ok(Self(match codec {
            Compression::None => Kind::None(out),
            Compression::Gzip => {
                // -1 is zlib's own default.
                let level = u32::try_from(level)
                    .map_or_else(|_| flate2::Compression::default(), flate2::Compression::new);
                Kind::Gzip(GzEncoder::new(out, level))
            }
            Compression::Snappy => {
                snappy::write_header(&mut out.bytes);
                Kind::Snappy { out, chunk: Vec::with_capacity(SNAPPY_CHUNK_BYTES) }
            }
            Compression::Lz4 => {
                // What Kafka's own writer chooses: independent blocks of 64 KiB, no checksums.
                let encoder = EncoderBuilder::new()
                    .block_mode(BlockMode::Independent)
                    .block_size(BlockSize::Max64KB)
                    .checksum(ContentChecksum::NoChecksum)
                    .block_checksum(BlockChecksum::NoBlockChecksum)
                    .level(u32::try_from(level).unwrap_or(0))
                    .build(out)?;
                Kind::Lz4(Box::new(encoder))
            }
            Compression::Zstd => Kind::Zstd(zstd::stream::write::Encoder::new(out, level)?),
        }))
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Kind::None(out) => out.write_all(bytes),
            Kind::Gzip(encoder) => encoder.write_all(bytes),
            Kind::Lz4(encoder) => encoder.write_all(bytes),
            Kind::Zstd(encoder) => encoder.write_all(bytes),
            Kind::Snappy { out, chunk } => {
                while !bytes.is_empty() {
                    let count = bytes.len().min(SNAPPY_CHUNK_BYTES - chunk.len());
                    chunk.extend_from_slice(&bytes[..count]);
                    bytes = &bytes[count..];
                    if chunk.len() == SNAPPY_CHUNK_BYTES {
                        flush_chunk(out, chunk)?;
                    }
                }
                Ok(())
            }
        }
    }

    pub fn finish(self) -> io::Result<Vec<u8>> {
        Ok(match self.0 {
            Kind::None(out) => out.bytes,
            Kind::Gzip(encoder) => encoder.finish()?.bytes,
            Kind::Lz4(encoder) => {
                let (out, finished) = encoder.finish();
                finished?;
                out.bytes
            }
            Kind::Zstd(encoder) => encoder.finish()?.bytes,
            Kind::Snappy { mut out, mut chunk } => {
                flush_chunk(&mut out, &mut chunk)?;
                out.bytes
            }
        })
    }
}

fn flush_chunk(out: &mut Bounded, chunk: &mut Vec<u8>) -> io::Result<()> {
    if !chunk.is_empty() {
        let mut framed = Vec::new();
        snappy::write_chunk(chunk, &mut framed)?;
        chunk.clear();
        out.write_all(&framed)?;
    }
    Ok(())
}

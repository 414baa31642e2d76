//! Compressed payloads as streams, so that a batch of any decompressed size is walked in bounded
//! memory. Answers to Kafka's `Compression` and its stream classes.
//!
//! Bounds: gzip keeps 32 KiB; lz4 frames at most two blocks of 4 MiB; snappy one chunk, whose
//! announced length must be one that so many bytes can give; zstd its window, of which a batch may
//! use [`WINDOW_BYTES_MAX`].

mod compress;
mod lz4_blocks;
mod snappy;
mod source;
#[cfg(test)]
mod tests;

use std::io::{self, Read};

pub use compress::Compressor;
use protocol::batch::Compression;
pub use source::{ByteSource, SourceError};

/// Decompressed bytes of one batch beyond which it is refused.
///
/// Unlike Kafka: it decompresses whatever a batch holds (docs/decisions/0020).
pub const DECOMPRESSED_BYTES_MAX: u64 = 1 << 30;

/// A zstd frame may announce a window of 128 MiB (Kafka's limit too); memory is touched only as far
/// as data came, so a batch with a larger window than this may decompress to this much.
const WINDOW_BYTES_MAX: u64 = 32 * 1024 * 1024;
const WINDOW_LOG_MAX: u32 = 27;

/// A payload being decompressed.
pub struct Decompressor<'p>(Kind<'p>);

enum Kind<'p> {
    None(&'p [u8]),
    Gzip(Box<flate2::bufread::MultiGzDecoder<&'p [u8]>>),
    Snappy(snappy::Decoder<'p>),
    /// A frame as Kafka's clients write it.
    Lz4Blocks(lz4_blocks::Decoder<'p>),
    /// Any other frame.
    Lz4(Box<lz4::Decoder<&'p [u8]>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, &'p [u8]>>),
}

impl<'p> Decompressor<'p> {
    pub fn new(codec: Compression, payload: &'p [u8]) -> io::Result<Self> {
        Ok(Self(match codec {
            Compression::None => Kind::None(payload),
            Compression::Gzip => {
                Kind::Gzip(Box::new(flate2::bufread::MultiGzDecoder::new(payload)))
            }
            Compression::Snappy => Kind::Snappy(snappy::Decoder::new(payload)),
            Compression::Lz4 => match lz4_blocks::Decoder::new(payload) {
                Some(decoder) => Kind::Lz4Blocks(decoder),
                None => Kind::Lz4(Box::new(lz4::Decoder::new(payload)?)),
            },
            Compression::Zstd => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(payload)?;
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                Kind::Zstd(Box::new(decoder))
            }
        }))
    }
}

impl Read for Decompressor<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::None(payload) => payload.read(out),
            Kind::Gzip(decoder) => decoder.read(out),
            Kind::Snappy(decoder) => decoder.read(out),
            Kind::Lz4Blocks(decoder) => decoder.read(out),
            Kind::Lz4(decoder) => decoder.read(out),
            Kind::Zstd(decoder) => decoder.read(out),
        }
    }
}

/// How many decompressed bytes this payload may have.
pub fn decompressed_limit(codec: Compression, payload: &[u8]) -> u64 {
    match codec {
        Compression::Zstd if zstd_window(payload) > WINDOW_BYTES_MAX => WINDOW_BYTES_MAX,
        _ => DECOMPRESSED_BYTES_MAX,
    }
}

/// The window that a zstd frame's header announces (RFC 8878, 3.1.1.1.2); 0 for what is no frame.
fn zstd_window(payload: &[u8]) -> u64 {
    if payload.get(..4) != Some(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return 0;
    }
    let descriptor = payload.get(4).copied().unwrap_or(0);
    if descriptor & 0x20 != 0 {
        // A single segment has no window of its own: it is the content, as long as the frame says.
        let size = |count: usize| {
            let mut raw = [0; 8];
            let at = 5 + [0, 1, 2, 4][usize::from(descriptor & 3)];
            payload.get(at..at + count).map_or(u64::MAX, |bytes| {
                raw[..count].copy_from_slice(bytes);
                u64::from_le_bytes(raw)
            })
        };
        return match descriptor >> 6 {
            0 => size(1),
            1 => size(2) + 256,
            2 => size(4),
            _ => size(8),
        };
    }
    let window = payload.get(5).copied().unwrap_or(0);
    let base = 1_u64 << (10 + u32::from(window >> 3));
    base + base / 8 * u64::from(window & 7)
}

/// A payload compressed at the codec's default level, for those who write Kafka's own topics.
pub fn compress(codec: Compression, payload: &[u8]) -> io::Result<Vec<u8>> {
    let level = if codec == Compression::Zstd { 3 } else { -1 };
    let mut compressor = Compressor::new(codec, level, usize::MAX)?;
    compressor.write(payload)?;
    compressor.finish()
}

/// The whole decompressed payload of a batch, for those who read Kafka's own topics.
pub fn decompress(codec: Compression, payload: &[u8]) -> io::Result<Vec<u8>> {
    let limit = decompressed_limit(codec, payload);
    let mut out = Vec::new();
    Decompressor::new(codec, payload)?.take(limit + 1).read_to_end(&mut out)?;
    if out.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it decompresses to too much"));
    }
    Ok(out)
}

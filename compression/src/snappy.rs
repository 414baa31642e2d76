//! Snappy as Java's `SnappyOutputStream` frames it (xerial), and bare, as some clients send it.
//!
//! ```text
//! 82 'S' 'N' 'A' 'P' 'P' 'Y' 00 | version i32 | compatible version i32 | (length i32, chunk)*
//! ```

use std::io::{self, Read};

const MAGIC: &[u8; 8] = b"\x82SNAPPY\x00";
const HEADER_BYTES: usize = 16;
/// No snappy element gives more than 64 bytes for three.
const EXPANSION_MAX: usize = 22;

pub(crate) struct Decoder<'p> {
    rest: &'p [u8],
    framed: Option<bool>,
    decoder: snap::raw::Decoder,
    chunk: Vec<u8>,
    read: usize,
}

impl<'p> Decoder<'p> {
    pub(crate) fn new(payload: &'p [u8]) -> Self {
        Self {
            rest: payload,
            framed: None,
            decoder: snap::raw::Decoder::new(),
            chunk: Vec::new(),
            read: 0,
        }
    }

    /// The next chunk's compressed bytes; `None` at the end.
    fn next_chunk(&mut self) -> io::Result<Option<&'p [u8]>> {
        let framed = match self.framed {
            Some(framed) => framed,
            None => {
                let framed = self.rest.starts_with(MAGIC);
                self.framed = Some(framed);
                if framed {
                    self.rest = self.rest.get(HEADER_BYTES..).ok_or_else(truncated)?;
                }
                framed
            }
        };
        if !framed {
            let chunk = std::mem::take(&mut self.rest);
            return Ok((!chunk.is_empty()).then_some(chunk));
        }
        // Streams that were appended to one another repeat the header.
        while self.rest.starts_with(MAGIC) {
            self.rest = self.rest.get(HEADER_BYTES..).ok_or_else(truncated)?;
        }
        let Some((length, rest)) = self.rest.split_first_chunk::<4>() else {
            return if self.rest.is_empty() { Ok(None) } else { Err(truncated()) };
        };
        let length = usize::try_from(i32::from_be_bytes(*length)).map_err(|_| truncated())?;
        let (chunk, rest) = rest.split_at_checked(length).ok_or_else(truncated)?;
        self.rest = rest;
        Ok(Some(chunk))
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.read == self.chunk.len() {
            let Some(chunk) = self.next_chunk()? else {
                return Ok(0);
            };
            let length = snap::raw::decompress_len(chunk).map_err(invalid)?;
            if length > chunk.len().saturating_mul(EXPANSION_MAX) + 64 {
                return Err(invalid("a chunk announces more than it can hold"));
            }
            self.chunk.resize(length, 0);
            self.read = 0;
            self.decoder.decompress(chunk, &mut self.chunk).map_err(invalid)?;
        }
        let count = out.len().min(self.chunk.len() - self.read);
        out[..count].copy_from_slice(&self.chunk[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

/// Frames `bytes` as Java's readers expect them.
pub(crate) fn write_header(out: &mut Vec<u8>) {
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&1_i32.to_be_bytes());
    out.extend_from_slice(&1_i32.to_be_bytes());
}

pub(crate) fn write_chunk(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let chunk = snap::raw::Encoder::new().compress_vec(bytes).map_err(invalid)?;
    out.extend_from_slice(&(chunk.len() as i32).to_be_bytes());
    out.extend_from_slice(&chunk);
    Ok(())
}

fn truncated() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the snappy stream ends inside a chunk")
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

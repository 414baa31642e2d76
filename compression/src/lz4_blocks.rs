//! The one kind of lz4 frame that Kafka's own clients and librdkafka write: independent blocks of
//! at most 64 KiB, no checksums, no content size. Its blocks are decompressed right to where they
//! are wanted; the library's frame reader takes a context and its buffers anew for each frame and
//! copies through them, a seventh of the cost of taking such a batch.
//!
//! ```text
//! 04 22 4d 18 | flags 60 | block size 40 | header checksum 82 | (length u32, block)* | 0 u32
//! ```
//! Little endian; a block whose length has its highest bit set is stored as it is. Frames with any
//! other header are the library's. Kept true: the same frame gives the same bytes, or fails, with
//! both. So what follows the end mark is left alone, and a frame cut short ends where it was cut.

use std::io::{self, Read};

const HEADER: &[u8; 7] = b"\x04\x22\x4d\x18\x60\x40\x82";
const BLOCK_BYTES_MAX: usize = 64 * 1024;
const STORED: u32 = 1 << 31;

pub(crate) struct Decoder<'p> {
    rest: &'p [u8],
    /// A block for which the reader had no room, and how much of it was read.
    block: Vec<u8>,
    read: usize,
}

impl<'p> Decoder<'p> {
    /// `None` for a frame of another kind.
    pub(crate) fn new(payload: &'p [u8]) -> Option<Self> {
        let rest = payload.strip_prefix(HEADER)?;
        Some(Self { rest, block: Vec::new(), read: 0 })
    }

    /// The next block as it came, and whether it is stored; `None` at the end.
    fn next_block(&mut self) -> io::Result<Option<(&'p [u8], bool)>> {
        let Some((length, rest)) = self.rest.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let announced = u32::from_le_bytes(*length);
        if announced == 0 {
            self.rest = &[];
            return Ok(None);
        }
        let (length, stored) = ((announced & !STORED) as usize, announced & STORED != 0);
        if length > BLOCK_BYTES_MAX {
            return Err(invalid("an lz4 block is larger than its frame allows"));
        }
        // Of a stored block that was cut short the beginning is there, of another one nothing.
        if length > rest.len() && !stored {
            self.rest = &[];
            return Ok(None);
        }
        let (block, rest) = rest.split_at(length.min(rest.len()));
        self.rest = rest;
        Ok(Some((block, stored)))
    }

    fn read_kept(&mut self, out: &mut [u8]) -> usize {
        let count = out.len().min(self.block.len() - self.read);
        out[..count].copy_from_slice(&self.block[self.read..self.read + count]);
        self.read += count;
        count
    }
}

impl Read for Decoder<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.read < self.block.len() || out.is_empty() {
                return Ok(self.read_kept(out));
            }
            let Some((block, stored)) = self.next_block()? else {
                return Ok(0);
            };
            let count = if let Some(room) = out.get_mut(..BLOCK_BYTES_MAX) {
                unpack(block, stored, room)?
            } else {
                self.block.resize(BLOCK_BYTES_MAX, 0);
                let length = unpack(block, stored, &mut self.block)?;
                self.block.truncate(length);
                self.read = 0;
                self.read_kept(out)
            };
            if count > 0 {
                return Ok(count);
            }
        }
    }
}

/// Decompresses a block into room for the largest one; gives its length.
fn unpack(block: &[u8], stored: bool, room: &mut [u8]) -> io::Result<usize> {
    if stored {
        room[..block.len()].copy_from_slice(block);
        return Ok(block.len());
    }
    let room_bytes = i32::try_from(room.len()).map_err(invalid)?;
    lz4::block::decompress_to_buffer(block, Some(room_bytes), room)
        .map_err(|_| invalid("an lz4 block is damaged"))
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

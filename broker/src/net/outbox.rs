//! The bytes that wait to be written to one socket, in order.
//!
//! Small replies are gathered into one chunk; records of a Fetch stay the slices of the mapped log
//! that they are, and leave by writev, so that only the kernel touches them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use bytes::{Buf, Bytes, BytesMut};

use super::transport_layer::{MappedSlices, TransportLayer};

/// Most slices given to one writev.
const SLICES_MAX: usize = MappedSlices::MOST;

/// Bytes that are worth a slice of their own.
#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    /// Whether they are the log's, which nobody but the kernel touches.
    is_mapped: bool,
}

/// What is still to be written.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// Whole chunks, oldest first.
    chunks: VecDeque<Chunk>,
    /// Small replies gathered since the last whole chunk.
    tail: BytesMut,
    queued_bytes: usize,
}

impl Outbox {
    /// Adds bytes that are worth a slice of their own.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        self.push_chunk(Chunk { bytes, is_mapped: false });
    }

    /// Adds a slice of the mapped log.
    pub(crate) fn push_mapped(&mut self, bytes: Bytes) {
        self.push_chunk(Chunk { bytes, is_mapped: true });
    }

    fn push_chunk(&mut self, chunk: Chunk) {
        if chunk.bytes.is_empty() {
            return;
        }
        self.queued_bytes += chunk.bytes.len();
        self.close_tail();
        self.chunks.push_back(chunk);
    }

    /// Adds a small reply by copy.
    pub(crate) fn push_small(&mut self, bytes: &[u8]) {
        self.queued_bytes += bytes.len();
        self.tail.extend_from_slice(bytes);
    }

    /// How much waits.
    pub(crate) fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    /// Writes until nothing waits. Safe to drop between two writes: what was not written stays.
    pub(crate) async fn flush(&mut self, transport: &mut TransportLayer) -> io::Result<()> {
        while self.queued_bytes > 0 {
            let mut slices = [IoSlice::new(&[]); SLICES_MAX];
            let mut count = 0;
            let mut mapped = MappedSlices::default();
            for chunk in self.chunks.iter().take(SLICES_MAX - 1) {
                slices[count] = IoSlice::new(&chunk.bytes);
                if chunk.is_mapped {
                    mapped.add(count);
                }
                count += 1;
            }
            if self.chunks.len() < SLICES_MAX && !self.tail.is_empty() {
                slices[count] = IoSlice::new(&self.tail);
                count += 1;
            }
            let written = transport.write(&slices[..count], mapped).await?;
            self.advance(written);
        }
        transport.flush().await
    }

    fn advance(&mut self, mut written: usize) {
        self.queued_bytes -= written;
        while let Some(first) = self.chunks.front_mut() {
            if first.bytes.len() > written {
                first.bytes.advance(written);
                return;
            }
            written -= first.bytes.len();
            self.chunks.pop_front();
        }
        self.tail.advance(written);
        if self.tail.is_empty() {
            self.tail.clear();
        }
    }

    fn close_tail(&mut self) {
        if !self.tail.is_empty() {
            let bytes = self.tail.split().freeze();
            self.chunks.push_back(Chunk { bytes, is_mapped: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn small_and_large_replies_leave_in_the_order_they_were_pushed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let reader = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            all
        });
        let stream = TcpStream::connect(address).await.unwrap();
        let mut transport = TransportLayer::Plaintext(stream);
        let mut outbox = Outbox::default();
        let mut expected = Vec::new();
        for round in 0..200_u8 {
            let large = vec![round; 40_000];
            outbox.push_small(&[round, 1, 2]);
            outbox.push(Bytes::from(large.clone()));
            outbox.push_small(&[round]);
            expected.extend_from_slice(&[round, 1, 2]);
            expected.extend_from_slice(&large);
            expected.push(round);
        }
        assert_eq!(outbox.queued_bytes(), expected.len());
        outbox.flush(&mut transport).await.unwrap();
        assert_eq!(outbox.queued_bytes(), 0);
        drop(transport);
        assert!(reader.await.unwrap() == expected);
    }
}

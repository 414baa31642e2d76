//! The answers of one connection, cut into frames.
//!
//! A frame's buffer grows with what arrives, never with what is announced. A buffer that served a
//! frame is used for a later one when nobody holds a part of it any more: fresh memory costs more
//! than the copy into it.

use std::io;

use super::transport::Stream;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// No answer that another node sends on purpose is longer.
const FRAME_BYTES_MAX: usize = 256 << 20;
/// Read at once at least.
const READ_BYTES: usize = 16 * 1024;
/// Frames from here on have a buffer of their own, which may be used again.
const LARGE_BYTES: usize = 16 * 1024;
/// A buffer that is kept is not larger.
const KEPT_BYTES_MAX: usize = 4 << 20;
const KEPT_COUNT_MAX: usize = 2;

/// Why no further answer comes.
#[derive(Debug, thiserror::Error)]
pub(super) enum InboxError {
    #[error("the connection was closed")]
    Closed,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("a frame of {0} bytes")]
    Length(i32),
}

#[derive(Debug, Default)]
pub(super) struct Inbox {
    small: BytesMut,
    large: Option<(BytesMut, usize)>,
    /// Frames that were handed out; whoever got them may still hold them.
    handed_out: Vec<Bytes>,
}

impl Inbox {
    /// The next frame without its length. Dropping the future loses nothing.
    pub(super) async fn next(&mut self, stream: &Stream) -> Result<Bytes, InboxError> {
        loop {
            if let Some(frame) = self.complete()? {
                return Ok(frame);
            }
            let buffer = match &mut self.large {
                Some((buffer, frame_bytes)) => {
                    let missing = *frame_bytes - buffer.len();
                    if buffer.capacity() == buffer.len() {
                        // At most doubled: a length that lies costs no more than what arrived.
                        buffer.reserve(missing.min(buffer.len().max(READ_BYTES)));
                    }
                    let room = missing.min(buffer.capacity() - buffer.len());
                    read_into(stream, buffer, room).await?;
                    continue;
                }
                None => &mut self.small,
            };
            if buffer.capacity() - buffer.len() < READ_BYTES / 4 {
                buffer.reserve(READ_BYTES);
            }
            let room = buffer.capacity() - buffer.len();
            read_into(stream, buffer, room).await?;
        }
    }

    fn complete(&mut self) -> Result<Option<Bytes>, InboxError> {
        if let Some((buffer, frame_bytes)) = &self.large {
            if buffer.len() < *frame_bytes {
                return Ok(None);
            }
            let Some((buffer, _)) = self.large.take() else { return Ok(None) };
            let frame = buffer.freeze();
            self.keep(&frame);
            return Ok(Some(frame));
        }
        let Some(length) = self.small.first_chunk::<4>() else { return Ok(None) };
        let announced = i32::from_be_bytes(*length);
        let frame_bytes = usize::try_from(announced)
            .ok()
            .filter(|bytes| (4..=FRAME_BYTES_MAX).contains(bytes))
            .ok_or(InboxError::Length(announced))?;
        if self.small.len() >= 4 + frame_bytes {
            self.small.advance(4);
            return Ok(Some(self.small.split_to(frame_bytes).freeze()));
        }
        if frame_bytes >= LARGE_BYTES {
            self.small.advance(4);
            let mut buffer = self.buffer();
            buffer.extend_from_slice(&self.small);
            self.small.clear();
            self.large = Some((buffer, frame_bytes));
        }
        Ok(None)
    }

    /// A buffer that nobody uses any more, or a new one.
    fn buffer(&mut self) -> BytesMut {
        let mut still_held = Vec::new();
        let mut free = None;
        for frame in self.handed_out.drain(..) {
            match (&free, frame.is_unique()) {
                (None, true) => free = frame.try_into_mut().ok(),
                _ => still_held.push(frame),
            }
        }
        self.handed_out = still_held;
        let mut buffer = free.unwrap_or_default();
        buffer.clear();
        buffer
    }

    fn keep(&mut self, frame: &Bytes) {
        if frame.len() <= KEPT_BYTES_MAX {
            if self.handed_out.len() == KEPT_COUNT_MAX {
                self.handed_out.remove(0);
            }
            self.handed_out.push(frame.clone());
        }
    }
}

async fn read_into(stream: &Stream, buffer: &mut BytesMut, room: usize) -> Result<(), InboxError> {
    match stream.read_into(&mut (&mut *buffer).limit(room)).await? {
        0 => Err(InboxError::Closed),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn pair() -> (TcpStream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (other, Stream::Plaintext(listener.accept().await.unwrap().0.into()))
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        let length = i32::try_from(body.len()).unwrap();
        [&length.to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn frames_of_every_size_come_back_as_they_were_sent() {
        let (mut other, own) = pair().await;
        let sizes = [4, 5, LARGE_BYTES - 1, LARGE_BYTES, LARGE_BYTES + 1, 70_000, 3 << 20, 9];
        let bodies: Vec<Vec<u8>> =
            sizes.iter().zip(1_u8..).map(|(size, filler)| vec![filler; *size]).collect();
        let sent: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
        let writer = tokio::spawn(async move {
            for piece in sent.chunks(10_007) {
                other.write_all(piece).await.unwrap();
            }
        });
        let mut inbox = Inbox::default();
        for body in &bodies {
            let frame = inbox.next(&own).await.unwrap();
            assert!(frame == body.as_slice(), "a frame of {} bytes", body.len());
        }
        writer.await.unwrap();
        assert!(matches!(inbox.next(&own).await, Err(InboxError::Closed)));
    }

    #[tokio::test]
    async fn a_buffer_is_used_again_when_nobody_holds_a_part_of_it() {
        let (mut other, own) = pair().await;
        let mut inbox = Inbox::default();
        let mut next = async |filler: u8| {
            other.write_all(&framed(&[filler; 100_000])).await.unwrap();
            inbox.next(&own).await.unwrap()
        };
        let first = next(1).await;
        let place = first.as_ptr();
        let held = first.slice(50_000..);
        drop(first);
        let second = next(2).await;
        assert_ne!(second.as_ptr(), place, "a part of it is held");
        assert!(held == [1; 50_000].as_slice());
        drop((held, second));
        assert_eq!(next(3).await.as_ptr(), place);
    }

    #[tokio::test]
    async fn a_length_that_no_answer_has_is_refused_at_once() {
        for length in [-1, 0, 3, i32::MAX] {
            let (mut other, own) = pair().await;
            other.write_all(&length.to_be_bytes()).await.unwrap();
            let refused = Inbox::default().next(&own).await;
            assert!(matches!(refused, Err(InboxError::Length(found)) if found == length));
        }
    }
}

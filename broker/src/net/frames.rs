//! Cuts the bytes of one socket into frames: four bytes of length, big-endian, then that many
//! bytes.
//!
//! Frames up to [`SMALL_BYTES`] are cut out of the connection's own buffer, several per read when
//! the client pipelines. A larger one is read alone into a recycled buffer that grows with what
//! arrived (see `buffers`), never past the frame's end, so that its memory can be reused without a
//! move.
//!
//! Answers to Kafka's `NetworkReceive`: a negative length or one above socket.request.max.bytes
//! ends the connection before anything is allocated.

use std::io;
use std::mem::Discriminant;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;

use super::buffers::Buffers;
use super::transport_layer::TransportLayer;

/// Frames up to this size live in the connection's own buffer.
const SMALL_BYTES: usize = 16 * 1024;
/// Bytes of the length in front of each frame.
const LENGTH_BYTES: usize = 4;
/// Most of what is read behind a word.
const LINE_BYTES_MAX: usize = 1024;
/// A frame that finds no memory for this long costs its connection.
const BUDGET_WAIT: Duration = Duration::from_secs(30);

/// Why no further frame comes from a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// The peer closed; the number is what it had sent of a frame by then.
    #[error("the peer closed the connection {0} bytes into a frame")]
    Closed(usize),
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A word of ZooKeeper's instead of a length, where these are understood.
    #[error("the word {}", String::from_utf8_lossy(.0))]
    Word([u8; LENGTH_BYTES]),
    /// A length below zero.
    #[error("Invalid receive (size = {0})")]
    Negative(i32),
    /// A length above socket.request.max.bytes.
    #[error("Invalid receive (size = {size} larger than {max})")]
    TooLarge {
        /// What the frame announced.
        size: i32,
        /// socket.request.max.bytes
        max: usize,
    },
    /// The process had no memory left for the frame.
    #[error("no memory became free for a frame of {0} bytes")]
    NoMemory(usize),
    /// What arrived of the frame cannot become a request.
    #[error("{0}")]
    Refused(String),
}

/// A kind of fault that ends a connection, as far as lines of one kind are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    Frame(Discriminant<FrameError>),
    Refused,
    /// A login that failed.
    Unauthenticated,
}

/// One request's bytes, without the length.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) bytes: Bytes,
    permit: Option<OwnedSemaphorePermit>,
}

impl Frame {
    /// Frees the memory of a frame whose request is done.
    pub(crate) fn recycle(self, buffers: &Buffers) {
        if self.permit.is_some() {
            buffers.give_back(self.bytes);
        }
    }
}

/// A frame that is larger than the small buffer and not complete.
#[derive(Debug)]
struct Large {
    buffer: BytesMut,
    frame_bytes: usize,
    reserved_bytes: usize,
    /// Bytes behind a whole message that are still to come and are thrown away.
    meaningless_bytes: usize,
    permit: OwnedSemaphorePermit,
}

impl Large {
    fn is_complete(&self) -> bool {
        self.meaningless_bytes == 0 && self.buffer.len() >= self.frame_bytes
    }
}

/// What the part of a large frame that has arrived tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// The message goes on behind it.
    NeedsMore,
    /// The message is in it; what follows has no meaning and need not be kept.
    IsWhole,
}

/// Looks at the part of a large frame that has arrived; called as it doubles. The first argument is
/// the size of the whole frame.
pub(crate) type PrefixCheck = fn(usize, &[u8]) -> Result<Prefix, String>;

/// The reading half of a connection.
#[derive(Debug)]
pub(crate) struct FrameReader {
    small: BytesMut,
    large: Option<Large>,
    frame_bytes_max: usize,
    buffers: Arc<Buffers>,
    prefix_check: PrefixCheck,
    /// Whether four letters may stand where a length is due.
    understands_words: bool,
}

impl FrameReader {
    pub(crate) fn new(
        frame_bytes_max: usize,
        buffers: Arc<Buffers>,
        prefix_check: PrefixCheck,
    ) -> Self {
        Self {
            small: BytesMut::new(),
            large: None,
            frame_bytes_max,
            buffers,
            prefix_check,
            understands_words: false,
        }
    }

    /// Four small letters are no length: the least of them would be that of a frame of 1.5 GiB.
    pub(crate) fn with_words(self, understands_words: bool) -> Self {
        Self { understands_words, ..self }
    }

    /// From the next frame on none is larger.
    pub(crate) fn limit(&mut self, frame_bytes_max: usize) {
        self.frame_bytes_max = frame_bytes_max;
    }

    /// The next frame if all of it is here already.
    pub(crate) fn buffered(&mut self) -> Result<Option<Frame>, FrameError> {
        if self.large.is_some() {
            return Ok(None);
        }
        let Some(frame_bytes) = self.announced()? else { return Ok(None) };
        if self.small.len() < LENGTH_BYTES + frame_bytes {
            return Ok(None);
        }
        self.small.advance(LENGTH_BYTES);
        let bytes = self.small.split_to(frame_bytes).freeze();
        Ok(Some(Frame { bytes, permit: None }))
    }

    /// Reads until the next frame is complete. Dropping the future loses nothing.
    pub(crate) async fn next(
        &mut self,
        transport: &mut TransportLayer,
    ) -> Result<Frame, FrameError> {
        loop {
            if let Some(frame) = self.buffered()? {
                return Ok(frame);
            }
            if self.large.is_none()
                && let Some(frame_bytes) = self.announced()?
                && frame_bytes > SMALL_BYTES - LENGTH_BYTES
            {
                self.begin_large(frame_bytes).await?;
            }
            if let Some(frame) = self.take_complete_large()? {
                return Ok(frame);
            }
            self.make_room().await?;
            self.read_some(transport).await?;
        }
    }

    /// What stands behind a word up to the end of its line, of which `within` is waited for.
    pub(crate) async fn rest_of_line(
        &mut self,
        transport: &mut TransportLayer,
        within: Duration,
    ) -> String {
        let line = async {
            while !self.small.contains(&b'\n') && self.small.len() < LINE_BYTES_MAX {
                self.small.reserve(LINE_BYTES_MAX);
                // Whatever ended the connection ended the line.
                if !matches!(transport.read_into(&mut self.small).await, Ok(1..)) {
                    return;
                }
            }
        };
        // A line that does not end in time is as long as it is.
        let _ = tokio::time::timeout(within, line).await;
        let line = self.small.get(LENGTH_BYTES..).unwrap_or_default();
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        String::from_utf8_lossy(line).trim_end_matches('\r').to_owned()
    }

    /// The length at the head of the small buffer, checked.
    fn announced(&self) -> Result<Option<usize>, FrameError> {
        let Some(length) = self.small.first_chunk::<LENGTH_BYTES>() else { return Ok(None) };
        let size = i32::from_be_bytes(*length);
        let Ok(frame_bytes) = usize::try_from(size) else {
            return Err(FrameError::Negative(size));
        };
        if self.understands_words && length.iter().all(u8::is_ascii_lowercase) {
            return Err(FrameError::Word(*length));
        }
        if frame_bytes > self.frame_bytes_max {
            return Err(FrameError::TooLarge { size, max: self.frame_bytes_max });
        }
        Ok(Some(frame_bytes))
    }

    /// Moves what has arrived of a large frame into a buffer of its own.
    async fn begin_large(&mut self, frame_bytes: usize) -> Result<(), FrameError> {
        let reserved_bytes = frame_bytes.min(4 * SMALL_BYTES);
        let permit = self.reserve(reserved_bytes, frame_bytes).await?;
        self.small.advance(LENGTH_BYTES);
        let mut buffer = self.buffers.take();
        buffer.extend_from_slice(&self.small);
        self.small.clear();
        self.large =
            Some(Large { buffer, frame_bytes, reserved_bytes, meaningless_bytes: 0, permit });
        Ok(())
    }

    fn take_complete_large(&mut self) -> Result<Option<Frame>, FrameError> {
        if !self.large.as_ref().is_some_and(Large::is_complete) {
            return Ok(None);
        }
        let Some(large) = self.large.take() else { return Ok(None) };
        Ok(Some(Frame { bytes: large.buffer.freeze(), permit: Some(large.permit) }))
    }

    /// Sees that the buffer that is read into has room, within the budget.
    async fn make_room(&mut self) -> Result<(), FrameError> {
        let Some(large) = &mut self.large else {
            if self.small.capacity() - self.small.len() < SMALL_BYTES / 4 {
                self.small.reserve(SMALL_BYTES);
            }
            return Ok(());
        };
        let arrived = large.buffer.len();
        let frame_bytes = large.frame_bytes;
        if arrived < large.reserved_bytes || large.meaningless_bytes > 0 {
            return Ok(());
        }
        let prefix =
            (self.prefix_check)(frame_bytes, &large.buffer).map_err(FrameError::Refused)?;
        if prefix == Prefix::IsWhole {
            large.meaningless_bytes = frame_bytes - arrived;
            large.frame_bytes = arrived;
            return Ok(());
        }
        let more = arrived.min(frame_bytes - arrived);
        let permit = self.reserve(more, frame_bytes).await?;
        if let Some(large) = &mut self.large {
            large.permit.merge(permit);
            large.reserved_bytes += more;
            large.buffer.reserve(more);
        }
        Ok(())
    }

    async fn read_some(&mut self, transport: &mut TransportLayer) -> Result<(), FrameError> {
        let (buffer, room) = match &mut self.large {
            Some(large) if large.meaningless_bytes > 0 => {
                let room = large.meaningless_bytes.min(SMALL_BYTES);
                large.meaningless_bytes -= throw_away(transport, room).await?;
                return Ok(());
            }
            Some(large) => {
                let room = large.reserved_bytes - large.buffer.len();
                (&mut large.buffer, room)
            }
            None => {
                let room = self.small.capacity() - self.small.len();
                (&mut self.small, room)
            }
        };
        match transport.read_into(&mut buffer.limit(room)).await? {
            0 => Err(FrameError::Closed(buffer.len())),
            _ => Ok(()),
        }
    }

    async fn reserve(
        &self,
        bytes: usize,
        frame_bytes: usize,
    ) -> Result<OwnedSemaphorePermit, FrameError> {
        match tokio::time::timeout(BUDGET_WAIT, self.buffers.reserve(bytes)).await {
            Ok(Some(permit)) => Ok(permit),
            Ok(None) | Err(_) => Err(FrameError::NoMemory(frame_bytes)),
        }
    }
}

/// Reads and forgets up to `room` bytes.
async fn throw_away(transport: &mut TransportLayer, room: usize) -> Result<usize, FrameError> {
    match transport.read_into(&mut BytesMut::with_capacity(room).limit(room)).await? {
        0 => Err(FrameError::Closed(0)),
        read => Ok(read),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const FRAME_MAX: usize = 1 << 20;

    async fn pair() -> (TcpStream, TransportLayer) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (client, TransportLayer::Plaintext(listener.accept().await.unwrap().0))
    }

    fn reader() -> FrameReader {
        FrameReader::new(FRAME_MAX, Arc::new(Buffers::new(8 << 20)), |_, _| Ok(Prefix::NeedsMore))
    }

    fn framed(body: &[u8]) -> Vec<u8> {
        let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
        frame.extend_from_slice(body);
        frame
    }

    #[tokio::test]
    async fn frames_of_every_size_around_the_thresholds_come_back_as_they_were_sent() {
        let (mut client, mut server) = pair().await;
        let sizes = [0, 1, 7, SMALL_BYTES - 5, SMALL_BYTES - 4, SMALL_BYTES - 3, SMALL_BYTES];
        let sizes = sizes.into_iter().chain([65_535, 65_536, 65_537, 300_000, FRAME_MAX, 3]);
        let bodies: Vec<Vec<u8>> =
            sizes.enumerate().map(|(n, size)| vec![u8::try_from(n).unwrap(); size]).collect();
        let sent: Vec<u8> = bodies.iter().flat_map(|body| framed(body)).collect();
        let writer = tokio::spawn(async move {
            for piece in sent.chunks(10_007) {
                client.write_all(piece).await.unwrap();
            }
            client
        });
        let mut reader = reader();
        for body in &bodies {
            let frame = reader.next(&mut server).await.unwrap();
            assert!(frame.bytes == body.as_slice(), "a frame of {} bytes", body.len());
            let buffers = Arc::clone(&reader.buffers);
            frame.recycle(&buffers);
        }
        drop(writer.await.unwrap());
        assert!(matches!(reader.next(&mut server).await, Err(FrameError::Closed(0))));
    }

    #[tokio::test]
    async fn a_length_below_zero_or_above_the_limit_is_refused_before_anything_is_read() {
        for (length, negative) in [(-1_i32, true), (i32::MIN, true), (FRAME_MAX as i32 + 1, false)]
        {
            let (mut client, mut server) = pair().await;
            client.write_all(&length.to_be_bytes()).await.unwrap();
            let error = reader().next(&mut server).await.unwrap_err();
            assert_eq!(matches!(error, FrameError::Negative(_)), negative, "{error}");
            assert_eq!(matches!(error, FrameError::TooLarge { .. }), !negative, "{error}");
        }
    }

    #[tokio::test]
    async fn a_large_frame_is_refused_as_soon_as_its_beginning_cannot_be_right() {
        let (mut client, mut server) = pair().await;
        let body = vec![9_u8; FRAME_MAX];
        client.write_all(&framed(&body)[..200_000]).await.unwrap();
        let buffers = Arc::new(Buffers::new(8 << 20));
        let mut reader = FrameReader::new(FRAME_MAX, buffers, |total, prefix| {
            assert_eq!(total, FRAME_MAX);
            if prefix.len() < 100_000 {
                Ok(Prefix::NeedsMore)
            } else {
                Err("tiny elements".to_owned())
            }
        });
        let error = reader.next(&mut server).await.unwrap_err();
        assert!(matches!(&error, FrameError::Refused(why) if why == "tiny elements"), "{error}");
    }

    #[tokio::test]
    async fn bytes_behind_a_whole_message_are_read_and_not_kept() {
        let (mut client, mut server) = pair().await;
        let mut sent = framed(&vec![9_u8; FRAME_MAX]);
        sent.extend(framed(b"next"));
        let writer = tokio::spawn(async move {
            client.write_all(&sent).await.unwrap();
            client
        });
        let buffers = Arc::new(Buffers::new(8 << 20));
        let mut reader = FrameReader::new(FRAME_MAX, buffers, |_, _| Ok(Prefix::IsWhole));
        let frame = reader.next(&mut server).await.unwrap();
        assert_eq!(frame.bytes.len(), 4 * SMALL_BYTES);
        assert_eq!(reader.next(&mut server).await.unwrap().bytes, "next");
        drop(writer.await.unwrap());
    }
}

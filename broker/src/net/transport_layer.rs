//! How the bytes of one connection pass, by its listener's security protocol.
//! Kafka: `TransportLayer`, `PlaintextTransportLayer`.
//!
//! Each future may be dropped before it is done, and nothing is lost: a read or write that has not
//! resolved has moved no byte that its caller does not know of.

use std::io::{self, IoSlice};

use bytes::BufMut;
use tokio::net::TcpStream;

/// The bytes' way.
#[derive(Debug)]
pub(crate) enum TransportLayer {
    Plaintext(TcpStream),
}

impl TransportLayer {
    /// Reads whatever is there, waiting for the first byte; 0 at the end of the stream.
    pub(crate) async fn read_into(&mut self, buffer: &mut impl BufMut) -> io::Result<usize> {
        let Self::Plaintext(stream) = self;
        loop {
            match stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stream.readable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    /// Writes as much of the slices as goes at once, waiting until some does.
    pub(crate) async fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let Self::Plaintext(stream) = self;
        loop {
            let written = match slices {
                [one] => stream.try_write(one),
                several => stream.try_write_vectored(several),
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    stream.writable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    /// Resolves when the peer has sent something that is not read yet, or has ended.
    pub(crate) async fn more_arrived(&mut self) {
        let Self::Plaintext(stream) = self;
        // A connection that failed says so to the next read.
        let _ = stream.peek(&mut [0]).await;
    }
}

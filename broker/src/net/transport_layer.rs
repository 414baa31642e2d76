//! How the bytes of one connection pass, by its listener's security protocol.
//! Kafka: `TransportLayer`, `PlaintextTransportLayer`, `SslTransportLayer`.
//!
//! Each future may be dropped before it is done, and nothing is lost: a read or write that has not
//! resolved has moved no byte that its caller does not know of.

use std::io::{self, IoSlice};

use bytes::BufMut;
use client::TlsStream;
use tokio::net::TcpStream;

use super::kernel_copy;

/// The bytes' way.
#[derive(Debug)]
pub(crate) enum TransportLayer {
    Plaintext(TcpStream),
    /// Hands were shaken.
    Tls(TlsStream),
}

/// Which slices of a write are the mapped log's: nobody but the kernel may touch their bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MappedSlices(u64);

impl MappedSlices {
    /// Most slices of a write.
    pub(crate) const MOST: usize = u64::BITS as usize;

    pub(crate) fn add(&mut self, at: usize) {
        self.0 |= 1 << at;
    }

    pub(crate) fn contains(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }
}

impl TransportLayer {
    /// Reads whatever is there, waiting for the first byte; 0 at the end of the stream.
    pub(crate) async fn read_into(&mut self, buffer: &mut impl BufMut) -> io::Result<usize> {
        match self {
            Self::Plaintext(stream) => client::read_into(stream, buffer).await,
            Self::Tls(stream) => stream.read_into(buffer).await,
        }
    }

    /// Writes as much of the slices as goes at once, waiting until some does. What TLS has taken
    /// may be on its way: [`Self::flush`] waits for it.
    pub(crate) async fn write(
        &mut self,
        slices: &[IoSlice<'_>],
        mapped: MappedSlices,
    ) -> io::Result<usize> {
        let stream = match self {
            Self::Plaintext(stream) => stream,
            Self::Tls(stream) => return encrypt(stream, slices, mapped).await,
        };
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

    /// Waits until the socket has everything that was written.
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plaintext(_) => Ok(()),
            Self::Tls(stream) => stream.flush().await,
        }
    }

    /// Resolves when the peer has sent something that is not read yet, or has ended.
    pub(crate) async fn more_arrived(&mut self) {
        match self {
            Self::Plaintext(stream) => {
                // A connection that failed says so to the next read.
                let _ = stream.peek(&mut [0]).await;
            }
            Self::Tls(stream) => stream.more_arrived().await,
        }
    }
}

/// Encryption reads its bytes: mapped ones pass through the kernel first.
async fn encrypt(
    stream: &TlsStream,
    slices: &[IoSlice<'_>],
    mapped: MappedSlices,
) -> io::Result<usize> {
    loop {
        stream.flush().await?;
        let is_mapped = |at: usize| mapped.contains(at);
        let taken = kernel_copy::with_readable(slices, is_mapped, |plain| stream.write_now(plain))?;
        if taken > 0 {
            return Ok(taken);
        }
    }
}

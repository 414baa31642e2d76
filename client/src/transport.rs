//! How the bytes of one connection pass: as they are, or by TLS. Kafka: `TransportLayer`.

use std::io::{self, IoSlice};
use std::sync::Arc;

use ::security::tls::ClientContext;
use bytes::{Buf, BufMut, BytesMut};
use tokio::net::TcpStream;

use super::tls_stream::{HandshakeError, TlsStream};

/// What a connection begins with.
#[derive(Debug, Clone, Default)]
pub enum Transport {
    #[default]
    Plaintext,
    Tls(Arc<ClientContext>),
}

impl PartialEq for Transport {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plaintext, Self::Plaintext) => true,
            (Self::Tls(one), Self::Tls(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Transport {}

/// Reads whatever is there of a plain socket, waiting for the first byte; 0 at the end of the
/// stream.
pub async fn read_into(socket: &TcpStream, buffer: &mut impl BufMut) -> io::Result<usize> {
    loop {
        match socket.try_read_buf(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                socket.readable().await?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// A connection's own way. Reading and writing go on at the same time.
pub(super) enum Stream {
    Plaintext(Arc<TcpStream>),
    Tls(TlsStream),
}

impl Stream {
    /// Shakes hands where that is asked for. `host` is the name or address that was given.
    pub(super) async fn begin(
        socket: TcpStream,
        transport: &Transport,
        host: &str,
    ) -> Result<Self, HandshakeError> {
        let socket = Arc::new(socket);
        let Transport::Tls(context) = transport else { return Ok(Self::Plaintext(socket)) };
        let session = context.session(host).map_err(io::Error::other)?;
        let stream = TlsStream::new(socket, session);
        stream.handshake().await?;
        Ok(Self::Tls(stream))
    }

    pub(super) fn socket(&self) -> &Arc<TcpStream> {
        match self {
            Self::Plaintext(socket) => socket,
            Self::Tls(stream) => stream.socket(),
        }
    }

    /// Reads whatever is there, waiting for the first byte; 0 at the end of the stream.
    pub(super) async fn read_into(&self, buffer: &mut impl BufMut) -> io::Result<usize> {
        match self {
            Self::Plaintext(socket) => read_into(socket, buffer).await,
            Self::Tls(stream) => stream.read_into(buffer).await,
        }
    }

    /// Whether [`Self::write_some`] has something to do.
    pub(super) fn has_unwritten(&self, out: &BytesMut) -> bool {
        let is_inside = matches!(self, Self::Tls(stream) if stream.has_unwritten());
        !out.is_empty() || is_inside
    }

    /// Writes some of `out`, waiting until some can be; of an empty one, what is left inside.
    pub(super) async fn write_some(&self, out: &mut BytesMut) -> io::Result<()> {
        let socket = match self {
            Self::Plaintext(socket) => socket,
            Self::Tls(stream) if out.is_empty() => return stream.flush().await,
            Self::Tls(stream) => {
                let taken = stream.write(&[IoSlice::new(out)]).await?;
                out.advance(taken);
                return Ok(());
            }
        };
        loop {
            match socket.try_write(out) {
                Ok(written) => {
                    out.advance(written);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    socket.writable().await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

//! Plain bytes of HTTP to and from a connection that is encrypted.

use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::BytesMut;
use client::{HandshakeError, TlsStream};
use security::tls::{ServerConfig, Session};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpStream;

/// Bytes on their way between both.
pub(super) const PIPE_BYTES: usize = 32 * 1024;

/// Hands are shaken.
pub(super) async fn greet(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> Result<TlsStream, HandshakeError> {
    let session = Session::server(config).map_err(io::Error::other)?;
    let stream = TlsStream::new(Arc::new(stream), session);
    stream.handshake().await?;
    Ok(stream)
}

/// Carries bytes both ways until the plain side has ended and all that it said is sent.
pub(super) async fn carry(encrypted: &TlsStream, plain: DuplexStream) -> io::Result<()> {
    let (mut said, mut heard) = tokio::io::split(plain);
    let hear = async {
        let mut buffer = BytesMut::with_capacity(PIPE_BYTES);
        while encrypted.read_into(&mut buffer).await? > 0 {
            heard.write_all_buf(&mut buffer).await?;
            buffer.reserve(PIPE_BYTES);
        }
        heard.shutdown().await
    };
    let say = async {
        let mut buffer = BytesMut::with_capacity(PIPE_BYTES);
        while said.read_buf(&mut buffer).await? > 0 {
            while !buffer.is_empty() {
                let taken = encrypted.write(&[IoSlice::new(&buffer)]).await?;
                bytes::Buf::advance(&mut buffer, taken);
            }
            encrypted.flush().await?;
        }
        io::Result::Ok(())
    };
    tokio::pin!(hear, say);
    tokio::select! {
        said = &mut say => said,
        heard = &mut hear => heard.and(say.await),
    }
}

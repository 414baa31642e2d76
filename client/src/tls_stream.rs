//! TLS over a socket: what a [`Session`] wants read and written, when the socket has it.
//!
//! Each future may be dropped before it is done, and nothing is lost: plain bytes are taken from or
//! given to the caller in the same step in which the future resolves. Encrypted bytes that the
//! socket did not take stay inside until the next write, read or [`flush`](TlsStream::flush).
//! Answers to Kafka's `SslTransportLayer`.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::security::tls::{Plain, Session, SessionError};
use bytes::{Buf, BufMut, BytesMut};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// Read from the socket at once: a record and what follows it.
const READ_BYTES: usize = 32 * 1024;

/// Why a handshake did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("{0}")]
    Refused(#[from] SessionError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the connection ended during the handshake")]
    Closed,
}

/// A socket with its session. The lock is held for single steps, never across a wait.
#[derive(Debug)]
pub struct TlsStream {
    socket: Arc<TcpStream>,
    inside: Mutex<Inside>,
}

#[derive(Debug)]
struct Inside {
    session: Session,
    /// Read from the socket, and not taken by the session yet.
    wire: BytesMut,
}

impl TlsStream {
    pub fn new(socket: Arc<TcpStream>, session: Session) -> Self {
        Self { socket, inside: Mutex::new(Inside { session, wire: BytesMut::new() }) }
    }

    pub fn socket(&self) -> &Arc<TcpStream> {
        &self.socket
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shakes hands until both sides are done and everything is written.
    pub async fn handshake(&self) -> Result<(), HandshakeError> {
        loop {
            if self.inside().shake(&self.socket)? {
                return Ok(());
            }
            self.changed().await?;
        }
    }

    /// The other side's own certificate, DER.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.inside().session.peer_certificate().map(|certificate| certificate.to_vec())
    }

    /// Reads whatever is there, waiting for the first byte; 0 at the end of the stream.
    pub async fn read_into(&self, buffer: &mut impl BufMut) -> io::Result<usize> {
        loop {
            if let Some(read) = self.inside().read(&self.socket, buffer)? {
                return Ok(read);
            }
            self.changed().await?;
        }
    }

    /// Encrypts as much of the slices as there is room for, waiting until there is some.
    pub async fn write(&self, plain: &[IoSlice<'_>]) -> io::Result<usize> {
        loop {
            self.flush().await?;
            match self.write_now(plain)? {
                0 => {}
                taken => return Ok(taken),
            }
        }
    }

    /// The same without a wait: nothing is taken where encrypted bytes wait for the socket.
    pub fn write_now(&self, plain: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut inside = self.inside();
        if !inside.write_out(&self.socket)? {
            return Ok(0);
        }
        let taken = inside.session.encrypt(plain)?;
        inside.write_out(&self.socket)?;
        Ok(taken)
    }

    /// Waits until the socket has taken everything.
    pub async fn flush(&self) -> io::Result<()> {
        loop {
            if self.inside().write_out(&self.socket)? {
                return Ok(());
            }
            self.socket.writable().await?;
        }
    }

    /// Whether encrypted bytes wait for the socket.
    pub fn has_unwritten(&self) -> bool {
        self.inside().session.wants_write()
    }

    /// Resolves when the other side has sent something that is not read yet, or has ended.
    pub async fn more_arrived(&self) {
        let has_some = {
            let mut inside = self.inside();
            !inside.wire.is_empty() || !matches!(inside.session.plain(), Plain::Nothing)
        };
        if !has_some {
            // A connection that failed says so to the next read.
            let _ = self.socket.peek(&mut [0]).await;
        }
    }

    /// Waits until a step may come further than the last one did.
    async fn changed(&self) -> io::Result<()> {
        let interest = match self.has_unwritten() {
            true => Interest::READABLE | Interest::WRITABLE,
            false => Interest::READABLE,
        };
        self.socket.ready(interest).await.map(|_| ())
    }
}

impl Drop for TlsStream {
    /// Says that nothing follows, as far as the socket takes it at once.
    fn drop(&mut self) {
        let inside = self.inside.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !inside.session.is_handshaking() && !inside.session.has_failed() {
            inside.session.close();
            // A connection that is over needs no last word.
            let _ = inside.write_out(&self.socket);
        }
    }
}

impl Inside {
    /// Whether the handshake is over and written.
    fn shake(&mut self, socket: &TcpStream) -> Result<bool, HandshakeError> {
        loop {
            let is_written = self.write_out(socket)?;
            if !self.session.is_handshaking() {
                return Ok(is_written);
            }
            match self.receive(socket) {
                Ok(Received::Some) => {}
                Ok(Received::Nothing) => return Ok(false),
                Ok(Received::End) => return Err(HandshakeError::Closed),
                Err(error) => {
                    // The alert says to the other side why.
                    let _ = self.write_out(socket);
                    return Err(error);
                }
            }
        }
    }

    /// Plain bytes, the end, or nothing yet.
    fn read(&mut self, socket: &TcpStream, buffer: &mut impl BufMut) -> io::Result<Option<usize>> {
        loop {
            match self.session.plain() {
                Plain::Bytes(plain) => {
                    let taken = plain.len().min(buffer.remaining_mut());
                    buffer.put_slice(&plain[..taken]);
                    self.session.consume(taken);
                    return Ok(Some(taken));
                }
                Plain::End => return Ok(Some(0)),
                Plain::Nothing => {}
            }
            match self.receive(socket) {
                Ok(Received::Some) => {}
                Ok(Received::End) => return Ok(Some(0)),
                Ok(Received::Nothing) => {
                    // What the protocol itself has to say, a new key for example.
                    self.write_out(socket)?;
                    return Ok(None);
                }
                Err(error) => {
                    // The alert says to the other side why.
                    let _ = self.write_out(socket);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
    }

    /// Gives the session bytes of the wire: those at hand, or more of them.
    fn receive(&mut self, socket: &TcpStream) -> Result<Received, HandshakeError> {
        if self.wire.is_empty() {
            self.wire.reserve(READ_BYTES);
            match socket.try_read_buf(&mut self.wire) {
                Ok(0) => return Ok(Received::End),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // Whoever is idle keeps no buffer.
                    self.wire = BytesMut::new();
                    return Ok(Received::Nothing);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Ok(Received::Some);
                }
                Err(error) => return Err(error.into()),
            }
        }
        let taken = self.session.receive(&self.wire)?;
        self.wire.advance(taken);
        match taken {
            0 => Err(io::Error::from(io::ErrorKind::InvalidData).into()),
            _ => Ok(Received::Some),
        }
    }

    /// Writes what is encrypted; whether the socket took all of it.
    fn write_out(&mut self, socket: &TcpStream) -> io::Result<bool> {
        while self.session.wants_write() {
            match self.session.write_to(&mut Wire(socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

enum Received {
    Some,
    Nothing,
    End,
}

/// A socket that takes what it can at once.
struct Wire<'a>(&'a TcpStream);

impl io::Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

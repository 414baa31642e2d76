//! One connection's TLS: bytes of the wire in, plain bytes out, and the other way round.
//!
//! Kept true: what waits inside is bounded ([`BUFFERED_BYTES_MAX`] outwards, a record inwards);
//! after an error there is at most an alert to be sent. Answers to Java's `SSLEngine`.

use std::io::{self, BufRead as _, IoSlice, Write};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};

use super::TlsError;

/// Most bytes that are encrypted and not written.
const BUFFERED_BYTES_MAX: usize = 64 * 1024;

/// The other side broke the protocol, or is not trusted.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct SessionError(#[from] rustls::Error);

#[derive(Debug)]
pub struct Session {
    connection: Box<Connection>,
    has_failed: bool,
}

impl Session {
    pub fn server(config: Arc<ServerConfig>) -> Result<Self, TlsError> {
        let connection = ServerConnection::new(config);
        Self::new(connection.map(Connection::Server))
    }

    pub(super) fn client(
        config: Arc<ClientConfig>,
        host: ServerName<'static>,
    ) -> Result<Self, TlsError> {
        let connection = ClientConnection::new(config, host);
        Self::new(connection.map(Connection::Client))
    }

    fn new(connection: Result<Connection, rustls::Error>) -> Result<Self, TlsError> {
        let connection = connection.map_err(|error| TlsError::Library(error.to_string()))?;
        let mut connection = Box::new(connection);
        connection.set_buffer_limit(Some(BUFFERED_BYTES_MAX));
        Ok(Self { connection, has_failed: false })
    }

    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Takes bytes of the wire, and says how many; the rest when plain bytes were taken out.
    pub fn receive(&mut self, wire: &[u8]) -> Result<usize, SessionError> {
        let mut rest = wire;
        while !rest.is_empty() {
            // A full buffer of plain bytes is the only error that a slice can meet.
            match self.connection.read_tls(&mut rest) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            let state = self.connection.process_new_packets().inspect_err(|_| {
                self.has_failed = true;
            })?;
            if state.plaintext_bytes_to_read() > 0 {
                break;
            }
        }
        Ok(wire.len() - rest.len())
    }

    /// Plain bytes that have come, and whether the other side has said that no more will.
    pub fn plain(&mut self) -> Plain<'_> {
        match self.connection.reader().into_first_chunk() {
            Ok([]) => Plain::End,
            Ok(bytes) => Plain::Bytes(bytes),
            Err(_) => Plain::Nothing,
        }
    }

    /// Plain bytes that were read.
    pub fn consume(&mut self, bytes: usize) {
        self.connection.reader().consume(bytes);
    }

    /// Encrypts as much as there is room for, and says how much.
    pub fn encrypt(&mut self, plain: &[IoSlice<'_>]) -> io::Result<usize> {
        self.connection.writer().write_vectored(plain)
    }

    pub fn wants_write(&self) -> bool {
        self.connection.wants_write()
    }

    /// Writes bytes for the wire, as far as `out` takes them.
    pub fn write_to(&mut self, out: &mut dyn Write) -> io::Result<usize> {
        self.connection.write_tls(out)
    }

    /// The last thing to be said: that nothing follows.
    pub fn close(&mut self) {
        self.connection.send_close_notify();
    }

    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The other side's own certificate, where it showed one and the handshake is over.
    pub fn peer_certificate(&self) -> Option<&CertificateDer<'static>> {
        self.connection.peer_certificates()?.first()
    }
}

/// What can be read.
#[derive(Debug)]
pub enum Plain<'a> {
    Bytes(&'a [u8]),
    Nothing,
    End,
}

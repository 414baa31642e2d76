//! Accepts connections on one endpoint and starts a task for each that is admitted.
//!
//! Out of descriptors (EMFILE) it pauses instead of spinning; what is open goes on.
//! Answers to Kafka's `SocketServer.Acceptor`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::registry::{Refused, Registry, Seat};

/// How long no connection is accepted after the process ran out of something.
const PAUSE: Duration = Duration::from_millis(100);

/// What an endpoint asks of its socket.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// Host to bind; empty for all addresses.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// socket.listen.backlog.size
    pub(crate) backlog: i32,
    pub(crate) buffers: SocketBuffers,
}

/// Buffers of the kernel for each connection; nothing where the system is to size them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SocketBuffers {
    /// socket.send.buffer.bytes
    pub(crate) send: Option<usize>,
    /// socket.receive.buffer.bytes
    pub(crate) receive: Option<usize>,
}

/// An address that is ours, at which nobody can connect yet.
#[derive(Debug)]
pub(crate) struct Bound {
    socket: Socket,
    endpoint: Endpoint,
}

impl Bound {
    /// Lets others connect.
    pub(crate) fn listen(self) -> io::Result<TcpListener> {
        self.socket.listen(self.endpoint.backlog)?;
        TcpListener::from_std(self.socket.into())
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.endpoint.host.as_str();
        write!(f, "{}:{}", if host.is_empty() { "0.0.0.0" } else { host }, self.endpoint.port)
    }
}

/// Binds the endpoint; an empty host means every address, IPv6 and IPv4.
pub(crate) async fn bind(endpoint: Endpoint) -> io::Result<Bound> {
    let host = if endpoint.host.is_empty() { "::" } else { endpoint.host.as_str() };
    let any = SocketAddr::from(([0, 0, 0, 0], endpoint.port));
    let mut addresses: Vec<_> = tokio::net::lookup_host((host, endpoint.port)).await?.collect();
    // A JVM takes the IPv4 address of a name that has both.
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.extend(endpoint.host.is_empty().then_some(any));
    let mut failure = None;
    for address in addresses {
        match bind_address(address, &endpoint) {
            Ok(socket) => return Ok(Bound { socket, endpoint }),
            // Another process has it: half an endpoint would be worse than none.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => failure = Some(error),
        }
    }
    Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

fn bind_address(address: SocketAddr, endpoint: &Endpoint) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit both; a window is agreed on before its connection is accepted.
    if let Some(bytes) = endpoint.buffers.receive {
        socket.set_recv_buffer_size(bytes)?;
    }
    if let Some(bytes) = endpoint.buffers.send {
        socket.set_send_buffer_size(bytes)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Accepts until `stopping` becomes true; hands each admitted connection to `start`.
pub(crate) async fn accept(
    name: Arc<str>,
    listener: TcpListener,
    registry: Arc<Registry>,
    mut stopping: watch::Receiver<bool>,
    start: impl Fn(TcpStream, SocketAddr, Seat),
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, peer)) => match registry.admit(&name, peer.ip()).await {
                Ok(seat) => {
                    // A socket that cannot be told to send at once is about to fail by itself.
                    let _ = stream.set_nodelay(true);
                    start(stream, peer, seat);
                }
                Err(Refused::TooFastFromAddress(wait)) => {
                    tracing::debug!(
                        target: "kafka.network.Acceptor",
                        "Delaying closing of connection from {} for {} ms",
                        peer.ip(),
                        wait.as_millis(),
                    );
                    tokio::spawn(close_after(stream, wait));
                }
                Err(refused) => {
                    tracing::info!(
                        target: "kafka.network.Acceptor",
                        "Rejected connection from {}, {refused}", peer.ip(),
                    );
                }
            },
            Err(error) => {
                tracing::error!(
                    target: "kafka.network.Acceptor",
                    "Error while accepting connection: {error}",
                );
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// A peer that comes too fast learns of it late, or it would be back at once. Kafka:
/// `DelayedCloseSocket`.
async fn close_after(stream: TcpStream, wait: Duration) {
    tokio::time::sleep(wait).await;
    drop(stream);
}

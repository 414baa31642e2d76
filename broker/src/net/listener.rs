//! Accepts connections on one endpoint and starts a task for each that is admitted.
//!
//! Out of descriptors (EMFILE) it pauses instead of spinning; what is open goes on.
//! Answers to Kafka's `SocketServer.Acceptor`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::registry::{Registry, Seat};

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
}

/// Binds the endpoint; an empty host means every address, IPv6 and IPv4.
pub(crate) async fn bind(endpoint: &Endpoint) -> io::Result<TcpListener> {
    let host = if endpoint.host.is_empty() { "::" } else { endpoint.host.as_str() };
    let mut failure = None;
    for address in tokio::net::lookup_host((host, endpoint.port)).await? {
        match bind_address(address, endpoint.backlog) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = Some(error),
        }
    }
    if endpoint.host.is_empty() {
        let any = SocketAddr::from(([0, 0, 0, 0], endpoint.port));
        return bind_address(any, endpoint.backlog);
    }
    Err(failure.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

fn bind_address(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// Accepts until `stopping` becomes true; hands each admitted connection to `start`.
pub(crate) async fn accept(
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
            Ok((stream, peer)) => match registry.admit(peer.ip()) {
                Ok(seat) => {
                    // A socket that cannot be told to send at once is about to fail by itself.
                    let _ = stream.set_nodelay(true);
                    start(stream, peer, seat);
                }
                Err(refused) => {
                    tracing::info!(
                        target: "kafka.network.Acceptor",
                        "Rejected connection from {peer}: {refused}",
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

//! Whether anybody listens at an address: the evidence that a node is gone.
//!
//! Refused means that the process has ended; no answer within half a second that its machine or
//! container has. A process that is stopped or busy still has its kernel accept, so it counts as
//! there. A wrong guess costs a new leader epoch, nothing else.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;

use super::Address;

/// How long a connection may take to be answered before its node counts as gone.
pub const UNANSWERED: Duration = Duration::from_millis(500);
/// What says nothing about the node is tried again after this.
const PAUSE: Duration = Duration::from_millis(50);

/// Connects for evidence; `None` when the node is gone.
pub async fn reach(address: &Address) -> Option<TcpStream> {
    let patient = async {
        loop {
            match attempt(address).await {
                Some(found) => return found,
                None => tokio::time::sleep(PAUSE).await,
            }
        }
    };
    // A listener that closes may swallow the first attempt; its successor is refused at once.
    let again = async {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Ok(Some(found)) = tokio::time::timeout(PAUSE, attempt(address)).await {
                return found;
            }
        }
    };
    let either = async {
        tokio::select! {
            found = patient => found,
            found = again => found,
        }
    };
    tokio::time::timeout(UNANSWERED, either).await.ok().flatten()
}

/// What one attempt tells: reached, refused, or nothing about the node.
async fn attempt(address: &Address) -> Option<Option<TcpStream>> {
    match connect(address).await {
        Ok(stream) => Some(Some(stream)),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Some(None),
        Err(_) => None,
    }
}

/// Whether a connection stays open for this long. A process that ends closes its connections a
/// moment before its listeners, and may be reached in between.
pub async fn stays_open(stream: &TcpStream, within: Duration) -> bool {
    let ends = async {
        while stream.readable().await.is_ok() {
            match stream.try_read(&mut [0; 64]) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    };
    tokio::time::timeout(within, ends).await.is_err()
}

/// Connects to the first address of the host that answers, IPv4 before IPv6 as the JVM does.
pub async fn connect(address: &Address) -> io::Result<TcpStream> {
    connect_telling(address, &mut None).await
}

/// The same; `tried` is the address that was asked last.
pub(super) async fn connect_telling(
    address: &Address,
    tried: &mut Option<SocketAddr>,
) -> io::Result<TcpStream> {
    let found = tokio::net::lookup_host((address.host.as_str(), address.port)).await?;
    let mut addresses: Vec<_> = found.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        *tried = Some(address);
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A socket that cannot be told to send at once is about to fail by itself.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

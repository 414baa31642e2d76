//! Connecting, and what an attempt tells of whoever should be there.
//!
//! Refused means that nobody listens: at an address that took connections before, that the process
//! has ended. Everything else says nothing of the node: a name without address, no answer, no way,
//! and what this process has run out of.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};

use super::Address;

/// How long an address is looked at that may refuse.
const LOOK: Duration = Duration::from_millis(500);
/// How long the first attempt of a look may go unanswered; it doubles. A listener that closes may
/// swallow an attempt, and its successor is refused at once.
const PATIENCE: Duration = Duration::from_millis(50);

/// What one attempt to connect came to.
#[derive(Debug)]
pub enum Attempt {
    Connected(TcpStream),
    /// ECONNREFUSED: nobody listens there.
    Refused,
    /// No answer within the time that it had, no way there, no such name.
    Unanswered,
    /// This process has no descriptor, port or memory left for it.
    Untried,
}

impl Attempt {
    fn failed(error: &io::Error) -> Self {
        use rustix::io::Errno;
        const OWN_WANT: [Errno; 5] =
            [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::ADDRNOTAVAIL];
        let code = error.raw_os_error().map(Errno::from_raw_os_error);
        if code == Some(Errno::CONNREFUSED) {
            Self::Refused
        } else if code.is_some_and(|code| OWN_WANT.contains(&code)) {
            Self::Untried
        } else {
            Self::Unanswered
        }
    }
}

/// Connects to this very address.
pub async fn attempt(address: SocketAddr, patience: Duration) -> Attempt {
    match timeout(patience, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            // A socket that cannot be told to send at once is about to fail by itself.
            let _ = stream.set_nodelay(true);
            Attempt::Connected(stream)
        }
        Ok(Err(error)) => Attempt::failed(&error),
        Err(_) => Attempt::Unanswered,
    }
}

/// Connects to a host by its name; also the address that was tried last.
pub async fn attempt_host(address: &Address, patience: Duration) -> (Attempt, Option<SocketAddr>) {
    let mut tried = None;
    let attempt = match timeout(patience, connect_telling(address, &mut tried)).await {
        Ok(Ok(stream)) => Attempt::Connected(stream),
        Ok(Err(error)) => Attempt::failed(&error),
        Err(_) => Attempt::Unanswered,
    };
    (attempt, tried)
}

/// Looks at an address whose connection has ended, for half a second at most.
pub(super) async fn look(address: SocketAddr) -> Attempt {
    let until = Instant::now() + LOOK;
    let look = async {
        let mut patience = PATIENCE;
        loop {
            let begun = Instant::now();
            match attempt(address, patience).await {
                Attempt::Unanswered | Attempt::Untried => {
                    // Where there is no way it is said at once.
                    tokio::time::sleep_until(begun + PATIENCE).await;
                    patience *= 2;
                }
                told => return told,
            }
        }
    };
    timeout_at(until, look).await.unwrap_or(Attempt::Unanswered)
}

/// Resolves when a connection of which nothing is expected ends.
pub async fn end_of(stream: &TcpStream) {
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut [0; 64]) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
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

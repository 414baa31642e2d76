//! Who asks: the peer of a connection, as itself or for somebody behind it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use protocol::wire::StrBytes;
use tokio::sync::Notify;

/// What a peer's ApiVersions says of its program (KIP-511). Kafka: `ClientInformation`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Software {
    pub(crate) name: StrBytes,
    pub(crate) version: StrBytes,
}

/// Of a peer that has not said it.
impl Default for Software {
    fn default() -> Self {
        let unknown = StrBytes::from_static_str("unknown");
        Self { name: unknown.clone(), version: unknown }
    }
}

/// The peer of a connection.
#[derive(Debug)]
pub(crate) struct Client {
    /// Name of the listener it came in by.
    pub(crate) listener: Arc<str>,
    pub(crate) address: SocketAddr,
    /// No other connection of this process has the same.
    pub(crate) connection_id: u64,
    /// Kafka's form, `type:name`.
    pub(crate) principal: Arc<str>,
    /// It logged in by a delegation token, whose holder may ask for no other.
    pub(crate) by_token: bool,
    /// Its address as Java's `getHostAddress` writes it; IPv4 even when it came over an IPv6
    /// socket.
    pub(crate) host_address: Arc<str>,
    /// Told when the peer sends on while a request of its waits.
    pub(crate) hurries: Notify,
    software: Mutex<Software>,
    /// It has asked as a replica.
    follows: AtomicBool,
}

impl Client {
    pub(crate) fn new(
        listener: Arc<str>,
        address: SocketAddr,
        principal: Arc<str>,
        connection_id: u64,
    ) -> Self {
        let (hurries, software) = (Notify::new(), Mutex::default());
        let host_address = Arc::from(host_address(address.ip().to_canonical()));
        let follows = AtomicBool::new(false);
        Self {
            listener,
            address,
            connection_id,
            principal,
            by_token: false,
            host_address,
            hurries,
            software,
            follows,
        }
    }

    /// It asks as a replica of what it fetches.
    pub(crate) fn follows(&self) {
        self.follows.store(true, Ordering::Relaxed);
    }

    /// Whether it is a follower's connection.
    pub(crate) fn is_follower(&self) -> bool {
        self.follows.load(Ordering::Relaxed)
    }

    /// The same peer, once it has proven who it is.
    pub(crate) fn known_as(&self, principal: Arc<str>, by_token: bool) -> Self {
        let listener = Arc::clone(&self.listener);
        let known = Self::new(listener, self.address, principal, self.connection_id);
        let known = Self { by_token, ..known };
        known.set_software(self.software());
        known
    }

    /// The program at the other end, as it called itself last.
    pub(crate) fn software(&self) -> Software {
        self.software.lock().clone()
    }

    pub(crate) fn set_software(&self, software: Software) {
        *self.software.lock() = software;
    }

    /// Whoever sent a request that a broker passes on; it counts as one of the broker's connection.
    pub(crate) fn behind(&self, principal: &str, by_token: bool, ip: IpAddr) -> Self {
        let address = SocketAddr::new(ip, self.address.port());
        let listener = Arc::clone(&self.listener);
        let behind = Self::new(listener, address, Arc::from(principal), self.connection_id);
        Self { by_token, ..behind }
    }

    /// The peer's address as Kafka prints hosts of group members: a slash in front.
    pub(crate) fn host(&self) -> String {
        format!("/{}", self.host_address)
    }

    /// The peer's address; IPv4 even when it came over an IPv6 socket.
    pub(crate) fn ip(&self) -> IpAddr {
        self.address.ip().to_canonical()
    }
}

/// Java writes all groups of an IPv6 address.
fn host_address(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => ip.segments().map(|group| format!("{group:x}")).join(":"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_written_as_java_writes_them() {
        for (address, expected) in [
            ("127.0.0.1", "127.0.0.1"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::1", "0:0:0:0:0:0:0:1"),
            ("2001:db8::A0", "2001:db8:0:0:0:0:0:a0"),
        ] {
            let address = SocketAddr::new(address.parse().unwrap(), 1);
            let client = Client::new(Arc::from("PLAINTEXT"), address, Arc::from("User:a"), 1);
            assert_eq!(&*client.host_address, expected);
            assert_eq!(client.host(), format!("/{expected}"));
        }
    }
}

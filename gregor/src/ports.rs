//! Whether a port can be had, asked before a start touches the disk.

use std::io;
use std::net::ToSocketAddrs;

use tokio::net::TcpSocket;

/// Binds one of the addresses that `host` has, as a listener would, and lets go of it. Nothing
/// listens meanwhile: who connected then would be cut off.
pub(crate) fn try_bind(host: &str, port: u16) -> io::Result<()> {
    let mut last = None;
    for address in (host, port).to_socket_addrs()? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        match socket.bind(address) {
            Ok(()) => return Ok(()),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_cannot_be_had() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let taken = try_bind("127.0.0.1", port).expect_err("somebody listens");
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        drop(listener);
        assert!(try_bind("127.0.0.1", port).is_ok());
        assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "it is free again");
    }
}

//! The address of a host that somebody names: one that is written out, or what the system finds.
//!
//! Kafka: `InetAddress.getByName`.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

/// The first address of `host`.
pub(crate) async fn look_up(host: &str) -> io::Result<IpAddr> {
    if let Some(address) = written_out(host) {
        return Ok(address);
    }
    let mut found = tokio::net::lookup_host((host, 0)).await?;
    let address = found.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok(address.ip().to_canonical())
}

/// `127.0.0.1`, `::1` or `[::1]`.
fn written_out(host: &str) -> Option<IpAddr> {
    let in_brackets = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = match in_brackets {
        Some(address) => address.parse::<Ipv6Addr>().map(IpAddr::from).ok()?,
        None => host.parse::<IpAddr>().ok()?,
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_itself_and_a_host_has_one() {
        for (host, expected) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("::1", Some("::1")),
            ("[::1]", Some("::1")),
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("nobody.invalid", None),
        ] {
            let found = look_up(host).await.ok().map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{host}");
        }
        assert!(look_up("localhost").await.unwrap().is_loopback());
    }
}

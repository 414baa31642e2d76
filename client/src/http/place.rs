//! Where a document is: a URL of `http:` or `https:`.

use security::Secret;
use security::tls::TlsError;

use super::super::Address;
use super::super::transport::Transport;

/// Whom to ask, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub(super) address: Address,
    /// Path and query.
    pub(super) target: String,
    /// By `https:`.
    pub is_encrypted: bool,
}

impl Place {
    /// Nothing where the text is no such URL, or names somebody before an `@`.
    pub fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let is_encrypted = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let is_written = |byte: u8| byte.is_ascii_graphic();
        if authority.is_empty() || authority.contains('@') || !rest.bytes().all(is_written) {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, usual_port(is_encrypted)),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Self { address: Address { host, port }, target, is_encrypted })
    }

    /// How it is spoken with: by TLS with whom these options `ssl.*` believe, or in the clear.
    pub fn transport(&self, ssl: &[(String, Secret)]) -> Result<Transport, TlsError> {
        match self.is_encrypted {
            true => Ok(Transport::Tls(super::trusting(ssl)?)),
            false => Ok(Transport::Plaintext),
        }
    }

    /// As the header `Host` has it.
    pub(super) fn host(&self) -> String {
        let Address { host, port } = &self.address;
        match *port == usual_port(self.is_encrypted) {
            true if host.contains(':') => format!("[{host}]"),
            true => host.clone(),
            false => self.address.to_string(),
        }
    }
}

fn usual_port(is_encrypted: bool) -> u16 {
    if is_encrypted { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_place() {
        for (url, host, port, target, header) in [
            ("https://issuer", "issuer", 443, "/", "issuer"),
            ("HTTPS://issuer:8443/a/b?c=d#e", "issuer", 8443, "/a/b?c=d", "issuer:8443"),
            ("https://issuer?c=d", "issuer", 443, "/?c=d", "issuer"),
            ("https://[::1]:8443/a", "::1", 8443, "/a", "[::1]:8443"),
            ("https://[::1]", "::1", 443, "/", "[::1]"),
            ("http://collector:80/a", "collector", 80, "/a", "collector"),
            ("http://collector:443/a", "collector", 443, "/a", "collector:443"),
        ] {
            let place = Place::parse(url).unwrap();
            assert_eq!((&*place.address.host, place.address.port), (host, port), "{url}");
            assert_eq!((&*place.target, &*place.host()), (target, header), "{url}");
            assert_eq!(place.is_encrypted, url.to_lowercase().starts_with("https"), "{url}");
        }
        for url in
            ["ftp://a/", "https:/a", "https://", "https://u@a/", "https://a:b/", "https://a/ b", ""]
        {
            assert_eq!(Place::parse(url), None, "{url}");
        }
    }
}

//! Fetches a document over HTTPS: one question, one answer, and the connection is over.
//!
//! Kept true: nobody is asked without TLS; an answer is bounded in size and time; what a server
//! says of other places is not followed.

mod answer;

use std::sync::Arc;
use std::time::Duration;

use ::security::tls::ClientContext;
use bytes::BytesMut;
use tokio::net::TcpStream;

use self::answer::{Answer, Malformed};
use super::Address;
use super::transport::{Stream, Transport};

/// How long a whole question may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 1 << 20;
const PORT: u16 = 443;

/// Why there is no document.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("{0} is no https: URL")]
    NoUrl(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Handshake(#[from] super::HandshakeError),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("the answer has the status {0}")]
    Status(u16),
    #[error("the answer is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong,
    #[error("there is no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
}

/// Where a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    address: Address,
    /// Path and query.
    target: String,
}

impl Place {
    fn parse(url: &str) -> Option<Self> {
        let scheme = url.get(..8).filter(|scheme| scheme.eq_ignore_ascii_case("https://"))?;
        let rest = &url[scheme.len()..];
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let is_written = |byte: u8| byte.is_ascii_graphic();
        if authority.is_empty() || authority.contains('@') || !rest.bytes().all(is_written) {
            return None;
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
            _ => (authority, PORT),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Self { address: Address { host, port }, target })
    }

    fn request(&self) -> BytesMut {
        let host = match self.address.port {
            PORT if self.address.host.contains(':') => format!("[{}]", self.address.host),
            PORT => self.address.host.clone(),
            _ => self.address.to_string(),
        };
        let text = format!(
            "GET {} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\n\
             Cache-Control: no-cache\r\nConnection: close\r\n\r\n",
            self.target
        );
        BytesMut::from(text.as_bytes())
    }
}

/// The document at this URL.
pub async fn fetch(url: &str, context: &Arc<ClientContext>) -> Result<Vec<u8>, FetchError> {
    let place = Place::parse(url).ok_or_else(|| FetchError::NoUrl(url.to_owned()))?;
    let asked = tokio::time::timeout(PATIENCE, ask(&place, context)).await;
    let answer = asked.map_err(|_| FetchError::TimedOut)??;
    match answer.status {
        200 => Ok(answer.body),
        other => Err(FetchError::Status(other)),
    }
}

async fn ask(place: &Place, context: &Arc<ClientContext>) -> Result<Answer, FetchError> {
    let Address { host, port } = &place.address;
    let socket = TcpStream::connect((host.as_str(), *port)).await?;
    let stream = Stream::begin(socket, &Transport::Tls(Arc::clone(context)), host).await?;
    let mut out = place.request();
    while stream.has_unwritten(&out) {
        stream.write_some(&mut out).await?;
    }
    let mut read = BytesMut::new();
    loop {
        read.reserve(16 * 1024);
        let is_over = stream.read_into(&mut read).await? == 0;
        if let Some(answer) = answer::read(&read, is_over)? {
            return Ok(answer);
        }
        if read.len() > ANSWER_BYTES_MAX {
            return Err(FetchError::TooLong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_place() {
        for (url, host, port, target) in [
            ("https://issuer", "issuer", 443, "/"),
            ("HTTPS://issuer:8443/a/b?c=d#e", "issuer", 8443, "/a/b?c=d"),
            ("https://issuer?c=d", "issuer", 443, "/?c=d"),
            ("https://[::1]:8443/a", "::1", 8443, "/a"),
            ("https://[::1]", "::1", 443, "/"),
        ] {
            let place = Place::parse(url).unwrap();
            assert_eq!((&*place.address.host, place.address.port), (host, port), "{url}");
            assert_eq!(place.target, target, "{url}");
        }
        for url in [
            "http://a/",
            "https:/a",
            "https://",
            "https://u@a/",
            "https://a:b/",
            "https://a/ b",
            "",
        ] {
            assert_eq!(Place::parse(url), None, "{url}");
        }
        let request = Place::parse("https://issuer:8443/keys").unwrap().request();
        assert!(request.starts_with(b"GET /keys HTTP/1.1\r\nHost: issuer:8443\r\n"), "{request:?}");
    }
}

//! Asks over HTTP, by TLS or not: one question, one answer, and the connection is over.
//!
//! Kept true: an answer is bounded in size and time; what a server says of other places is not
//! followed; nobody is asked without TLS whose URL is `https:`.

mod answer;
mod place;

use std::sync::Arc;
use std::time::Duration;

use ::security::Secret;
use ::security::tls::{ClientContext, TlsContext, TlsError, TlsSettings};
use bytes::BytesMut;
use tokio::net::TcpStream;

pub use self::answer::{Answer, Malformed};
pub use self::place::Place;
use super::Address;
use super::transport::{Stream, Transport};

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'static str,
    /// Without those of the connection and the body's length.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// How long an answer may be, and may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the connection alone.
    pub connect: Option<Duration>,
    /// For each piece of the answer.
    pub read: Option<Duration>,
    /// For all of it.
    pub whole: Duration,
    pub answer_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let whole = Duration::from_secs(30);
        Self { connect: None, read: None, whole, answer_bytes_max: 1 << 20 }
    }
}

/// Why there is no answer.
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
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("there is no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("Connect timed out")]
    ConnectTimedOut,
    #[error("Read timed out")]
    ReadTimedOut,
}

/// The document at this URL, which only whoever is trusted is asked for.
pub async fn fetch(url: &str, context: &Arc<ClientContext>) -> Result<Vec<u8>, FetchError> {
    let place = Place::parse(url).filter(|place| place.is_encrypted);
    let place = place.ok_or_else(|| FetchError::NoUrl(url.to_owned()))?;
    let headers = [("Accept", "application/json"), ("Cache-Control", "no-cache")];
    let request = Request { method: "GET", headers: &headers, body: &[] };
    let transport = Transport::Tls(Arc::clone(context));
    let answer = ask(&place, request, &transport, Limits::default()).await?;
    match answer.status {
        200 => Ok(answer.body),
        other => Err(FetchError::Status(other)),
    }
}

/// What somebody answers to this.
pub async fn ask(
    place: &Place,
    request: Request<'_>,
    transport: &Transport,
    limits: Limits,
) -> Result<Answer, FetchError> {
    let asked = tokio::time::timeout(limits.whole, converse(place, request, transport, limits));
    asked.await.map_err(|_| FetchError::TimedOut(limits.whole))?
}

/// Whom an `https:` URL is believed to be, by options `ssl.*`; where there are none, whoever the
/// system's authorities vouch for. Read anew each time: certificates are replaced.
pub fn trusting(ssl: &[(String, Secret)]) -> Result<Arc<ClientContext>, TlsError> {
    let given = |name: &str| {
        let option = ssl.iter().rfind(|(known, _)| known == name);
        option.map(|(_, value)| value.reveal().to_owned())
    };
    let context = TlsContext::load(TlsSettings::read(given)?, &|path| std::fs::read(path))?;
    Ok(Arc::new(ClientContext::new(context.client()?)))
}

async fn converse(
    place: &Place,
    request: Request<'_>,
    transport: &Transport,
    limits: Limits,
) -> Result<Answer, FetchError> {
    let Address { host, port } = &place.address;
    let connecting = TcpStream::connect((host.as_str(), *port));
    let socket = within(limits.connect, connecting).await.ok_or(FetchError::ConnectTimedOut)??;
    let beginning = Stream::begin(socket, transport, host);
    let stream = within(limits.read, beginning).await.ok_or(FetchError::ReadTimedOut)??;
    let mut out = written(place, request);
    while stream.has_unwritten(&out) {
        stream.write_some(&mut out).await?;
    }
    let mut read = BytesMut::new();
    loop {
        read.reserve(16 * 1024);
        let reading = within(limits.read, stream.read_into(&mut read));
        let is_over = reading.await.ok_or(FetchError::ReadTimedOut)?? == 0;
        if read.len() > limits.answer_bytes_max {
            return Err(FetchError::TooLong(limits.answer_bytes_max));
        }
        if let Some(answer) = answer::read(&read, is_over)? {
            return Ok(answer);
        }
    }
}

/// What comes of it in this time, where there is a bound.
async fn within<F: Future>(bound: Option<Duration>, future: F) -> Option<F::Output> {
    match bound {
        Some(bound) => tokio::time::timeout(bound, future).await.ok(),
        None => Some(future.await),
    }
}

fn written(place: &Place, request: Request<'_>) -> BytesMut {
    let mut text =
        format!("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, place.target, place.host());
    for (name, value) in request.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !request.body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", request.body.len()));
    }
    text.push_str("Connection: close\r\n\r\n");
    let mut bytes = BytesMut::from(text.as_bytes());
    bytes.extend_from_slice(request.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_what_it_needs() {
        let place = Place::parse("https://issuer:8443/keys").unwrap();
        let get = Request { method: "GET", headers: &[("Accept", "a/b")], body: &[] };
        assert_eq!(
            &written(&place, get)[..],
            b"GET /keys HTTP/1.1\r\nHost: issuer:8443\r\nAccept: a/b\r\nConnection: close\r\n\r\n"
        );
        let post = Request { method: "POST", headers: &[], body: b"a=b" };
        assert_eq!(
            &written(&place, post)[..],
            b"POST /keys HTTP/1.1\r\nHost: issuer:8443\r\nContent-Length: 3\r\n\
              Connection: close\r\n\r\na=b"
        );
    }
}

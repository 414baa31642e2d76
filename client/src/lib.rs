//! A Kafka client: connections to nodes, requests over one connection each, answered in order.
//!
//! ```text
//! request ─ encode ─▶ ┌ link (a task) ──────────────────┐ ◀──▶ socket of the other node
//! answer ◀─ decode ── │ in flight, in order; reconnects │ ──▶ presence: is it gone?
//! ```
//! A [`Peer`] connects when it is asked first, learns by ApiVersions what the other side speaks and
//! picks the newest version that both know. A request whose time is up costs the connection, as in
//! Kafka: what comes behind it would be read as its answer. Records in answers are slices of the
//! frame that arrived. Answers to Kafka's `NetworkClient`.

pub mod admin;
pub mod bootstrap;
mod clock;
pub mod consumer;
pub mod http;
mod inbox;
pub mod kerberos;
mod lines;
mod link;
mod liveness;
mod login;
mod login_keys;
pub mod metadata;
pub mod probe;
pub mod producer;
mod refreshing_login;
mod security_settings;
pub mod share_consumer;
#[cfg(test)]
mod tests;
mod tls_stream;
mod token_endpoint;
mod transport;
mod versions;

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use ::security::sasl::client::ClientLogin;
use bytes::Bytes;
use protocol::ask::{Ask, AskedApi};
use protocol::frame::{EncodeError, encode_asked};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

pub use self::lines::Pace;
use self::link::{Link, PendingRequest};
pub use self::liveness::Liveness;
pub use self::login_keys::LOGIN_FILE;
pub use self::security_settings::SecuritySettings;
pub use self::tls_stream::{HandshakeError, TlsStream};
pub use self::transport::{Transport, read_into};

/// Where a node listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// How this node behaves towards the other one.
#[derive(Debug, Clone)]
pub struct PeerSettings {
    /// What the other side reads in request headers.
    pub client_id: Arc<str>,
    /// What log lines begin with, `[RaftManager id=1] ` for example.
    pub log_prefix: Arc<str>,
    /// What log lines call the other node; nothing is said of one without a number.
    pub node: Option<i32>,
    /// How often lines say that it cannot be reached.
    pub pace: Pace,
    /// socket.connection.setup.timeout.ms; ApiVersions has the same time again.
    pub connect_timeout: Duration,
    /// How long after a failed attempt the next one waits.
    pub reconnect_backoff: Duration,
    /// How this node proves to the other one who it is, where it must.
    pub login: Option<Arc<ClientLogin>>,
    /// Whether a connection that ends is tried again at once, so that [`Presence`] tells soon.
    pub is_watched: bool,
    /// How the bytes pass.
    pub transport: Transport,
}

impl PeerSettings {
    /// Kafka's times for connections between nodes.
    pub fn new(client_id: impl Into<Arc<str>>, log_prefix: impl Into<Arc<str>>) -> Self {
        Self {
            client_id: client_id.into(),
            log_prefix: log_prefix.into(),
            node: None,
            pace: Pace::CLIENTS,
            connect_timeout: Duration::from_secs(10),
            reconnect_backoff: Duration::from_millis(50),
            login: None,
            is_watched: false,
            transport: Transport::Plaintext,
        }
    }

    /// The same for the node of this number.
    #[must_use]
    pub fn of_node(self, id: i32) -> Self {
        Self { node: Some(id), ..self }
    }

    /// The same by TLS, or as it is.
    #[must_use]
    pub fn by(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }

    /// The same, logging in.
    #[must_use]
    pub fn logging_in(self, login: Option<Arc<ClientLogin>>) -> Self {
        Self { login, ..self }
    }

    pub fn watched(self) -> Self {
        Self { is_watched: true, ..self }
    }
}

/// What is known of the other node's being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Never connected since the link exists or was last found gone.
    Unknown,
    Connected,
    /// The connection ended; whether the node is there is being found out.
    Closed,
    /// A connection that existed has ended, and the address that took it refuses another.
    Gone,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeerError {
    #[error("no connection to {address}: {reason}")]
    Unreachable { address: Address, kind: io::ErrorKind, reason: String },
    #[error("{0} closed the connection before it answered")]
    Disconnected(Address),
    #[error("{0} did not answer in time")]
    TimedOut(Address),
    #[error("SSL handshake failed with {address}: {reason}")]
    Handshake { address: Address, reason: String },
    /// Not to be tried again as it is: who asks is not let in.
    #[error("{address} does not let this client in: {reason}")]
    Unauthenticated { address: Address, reason: String },
    #[error("{address} speaks no version of {api} that this node knows")]
    UnsupportedVersion { address: Address, api: &'static str },
    #[error("{address} sent what is no answer: {reason}")]
    Garbage { address: Address, reason: String },
    #[error("the request cannot be sent: {0}")]
    Unencodable(String),
    #[error("the node is stopping")]
    Stopping,
}

/// The way to one other node.
#[derive(Debug)]
pub struct Peer {
    address: Address,
    asks: mpsc::UnboundedSender<PendingRequest>,
    presence: watch::Receiver<Presence>,
    liveness: Liveness,
}

impl Peer {
    /// Must be called on the runtime that shall carry the connection. Nothing is sent yet.
    pub fn new(address: Address, settings: PeerSettings) -> Self {
        // Bound: the requests whose senders wait for an answer.
        let (asks, asked) = mpsc::unbounded_channel();
        let (told, presence) = watch::channel(Presence::Unknown);
        let liveness = Liveness::default();
        let link = Link::new(address.clone(), settings, asked, told, liveness.clone());
        tokio::spawn(link.run());
        Self { address, asks, presence, liveness }
    }

    /// Whether the connection still is one, for those who cannot wait to be told.
    pub fn liveness(&self) -> Liveness {
        self.liveness.clone()
    }

    /// Tells of every change; meaningful for a peer that is watched.
    pub fn presence(&self) -> watch::Receiver<Presence> {
        self.presence.clone()
    }

    /// Asks at the newest version that both sides know. Dropping the future gives up waiting, not
    /// the request.
    pub async fn request<R>(&self, request: R, timeout: Duration) -> Result<R::Answer, PeerError>
    where
        R: Ask + Send + 'static,
    {
        self.request_with(i16::MIN..=i16::MAX, move |_| request, timeout).await
    }

    /// Asks at the newest version of `versions` that both sides know; `build` makes the request
    /// that this version can hold.
    pub async fn request_with<R>(
        &self,
        versions: RangeInclusive<i16>,
        build: impl FnOnce(i16) -> R + Send + 'static,
        timeout: Duration,
    ) -> Result<R::Answer, PeerError>
    where
        R: Ask + Send + 'static,
    {
        let api = R::api().ok_or_else(unknown_key)?;
        let begun = self.put_in_line(api, versions, encode(api, build), timeout, true)?;
        let (version, body) = answer_of(begun, &self.address, timeout).await?;
        R::read(body, version).map_err(|error| garbage(&self.address, api, version, &error))
    }

    /// Puts a request in line now, so that requests that are begun one after the other are sent in
    /// that order; the future waits. Where `is_answered` is false (Produce with acks=0) it ends
    /// when everything went to the socket, and with nothing.
    pub fn begin_with<R, F>(
        &self,
        versions: RangeInclusive<i16>,
        build: F,
        timeout: Duration,
        is_answered: bool,
    ) -> impl Future<Output = Result<Option<R::Answer>, PeerError>> + Send + 'static + use<R, F>
    where
        R: Ask + Send + 'static,
        F: FnOnce(i16) -> R + Send + 'static,
    {
        let address = self.address.clone();
        let begun = R::api().map(|api| {
            (api, self.put_in_line(api, versions, encode(api, build), timeout, is_answered))
        });
        async move {
            let (api, begun) = begun.ok_or_else(unknown_key)?;
            let (version, body) = answer_of(begun?, &address, timeout).await?;
            if !is_answered {
                return Ok(None);
            }
            let read = R::read(body, version);
            read.map(Some).map_err(|error| garbage(&address, api, version, &error))
        }
    }

    fn put_in_line(
        &self,
        api: AskedApi,
        versions: RangeInclusive<i16>,
        encode: Encode,
        timeout: Duration,
        is_answered: bool,
    ) -> Result<Answered, PeerError> {
        let own = api.min_version.max(*versions.start())..=api.max_version.min(*versions.end());
        let (answer, answered) = oneshot::channel();
        let asked = Instant::now();
        let deadline = asked + timeout;
        let ask =
            PendingRequest { api, versions: own, encode, asked, deadline, answer, is_answered };
        self.asks.send(ask).map_err(|_| PeerError::Stopping)?;
        Ok(answered)
    }
}

fn encode<R: Ask>(api: AskedApi, build: impl FnOnce(i16) -> R + Send + 'static) -> Encode {
    Box::new(move |out, version, correlation_id, client_id| {
        let write = |out: &mut bytes::BytesMut| build(version).write(out, version);
        encode_asked(out, &api, version, correlation_id, client_id, write)
    })
}

fn unknown_key() -> PeerError {
    PeerError::Unencodable("the request's api key is unknown".to_owned())
}

fn garbage(address: &Address, api: AskedApi, version: i16, error: &str) -> PeerError {
    let reason = format!("{} v{version}: {error}", api.name);
    PeerError::Garbage { address: address.clone(), reason }
}

type Answered = oneshot::Receiver<Result<(i16, Bytes), PeerError>>;

async fn answer_of(
    answered: Answered,
    address: &Address,
    timeout: Duration,
) -> Result<(i16, Bytes), PeerError> {
    match tokio::time::timeout(timeout, answered).await {
        Ok(answer) => answer.unwrap_or(Err(PeerError::Stopping)),
        Err(_) => Err(PeerError::TimedOut(address.clone())),
    }
}

/// Appends a request's frame: buffer, version, correlation id, client id.
type Encode =
    Box<dyn FnOnce(&mut bytes::BytesMut, i16, i32, &str) -> Result<(), EncodeError> + Send>;

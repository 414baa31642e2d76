//! The task behind a [`Peer`](super::Peer): one connection, made when somebody asks, made again
//! when it ended.
//!
//! Kept true: answers belong to requests in their order, and the correlation id says so; anything
//! else, and a request whose time is up, ends the connection and fails whatever is in flight.
//! A failed attempt fails what waited for it; the next one is `reconnect_backoff` later.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::ops::RangeInclusive;

use bytes::{Bytes, BytesMut};
use protocol::api::ApiKey;
use protocol::ask::AskedApi;
use protocol::frame::{encode_request, strip_header};
use protocol::wire::Encodable;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use super::inbox::{Inbox, InboxError};
use super::lines::{Cancelled, Lines};
use super::liveness::Liveness;
use super::login;
use super::probe::{self, Attempt};
use super::tls_stream::HandshakeError;
use super::transport::Stream;
use super::versions::{self, Versions, VersionsAnswer};
use super::{Address, Encode, PeerError, PeerSettings, Presence};

/// A request that waits for its turn.
pub(super) struct PendingRequest {
    pub(super) api: AskedApi,
    /// Versions that this side can send.
    pub(super) versions: RangeInclusive<i16>,
    pub(super) encode: Encode,
    pub(super) asked: Instant,
    pub(super) deadline: Instant,
    pub(super) answer: Answer,
    /// Whether the other side answers it.
    pub(super) is_answered: bool,
}

type Answer = oneshot::Sender<Result<(i16, Bytes), PeerError>>;

/// A request that was sent.
struct InFlight {
    api: AskedApi,
    version: i16,
    correlation_id: i32,
    asked: Instant,
    sent: Instant,
    deadline: Instant,
    answer: Answer,
}

pub(super) struct Link {
    way: Destination,
    asks: mpsc::UnboundedReceiver<PendingRequest>,
    waiting: VecDeque<PendingRequest>,
}

/// How to get to the other node, and who hears whether it is there.
struct Destination {
    address: Address,
    settings: PeerSettings,
    presence: watch::Sender<Presence>,
    liveness: Liveness,
    lines: Lines,
    /// The last address that a failed attempt went to, where the name has one.
    tried: Option<SocketAddr>,
    /// The one that took the last connection.
    reached: Option<SocketAddr>,
}

/// A connection whose other side has said what it speaks.
pub(super) struct Connection {
    stream: Stream,
    inbox: Inbox,
    versions: Versions,
    out: BytesMut,
    in_flight: VecDeque<InFlight>,
    /// Who sent what has no answer, and hears when all of `out` is written.
    unwritten: Vec<Answer>,
    next_correlation_id: i32,
    /// When the login is due again, where the other side bounds it.
    login_due: Option<Instant>,
}

/// Why a conversation is over.
enum Ended {
    /// Nobody can ask any more.
    Unneeded,
    Failed(PeerError),
}

impl Link {
    pub(super) fn new(
        address: Address,
        settings: PeerSettings,
        asks: mpsc::UnboundedReceiver<PendingRequest>,
        presence: watch::Sender<Presence>,
        liveness: Liveness,
    ) -> Self {
        let lines = Lines::new(settings.clone());
        let way = Destination {
            address,
            settings,
            presence,
            liveness,
            lines,
            tried: None,
            reached: None,
        };
        Self { way, asks, waiting: VecDeque::new() }
    }

    pub(super) async fn run(mut self) {
        // A connection that was made to see whether the node is there.
        let mut at_hand = None;
        loop {
            if at_hand.is_none() && self.waiting.is_empty() {
                match self.asks.recv().await {
                    Some(ask) => self.waiting.push_back(ask),
                    None => return,
                }
            }
            if let Err(error) = self.way.prepare().await {
                self.fail_waiting(&error);
                tokio::time::sleep(self.way.settings.reconnect_backoff).await;
                continue;
            }
            match self.way.open(at_hand.take()).await {
                Ok(mut connection) => {
                    self.way.lines.connected();
                    let shown = self.way.liveness.show(connection.stream.socket());
                    let ended = self.converse(&mut connection).await;
                    let Ended::Failed(error) = ended else { return };
                    self.way.log_end(&error);
                    connection.fail_all(&self.way, &error);
                    drop((connection, shown));
                    at_hand = self.way.look_again(!self.asks.is_closed()).await;
                }
                Err(error) => {
                    self.way.log_failure(&error);
                    self.fail_waiting(&error);
                    tokio::time::sleep(self.way.settings.reconnect_backoff).await;
                    // A process that ends closes its connections a moment before its listeners:
                    // one that is accepted and ends before it is any use says no more than one that
                    // ended later.
                    if *self.way.presence.borrow() == Presence::Closed {
                        at_hand = self.way.look_again(!self.asks.is_closed()).await;
                    }
                }
            }
        }
    }

    async fn converse(&mut self, connection: &mut Connection) -> Ended {
        loop {
            // What is asked now shall not go down with a connection that is lost already.
            if connection.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
                return Ended::Failed(self.way.unanswered(Unanswered::TimedOut));
            }
            let is_due = connection.login_due.is_some_and(|due| due <= Instant::now());
            if is_due && connection.is_quiet() && !self.waiting.is_empty() {
                if let Err(why) = self.way.log_in(connection).await {
                    return Ended::Failed(self.way.unanswered(why));
                }
                continue;
            }
            while !is_due
                && let Some(ask) = self.waiting.pop_front().or_else(|| self.asks.try_recv().ok())
            {
                connection.send(ask, &self.way.address, &self.way.settings.client_id);
            }
            let deadline = connection.deadline();
            let Connection { stream, inbox, out, .. } = connection;
            tokio::select! {
                biased;
                frame = inbox.next(stream) => {
                    let answered = match frame {
                        Ok(frame) => connection.answered(frame),
                        Err(InboxError::Length(length)) => {
                            Err(Unanswered::Garbage(format!("a frame of {length} bytes")))
                        }
                        Err(InboxError::Closed) => Err(Unanswered::Closed),
                        Err(InboxError::Io(error)) => Err(Unanswered::failed(&error)),
                    };
                    if let Err(why) = answered {
                        return Ended::Failed(self.way.unanswered(why));
                    }
                }
                written = stream.write_some(out), if stream.has_unwritten(out) => {
                    if written.is_err() {
                        return Ended::Failed(self.way.unanswered(Unanswered::Closed));
                    }
                    connection.confirm_written();
                }
                () = at(deadline) => {}
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.waiting.push_back(ask),
                    None => return Ended::Unneeded,
                },
            }
        }
    }

    fn fail_waiting(&mut self, error: &PeerError) {
        while let Some(ask) = self.waiting.pop_front().or_else(|| self.asks.try_recv().ok()) {
            // Who asked may have given up waiting.
            let _ = ask.answer.send(Err(error.clone()));
        }
    }
}

impl Destination {
    /// Waits until there is what to log in with, where that is asked of somebody else; he who keeps
    /// asking him says in the log why there is nothing.
    async fn prepare(&self) -> Result<(), PeerError> {
        let Some(login) = &self.settings.login else { return Ok(()) };
        let prepared = login::prepare(login).await;
        prepared.map_err(|reason| self.unanswered(Unanswered::Unauthenticated(reason)))
    }

    /// Connects where nothing is at hand, and asks what the other side speaks.
    async fn open(&mut self, at_hand: Option<TcpStream>) -> Result<Connection, PeerError> {
        let within = self.settings.connect_timeout;
        let stream = match at_hand {
            Some(stream) => stream,
            None => {
                self.tried = None;
                let connecting = probe::connect_telling(&self.address, &mut self.tried);
                match tokio::time::timeout(within, connecting).await {
                    Ok(connected) => connected.map_err(|error| self.unreachable(&error))?,
                    Err(_) => return Err(self.unreachable(&io::ErrorKind::TimedOut.into())),
                }
            }
        };
        self.reached = stream.peer_addr().ok().or(self.reached);
        self.presence.send_replace(Presence::Connected);
        let greeted = self.greet(stream);
        let greeted = match tokio::time::timeout(within, greeted).await {
            Ok(greeted) => greeted,
            Err(_) => Err(Unanswered::TimedOut),
        };
        greeted.map_err(|why| {
            self.presence.send_replace(Presence::Closed);
            self.unanswered(why)
        })
    }

    async fn greet(&self, stream: TcpStream) -> Result<Connection, Unanswered> {
        let begun = Stream::begin(stream, &self.settings.transport, &self.address.host).await;
        let mut connection = Connection::greet(begun?, &self.settings.client_id).await?;
        self.log_in(&mut connection).await?;
        Ok(connection)
    }

    /// Logs in, where this is asked for.
    async fn log_in(&self, connection: &mut Connection) -> Result<(), Unanswered> {
        let Some(login) = &self.settings.login else { return Ok(()) };
        let logging_in =
            login::log_in(connection, login, &self.address.host, &self.settings.client_id);
        let within = self.settings.connect_timeout;
        let lifetime = match tokio::time::timeout(within, logging_in).await {
            Ok(logged_in) => logged_in?,
            Err(_) => return Err(Unanswered::TimedOut),
        };
        connection.login_due = lifetime.map(|lifetime| Instant::now() + login::due_after(lifetime));
        Ok(())
    }

    fn unreachable(&self, error: &io::Error) -> PeerError {
        PeerError::Unreachable {
            address: self.address.clone(),
            kind: error.kind(),
            reason: error.to_string(),
        }
    }

    fn unanswered(&self, why: Unanswered) -> PeerError {
        let address = self.address.clone();
        match why {
            Unanswered::TimedOut => PeerError::TimedOut(address),
            Unanswered::Closed => PeerError::Disconnected(address),
            Unanswered::Garbage(reason) => PeerError::Garbage { address, reason },
            Unanswered::Refused(reason) => PeerError::Handshake { address, reason },
            Unanswered::Unauthenticated(reason) => PeerError::Unauthenticated { address, reason },
        }
    }

    /// After a connection ended: whether the node is still there, if anybody wants to know.
    async fn look_again(&self, is_needed: bool) -> Option<TcpStream> {
        self.presence.send_replace(Presence::Closed);
        let address = self.reached.filter(|_| self.settings.is_watched && is_needed)?;
        match probe::look(address).await {
            Attempt::Connected(stream) => Some(stream),
            Attempt::Refused => {
                self.presence.send_replace(Presence::Gone);
                None
            }
            Attempt::Unanswered | Attempt::Untried => None,
        }
    }

    /// A connection that was one has ended.
    fn log_end(&mut self, error: &PeerError) {
        match error {
            PeerError::TimedOut(_) => self.lines.request_timed_out(),
            PeerError::Unauthenticated { address, reason } => {
                self.lines.unauthenticated(address, reason);
            }
            PeerError::Garbage { .. } => {
                tracing::warn!(
                    target: "org.apache.kafka.clients.NetworkClient",
                    "{}Disconnecting: {error}", self.settings.log_prefix
                );
                self.lines.disconnected();
            }
            PeerError::Handshake { address, reason } => {
                self.lines.not_authenticated(address, self.reached, reason);
            }
            _ => self.lines.disconnected(),
        }
    }

    /// There is no connection.
    fn log_failure(&mut self, error: &PeerError) {
        match error {
            PeerError::Unreachable { kind: io::ErrorKind::TimedOut, .. } => {
                self.lines.setup_timed_out();
            }
            PeerError::Unreachable { reason, .. } => {
                self.lines.unreachable(&self.address, self.tried, reason);
            }
            error => self.log_end(error),
        }
    }
}

/// Why a request has no answer, before it has words.
pub(super) enum Unanswered {
    TimedOut,
    Closed,
    Garbage(String),
    /// TLS did not come about.
    Refused(String),
    /// The other side, or this one, does not take the other for whom it should be.
    Unauthenticated(String),
}

impl Unanswered {
    /// A server may refuse a client's certificate when the client's handshake is over.
    fn failed(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::InvalidData => Self::Refused(error.to_string()),
            _ => Self::Closed,
        }
    }
}

impl From<HandshakeError> for Unanswered {
    fn from(error: HandshakeError) -> Self {
        match error {
            HandshakeError::Refused(error) => Self::Refused(error.to_string()),
            HandshakeError::Io(_) | HandshakeError::Closed => Self::Closed,
        }
    }
}

impl Connection {
    async fn greet(stream: Stream, client_id: &str) -> Result<Self, Unanswered> {
        let mut connection = Self {
            stream,
            inbox: Inbox::default(),
            versions: Versions::default(),
            out: BytesMut::new(),
            in_flight: VecDeque::new(),
            unwritten: Vec::new(),
            next_correlation_id: 0,
            login_due: None,
        };
        let mut version = AskedApi::of(ApiKey::ApiVersions).max_version;
        loop {
            let body = connection.ask_versions(version, client_id).await?;
            match versions::answer(&body, version).map_err(Unanswered::Garbage)? {
                VersionsAnswer::Versions(versions) => {
                    connection.versions = versions;
                    return Ok(connection);
                }
                VersionsAnswer::AskAt(older) => version = older,
            }
        }
    }

    async fn ask_versions(&mut self, version: i16, client_id: &str) -> Result<Bytes, Unanswered> {
        self.ask_at_once(ApiKey::ApiVersions, version, client_id, &versions::question()).await
    }

    /// The newest version of `own` in which the other side takes a request.
    pub(super) fn newest_of(&self, key: ApiKey, own: &RangeInclusive<i16>) -> Option<i16> {
        self.versions.newest_of(key as i16, own)
    }

    /// Whether nothing is on its way, in either direction.
    fn is_quiet(&self) -> bool {
        self.in_flight.is_empty() && self.out.is_empty()
    }

    /// Asks while nothing else is under way.
    pub(super) async fn ask_at_once<Q: Encodable>(
        &mut self,
        key: ApiKey,
        version: i16,
        client_id: &str,
        question: &Q,
    ) -> Result<Bytes, Unanswered> {
        let id = self.correlation_id();
        encode_request(&mut self.out, key, version, id, client_id, question)
            .map_err(|error| Unanswered::Garbage(error.to_string()))?;
        while self.stream.has_unwritten(&self.out) {
            let written = self.stream.write_some(&mut self.out).await;
            written.map_err(|_| Unanswered::Closed)?;
        }
        let mut frame = match self.inbox.next(&self.stream).await {
            Ok(frame) => frame,
            Err(InboxError::Length(length)) => {
                return Err(Unanswered::Garbage(format!("a frame of {length} bytes")));
            }
            Err(InboxError::Closed) => return Err(Unanswered::Closed),
            Err(InboxError::Io(error)) => return Err(Unanswered::failed(&error)),
        };
        take_header(&mut frame, AskedApi::of(key), version, id)?;
        Ok(frame)
    }

    /// When the first of the requests in flight is too late.
    fn deadline(&self) -> Option<Instant> {
        self.in_flight.iter().map(|sent| sent.deadline).min()
    }

    fn correlation_id(&mut self) -> i32 {
        let id = self.next_correlation_id;
        self.next_correlation_id = id.checked_add(1).unwrap_or(0);
        id
    }

    fn send(&mut self, ask: PendingRequest, address: &Address, client_id: &str) {
        if ask.answer.is_closed() {
            return;
        }
        let PendingRequest { api, versions, encode, asked, deadline, answer, is_answered } = ask;
        let Some(version) = self.versions.newest_of(api.key, &versions) else {
            let error = PeerError::UnsupportedVersion { address: address.clone(), api: api.name };
            // Who asked may have given up waiting.
            let _ = answer.send(Err(error));
            return;
        };
        let correlation_id = self.correlation_id();
        match encode(&mut self.out, version, correlation_id, client_id) {
            Ok(()) if !is_answered => self.unwritten.push(answer),
            Ok(()) => self.in_flight.push_back(InFlight {
                api,
                version,
                correlation_id,
                asked,
                sent: Instant::now(),
                deadline,
                answer,
            }),
            Err(error) => {
                let _ = answer.send(Err(PeerError::Unencodable(error.to_string())));
            }
        }
    }

    fn confirm_written(&mut self) {
        if self.out.is_empty() {
            for answer in self.unwritten.drain(..) {
                // Who sent may have given up waiting.
                let _ = answer.send(Ok((0, Bytes::new())));
            }
        }
    }

    fn answered(&mut self, mut frame: Bytes) -> Result<(), Unanswered> {
        let Some(sent) = self.in_flight.pop_front() else {
            return Err(Unanswered::Garbage("an answer to nothing".to_owned()));
        };
        let header = take_header(&mut frame, sent.api, sent.version, sent.correlation_id);
        if let Err(why) = header {
            self.in_flight.push_front(sent);
            return Err(why);
        }
        // Who asked may have given up waiting.
        let _ = sent.answer.send(Ok((sent.version, frame)));
        Ok(())
    }

    /// The request whose time was up says so; those behind it were disconnected.
    fn fail_all(&mut self, way: &Destination, error: &PeerError) {
        let now = Instant::now();
        for answer in self.unwritten.drain(..) {
            // Who sent may have given up waiting.
            let _ = answer.send(Err(error.clone()));
        }
        for sent in self.in_flight.drain(..) {
            let InFlight { api, correlation_id, asked, sent: at, deadline, .. } = sent;
            way.lines.cancelled(&Cancelled { api, correlation_id, asked, sent: at, deadline });
            let timed_out = matches!(error, PeerError::TimedOut(_));
            let own = match timed_out && sent.deadline > now {
                true => PeerError::Disconnected(way.address.clone()),
                false => error.clone(),
            };
            // Who asked may have given up waiting.
            let _ = sent.answer.send(Err(own));
        }
    }
}

fn take_header(
    frame: &mut Bytes,
    api: AskedApi,
    version: i16,
    correlation_id: i32,
) -> Result<(), Unanswered> {
    match strip_header(frame, api.response_header_version(version)) {
        Ok(found) if found == correlation_id => Ok(()),
        Ok(found) => Err(Unanswered::Garbage(format!(
            "correlation id {found} where {correlation_id} was due"
        ))),
        Err(error) => Err(Unanswered::Garbage(error.to_string())),
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

//! One connection: frames in, replies out, in the order of the requests.
//!
//! ```text
//! frame ─ dispatch ─┬─ reply now ──────────────┬─> outbox ─> socket
//!                   └─ reply later (Produce) ──┘   pending queue keeps the order
//! ```
//!
//! Requests of one connection are served one after the other, as in Kafka, whose `SocketServer`
//! mutes a channel until its request is answered. Unlike Kafka: consecutive Produce requests
//! overlap; the next one is appended before the former's acknowledgements are in (at most
//! [`PENDING_MAX`] of them), see docs/decisions/0003-produce-requests-overlap.md. They also are
//! appended while an answer that stands before them waits for the controller's word
//! (docs/decisions/0340). A client that is held back has its answer at once; nothing more is read
//! from it until its time is over (docs/decisions/0362). Replies to requests that were read
//! together are written together.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::api::ApiKey;
use protocol::fetch::Segment;
use protocol::frame::RequestHeader;
use protocol::shape::{self, DECODED_BUDGET, Verdict};
use protocol::wire::StrBytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::authentication::{self, Channel, Judged, LoggedIn};
use super::dispatch::{self, Begun};
use super::ended::{Ended, log_end};
use super::request_timings::RequestTimings;
use crate::broker::Broker;
use crate::net::authenticator::Authenticator;
use crate::net::frames::{Frame, FrameError, FrameReader, Prefix};
use crate::net::outbox::Outbox;
use crate::net::registry::Seat;
use crate::net::transport_layer::TransportLayer;
use crate::requests::reply::{CloseConnection, Later, Reply};
use crate::requests::requester::Client;
use crate::requests::spent::ThreadTime;
use crate::requests::throttle;
use crate::zookeeper;

/// Most Produce requests of one connection that wait for acknowledgements.
const PENDING_MAX: usize = 64;
/// Replies are gathered up to this many bytes while further requests are at hand.
const GATHERED_BYTES_MAX: usize = 256 * 1024;
/// How long a word's argument may take to arrive.
const ARGUMENT_WAIT: Duration = Duration::from_secs(1);
/// Replies up to this size are copied together, larger ones keep their own slice.
const COPIED_BYTES_MAX: usize = 1024;

/// The most that a login's frame has where nobody asked for logins, and that of a request about one
/// delegation token anywhere: its HMAC has 64 bytes.
const TOKEN_BYTES_MAX: usize = 512 * 1024;

/// A reply's place in the order.
enum Pending {
    Ready(Reply),
    Waiting(Later),
}

struct Connection {
    broker: Arc<Broker>,
    client: Arc<Client>,
    transport: TransportLayer,
    frames: FrameReader,
    outbox: Outbox,
    pending: VecDeque<Pending>,
    timings: RequestTimings,
    /// Time on threads for reading and writing that is not counted yet, where it counts.
    network_time: ThreadTime,
    /// Whose it is; nothing for what is never held back.
    counted_for: Option<StrBytes>,
    /// Where clients log in: whoever did.
    logged_in: Option<LoggedIn>,
    /// Nothing is read before this.
    muted_until: Option<Instant>,
    seat: Seat,
}

/// Serves a connection until it ends, one way or another.
pub(crate) async fn serve(
    broker: Arc<Broker>,
    transport: TransportLayer,
    peer: SocketAddr,
    listener: Arc<str>,
    authenticator: Authenticator,
    seat: Seat,
    mut stopping: watch::Receiver<bool>,
) {
    let client = Arc::new(Client::new(listener, peer, authenticator.first_principal(), seat.id()));
    let _closing = Closing { broker: Arc::clone(&broker), client: Arc::clone(&client) };
    let frames = FrameReader::new(
        broker.config.frame_bytes_max(),
        Arc::clone(&broker.buffers),
        match authenticator {
            Authenticator::Sasl(_) => check_prefix,
            Authenticator::Plaintext | Authenticator::Named(_) => check_prefix_without_logins,
        },
    )
    .with_words(broker.zookeeper.is_some());
    if let Some(face) = &broker.zookeeper {
        face.connected(client.connection_id, peer);
    }
    let timings = RequestTimings::new(broker.request_metrics.clone());
    let mut connection = Connection {
        broker,
        client,
        transport,
        frames,
        outbox: Outbox::default(),
        pending: VecDeque::new(),
        timings,
        network_time: ThreadTime::default(),
        counted_for: None,
        logged_in: None,
        muted_until: None,
        seat,
    };
    let mut ended = match connection.admit(&authenticator, &mut stopping).await {
        Ok(()) => connection.run(&mut stopping).await,
        Err(ended) => ended,
    };
    if let Ended::Frame(FrameError::Word(word)) = ended {
        ended = connection.answer_word(word).await;
    }
    log_end(peer, &ended, &connection.seat);
}

/// As [`check_prefix`], where nobody logs in: a token there is as long as one could be at a
/// listener of default settings (sasl.server.max.receive.size).
fn check_prefix_without_logins(frame_bytes: usize, prefix: &[u8]) -> Result<Prefix, String> {
    if frame_bytes > TOKEN_BYTES_MAX && is_of(ApiKey::SaslAuthenticate, prefix) {
        return Err(format!("SaslAuthenticate of {frame_bytes} bytes where nobody logs in"));
    }
    check_prefix(frame_bytes, prefix)
}

/// Looks at the beginning of a large frame; `frame_bytes` is what the whole of it has.
fn check_prefix(frame_bytes: usize, prefix: &[u8]) -> Result<Prefix, String> {
    let of_one_token = [ApiKey::RenewDelegationToken, ApiKey::ExpireDelegationToken];
    if frame_bytes > TOKEN_BYTES_MAX && of_one_token.into_iter().any(|api| is_of(api, prefix)) {
        return Err(format!("{frame_bytes} bytes about one delegation token"));
    }
    match shape::check_prefix(frame_bytes, prefix, DECODED_BUDGET) {
        Ok(Verdict::NeedMore) => Ok(Prefix::NeedsMore),
        Ok(Verdict::Fits) => Ok(Prefix::IsWhole),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Whether a frame begins with this API's key.
fn is_of(api: ApiKey, prefix: &[u8]) -> bool {
    prefix.starts_with(&(api as i16).to_be_bytes())
}

/// What is kept for a connection is forgotten with it, also when a handler panics: a heartbeat's
/// entry that stayed would keep its broker from ever being found gone.
struct Closing {
    broker: Arc<Broker>,
    client: Arc<Client>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(face) = &self.broker.zookeeper {
            face.disconnected(self.client.connection_id);
        }
        self.broker.connection_closed(&self.client);
    }
}

impl Connection {
    /// Has the client log in where its listener asks for it.
    async fn admit(
        &mut self,
        authenticator: &Authenticator,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<(), Ended> {
        let Authenticator::Sasl(listener) = authenticator else { return Ok(()) };
        let (broker, client) = (Arc::clone(&self.broker), Arc::clone(&self.client));
        let logged_in = authentication::log_in(self, &broker, &client, listener, stopping).await?;
        let principal = Authenticator::user(logged_in.user());
        self.client = Arc::new(self.client.known_as(principal, logged_in.is_by_token()));
        self.logged_in = Some(logged_in);
        Ok(())
    }

    /// What stands between a frame and its being served: whether its sender may still ask.
    async fn check_session(
        &mut self,
        frame: Frame,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<Option<Frame>, Ended> {
        let Some(logged_in) = &mut self.logged_in else { return Ok(Some(frame)) };
        match logged_in.judge(&frame.bytes) {
            Judged::Request => Ok(Some(frame)),
            Judged::Expired => Err(Ended::Expired),
            Judged::Again(before) => {
                self.settle().await?;
                let (broker, client) = (Arc::clone(&self.broker), Arc::clone(&self.client));
                let authenticator = Authenticator::of(&broker.config.current(), &client.listener);
                let Some(Authenticator::Sasl(listener)) = authenticator else {
                    return Err(Ended::Expired);
                };
                let again = authentication::Again { before, handshake: frame.bytes };
                let logged_in = authentication::log_in_again(
                    self, &broker, &client, &listener, again, stopping,
                );
                let logged_in = logged_in.await?;
                if logged_in.is_by_token() != client.by_token {
                    let principal = Arc::clone(&client.principal);
                    self.client = Arc::new(client.known_as(principal, logged_in.is_by_token()));
                }
                self.logged_in = Some(logged_in);
                Ok(None)
            }
        }
    }

    async fn run(&mut self, stopping: &mut watch::Receiver<bool>) -> Ended {
        loop {
            let frame = match self.next_frame(stopping).await {
                Ok(frame) => frame,
                Err(ended) => {
                    // Requests that were whole are answered even if what follows them is not.
                    let _ = self.settle().await;
                    return ended;
                }
            };
            let served = match self.check_session(frame, stopping).await {
                Ok(Some(frame)) => self.serve_frame(frame).await,
                Ok(None) => Ok(()),
                Err(ended) => Err(ended),
            };
            if let Err(ended) = served {
                return ended;
            }
        }
    }

    /// Waits for a frame, writing in the meantime whatever replies become ready.
    async fn next_frame(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<Frame, Ended> {
        loop {
            self.move_ready()?;
            let muted_until = self.muted_until();
            if muted_until.is_none()
                && self.pending.len() < PENDING_MAX
                && self.outbox.queued_bytes() < GATHERED_BYTES_MAX
                && let Some(frame) = self.frames.buffered()?
            {
                return Ok(frame);
            }
            self.flush().await?;
            let may_read = muted_until.is_none() && self.pending.len() < PENDING_MAX;
            let counts = self.broker.policies.quotas.counts_time();
            let network_time = counts.then_some(&self.network_time);
            tokio::select! {
                biased;
                frame = counted(network_time, self.frames.next(&mut self.transport)),
                    if may_read =>
                {
                    self.seat.touch();
                    self.timings.read();
                    return Ok(frame?);
                }
                reply = first_pending(&mut self.pending), if !self.pending.is_empty() => {
                    self.pending.pop_front();
                    self.queue(reply)?;
                }
                () = until(muted_until), if muted_until.is_some() => {}
                () = self.seat.expired() => return Err(Ended::Idle),
                _ = stopping.wait_for(|stop| *stop) => return Err(Ended::Stopping),
            }
        }
    }

    async fn serve_frame(&mut self, frame: Frame) -> Result<(), Ended> {
        if let Some(face) = &self.broker.zookeeper {
            face.received(self.client.connection_id);
            if let Some(why) = zookeeper::refusal_of_client(&frame.bytes) {
                return Err(Ended::Refused(CloseConnection::Fault(why.to_owned())));
            }
        }
        self.timings.begin(&frame.bytes);
        self.note_who_asks(&frame.bytes);
        let begun = dispatch::begin(&self.broker, &self.client, frame.bytes.clone());
        // What is answered at once is worked on until then.
        if matches!(begun, Begun::Produce(Err(_)))
            || matches!(begun, Begun::Produce(Ok(_))) && !self.pending.is_empty()
        {
            self.timings.worked();
        }
        match begun {
            Begun::Produce(Ok(reply)) => {
                if self.pending.is_empty() {
                    self.queue(reply)?;
                } else {
                    self.pending.push_back(Pending::Ready(reply));
                }
            }
            Begun::Produce(Err(later)) => self.pending.push_back(Pending::Waiting(later)),
            Begun::Overtaken(reply) => {
                if !self.pending.is_empty() {
                    self.settle().await?;
                }
                self.pending.push_back(Pending::Waiting(reply));
                let reply = tokio::select! {
                    biased;
                    reply = first_pending(&mut self.pending) => Some(reply),
                    () = std::future::ready(()) => None,
                };
                self.timings.worked();
                if let Some(reply) = reply {
                    self.pending.pop_front();
                    self.queue(reply)?;
                }
            }
            Begun::Other(mut reply) => {
                // A request other than Produce starts when everything before it is answered.
                if !self.pending.is_empty() {
                    self.settle().await?;
                }
                let reply = tokio::select! {
                    biased;
                    reply = &mut reply => reply,
                    () = std::future::ready(()) => {
                        self.timings.worked();
                        self.flush().await?;
                        waited_for(reply, &mut self.transport, &self.client).await
                    }
                };
                self.queue(reply)?;
            }
        }
        frame.recycle(&self.broker.buffers);
        Ok(())
    }

    /// Who is told of time on the network from here on.
    fn note_who_asks(&mut self, frame: &Bytes) {
        if !self.broker.policies.quotas.counts_time() {
            return;
        }
        let header = RequestHeader::parse(&mut frame.clone()).ok();
        let counts = header.filter(|header| !throttle::is_exempt(header.api.key));
        self.counted_for = counts.map(|header| header.client_id);
    }

    /// Reading and writing count for who asked last. Kafka: `recordNetworkThreadTimeCallback`.
    fn count_network_time(&self) {
        let took = self.network_time.take();
        if let Some(client_id) = &self.counted_for
            && !self.client.is_follower()
        {
            self.broker.policies.quotas.note_time(&self.client, client_id, took);
        }
    }

    /// Until when the connection is muted, if it still is.
    fn muted_until(&mut self) -> Option<Instant> {
        self.muted_until = self.muted_until.filter(|until| *until > Instant::now());
        self.muted_until
    }

    /// Answers everything that waits, in order, and writes it.
    async fn settle(&mut self) -> Result<(), Ended> {
        while !self.pending.is_empty() {
            let reply = first_pending(&mut self.pending).await;
            self.pending.pop_front();
            self.queue(reply)?;
        }
        self.flush().await
    }

    /// Moves the replies at the head of the queue that are there already to the outbox.
    fn move_ready(&mut self) -> Result<(), Ended> {
        while let Some(Pending::Ready(reply)) =
            self.pending.pop_front_if(|first| matches!(first, Pending::Ready(_)))
        {
            self.queue(reply)?;
        }
        Ok(())
    }

    /// Answers a word of ZooKeeper's; nothing follows it.
    async fn answer_word(&mut self, word: [u8; 4]) -> Ended {
        let Some(face) = &self.broker.zookeeper else {
            return Ended::Frame(FrameError::Word(word));
        };
        let argument = match zookeeper::takes_argument(word) {
            true => self.frames.rest_of_line(&mut self.transport, ARGUMENT_WAIT).await,
            false => String::new(),
        };
        let Some(answer) = face.answer(
            word,
            &argument,
            &self.broker.config.current(),
            &self.broker.quorum,
            self.broker.metadata.cluster_id(),
        ) else {
            return Ended::Frame(FrameError::Word(word));
        };
        self.queue_own(Bytes::from(answer));
        match self.flush().await {
            Ok(()) => Ended::Answered,
            Err(ended) => ended,
        }
    }

    fn queue(&mut self, reply: Reply) -> Result<(), Ended> {
        if let Some(face) = &self.broker.zookeeper {
            face.sent(self.client.connection_id);
        }
        let throttle = match &reply {
            Reply::Throttled(_, mute) => *mute,
            _ => Duration::ZERO,
        };
        self.timings.answered(throttle);
        self.queue_answer(reply)
    }

    fn queue_answer(&mut self, reply: Reply) -> Result<(), Ended> {
        match reply {
            Reply::Frame(frame) => {
                self.queue_own(frame);
                Ok(())
            }
            Reply::Segments(segments) => {
                for segment in segments {
                    match segment {
                        Segment::Meta(fields) => self.queue_own(fields),
                        // Only the kernel touches mapped bytes.
                        Segment::Records(slices) => {
                            slices.into_iter().for_each(|slice| self.outbox.push_mapped(slice));
                        }
                    }
                }
                Ok(())
            }
            Reply::Nothing => Ok(()),
            Reply::Throttled(answer, mute) => {
                self.muted_until = self.muted_until.max(Some(Instant::now() + mute));
                self.queue_answer(*answer)
            }
            Reply::Close(why) => Err(Ended::Refused(why)),
        }
    }

    /// Queues bytes of our own memory.
    fn queue_own(&mut self, bytes: Bytes) {
        if bytes.len() <= COPIED_BYTES_MAX {
            self.outbox.push_small(&bytes);
        } else {
            self.outbox.push(bytes);
        }
    }

    async fn flush(&mut self) -> Result<(), Ended> {
        if self.outbox.queued_bytes() > 0 {
            let counts = self.broker.policies.quotas.counts_time();
            let network_time = counts.then_some(&self.network_time);
            counted(network_time, self.outbox.flush(&mut self.transport)).await?;
            self.seat.touch();
            if counts {
                self.count_network_time();
            }
        }
        self.timings.written(&self.client);
        Ok(())
    }
}

impl Channel for Connection {
    fn limit(&mut self, frame_bytes_max: usize) {
        self.frames.limit(frame_bytes_max);
    }

    async fn receive(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<Bytes, Ended> {
        Ok(self.next_frame(stopping).await?.bytes)
    }

    async fn send(&mut self, reply: Reply) -> Result<(), Ended> {
        self.queue(reply)?;
        self.flush().await
    }
}

/// Waits for a reply. A peer that sends on meanwhile has it hurried.
///
/// Unlike Kafka: so a follower with more to follow need not wait (docs/decisions/0121).
async fn waited_for(mut reply: Later, transport: &mut TransportLayer, client: &Client) -> Reply {
    tokio::select! {
        biased;
        reply = &mut reply => reply,
        () = transport.more_arrived() => {
            client.hurries.notify_one();
            reply.await
        }
    }
}

/// What becomes of a task, its time on a thread counted where it counts.
async fn counted<Task: Future>(time: Option<&ThreadTime>, task: Task) -> Task::Output {
    match time {
        Some(time) => time.of(task).await,
        None => task.await,
    }
}

/// Resolves at `instant`.
async fn until(instant: Option<Instant>) {
    if let Some(instant) = instant {
        tokio::time::sleep_until(instant).await;
    }
}

/// The reply at the head of the queue, which stays there: dropping this future loses nothing.
async fn first_pending(pending: &mut VecDeque<Pending>) -> Reply {
    let Some(first) = pending.front_mut() else { return std::future::pending().await };
    if let Pending::Waiting(later) = first {
        let reply = later.await;
        *first = Pending::Ready(reply);
    }
    match std::mem::replace(first, Pending::Ready(Reply::Nothing)) {
        Pending::Ready(reply) => reply,
        Pending::Waiting(later) => later.await,
    }
}

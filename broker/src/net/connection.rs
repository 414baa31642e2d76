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
//! (docs/decisions/0340). Replies to requests that were read together are written together.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::mem::Discriminant;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::fetch::Segment;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::frames::{Frame, FrameError, FrameReader};
use super::outbox::Outbox;
use super::registry::Seat;
use crate::broker::Broker;
use crate::requests::context::Client;
use crate::requests::dispatch::{self, Begun, CloseConnection};
use crate::zookeeper;

/// Most Produce requests of one connection that wait for acknowledgements.
const PENDING_MAX: usize = 64;
/// Replies are gathered up to this many bytes while further requests are at hand.
const GATHERED_BYTES_MAX: usize = 256 * 1024;
/// How long a word's argument may take to arrive.
const ARGUMENT_WAIT: Duration = Duration::from_secs(1);
/// Replies up to this size are copied together, larger ones keep their own slice.
const COPIED_BYTES_MAX: usize = 1024;

/// What a request comes to.
#[derive(Debug)]
pub(crate) enum Reply {
    /// A whole frame, length included.
    Frame(Bytes),
    /// A whole frame in pieces; records among them are slices of mapped files.
    Segments(Vec<Segment>),
    /// acks=0: the client expects none.
    Nothing,
    /// The connection ends.
    Close(CloseConnection),
}

impl Reply {
    /// The connection ends for this reason, which is the request's or the answer's.
    pub(crate) fn fault(why: impl Into<String>) -> Self {
        Self::Close(CloseConnection::Fault(why.into()))
    }
}

/// A reply that is not there yet.
pub(crate) type Later = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// A reply's place in the order.
enum Pending {
    Ready(Reply),
    Waiting(Later),
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Refused(CloseConnection),
    #[error("idle for longer than connections.max.idle.ms")]
    Idle,
    #[error("the broker is shutting down")]
    Stopping,
    #[error("a word was answered")]
    Answered,
}

/// A kind of fault that ends a connection, as far as lines of one kind are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    Frame(Discriminant<FrameError>),
    Refused,
}

struct Connection {
    broker: Arc<Broker>,
    client: Arc<Client>,
    stream: TcpStream,
    frames: FrameReader,
    outbox: Outbox,
    pending: VecDeque<Pending>,
    seat: Seat,
}

/// Serves a connection until it ends, one way or another.
pub(crate) async fn serve(
    broker: Arc<Broker>,
    stream: TcpStream,
    peer: SocketAddr,
    listener: Arc<str>,
    seat: Seat,
    mut stopping: watch::Receiver<bool>,
) {
    let client = Arc::new(Client::new(listener, peer, seat.id()));
    let _closing = Closing { broker: Arc::clone(&broker), client: Arc::clone(&client) };
    let frames = FrameReader::new(
        broker.frame_bytes_max(),
        Arc::clone(broker.buffers()),
        dispatch::check_prefix,
    )
    .with_words(broker.parts.zookeeper.is_some());
    if let Some(face) = &broker.parts.zookeeper {
        face.connected(client.connection_id, peer);
    }
    let mut connection = Connection {
        broker,
        client,
        stream,
        frames,
        outbox: Outbox::default(),
        pending: VecDeque::new(),
        seat,
    };
    let mut ended = connection.run(&mut stopping).await;
    if let Ended::Frame(FrameError::Word(word)) = ended {
        ended = connection.answer_word(word).await;
    }
    log_end(peer, &ended, &connection.seat);
}

/// What is kept for a connection is forgotten with it, also when a handler panics: a heartbeat's
/// entry that stayed would keep its broker from ever being found gone.
struct Closing {
    broker: Arc<Broker>,
    client: Arc<Client>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        if let Some(face) = &self.broker.parts.zookeeper {
            face.disconnected(self.client.connection_id);
        }
        self.broker.connection_closed(&self.client);
    }
}

/// One line where somebody may want to know; peers come and go without one.
fn log_end(peer: SocketAddr, ended: &Ended, seat: &Seat) {
    match ended {
        Ended::Frame(FrameError::Closed(_) | FrameError::Io(_))
        | Ended::Refused(CloseConnection::NotServing(_))
        | Ended::Io(_)
        | Ended::Stopping
        | Ended::Answered => {
            tracing::debug!(
                target: "kafka.network.Processor",
                "Connection with {peer} disconnected: {ended}",
            );
        }
        Ended::Idle => {
            tracing::debug!(
                target: "kafka.network.Processor",
                "Closing connection from {peer}: {ended}",
            );
        }
        Ended::Frame(_) | Ended::Refused(_) => {
            let fault = match ended {
                Ended::Frame(error) => Fault::Frame(std::mem::discriminant(error)),
                _ => Fault::Refused,
            };
            let Some(unsaid) = seat.complain(fault) else { return };
            let before = match unsaid {
                0 => String::new(),
                count => format!(" ({count} more like it from {} before)", peer.ip()),
            };
            tracing::warn!(
                target: "kafka.network.Processor",
                "Closing socket for {peer} because of error: {ended}{before}",
            );
        }
    }
}

impl Connection {
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
            if let Err(ended) = self.serve_frame(frame).await {
                return ended;
            }
        }
    }

    /// Waits for a frame, writing in the meantime whatever replies become ready.
    async fn next_frame(&mut self, stopping: &mut watch::Receiver<bool>) -> Result<Frame, Ended> {
        loop {
            self.move_ready()?;
            if self.pending.len() < PENDING_MAX
                && self.outbox.queued_bytes() < GATHERED_BYTES_MAX
                && let Some(frame) = self.frames.buffered()?
            {
                return Ok(frame);
            }
            self.flush().await?;
            let may_read = self.pending.len() < PENDING_MAX;
            tokio::select! {
                biased;
                frame = self.frames.next(&self.stream), if may_read => {
                    self.seat.touch();
                    return Ok(frame?);
                }
                reply = first_pending(&mut self.pending), if !self.pending.is_empty() => {
                    self.pending.pop_front();
                    self.queue(reply)?;
                }
                () = self.seat.expired() => return Err(Ended::Idle),
                _ = stopping.wait_for(|stop| *stop) => return Err(Ended::Stopping),
            }
        }
    }

    async fn serve_frame(&mut self, frame: Frame) -> Result<(), Ended> {
        if let Some(face) = &self.broker.parts.zookeeper {
            face.received(self.client.connection_id);
            if let Some(why) = zookeeper::refusal_of_client(&frame.bytes) {
                return Err(Ended::Refused(CloseConnection::Fault(why.to_owned())));
            }
        }
        match dispatch::begin(&self.broker, &self.client, frame.bytes.clone()) {
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
                        self.flush().await?;
                        waited_for(reply, &self.stream, &self.client).await
                    }
                };
                self.queue(reply)?;
            }
        }
        frame.recycle(self.broker.buffers());
        Ok(())
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
        let Some(face) = &self.broker.parts.zookeeper else {
            return Ended::Frame(FrameError::Word(word));
        };
        let argument = match zookeeper::takes_argument(word) {
            true => self.frames.rest_of_line(&self.stream, ARGUMENT_WAIT).await,
            false => String::new(),
        };
        let Some(answer) = face.answer(word, &argument, &self.broker) else {
            return Ended::Frame(FrameError::Word(word));
        };
        self.queue_own(Bytes::from(answer));
        match self.flush().await {
            Ok(()) => Ended::Answered,
            Err(ended) => ended,
        }
    }

    fn queue(&mut self, reply: Reply) -> Result<(), Ended> {
        if let Some(face) = &self.broker.parts.zookeeper {
            face.sent(self.client.connection_id);
        }
        match reply {
            Reply::Frame(frame) => {
                self.queue_own(frame);
                Ok(())
            }
            Reply::Segments(segments) => {
                for segment in segments {
                    match segment {
                        Segment::Meta(fields) => self.queue_own(fields),
                        // Never copied here: only the kernel touches mapped bytes.
                        Segment::Records(slices) => {
                            slices.into_iter().for_each(|slice| self.outbox.push(slice));
                        }
                    }
                }
                Ok(())
            }
            Reply::Nothing => Ok(()),
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
            self.outbox.flush(&self.stream).await?;
            self.seat.touch();
        }
        Ok(())
    }
}

/// Waits for a reply. A peer that sends on meanwhile has it hurried.
///
/// Unlike Kafka: so a follower with more to follow need not wait (docs/decisions/0121).
async fn waited_for(mut reply: Later, stream: &TcpStream, client: &Client) -> Reply {
    let mut next = [0];
    tokio::select! {
        biased;
        reply = &mut reply => reply,
        _ = stream.peek(&mut next) => {
            client.hurries.notify_one();
            reply.await
        }
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

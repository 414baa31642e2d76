//! One fetcher: a connection to one leader, by which its share of the partitions is fetched.
//!
//! A fetch waits at the leader until there is something; one partition's failure stops no other.
//! When there is more to follow while a fetch waits, another one is sent behind it: a leader of
//! ours then answers the first at once, and Kafka's as soon as it would have anyway.
//! Answers to `ReplicaFetcherThread` and `RemoteLeaderEndPoint`.

use std::collections::{HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use config::BrokerConfig;
use protocol::messages::FetchResponse;
use tokio::sync::mpsc;

use super::plan::{Ask, Key, Plan, Wish};
use super::requests::{self, Terms};
use crate::broker::Broker;
use crate::metadata::suspects::Contact;
use crate::replication::partitions::HostedPartition;
use client::{Address, Pace, Peer, PeerError, PeerSettings};

/// Fetches under way: one that waits, and one that hurries it.
const IN_FLIGHT_MAX: usize = 2;
/// Versions with topic ids.
const VERSIONS: std::ops::RangeInclusive<i16> = 13..=18;
/// How often a partition that a throttle holds back is looked at.
const THROTTLED_PAUSE_MS: i64 = 100;

/// What a fetcher is told.
#[derive(Debug)]
pub(super) enum Order {
    Follow(Arc<HostedPartition>),
    Forget(Key),
    /// The leader may be there again.
    Retry,
}

pub(super) type Answer = Result<FetchResponse, PeerError>;

/// A fetch under way.
pub(super) struct InFlight {
    number: u64,
    session_epoch: i32,
    request: Pin<Box<dyn Future<Output = Answer> + Send>>,
    answer: Option<Answer>,
}

pub(super) struct Fetcher {
    pub(super) broker: Arc<Broker>,
    pub(super) leader: i32,
    /// For log lines, as Kafka's.
    pub(super) prefix: String,
    pub(super) peer: Arc<Peer>,
    /// When the leader last answered.
    pub(super) contact: Contact,
    orders: mpsc::UnboundedReceiver<Order>,
    pub(super) plan: Plan<Arc<HostedPartition>>,
    pub(super) in_flight: VecDeque<InFlight>,
    /// Throttled partitions that have all that their leader has committed.
    pub(super) caught_up: HashSet<Key>,
    begun: Instant,
    /// Connections that failed in a row, and until when no other is made.
    pub(super) failures: u32,
    pub(super) paused_until_ms: i64,
}

impl Fetcher {
    pub(super) fn new(
        broker: Arc<Broker>,
        leader: i32,
        index: i32,
        address: Address,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        let node_id = broker.node_id();
        let prefix =
            format!("[ReplicaFetcher replicaId={node_id}, leaderId={leader}, fetcherId={index}] ");
        let client_id = format!("broker-{node_id}-fetcher-{index}");
        // A fetcher of Kafka tries again after replica.fetch.backoff.ms, without doubling.
        let pause = u64::try_from(broker.config().replica_fetch_backoff_ms).unwrap_or(0);
        let pause = Duration::from_millis(pause);
        let settings = PeerSettings {
            pace: Pace { first: pause, most: pause },
            ..PeerSettings::new(client_id, prefix.as_str()).of_node(leader)
        };
        let peer = Peer::new(address, settings);
        let contact = broker.parts.suspects.contact(leader, peer.liveness());
        Self {
            broker,
            leader,
            prefix,
            peer: Arc::new(peer),
            contact,
            orders,
            plan: Plan::new(),
            in_flight: VecDeque::new(),
            caught_up: HashSet::new(),
            begun: Instant::now(),
            failures: 0,
            paused_until_ms: 0,
        }
    }

    /// Fetches until nobody gives orders any more.
    pub(super) async fn run(mut self) {
        loop {
            loop {
                match self.orders.try_recv() {
                    Ok(order) => self.take(order),
                    Err(mpsc::error::TryRecvError::Empty) => break,
                    Err(mpsc::error::TryRecvError::Disconnected) => return,
                }
            }
            self.send();
            let due = self.until_due();
            let order = tokio::select! {
                biased;
                answered = first_answer(&mut self.in_flight), if !self.in_flight.is_empty() => {
                    self.answered(answered).await;
                    None
                }
                order = self.orders.recv() => match order {
                    Some(order) => Some(order),
                    None => return,
                },
                () = sleep(due) => None,
            };
            if let Some(order) = order {
                self.take(order);
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Follow(partition) => {
                let key = (partition.topic_id(), partition.partition());
                self.plan.follow(key, partition);
            }
            Order::Forget(key) => {
                self.caught_up.remove(&key);
                self.plan.forget(key);
            }
            Order::Retry => {
                self.failures = 0;
                self.paused_until_ms = 0;
                let all: Vec<_> = self.plan.replicas().cloned().collect();
                for partition in all {
                    let key = (partition.topic_id(), partition.partition());
                    self.plan.follow(key, partition);
                }
            }
        }
    }

    /// Sends a fetch if none is under way, or if the one that is knows nothing of what is new.
    fn send(&mut self) {
        let now_ms = self.now_ms();
        self.plan.pass_time(now_ms);
        let hurries = self.in_flight.len() < IN_FLIGHT_MAX && self.plan.has_news();
        if !(self.in_flight.is_empty() || hurries) || now_ms < self.paused_until_ms {
            return;
        }
        let quota = &self.broker.parts.quotas.follower;
        let exceeded = quota.is_exceeded();
        let caught_up = &self.caught_up;
        let wish = |key: &Key, partition: &Arc<HostedPartition>| {
            let Some(position) = partition.fetch_position() else { return Wish::Never };
            let throttled = exceeded && partition.is_throttled_as_follower();
            // A replica that keeps up is never held back.
            if throttled && !caught_up.contains(key) {
                return Wish::Later(THROTTLED_PAUSE_MS);
            }
            Wish::Fetch(position)
        };
        if let Some(ask) = self.plan.ask(now_ms, wish) {
            let request = self.request(ask);
            self.in_flight.push_back(request);
        }
    }

    fn request(&self, ask: Ask) -> InFlight {
        let config = self.broker.config();
        let terms = Terms {
            replica_id: config.node_id,
            broker_epoch: self.broker.quorum().broker_epoch(),
            max_wait_ms: config.replica_fetch_wait_max_ms,
            min_bytes: config.replica_fetch_min_bytes,
            max_bytes: config.replica_fetch_response_max_bytes,
            partition_max_bytes: config.replica_fetch_max_bytes,
        };
        let timeout = socket_timeout(&config);
        let (number, session_epoch) = (ask.number, ask.session_epoch);
        let peer = Arc::clone(&self.peer);
        let request = Box::pin(async move {
            let build = move |version| requests::fetch(ask, &terms, version);
            peer.request_with(VERSIONS, build, timeout).await
        });
        InFlight { number, session_epoch, request, answer: None }
    }

    pub(super) fn now_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// How long until a pause ends; `None` when there is none.
    fn until_due(&self) -> Option<Duration> {
        let now_ms = self.now_ms();
        let paused = (now_ms < self.paused_until_ms).then_some(self.paused_until_ms);
        let due_ms = paused.or_else(|| self.plan.next_due_ms())?;
        Some(Duration::from_millis((due_ms - now_ms).max(1).unsigned_abs()))
    }
}

/// Drives all of them, so that each is sent, and resolves with the first's answer.
async fn first_answer(in_flight: &mut VecDeque<InFlight>) -> (u64, i32, Answer) {
    std::future::poll_fn(|cx: &mut Context<'_>| {
        for fetch in in_flight.iter_mut().filter(|fetch| fetch.answer.is_none()) {
            if let Poll::Ready(answer) = fetch.request.as_mut().poll(cx) {
                fetch.answer = Some(answer);
            }
        }
        match in_flight.pop_front_if(|first| first.answer.is_some()) {
            Some(InFlight { number, session_epoch, answer: Some(answer), .. }) => {
                Poll::Ready((number, session_epoch, answer))
            }
            _ => Poll::Pending,
        }
    })
    .await
}

pub(super) fn socket_timeout(config: &BrokerConfig) -> Duration {
    Duration::from_millis(u64::try_from(config.replica_socket_timeout_ms).unwrap_or(0))
}

async fn sleep(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due).await,
        None => std::future::pending().await,
    }
}

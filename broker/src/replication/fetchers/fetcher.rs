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
use std::time::Duration;

use config::BrokerConfig;
use protocol::messages::FetchResponse;
use replica::{FetchAsk, FetchPlan, NextFetch};
use tokio::sync::mpsc;

use super::assignment::Key;
use super::requests::{self, Terms};
use crate::clock::monotonic_ms;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::quorum::QuorumHandle;
use crate::metadata::suspects::Contact;
use crate::partitions::HostedPartition;
use crate::replication::replica_manager::ReplicaManager;
use client::{Address, Pace, Peer, PeerError, PeerSettings};

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
    request: Pin<Box<dyn Future<Output = Answer> + Send>>,
    answer: Option<Answer>,
}

/// What all fetchers of a broker share.
#[derive(Debug)]
pub(super) struct FetcherContext {
    pub(super) config: Arc<DynamicBrokerConfig>,
    pub(super) quorum: Arc<QuorumHandle>,
    pub(super) replicas: Arc<ReplicaManager>,
}

pub(super) struct Fetcher {
    pub(super) context: Arc<FetcherContext>,
    pub(super) leader: i32,
    /// For log lines, as Kafka's.
    pub(super) prefix: String,
    pub(super) peer: Arc<Peer>,
    /// When the leader last answered.
    pub(super) contact: Contact,
    orders: mpsc::UnboundedReceiver<Order>,
    pub(super) plan: FetchPlan<Key, Arc<HostedPartition>>,
    pub(super) in_flight: VecDeque<InFlight>,
    /// Throttled partitions that have all that their leader has committed.
    pub(super) caught_up: HashSet<Key>,
}

impl Fetcher {
    pub(super) fn new(
        context: Arc<FetcherContext>,
        leader: i32,
        index: i32,
        address: Address,
        orders: mpsc::UnboundedReceiver<Order>,
    ) -> Self {
        let node_id = context.config.node_id();
        let prefix =
            format!("[ReplicaFetcher replicaId={node_id}, leaderId={leader}, fetcherId={index}] ");
        let client_id = format!("broker-{node_id}-fetcher-{index}");
        // A fetcher of Kafka tries again after replica.fetch.backoff.ms, without doubling.
        let pause = u64::try_from(context.config.current().replica_fetch_backoff_ms).unwrap_or(0);
        let pause = Duration::from_millis(pause);
        let login = context.config.current().sasl.inter_broker.clone();
        let settings = PeerSettings {
            login,
            pace: Pace { first: pause, most: pause },
            ..PeerSettings::new(client_id, prefix.as_str()).of_node(leader)
        };
        let peer = Peer::new(address, settings);
        let contact = context.replicas.metadata.suspects().contact(leader, peer.liveness());
        Self {
            context,
            leader,
            prefix,
            peer: Arc::new(peer),
            contact,
            orders,
            plan: FetchPlan::new(),
            in_flight: VecDeque::new(),
            caught_up: HashSet::new(),
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
            Order::Retry => self.plan.retry(),
        }
    }

    /// Sends a fetch if there is one to be sent now.
    fn send(&mut self) {
        let quota = &self.context.replicas.quotas.follower;
        let exceeded = quota.is_exceeded();
        let caught_up = &self.caught_up;
        let next_fetch = |key: &Key, partition: &Arc<HostedPartition>| {
            let Some(position) = partition.fetch_position() else { return NextFetch::Never };
            let throttled = exceeded && partition.is_throttled_as_follower();
            // A replica that keeps up is never held back.
            if throttled && !caught_up.contains(key) {
                return NextFetch::Later(THROTTLED_PAUSE_MS);
            }
            NextFetch::Fetch(position)
        };
        if let Some(ask) = self.plan.ask(monotonic_ms(), next_fetch) {
            let request = self.request(ask);
            self.in_flight.push_back(request);
        }
    }

    fn request(&self, ask: FetchAsk<Key>) -> InFlight {
        let config = self.context.config.current();
        let terms = Terms {
            replica_id: config.node_id,
            broker_epoch: self.context.quorum.broker_epoch(),
            max_wait_ms: config.replica_fetch_wait_max_ms,
            min_bytes: config.replica_fetch_min_bytes,
            max_bytes: config.replica_fetch_response_max_bytes,
            partition_max_bytes: config.replica_fetch_max_bytes,
        };
        let timeout = socket_timeout(&config);
        let number = ask.number;
        let peer = Arc::clone(&self.peer);
        let request = Box::pin(async move {
            let build = move |version| requests::fetch(ask, &terms, version);
            peer.request_with(VERSIONS, build, timeout).await
        });
        InFlight { number, request, answer: None }
    }

    /// How long until a pause ends; `None` when there is none.
    fn until_due(&self) -> Option<Duration> {
        let now_ms = monotonic_ms();
        let due_ms = self.plan.next_due_ms(now_ms)?;
        Some(Duration::from_millis((due_ms - now_ms).max(1).unsigned_abs()))
    }
}

/// Drives all of them, so that each is sent, and resolves with the first's answer.
async fn first_answer(in_flight: &mut VecDeque<InFlight>) -> (u64, Answer) {
    std::future::poll_fn(|cx: &mut Context<'_>| {
        for fetch in in_flight.iter_mut().filter(|fetch| fetch.answer.is_none()) {
            if let Poll::Ready(answer) = fetch.request.as_mut().poll(cx) {
                fetch.answer = Some(answer);
            }
        }
        match in_flight.pop_front_if(|first| first.answer.is_some()) {
            Some(InFlight { number, answer: Some(answer), .. }) => Poll::Ready((number, answer)),
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

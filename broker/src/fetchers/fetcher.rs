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
use protocol::ErrorCode;
use protocol::messages::FetchResponse;
use protocol::messages::fetch_response::PartitionData;
use replica::{Diverging, FetchPosition, Fetched, Replicated};
use storage::AppendError;
use tokio::sync::mpsc;

use super::leader_offsets::{self, Asked};
use super::plan::{Ask, Key, Plan, Wish, pause_ms};
use super::requests::{self, Terms};
use crate::broker::Broker;
use crate::fetch_session::NO_SESSION;
use crate::partitions::HostedPartition;
use crate::peer::{Address, Peer, PeerError, PeerSettings};

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

type Answer = Result<FetchResponse, PeerError>;

/// A fetch under way.
struct InFlight {
    number: u64,
    session_epoch: i32,
    request: Pin<Box<dyn Future<Output = Answer> + Send>>,
    answer: Option<Answer>,
}

pub(super) struct Fetcher {
    broker: Arc<Broker>,
    leader: i32,
    /// For log lines, as Kafka's.
    prefix: String,
    peer: Arc<Peer>,
    orders: mpsc::UnboundedReceiver<Order>,
    plan: Plan<Arc<HostedPartition>>,
    in_flight: VecDeque<InFlight>,
    /// Throttled partitions that have all that their leader has committed.
    caught_up: HashSet<Key>,
    begun: Instant,
    /// Connections that failed in a row, and until when no other is made.
    failures: u32,
    paused_until_ms: i64,
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
        let peer = Peer::new(address, PeerSettings::new(client_id, prefix.as_str()));
        Self {
            broker,
            leader,
            prefix,
            peer: Arc::new(peer),
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

    fn now_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// How long until a pause ends; `None` when there is none.
    fn until_due(&self) -> Option<Duration> {
        let now_ms = self.now_ms();
        let paused = (now_ms < self.paused_until_ms).then_some(self.paused_until_ms);
        let due_ms = paused.or_else(|| self.plan.next_due_ms())?;
        Some(Duration::from_millis((due_ms - now_ms).max(1).unsigned_abs()))
    }

    async fn answered(&mut self, (number, session_epoch, answer): (u64, i32, Answer)) {
        let response = match answer {
            Ok(response) => response,
            Err(error) => return self.lost(&error),
        };
        self.failures = 0;
        match ErrorCode::try_from_code(response.error_code) {
            None => {}
            Some(code) => return self.session_failed(code),
        }
        self.plan.answered(session_epoch, response.session_id);
        let mut out_of_range = Vec::new();
        for topic in response.responses {
            for data in topic.partitions {
                let key = (topic.topic_id, data.partition_index);
                let Some((partition, position)) = self.plan.asked(&key, number) else { continue };
                let partition = Arc::clone(partition);
                if data.error_code == ErrorCode::OffsetOutOfRange.code() {
                    out_of_range.push((key, partition, position));
                } else {
                    self.replicate(key, &partition, &position, data);
                }
            }
        }
        if !out_of_range.is_empty() {
            self.find_range(out_of_range).await;
        }
    }

    /// The connection is gone; everything is asked for again on the next.
    fn lost(&mut self, error: &PeerError) {
        let pause_max_ms = self.pause_max_ms();
        if self.failures == 0 {
            tracing::info!(
                target: "kafka.server.ReplicaFetcherThread",
                "{}Error in response for fetch request: {error}", self.prefix,
            );
        }
        self.in_flight.clear();
        self.plan.begin_session(NO_SESSION);
        self.paused_until_ms = self.now_ms() + pause_ms(self.failures, pause_max_ms);
        self.failures = self.failures.saturating_add(1);
    }

    fn session_failed(&mut self, code: ErrorCode) {
        tracing::info!(
            target: "org.apache.kafka.clients.FetchSessionHandler",
            "{}Node {} was unable to process the fetch request: {code:?}.",
            self.prefix, self.leader,
        );
        // What is still under way belongs to that session, too.
        self.in_flight.clear();
        let ended = match code {
            ErrorCode::FetchSessionIdNotFound => NO_SESSION,
            _ => self.plan.session_id(),
        };
        self.plan.begin_session(ended);
        let sessions = [
            ErrorCode::FetchSessionIdNotFound,
            ErrorCode::InvalidFetchSessionEpoch,
            ErrorCode::FetchSessionTopicIdError,
        ];
        if !sessions.contains(&code) {
            self.paused_until_ms = self.now_ms() + pause_ms(self.failures, self.pause_max_ms());
            self.failures = self.failures.saturating_add(1);
        }
    }

    fn pause_max_ms(&self) -> i64 {
        i64::from(self.broker.config().replica_fetch_backoff_ms)
    }

    fn replicate(
        &mut self,
        key: Key,
        partition: &Arc<HostedPartition>,
        position: &FetchPosition,
        data: PartitionData,
    ) {
        if let Some(code) = ErrorCode::try_from_code(data.error_code) {
            return self.refused(key, partition, position, code);
        }
        let diverging = &data.diverging_epoch;
        let bytes = data.records.as_ref().map_or(0, bytes::Bytes::len);
        let done = if diverging.epoch >= 0 || diverging.end_offset >= 0 {
            let (epoch, end_offset) = (diverging.epoch, diverging.end_offset);
            partition.diverged(position, Diverging { epoch, end_offset })
        } else {
            let fetched = Fetched {
                records: data.records.unwrap_or_default(),
                high_watermark: data.high_watermark,
                log_start_offset: data.log_start_offset,
            };
            partition.append_from_leader(position, &fetched)
        };
        if partition.is_throttled_as_follower() {
            self.broker.parts.quotas.follower.record(bytes);
            if data.high_watermark <= partition.marks().log_end_offset() {
                self.caught_up.insert(key);
            } else {
                self.caught_up.remove(&key);
            }
        }
        self.settle(key, partition, position, done);
    }

    fn settle(
        &mut self,
        key: Key,
        partition: &Arc<HostedPartition>,
        position: &FetchPosition,
        done: Result<Replicated, AppendError>,
    ) {
        match done {
            Ok(Replicated::Outdated | Replicated::Nothing | Replicated::Appended) => {
                self.plan.moved(key);
            }
            Ok(Replicated::Truncated(offset) | Replicated::StartedAt(offset)) => {
                tracing::info!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Truncated partition {}-{} from {} to {offset} at leader epoch {}",
                    self.prefix, partition.topic(), partition.partition(), position.fetch_offset,
                    position.leader_epoch,
                );
                self.plan.moved(key);
            }
            Err(AppendError::Storage(error)) => {
                self.broker.note_storage_failure(&error);
                self.mark_failed(key, partition, &error);
            }
            // As in Kafka: broken on the way or in the leader's memory, it may be whole next time.
            Err(error @ (AppendError::Corrupt(_) | AppendError::InvalidBatch(_))) => {
                tracing::error!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Found invalid messages during fetch for partition {}-{} offset {}: {error}",
                    self.prefix, partition.topic(), partition.partition(), position.fetch_offset,
                );
                self.plan.failed(key, self.now_ms(), self.pause_max_ms());
            }
            Err(error) => self.mark_failed(key, partition, &error),
        }
    }

    fn mark_failed(
        &mut self,
        key: Key,
        partition: &HostedPartition,
        error: &dyn std::fmt::Display,
    ) {
        tracing::error!(
            target: "kafka.server.ReplicaFetcherThread",
            "{}Partition {}-{} marked as failed: {error}",
            self.prefix, partition.topic(), partition.partition(),
        );
        partition.halt();
        self.plan.moved(key);
    }

    fn refused(
        &mut self,
        key: Key,
        partition: &Arc<HostedPartition>,
        position: &FetchPosition,
        code: ErrorCode,
    ) {
        let name = || format!("{}-{}", partition.topic(), partition.partition());
        match code {
            ErrorCode::FencedLeaderEpoch => {
                tracing::info!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Partition {} has an older epoch ({}) than the current leader. Will await \
                     the new LeaderAndIsr state before resuming fetching.",
                    self.prefix, name(), position.leader_epoch,
                );
                partition.leader_fenced_us(position);
                self.plan.moved(key);
            }
            ErrorCode::UnknownLeaderEpoch
            | ErrorCode::NotLeaderOrFollower
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::InconsistentTopicId => {
                tracing::debug!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}The leader answered {code:?} for partition {}", self.prefix, name(),
                );
                self.plan.failed(key, self.now_ms(), self.pause_max_ms());
            }
            other => {
                tracing::error!(
                    target: "kafka.server.ReplicaFetcherThread",
                    "{}Error for partition {} at offset {}: {other:?}",
                    self.prefix, name(), position.fetch_offset,
                );
                self.plan.failed(key, self.now_ms(), self.pause_max_ms());
            }
        }
    }

    /// The leader has nothing at these positions: asks where its logs begin and end.
    async fn find_range(&mut self, out: Vec<(Key, Arc<HostedPartition>, FetchPosition)>) {
        let asked: Vec<Asked> = out
            .iter()
            .map(|(_, partition, position)| Asked {
                topic: partition.topic().to_string(),
                partition: partition.partition(),
                leader_epoch: position.leader_epoch,
            })
            .collect();
        let config = self.broker.config();
        let timeout = socket_timeout(&config);
        let ends = leader_offsets::ends(&self.peer, config.node_id, &asked, timeout).await;
        let ends = match ends {
            Ok(ends) => ends,
            Err(error) => return self.lost(&error),
        };
        for (key, partition, position) in out {
            let at = (partition.topic().to_string(), partition.partition());
            match ends.get(&at) {
                Some(Ok((start, end))) => {
                    let done = partition.out_of_range(&position, *start, *end);
                    self.settle(key, &partition, &position, done);
                }
                Some(Err(code)) => {
                    let code = ErrorCode::try_from_code(*code);
                    let code = code.unwrap_or(ErrorCode::UnknownServerError);
                    self.refused(key, &partition, &position, code);
                }
                None => self.plan.failed(key, self.now_ms(), self.pause_max_ms()),
            }
        }
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

fn socket_timeout(config: &BrokerConfig) -> Duration {
    Duration::from_millis(u64::try_from(config.replica_socket_timeout_ms).unwrap_or(0))
}

async fn sleep(due: Option<Duration>) {
    match due {
        Some(due) => tokio::time::sleep(due).await,
        None => std::future::pending().await,
    }
}

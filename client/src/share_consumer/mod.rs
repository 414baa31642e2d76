//! Reading records as a member of a share group (KIP-932): each record is given to one member,
//! which says of each what became of it.
//!
//! ```text
//! poll ─ upkeep: heartbeats, commits, fetches (tasks) ─▶ group coordinator, leaders
//!   ▲                                                          │
//!   └── Delivered ◀─ collect: records are in flight ◀── events of the tasks
//! acknowledge ─▶ in flight ─▶ with the next fetch, or alone by commit and close
//! ```
//! How to use it:
//! ```text
//! let mut consumer = ShareConsumer::new(addresses, settings, Box::new(|event| …))?;  // runtime
//! consumer.subscribe(vec!["t".to_owned()]);
//! loop {
//!     for delivered in consumer.poll(limit).await? {
//!         for one in delivered.records() { … }   // explicit: consumer.acknowledge(…)?
//!     }
//! }
//! consumer.close(limit).await;
//! ```
//! Only `poll`, `commit` and `close` move a share consumer: tasks ask and send what they heard, so
//! that a future of `poll` may be dropped at any time. `acknowledgements`, `session`, `delivered`
//! and `settings` decide and know no runtime. Answers to `ShareConsumerImpl` and
//! `ShareConsumeRequestManager`.
//!
//! Unlike Kafka: acknowledgements cannot renew the time that a record may take, and records are
//! acquired in whole batches; both need version 2 of ShareFetch.

mod acknowledgements;
mod delivered;
mod error;
mod in_flight;
mod leaders;
mod session;
mod settings;
mod tasks;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use uuid::Uuid;

pub use self::acknowledgements::AcknowledgeType;
use self::acknowledgements::ByPartition;
pub use self::delivered::{Delivered, DeliveredRecord};
pub use self::error::{AcknowledgeError, ShareConsumerError};
use self::in_flight::InFlight;
use self::leaders::{Kind, Leader};
pub use self::settings::{ShareConsumerSettings, ShareConsumerSettingsError};
use self::tasks::{Event, Fetched};
use crate::Address;
use crate::consumer::TopicPartition;
use crate::consumer::group::{ByTopicId, Group};
use crate::metadata::{Cluster, OnClusterEvent};

/// A partition of the topic of this id: one of the same name that is made later is another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct TopicIdPartition {
    topic_id: Uuid,
    partition: TopicPartition,
}

impl TopicIdPartition {
    fn new(topic_id: Uuid, topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic_id, partition: TopicPartition::new(topic, partition) }
    }
}

/// Acknowledgements that a leader took, or did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    pub partition: TopicPartition,
    pub offsets: Vec<i64>,
    pub error: Option<AcknowledgeError>,
}

/// How far the membership in the group has come.
enum Phase {
    Outside,
    Member(AbortHandle),
    /// The coordinator does not want it, and it does not ask again.
    Ended,
}

/// default.api.timeout.ms: so long an acknowledgement is tried again.
const API_TIMEOUT: Duration = Duration::from_secs(60);

/// A share consumer of one cluster.
pub struct ShareConsumer {
    settings: Arc<ShareConsumerSettings>,
    cluster: Cluster,
    group: Arc<Group>,
    topics: Vec<String>,
    phase: Phase,
    /// What the coordinator wants this consumer to read.
    target: ByTopicId,
    leaders: BTreeMap<i32, Leader>,
    /// Whether the application waits for records.
    is_hungry: bool,
    arrived: VecDeque<Result<Fetched, ShareConsumerError>>,
    in_flight: InFlight,
    /// What the tasks heard that the application has to be told.
    failure: Option<ShareConsumerError>,
    /// None where nobody wants to know.
    acknowledged: Option<Vec<Acknowledged>>,
    /// What became of what `commit` waits for.
    committed: Vec<(TopicPartition, Option<AcknowledgeError>)>,
    sender: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
    checked_view: u64,
    fetches: u64,
}

impl ShareConsumer {
    /// Must be called on the runtime that shall carry the connections.
    pub fn new(
        addresses: Vec<Address>,
        settings: ShareConsumerSettings,
        on_event: OnClusterEvent,
    ) -> Result<Self, ShareConsumerError> {
        let group_id = settings.consumer.group_id.clone().filter(|group| !group.is_empty());
        let group_id = group_id.ok_or(ShareConsumerError::NoGroup)?;
        let cluster = Cluster::new(addresses, settings.consumer.cluster.clone(), on_event);
        let of_group = Arc::new(settings.consumer.clone());
        let group = Arc::new(Group::new(cluster.clone(), of_group, group_id));
        // Bound: one event per task, of which each node and the group have one.
        let (sender, events) = mpsc::unbounded_channel();
        Ok(Self {
            settings: Arc::new(settings),
            cluster,
            group,
            topics: Vec::new(),
            phase: Phase::Outside,
            target: ByTopicId::new(),
            leaders: BTreeMap::new(),
            is_hungry: false,
            arrived: VecDeque::new(),
            in_flight: InFlight::default(),
            failure: None,
            acknowledged: None,
            committed: Vec::new(),
            sender,
            events,
            checked_view: 0,
            fetches: 0,
        })
    }

    /// Reads these topics as a member of the group.
    pub fn subscribe(&mut self, topics: Vec<String>) {
        topics.iter().for_each(|topic| self.cluster.add_topic(topic));
        self.topics.clone_from(&topics);
        self.group.state(|statement| statement.topics = topics);
    }

    /// From now on `acknowledged` tells what became of acknowledgements.
    pub fn tell_acknowledged(&mut self) {
        self.acknowledged.get_or_insert_default();
    }

    /// What became of acknowledgements since this was asked last.
    pub fn acknowledged(&mut self) -> Vec<Acknowledged> {
        self.acknowledged.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// How many fetches were answered.
    pub fn fetches(&self) -> u64 {
        self.fetches
    }

    /// The records that come next, or nothing when the time is up. What was handed out before is
    /// accepted where nobody has to say so.
    pub async fn poll(&mut self, limit: Duration) -> Result<Vec<Delivered>, ShareConsumerError> {
        let deadline = Instant::now().checked_add(limit);
        if self.topics.is_empty() {
            return Err(ShareConsumerError::NotSubscribed);
        }
        self.raise()?;
        self.settle();
        if !self.in_flight.is_acknowledged() {
            return Err(ShareConsumerError::Unacknowledged);
        }
        let acknowledged = self.in_flight.take();
        let found = self.collect();
        if !matches!(found, Ok(None)) {
            self.commit_later(acknowledged, Kind::Background);
            return found.map(Option::unwrap_or_default);
        }
        self.is_hungry = true;
        self.send_with_fetch(acknowledged);
        let mut changes = self.cluster.changes();
        loop {
            self.group.polled();
            self.upkeep()?;
            let far_away = Instant::now() + Duration::from_secs(3600);
            let wake = self.next_upkeep().unwrap_or(far_away).min(deadline.unwrap_or(far_away));
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => {
                    self.take(event);
                    self.raise()?;
                    if let Some(found) = self.collect()? {
                        return Ok(found);
                    }
                    // Gaps alone do not feed anybody.
                    self.is_hungry = true;
                }
                Ok(()) = changes.changed() => {}
                () = tokio::time::sleep_until(wake) => {
                    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    /// Says what became of a record that the last poll handed out.
    pub fn acknowledge(
        &mut self,
        partition: &TopicPartition,
        offset: i64,
        acknowledged: AcknowledgeType,
    ) -> Result<(), ShareConsumerError> {
        if !self.settings.is_explicit {
            return Err(ShareConsumerError::Implicit);
        }
        self.in_flight.acknowledge(partition, offset, acknowledged)
    }

    /// Sends acknowledgements, and waits until the leaders took them or the time is up.
    pub async fn commit(
        &mut self,
        limit: Duration,
    ) -> Vec<(TopicPartition, Option<AcknowledgeError>)> {
        self.settle();
        let acknowledged = self.in_flight.take();
        self.commit_later(acknowledged, Kind::AwaitedFor(limit));
        while self.leaders.values().any(Leader::is_awaited) {
            self.send_commits();
            self.wait().await;
        }
        std::mem::take(&mut self.committed)
    }

    /// Sends acknowledgements, and does not wait for what becomes of them.
    pub fn commit_in_background(&mut self) {
        self.settle();
        let acknowledged = self.in_flight.take();
        self.commit_later(acknowledged, Kind::Background);
        self.send_commits();
    }

    /// Sends the acknowledgements that there are, gives back everything else, and leaves the group;
    /// takes no longer than `limit`.
    pub async fn close(&mut self, limit: Duration) {
        let limit = limit.min(self.settings.consumer.cluster.request_timeout);
        if let Phase::Member(heartbeats) = &self.phase {
            heartbeats.abort();
        }
        let acknowledged = self.in_flight.take();
        self.send_with_fetch(acknowledged);
        for leader in self.leaders.values_mut() {
            leader.is_closing = true;
        }
        let group = Arc::clone(&self.group);
        let parting = async {
            while !self.leaders.is_empty() {
                self.send_commits();
                self.wait().await;
            }
            group.leave().await;
        };
        let _ = tokio::time::timeout(limit, parting).await;
        self.phase = Phase::Ended;
    }

    /// Waits for one event, or for what is due.
    async fn wait(&mut self) {
        let far_away = Instant::now() + Duration::from_secs(3600);
        let wake = self.next_upkeep().unwrap_or(far_away);
        if self.leaders.is_empty() {
            return;
        }
        tokio::select! {
            biased;
            Some(event) = self.events.recv() => self.take(event),
            () = tokio::time::sleep_until(wake) => {}
        }
    }

    /// Accepts what was handed out, where the application does not speak of records.
    fn settle(&mut self) {
        if !self.settings.is_explicit {
            self.in_flight.acknowledge_all(AcknowledgeType::Accept);
        }
    }

    fn raise(&mut self) -> Result<(), ShareConsumerError> {
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Acknowledgements of records that a leader gave wait for the next fetch from it.
    fn send_with_fetch(&mut self, acknowledged: BTreeMap<i32, ByPartition>) {
        for (node, acknowledged) in acknowledged {
            let leader = self.leaders.entry(node).or_default();
            acknowledgements::merge_all(&mut leader.waiting, acknowledged);
        }
    }

    /// Hands out what has arrived; nothing where no record has.
    fn collect(&mut self) -> Result<Option<Vec<Delivered>>, ShareConsumerError> {
        let most = self.settings.consumer.max_poll_records;
        let (mut found, mut count) = (Vec::new(), 0);
        while count < most {
            let Some(front) = self.arrived.pop_front() else { break };
            let mut fetched = match front {
                Ok(fetched) => fetched,
                Err(error) if found.is_empty() => return Err(error),
                Err(error) => {
                    self.arrived.push_front(Err(error));
                    break;
                }
            };
            let taken = fetched.arrived.take(most - count);
            let (node, partition) = (fetched.node, fetched.partition.clone());
            count += taken.offsets.len();
            let has_records = !taken.offsets.is_empty();
            self.in_flight.add(node, partition, taken.offsets, taken.acknowledged);
            if !fetched.arrived.is_empty() {
                self.arrived.push_front(Ok(fetched));
            }
            if has_records {
                found.push(taken.delivered);
            }
            if let Some(error) = taken.error {
                self.arrived.push_front(Err(error));
            }
        }
        if found.is_empty() {
            // Gaps alone: the leader shall know.
            let acknowledged = self.in_flight.take();
            self.commit_later(acknowledged, Kind::Background);
            return Ok(None);
        }
        Ok(Some(found))
    }
}

impl Drop for ShareConsumer {
    fn drop(&mut self) {
        if let Phase::Member(heartbeats) = &self.phase {
            heartbeats.abort();
        }
    }
}

//! Reading records: Kafka's consumer, alone or as a member of a group.
//!
//! ```text
//! poll ─ upkeep: join, commit, locate, fetch (tasks) ─▶ nodes
//!   ▲                                                     │
//!   └── Polled ◀─ take: positions move, records handed out ◀ events of the tasks
//! ```
//! How to use it:
//! ```text
//! let mut consumer = Consumer::new(addresses, settings, Box::new(|event| …));  // on a runtime
//! consumer.subscribe(Topics::Named(vec!["t".to_owned()]))?;
//! loop {
//!     if let Polled::Records(fetched) = consumer.poll(limit).await? { … }
//! }
//! consumer.close(limit).await;
//! ```
//! Only `poll` moves a consumer: tasks ask and send what they heard, and nothing of it counts
//! before `poll` takes it, so that its future may be dropped at any time. What `poll` handed out
//! is consumed once it is called again. A fetch for what follows is under way by then.
//! `partitions`, `fetch`, `fetched`, `aborted`, `assignor`, `settings` and `group::protocol` decide
//! and know no runtime. Answers to `ClassicKafkaConsumer` and
//! `AsyncKafkaConsumer`.

mod aborted;
mod assignor;
mod error;
mod fetch;
mod fetched;
pub(crate) mod group;
mod membership;
mod partitions;
mod reconcile;
mod settings;
mod tasks;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::Instant;

pub use self::assignor::Assignor;
pub use self::error::ConsumerError;
pub(crate) use self::fetch::millis;
pub use self::fetched::{Fetched, FetchedBatch, FetchedError, TopicPartition};
use self::group::{ByTopicId, Group};
use self::partitions::{Partitions, Place, Position};
pub use self::settings::{ConsumerSettings, ConsumerSettingsError, GroupProtocol, OffsetReset};
use self::tasks::Event;
use crate::Address;
use crate::metadata::{Cluster, OnClusterEvent};

/// Which topics a member of a group reads.
pub enum Topics {
    Named(Vec<String>),
    /// Those whose names fit.
    Matching(Box<dyn Fn(&str) -> bool + Send + Sync>),
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    Earliest,
    Latest,
    Offset(i64),
}

/// What a poll brought.
#[derive(Debug)]
pub enum Polled {
    Records(Vec<Fetched>),
    /// The group rebalances, and these partitions are not read for now.
    Revoked(Vec<TopicPartition>),
    /// This generation's partitions.
    Assigned(Vec<TopicPartition>),
    /// The time was up.
    Nothing,
}

/// What a consumer has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Fetches that were answered.
    pub fetches: u64,
    /// Generations that were joined.
    pub joins: u64,
}

/// How far the membership in a group has come.
enum Phase {
    /// No topics are subscribed to: partitions were assigned by hand, or none.
    Apart,
    Outside,
    Joining(AbortHandle),
    Member(AbortHandle),
}

/// A consumer of one cluster.
pub struct Consumer {
    settings: Arc<ConsumerSettings>,
    cluster: Cluster,
    group: Option<Arc<Group>>,
    topics: Option<Topics>,
    phase: Phase,
    /// The topics that were joined with.
    joined_topics: Vec<String>,
    /// As of the last assignment that this consumer made as its group's leader.
    counts: Option<BTreeMap<String, i32>>,
    partitions: Partitions,
    /// Positions of revoked partitions, which are committed before the next join.
    uncommitted: Vec<(TopicPartition, Position)>,
    sender: mpsc::UnboundedSender<Event>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Nodes that a fetch is under way to.
    fetching: HashSet<i32>,
    /// Nodes that are asked where logs begin or end.
    resetting: HashSet<i32>,
    is_locating: bool,
    is_committing: bool,
    began: Instant,
    last_commit: Instant,
    checked_view: u64,
    done: Counts,
    /// What the coordinator wants this consumer to read, until it does.
    target: Option<ByTopicId>,
    is_giving_up: bool,
}

impl Consumer {
    /// Must be called on the runtime that shall carry the connections.
    pub fn new(
        addresses: Vec<Address>,
        settings: ConsumerSettings,
        on_event: OnClusterEvent,
    ) -> Self {
        let cluster = Cluster::new(addresses, settings.cluster.clone(), on_event);
        let settings = Arc::new(settings);
        let group = settings
            .group_id
            .clone()
            .map(|id| Arc::new(Group::new(cluster.clone(), Arc::clone(&settings), id)));
        // Bound: one event per task, of which each node and the group have a few.
        let (sender, events) = mpsc::unbounded_channel();
        Self {
            settings,
            cluster,
            group,
            topics: None,
            phase: Phase::Apart,
            joined_topics: Vec::new(),
            counts: None,
            partitions: Partitions::default(),
            uncommitted: Vec::new(),
            sender,
            events,
            fetching: HashSet::new(),
            resetting: HashSet::new(),
            is_locating: false,
            is_committing: false,
            began: Instant::now(),
            last_commit: Instant::now(),
            checked_view: 0,
            done: Counts::default(),
            target: None,
            is_giving_up: false,
        }
    }

    /// Reads these topics as a member of the group.
    pub fn subscribe(&mut self, topics: Topics) -> Result<(), ConsumerError> {
        if self.settings.group_id.as_deref().is_none_or(str::is_empty) {
            return Err(ConsumerError::NoGroup);
        }
        match &topics {
            Topics::Named(names) => names.iter().for_each(|name| self.cluster.add_topic(name)),
            Topics::Matching(_) => self.cluster.want_all(),
        }
        self.topics = Some(topics);
        self.phase = Phase::Outside;
        Ok(())
    }

    /// Reads these partitions, whoever else does.
    pub fn assign(&mut self, partitions: Vec<(TopicPartition, Start)>) {
        partitions.iter().for_each(|(partition, _)| self.cluster.add_topic(&partition.topic));
        let names = partitions.iter().map(|(partition, _)| partition.clone()).collect();
        self.partitions.assign(names, Place::Reset(self.settings.offset_reset));
        for (partition, start) in partitions {
            self.seek(&partition, start);
        }
    }

    /// The next poll brings what stands here.
    pub fn seek(&mut self, partition: &TopicPartition, start: Start) {
        let place = match start {
            Start::Earliest => Place::Reset(OffsetReset::Earliest),
            Start::Latest => Place::Reset(OffsetReset::Latest),
            Start::Offset(offset) => Place::At(Position { offset, epoch: -1 }),
        };
        self.partitions.put(partition, place);
    }

    /// The partitions that are read now.
    pub fn assignment(&self) -> &[TopicPartition] {
        self.partitions.all()
    }

    pub fn counts(&self) -> Counts {
        self.done
    }

    /// What comes next, or nothing when the time is up.
    pub async fn poll(&mut self, limit: Duration) -> Result<Polled, ConsumerError> {
        let deadline = Instant::now().checked_add(limit);
        let mut changes = self.cluster.changes();
        loop {
            if let Some(group) = &self.group {
                group.polled();
            }
            if let Some(polled) = self.upkeep()? {
                return Ok(polled);
            }
            let wake = self.next_upkeep().min(deadline.unwrap_or_else(|| self.far_away()));
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => {
                    if let Some(polled) = self.take(event)? {
                        // What follows is on its way while the application works.
                        self.fetch();
                        return Ok(polled);
                    }
                }
                Ok(()) = changes.changed() => {}
                () = tokio::time::sleep_until(wake) => {
                    if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                        return Ok(Polled::Nothing);
                    }
                }
            }
        }
    }

    /// Commits the positions, and waits until it is done.
    pub async fn commit(&mut self) -> Result<(), ConsumerError> {
        let group = self.group.clone().ok_or(ConsumerError::NoGroup)?;
        let positions = self.partitions.positions();
        match positions.is_empty() {
            true => Ok(()),
            false => group::commit(group, positions).await,
        }
    }

    /// Commits these offsets, and waits until it is done.
    pub async fn commit_offsets(
        &mut self,
        offsets: &[(TopicPartition, i64)],
    ) -> Result<(), ConsumerError> {
        let group = self.group.clone().ok_or(ConsumerError::NoGroup)?;
        let at = |(partition, offset): &(TopicPartition, i64)| {
            (partition.clone(), Position { offset: *offset, epoch: -1 })
        };
        group::commit(group, offsets.iter().map(at).collect()).await
    }

    /// Commits where that is automatic, and leaves the group; takes no longer than `limit`.
    pub async fn close(mut self, limit: Duration) {
        let parting = async {
            let was_member = matches!(self.phase, Phase::Member(_));
            if let Phase::Joining(task) | Phase::Member(task) = &self.phase {
                task.abort();
            }
            if was_member && self.settings.is_auto_committing {
                let _ = self.commit().await;
            }
            if let Some(group) = &self.group {
                group.leave().await;
            }
        };
        let _ = tokio::time::timeout(limit, parting).await;
    }

    /// Starts everything that is due.
    fn upkeep(&mut self) -> Result<Option<Polled>, ConsumerError> {
        if let Some(polled) = self.look_at_topics()? {
            return Ok(Some(polled));
        }
        self.join();
        self.auto_commit();
        self.locate()?;
        self.fetch();
        Ok(None)
    }

    fn far_away(&self) -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    /// When something is due without anybody saying so.
    fn next_upkeep(&self) -> Instant {
        let (_, rested) = self.partitions.waiting(self.began.elapsed(), |_| true);
        let rested = rested.map(|until| self.began + until);
        let is_member = matches!(self.phase, Phase::Member(_));
        let is_waiting = is_member && self.settings.is_auto_committing && !self.is_committing;
        let commit = is_waiting.then(|| self.last_commit + self.settings.auto_commit_interval);
        let due = [rested, commit].into_iter().flatten().min();
        due.unwrap_or_else(|| self.far_away())
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if let Phase::Joining(task) | Phase::Member(task) = &self.phase {
            task.abort();
        }
    }
}

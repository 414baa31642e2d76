//! A broker: the replica core of each of its partitions, a disk, and the little a host does around
//! them. It decides nothing about replication: it carries messages to the core and back.
//!
//! Invariant: no partition is told of metadata before it holds this process's own registration, so
//! that a process which lost records never leads by what was said of its predecessor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::records::metadata::MetadataRecord;
use raft::image::{Changes, LeaderRecovery, MetadataDelta, MetadataImage, Partition as Registered};
use replica::{
    AlterPartitionQueue, BrokerView, Brokers, Effects, FetcherTable, Partition, Recovery,
    Registration, Role, SessionCache, Settings, Step, StepContext, Token,
};

use super::clock::Clock;
use super::controller::Batch;
use super::counters::Counters;
use super::deletions::{Deleted, Deleting};
use super::fetching::Fetcher;
use super::log::{LogError, SimLog};
use super::message::{Body, CLIENTS, NodeId, Produced};
use super::plan::Plan;
use super::serving_fetches::SimSession;

pub(crate) const HEARTBEAT_MS: i64 = 700;
/// As `publisher`.
pub(crate) const RECONCILE_MS: i64 = 2_000;
/// `log.retention.check.interval.ms`
pub(crate) const RETENTION_MS: i64 = 3_000;
pub(crate) const METADATA_POLL_MS: i64 = 120;
pub(crate) const FETCH_POLL_MS: i64 = 150;
pub(crate) const REQUEST_TIMEOUT_MS: i64 = 1_500;
pub(crate) const PRODUCE_TIMEOUT_MS: i64 = 4_000;

/// What a broker's disk holds of a partition while no process has it open.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) log: SimLog,
    pub(crate) high_watermark: i64,
}

/// A partition in a running process.
#[derive(Debug)]
pub(crate) struct Hosted {
    pub(crate) replica: Partition<SimLog>,
    pub(crate) checkpoint: i64,
    /// The leadership in which a reader met a record that cannot be read.
    pub(crate) damaged: Option<i32>,
}

impl Hosted {
    fn checkpoint_high_watermark(&mut self) {
        self.checkpoint = self.replica.high_watermark();
        self.replica.log_mut().cut_to = None;
    }
}

/// A produce request that waits for its acknowledgement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Waiting {
    pub(crate) client: usize,
    pub(crate) request: u64,
    pub(crate) partition: usize,
    pub(crate) offset: i64,
    pub(crate) value: u64,
    pub(crate) records: u32,
    pub(crate) since_us: i64,
}

/// A batch that was acknowledged by all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Acknowledged {
    pub(crate) broker: NodeId,
    pub(crate) partition: usize,
    pub(crate) offset: i64,
    pub(crate) value: u64,
    pub(crate) records: u32,
    pub(crate) leader_epoch: i32,
}

impl Acknowledged {
    /// Offset and value of each record.
    pub(crate) fn each(&self) -> impl Iterator<Item = (i64, u64)> {
        (self.offset..).zip(self.value..).take(self.records as usize)
    }
}

/// What a step of a broker leads to.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// To whom, which process (0: any), what.
    pub(crate) sent: Vec<(NodeId, u64, Body)>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// Appends of a service that have their fate.
    pub(crate) answered: Vec<(Token, replica::Answer)>,
    pub(crate) deleted: Vec<Deleted>,
    /// Leaders to fetch from after so many own milliseconds.
    pub(crate) fetch_again: Vec<(NodeId, i64)>,
}

/// A node.
#[derive(Debug)]
pub(crate) struct SimBroker {
    pub(crate) id: NodeId,
    pub(crate) clock: Clock,
    pub(crate) up: bool,
    /// Names the process; a new one with every start.
    pub(crate) process: u64,
    pub(crate) frozen_until_us: i64,
    /// No descriptors until then.
    pub(crate) exhausted_until_us: i64,
    /// No room on the disk until then.
    pub(crate) full_until_us: i64,
    /// The log directory has failed: the process ends, as there is no other one.
    pub(crate) disk_failed: bool,
    /// The first image has been applied.
    pub(crate) begun: bool,
    /// The image before the last replay, and what that changed, until it is applied.
    pub(crate) replayed: Option<(MetadataImage, Changes)>,
    /// What was left to do of each partition when the last image was applied, but where it could
    /// not be done.
    pub(crate) published: Vec<(usize, Step)>,
    /// What could not be done.
    pub(crate) undone: BTreeSet<usize>,
    /// Of the registration, -1 before.
    pub(crate) epoch: i64,
    /// Of the process before, if it stopped in peace.
    pub(crate) previous_epoch: i64,
    pub(crate) stopping: bool,
    pub(crate) image: MetadataImage,
    /// How many of the controller's batches are applied.
    pub(crate) have: usize,
    pub(crate) offset: i64,
    pub(crate) hosted: BTreeMap<usize, Hosted>,
    pub(crate) disk: BTreeMap<usize, Stored>,
    pub(crate) fetcher_table: FetcherTable<usize, NodeId>,
    pub(crate) fetchers: BTreeMap<NodeId, Fetcher>,
    /// Fetchers that there have been.
    pub(crate) connections: u64,
    pub(crate) session_slots: usize,
    /// Of its followers.
    pub(crate) sessions: SessionCache<SimSession>,
    pub(crate) altering: AlterPartitionQueue<usize>,
    /// The number of the request that is out, and when it was sent.
    pub(crate) alter_out: Option<(u64, i64)>,
    pub(crate) waiting: BTreeMap<Token, Waiting>,
    pub(crate) deleting: BTreeMap<Token, Deleting>,
    pub(crate) next_token: Token,
    pub(crate) settings: Settings,
    /// A crash lost or may have lost records since the controller last registered this broker.
    pub(crate) crashed: bool,
    pub(crate) counters: Counters,
}

struct View<'a>(&'a MetadataImage);

impl Brokers for View<'_> {
    fn broker(&self, id: i32) -> Option<BrokerView> {
        self.0.cluster().broker(id).map(|broker| BrokerView {
            epoch: broker.broker_epoch,
            fenced: broker.fenced,
            shutting_down: broker.in_controlled_shutdown,
        })
    }
}

fn registration(state: &Registered) -> Registration {
    Registration {
        leader: state.leader,
        leader_epoch: state.leader_epoch,
        partition_epoch: state.partition_epoch,
        replicas: state.replicas.clone(),
        adding: state.adding_replicas.clone(),
        removing: state.removing_replicas.clone(),
        isr: state.isr.clone(),
        recovery: match state.leader_recovery {
            LeaderRecovery::Recovered => Recovery::Recovered,
            LeaderRecovery::Recovering => Recovery::Recovering,
        },
    }
}

impl SimBroker {
    pub(crate) fn new(id: NodeId, clock: Clock, plan: &Plan) -> Self {
        Self {
            id,
            clock,
            up: true,
            process: 1 + id as u64,
            frozen_until_us: 0,
            exhausted_until_us: 0,
            full_until_us: 0,
            disk_failed: false,
            begun: false,
            replayed: None,
            published: Vec::new(),
            undone: BTreeSet::new(),
            epoch: -1,
            previous_epoch: -1,
            stopping: false,
            image: MetadataImage::default(),
            have: 0,
            offset: -1,
            hosted: BTreeMap::new(),
            disk: BTreeMap::new(),
            fetcher_table: FetcherTable::default(),
            fetchers: BTreeMap::new(),
            connections: 0,
            session_slots: plan.session_slots,
            sessions: SessionCache::new(plan.session_slots),
            altering: AlterPartitionQueue::default(),
            alter_out: None,
            waiting: BTreeMap::new(),
            deleting: BTreeMap::new(),
            next_token: 0,
            settings: Settings {
                broker_id: id,
                lag_time_max_ms: plan.lag_time_max_ms,
                min_in_sync: plan.min_in_sync,
            },
            crashed: false,
            counters: Counters::default(),
        }
    }

    /// Runs one step of a partition's core and carries out what follows.
    pub(crate) fn step<R>(
        &mut self,
        partition: usize,
        now_us: i64,
        out: &mut Out,
        step: impl FnOnce(&mut Partition<SimLog>, &StepContext<'_>) -> (R, Effects),
    ) -> Option<R> {
        let hosted = self.hosted.get_mut(&partition)?;
        hosted.replica.log_mut().exhausted = now_us < self.exhausted_until_us;
        hosted.replica.log_mut().full = now_us < self.full_until_us;
        let view = View(&self.image);
        let at = StepContext {
            wall_ms: self.clock.wall_ms(now_us),
            monotonic_ms: self.clock.monotonic_ms(now_us),
            brokers: &view,
        };
        let seen = |hosted: &Hosted| {
            let replica = &hosted.replica;
            (replica.bounds(), replica.leads(), replica.leader_epoch())
        };
        let before = seen(hosted);
        let (result, effects) = step(&mut hosted.replica, &at);
        if seen(hosted) != before {
            self.tell_sessions(partition);
        }
        self.carry_out(partition, effects, now_us, out);
        Some(result)
    }

    fn carry_out(&mut self, partition: usize, effects: Effects, now_us: i64, out: &mut Out) {
        for (token, answer) in effects.answered {
            let Some(waiting) = self.waiting.remove(&token) else {
                out.answered.push((token, answer));
                continue;
            };
            let produced = match answer {
                replica::Answer::Committed => {
                    out.acknowledged.push(self.acknowledgement(&waiting));
                    Produced::At(waiting.offset)
                }
                replica::Answer::TooFewInSync => Produced::Retry,
                replica::Answer::NoLongerLeader => {
                    self.counters.no_longer_leader += 1;
                    Produced::Retry
                }
            };
            let Waiting { client, request, .. } = waiting;
            out.sent.push((CLIENTS, 0, Body::Produced { client, request, produced }));
        }
        for (token, low_watermark) in effects.deleted {
            self.counters.deletions_waited += u64::from(low_watermark.is_some());
            self.deleted(token, low_watermark, out);
        }
        if let Some(proposal) = effects.propose {
            self.altering.propose(partition, proposal);
            self.send_alteration(now_us, out);
        }
    }

    pub(crate) fn acknowledgement(&self, waiting: &Waiting) -> Acknowledged {
        Acknowledged {
            broker: self.id,
            partition: waiting.partition,
            offset: waiting.offset,
            value: waiting.value,
            records: waiting.records,
            // By now: a leader that was replaced and elected again has it under a newer one.
            leader_epoch: self.hosted[&waiting.partition].replica.leader_epoch(),
        }
    }

    /// Replays what the controller wrote. Whether the image is the controller's at that offset is
    /// for the caller to compare.
    pub(crate) fn replay(&mut self, from: usize, batches: &[Arc<Batch>]) -> bool {
        let Some(new) = batches.get(self.have.saturating_sub(from)..) else { return false };
        if from > self.have || new.is_empty() {
            return false;
        }
        let mut delta = MetadataDelta::new(&self.image);
        for batch in new {
            // The one transaction there is holds the first records, in one batch.
            let framing = |record: &&MetadataRecord| {
                matches!(
                    record,
                    MetadataRecord::BeginTransaction(_) | MetadataRecord::EndTransaction(_)
                )
            };
            for record in batch.records.iter().filter(|record| !framing(record)) {
                if let Err(error) = delta.replay(record) {
                    panic!("broker {} cannot replay {record:?}: {error}", self.id);
                }
            }
            self.offset = batch.offset;
        }
        self.have += new.len();
        let (after, changes) = (delta.after().clone(), delta.changes().clone());
        self.replayed = Some((std::mem::replace(&mut self.image, after), changes));
        true
    }

    /// Records that could not be read can be: where the last one in sync was damaged, nothing else
    /// would help.
    pub(crate) fn read_again(&mut self, now_us: i64, out: &mut Out) {
        for stored in self.disk.values_mut() {
            stored.log.rotten = None;
        }
        for hosted in self.hosted.values_mut() {
            hosted.replica.log_mut().rotten = None;
            hosted.damaged = None;
        }
        self.retry_fetches(now_us, out);
    }

    /// A reader met a record that cannot be read.
    pub(crate) fn meet_damage(&mut self, partition: usize) {
        if let Some(hosted) = self.hosted.get_mut(&partition) {
            let leader_epoch = hosted.replica.leader_epoch();
            self.counters.damaged += u64::from(hosted.damaged.is_none());
            hosted.damaged.get_or_insert(leader_epoch);
        }
    }

    /// Opens a partition's log and tells it its role; false when there was no descriptor for it.
    pub(crate) fn host(
        &mut self,
        id: usize,
        state: &Registered,
        now_us: i64,
        out: &mut Out,
    ) -> bool {
        let done = self.try_to_host(id, state, now_us, out);
        if done {
            self.undone.remove(&id);
        } else {
            self.undone.insert(id);
        }
        done
    }

    fn try_to_host(&mut self, id: usize, state: &Registered, now_us: i64, out: &mut Out) -> bool {
        if !self.hosted.contains_key(&id) {
            if now_us < self.exhausted_until_us {
                return false;
            }
            let stored = self.disk.remove(&id).unwrap_or_default();
            let replica = Partition::new(stored.log, stored.high_watermark, self.settings);
            let checkpoint = replica.high_watermark();
            let hosted = Hosted { replica, checkpoint, damaged: None };
            self.hosted.insert(id, hosted);
            self.tell_sessions(id);
        }
        let registration = registration(state);
        let applied =
            self.step(id, now_us, out, |replica, at| match replica.apply(&registration, at) {
                Ok(effects) => (Ok(()), effects),
                Err(error) => (Err(error), Effects::default()),
            });
        if state.leader >= 0 && state.leader != self.id {
            self.follow(id, state.leader, now_us, out);
        } else {
            self.unfollow(id);
        }
        if self.hosted.get(&id).is_some_and(|hosted| hosted.damaged.is_none()) {
            self.locate_if_lost(id, state, out);
        }
        match applied.expect("it is hosted") {
            Ok(()) => true,
            Err(LogError::Exhausted) => false,
            Err(LogError::Full) => {
                self.disk_failed = true;
                false
            }
            Err(other) => panic!("the log is sound: {other:?}"),
        }
    }

    /// The partition is no longer here.
    pub(crate) fn forget(&mut self, partition: usize, out: &mut Out) {
        self.unfollow(partition);
        self.undone.remove(&partition);
        self.disk.remove(&partition);
        if let Some(mut hosted) = self.hosted.remove(&partition) {
            self.tell_sessions(partition);
            let effects = hosted.replica.give_up();
            self.carry_out(partition, effects, 0, out);
        }
    }

    /// The process ends in peace: whoever waits is told.
    pub(crate) fn give_up_all(&mut self, out: &mut Out) {
        let partitions: Vec<usize> = self.hosted.keys().copied().collect();
        for partition in partitions {
            if let Some(hosted) = self.hosted.get_mut(&partition) {
                let effects = hosted.replica.give_up();
                self.carry_out(partition, effects, 0, out);
            }
        }
    }

    /// Time passes: lag is looked at, requests give up waiting.
    pub(crate) fn tick(&mut self, now_us: i64, out: &mut Out) {
        let partitions: Vec<usize> = self.hosted.keys().copied().collect();
        for partition in partitions {
            self.step(partition, now_us, out, |replica, at| ((), replica.tick(at)));
            if let Some(hosted) = self.hosted.get_mut(&partition) {
                hosted.checkpoint_high_watermark();
            }
        }
        self.send_alteration(now_us, out);
        let patience_us = self.clock.true_us(PRODUCE_TIMEOUT_MS);
        let late = self.waiting.iter().filter(|(_, w)| now_us > w.since_us + patience_us);
        let late: Vec<(Token, Waiting)> = late.map(|(token, w)| (*token, *w)).collect();
        for (token, Waiting { client, request, partition, .. }) in late {
            self.waiting.remove(&token);
            if let Some(hosted) = self.hosted.get_mut(&partition) {
                hosted.replica.forget(token);
            }
            let produced = Produced::Retry;
            out.sent.push((CLIENTS, 0, Body::Produced { client, request, produced }));
        }
    }

    /// The process ends. With `kept` the machine does, too: that many of the records which were not
    /// synced survive in each log.
    pub(crate) fn stop(&mut self, kept: Option<&mut dyn FnMut(i64) -> i64>) {
        let mut kept = kept;
        for (id, mut hosted) in std::mem::take(&mut self.hosted) {
            let mut log = std::mem::take(hosted.replica.log_mut());
            if let Some(kept) = &mut kept {
                let end = log.end();
                log.lose_power(kept(log.unsynced()));
                self.counters.power_losses += (end - log.end()) as u64;
            }
            log.reopen();
            let cut_to = log.cut_to.take().unwrap_or(i64::MAX);
            let high_watermark = hosted.checkpoint.min(cut_to).min(log.end());
            self.disk.insert(id, Stored { log, high_watermark });
        }
        self.up = false;
        self.epoch = -1;
        self.stopping = false;
        self.frozen_until_us = 0;
        self.exhausted_until_us = 0;
        self.begun = false;
        self.replayed = None;
        self.published.clear();
        self.undone.clear();
        self.image = MetadataImage::default();
        self.have = 0;
        self.offset = -1;
        self.fetcher_table = FetcherTable::default();
        self.fetchers.clear();
        self.sessions = SessionCache::new(self.session_slots);
        self.altering = AlterPartitionQueue::default();
        self.alter_out = None;
        self.waiting.clear();
        self.deleting.clear();
        self.disk_failed = false;
    }

    pub(crate) fn sync(&mut self) {
        for hosted in self.hosted.values_mut() {
            hosted.replica.log_mut().sync();
            hosted.checkpoint_high_watermark();
        }
    }

    /// The log of a partition, whether a process has it open or not.
    pub(crate) fn log(&self, partition: usize) -> Option<&SimLog> {
        let hosted = self.hosted.get(&partition).map(|hosted| hosted.replica.log());
        hosted.or_else(|| self.disk.get(&partition).map(|stored| &stored.log))
    }

    pub(crate) fn log_mut(&mut self, partition: usize) -> Option<&mut SimLog> {
        match self.hosted.get_mut(&partition) {
            Some(hosted) => Some(hosted.replica.log_mut()),
            None => self.disk.get_mut(&partition).map(|stored| &mut stored.log),
        }
    }

    pub(crate) fn leads(&self, partition: usize) -> bool {
        let hosted = self.hosted.get(&partition);
        hosted.is_some_and(|hosted| matches!(hosted.replica.role(), Role::Leader(_)))
    }
}

//! What is committed: every record that a leader's high watermark has ever passed; and up to where
//! that may have been deleted, because a client or the configuration of a replica said so.
//!
//! Kept true: a record is added only when as many replicas hold it as min.insync.replicas asks for.

use std::collections::BTreeSet;
use std::sync::Arc;

use raft::image::Partition;
use replica::Role;

use super::{Evaluated, Scene, ensure};
use crate::replication::log::{Entry, SimLog, Why};
use crate::replication::message::NodeId;
use crate::replication::plan::Mode;

/// The truth of one partition.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Offset of the first record that is known.
    base: i64,
    /// `None` where a leader has nothing at an offset.
    entries: Vec<Option<Entry>>,
    /// Below here a replica need not have anything, if it starts later.
    deleted: i64,
    /// What was committed may be lost.
    pub(crate) excused: bool,
    /// Committed records that were lost where that may be.
    pub(crate) lost: u64,
    /// Raised whenever an excuse ends.
    pub(crate) era: u64,
    /// The leader epoch in which the last excuse ended: who is behind it may still be as it was.
    pub(crate) since_epoch: i32,
    state: Option<Arc<Partition>>,
    /// Brokers that lost committed records with power and are not in sync again.
    lossy: BTreeSet<NodeId>,
    /// Brokers that lost power and are not in sync again: a leader that was frozen meanwhile may
    /// count them for what they had.
    unpowered: BTreeSet<NodeId>,
    /// Brokers that were no replicas when an excuse ended, with a log from before it. Made a
    /// replica again, one shows what was lost until it has followed.
    strays: BTreeSet<NodeId>,
}

impl Truth {
    pub(crate) fn end(&self) -> i64 {
        self.base + self.entries.len() as i64
    }

    /// Whether nobody knows any more what is right there.
    pub(crate) fn is_forgotten(&self, offset: i64) -> bool {
        offset < self.base
    }

    /// Whether the first records may be gone.
    pub(crate) fn may_start_later(&self) -> bool {
        self.deleted > 0
    }

    pub(crate) fn base(&self) -> i64 {
        self.base
    }

    pub(crate) fn entry(&self, offset: i64) -> Option<&Entry> {
        let at = usize::try_from(offset - self.base).ok()?;
        self.entries.get(at)?.as_ref()
    }

    /// Whether a log need not have a record, because it was deleted. A replica that starts earlier
    /// again after a crash shows what was committed there.
    pub(crate) fn is_deleted_in(&self, log: &SimLog, offset: i64) -> bool {
        offset < self.deleted && offset < log.start()
    }

    /// Whether what is committed at an offset is in a log.
    pub(crate) fn stands_in(&self, log: &SimLog, offset: i64) -> bool {
        self.is_deleted_in(log, offset) || log.entry(offset) == self.entry(offset)
    }

    /// A replica's log starts later than it did: never behind what is committed, and a follower's
    /// never behind where it or another one was told to start.
    pub(crate) fn started(&mut self, leader_epoch: i32, at: i64, why: Why) -> Evaluated {
        let binds = self.binds(leader_epoch);
        let allowed = if why == Why::Leader { self.deleted } else { self.end() };
        ensure(!binds || at <= allowed, || {
            format!("a log starts at {at} ({why:?}), which may start at {allowed}")
        })?;
        if why != Why::Leader {
            // While an excuse lasts nobody knows where the end is.
            let bound = if self.excused { at } else { self.end() };
            self.deleted = self.deleted.max(at.min(bound));
        }
        Ok(u64::from(binds))
    }

    /// Whether what a leader of that epoch says must hold: not while an excuse lasts, nor from one
    /// that does not know yet that it was replaced out of sync.
    pub(crate) fn binds(&self, leader_epoch: i32) -> bool {
        !self.excused && leader_epoch >= self.since_epoch
    }

    /// Whether a broker has a log from before what was lost, and was not in sync since.
    pub(crate) fn is_stray(&self, broker: NodeId) -> bool {
        self.strays.contains(&broker)
    }

    /// The controller wrote something.
    pub(crate) fn heard(&mut self, scene: &Scene<'_>, now: &Arc<Partition>) {
        let anything = scene.plan.mode == Mode::Anything;
        if let Some(was) = &self.state
            && now.leader != was.leader
            && now.has_leader()
        {
            let clean = was.isr.contains(&now.leader) || was.elr.contains(&now.leader);
            self.excused |= anything && !clean;
        }
        // One that was started again and is not registered yet stands in the ISR of its process
        // before, which the registration takes it out of.
        let is_away = |id: &NodeId| {
            let broker = scene.broker(*id).filter(|b| !b.crashed && b.epoch >= 0);
            let back = now.isr.contains(id) && broker.is_some();
            !back && now.replicas.contains(id)
        };
        self.strays.retain(|id| !now.isr.contains(id));
        self.lossy.retain(is_away);
        self.unpowered.retain(is_away);
        self.state = Some(now.clone());
    }

    pub(crate) fn lost_power(&mut self, id: NodeId, log: Option<&SimLog>) {
        self.unpowered.insert(id);
        if log.is_none_or(|log| log.end() < self.end()) {
            self.lossy.insert(id);
        }
    }

    /// High watermarks have moved.
    pub(crate) fn grow(&mut self, scene: &Scene<'_>, partition: usize) -> Evaluated {
        let mut looked = 0;
        if scene.plan.mode == Mode::Anything && self.lossy.len() >= scene.plan.min_in_sync {
            self.excused = true;
        }
        for broker in scene.brokers.iter().filter(|broker| broker.leads(partition)) {
            let replica = &broker.hosted[&partition].replica;
            let high_watermark = replica.high_watermark();
            if !self.binds(replica.leader_epoch()) || high_watermark <= self.end() {
                continue;
            }
            let log = replica.log();
            for offset in self.end()..high_watermark {
                // Nothing stands where a batch was cut in the middle.
                let entry = log.entry(offset).copied();
                ensure(offset >= log.start(), || {
                    format!(
                        "partition {partition}: leader {} starts at {} and committed {offset}",
                        broker.id,
                        log.start()
                    )
                })?;
                self.entries.push(entry);
                looked += 1;
                let has = |other: &&super::SimBroker| {
                    let log = other.log(partition);
                    log.is_some_and(|log| {
                        offset < log.start() || log.entry(offset) == entry.as_ref()
                    }) || other.crashed
                        || self.unpowered.contains(&other.id)
                };
                let copies = scene.brokers.iter().filter(has).count();
                let enough = scene.plan.min_in_sync.min(scene.plan.replication_factor);
                ensure(copies >= enough, || {
                    format!(
                        "partition {partition}: leader {} committed offset {offset}, which only \
                         {copies} replicas hold",
                        broker.id
                    )
                })?;
            }
        }
        Ok(looked)
    }

    /// Ends an excuse when every replica is in sync with the one leader there is.
    pub(crate) fn forgive(&mut self, scene: &Scene<'_>, partition: usize) {
        let Some(state) = self.state.as_ref().filter(|_| self.excused) else { return };
        let Some(leader) = scene.broker(state.leader).filter(|leader| leader.up) else { return };
        let Some(hosted) = leader.hosted.get(&partition) else { return };
        let replica = &hosted.replica;
        let all_in_sync = state.replicas.iter().all(|id| state.isr.contains(id));
        let sole = scene.brokers.iter().all(|b| b.id == leader.id || !b.leads(partition));
        let sound = |id: &i32| scene.broker(*id).is_some_and(|b| !b.crashed);
        let Role::Leader(role) = replica.role() else { return };
        // A new leader may not know yet what the one before committed.
        let knows_all = role.epoch_start() <= replica.high_watermark()
            && role.followers().values().all(|progress| progress.end_offset >= 0);
        if !all_in_sync
            || !sole
            || !knows_all
            || replica.leader_epoch() != state.leader_epoch
            || !state.replicas.iter().all(sound)
        {
            return;
        }
        let (log, high_watermark) = (replica.log(), replica.high_watermark());
        let lost = (self.base.max(log.start())..self.end())
            .filter(|at| *at >= high_watermark || self.entry(*at) != log.entry(*at));
        self.lost += lost.count() as u64;
        self.base = log.start();
        self.entries = (log.start()..high_watermark).map(|at| log.entry(at).copied()).collect();
        let replicas = state.replicas.iter().filter_map(|id| scene.broker(*id)?.log(partition));
        self.deleted = replicas.map(|log| log.start()).max().unwrap_or(0);
        self.excused = false;
        self.era += 1;
        self.since_epoch = replica.leader_epoch();
        self.lossy.clear();
        let has_log = |id: &NodeId| {
            !state.replicas.contains(id)
                && scene.broker(*id).is_some_and(|broker| broker.log(partition).is_some())
        };
        self.strays = scene.brokers.iter().map(|broker| broker.id).filter(has_log).collect();
    }
}

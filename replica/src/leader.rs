//! What a leader knows of its partition: where its epoch began, which replicas are in sync, and how
//! far each follower is.
//!
//! Invariant: the leader itself is always in the in-sync set; its own log end is not stored here
//! but asked of the log. Kafka: the leader half of `kafka.cluster.Partition`.

use std::collections::BTreeMap;

use crate::isr::{IsrChange, IsrProposal, IsrState, Member};
use crate::planted::{Bug, is_planted};
use crate::progress::Progress;
use crate::registration::{Recovery, Registration};
use crate::step_context::StepContext;

/// State of the leader role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderState {
    broker_id: i32,
    /// Where the log ended when the epoch began.
    epoch_start: i64,
    isr: IsrState,
    followers: BTreeMap<i32, Progress>,
}

/// The leader's end of the log, the time, and how long a follower may lag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) log_end: i64,
    pub(crate) now_ms: i64,
    pub(crate) lag_max_ms: i64,
}

impl LeaderState {
    /// A leader that has just been elected by the controller.
    pub(crate) fn new(broker_id: i32, registration: &Registration, measure: Measure) -> Self {
        let mut leader = Self {
            broker_id,
            epoch_start: measure.log_end,
            isr: IsrState::committed(&registration.isr, Recovery::Recovered),
            followers: BTreeMap::new(),
        };
        leader.assign(registration);
        leader.begin_epoch(measure, true);
        leader
    }

    /// Where the log ended when the epoch began.
    pub fn epoch_start(&self) -> i64 {
        self.epoch_start
    }

    /// Ids of the replicas the controller counts as in sync, the leader among them.
    pub fn in_sync(&self) -> &[i32] {
        self.isr.members()
    }

    /// Whether the controller may count `id` as in sync by now.
    pub fn may_be_in_sync(&self, id: i32) -> bool {
        self.isr.may_contain(id)
    }

    /// The change that the controller is being asked for.
    pub fn pending(&self) -> Option<&IsrProposal> {
        self.isr.pending()
    }

    /// What is known of each other replica.
    pub fn followers(&self) -> &BTreeMap<i32, Progress> {
        &self.followers
    }

    pub(crate) fn isr_mut(&mut self) -> &mut IsrState {
        &mut self.isr
    }

    pub(crate) fn follower_mut(&mut self, id: i32) -> Option<&mut Progress> {
        self.followers.get_mut(&id)
    }

    /// The same leader is elected again.
    pub(crate) fn renew(&mut self, registration: &Registration, measure: Measure) {
        self.update(registration);
        self.epoch_start = measure.log_end;
        self.begin_epoch(measure, false);
    }

    /// Takes what the controller says of the same leadership.
    pub(crate) fn update(&mut self, registration: &Registration) {
        self.assign(registration);
        self.isr = IsrState::committed(&registration.isr, Recovery::Recovered);
    }

    /// The controller has applied the proposal that was out, or found nothing to change.
    pub(crate) fn confirm(&mut self, isr: &[i32], recovery: Recovery) {
        self.isr = IsrState::committed(isr, recovery);
    }

    /// Who replicates.
    pub(crate) fn assign(&mut self, registration: &Registration) {
        self.followers.retain(|id, _| registration.replicas.contains(id));
        for id in registration.replicas.iter().filter(|id| **id != self.broker_id) {
            self.followers.entry(*id).or_insert(Progress::UNKNOWN);
        }
    }

    fn begin_epoch(&mut self, measure: Measure, anew: bool) {
        for (id, progress) in &mut self.followers {
            let in_sync = self.isr.members().contains(id);
            progress.begin_epoch(in_sync, anew, measure.log_end, measure.now_ms);
            if is_planted(Bug::NewLeaderTrustsFollowers) {
                progress.end_offset = measure.log_end;
            }
        }
    }

    /// min.insync.replicas can't ask for more than there are.
    pub(crate) fn effective_min_in_sync(&self, min_in_sync: usize) -> usize {
        min_in_sync.min(self.followers.len() + 1)
    }

    pub(crate) fn is_under_min_in_sync(&self, min_in_sync: usize) -> bool {
        self.isr.members().len() < self.effective_min_in_sync(min_in_sync)
    }

    /// Whether an acks=all request whose records are all committed may be told so.
    pub(crate) fn has_enough_in_sync(&self, min_in_sync: usize) -> bool {
        self.isr.maximal_len() >= self.effective_min_in_sync(min_in_sync)
    }

    /// The offset below which every replica that is, may be or is about to be in sync has every
    /// record. One that is about to join holds the mark back for at most the lag time, since it
    /// would never catch up with one that runs ahead; one that may not join holds nothing back
    /// (KAFKA-15021).
    pub(crate) fn committed_end(&self, measure: Measure, at: &StepContext<'_>) -> i64 {
        let mut end = measure.log_end;
        for (id, progress) in &self.followers {
            let counts = progress.end_offset < end
                && (self.isr.may_contain(*id)
                    || progress.is_caught_up(measure.log_end, measure.now_ms, measure.lag_max_ms)
                        && at.may_join(*id, progress.broker_epoch));
            if counts {
                end = progress.end_offset;
            }
        }
        end
    }

    /// Whether `id` is to be proposed as in sync: it has all that is committed and all that was
    /// there when the epoch began, or it could be elected without records that are committed.
    pub(crate) fn is_to_join(&self, id: i32, high_watermark: i64, at: &StepContext<'_>) -> bool {
        let Some(progress) = self.followers.get(&id) else { return false };
        if self.isr.pending().is_some() || self.isr.members().contains(&id) {
            return false;
        }
        let caught_up =
            progress.end_offset >= high_watermark && progress.end_offset >= self.epoch_start;
        at.may_join(id, progress.broker_epoch)
            && (caught_up || is_planted(Bug::ExpandWithoutCaughtUp))
    }

    /// Members that have lagged for too long; none while a proposal is out.
    pub(crate) fn lagging(&self, measure: Measure) -> Vec<i32> {
        if self.isr.pending().is_some() || is_planted(Bug::IsrKeepsLagging) {
            return Vec::new();
        }
        let lags = |id: &i32| {
            self.followers.get(id).is_none_or(|progress| {
                !progress.is_caught_up(measure.log_end, measure.now_ms, measure.lag_max_ms)
            })
        };
        let others = self.isr.members().iter().copied().filter(|id| *id != self.broker_id);
        others.filter(lags).collect()
    }

    /// The proposal that makes `change`; it counts as out from now on.
    pub(crate) fn propose(
        &mut self,
        change: IsrChange,
        (leader_epoch, partition_epoch): (i32, i32),
        own_broker_epoch: i64,
    ) -> IsrProposal {
        let mut ids: Vec<i32> = self.isr.members().to_vec();
        match &change {
            IsrChange::Expand(id) => ids.push(*id),
            IsrChange::Shrink(out) => ids.retain(|id| !out.contains(id)),
        }
        let epoch_of = |id: i32| match self.followers.get(&id) {
            _ if id == self.broker_id => own_broker_epoch,
            Some(progress) => progress.broker_epoch.unwrap_or(-1),
            None => -1,
        };
        let isr = ids.into_iter().map(|id| Member { id, broker_epoch: epoch_of(id) }).collect();
        let recovery = self.isr.recovery;
        let proposal = IsrProposal { leader_epoch, partition_epoch, isr, recovery, change };
        self.isr.propose(proposal.clone());
        proposal
    }

    /// The smallest log start of all replicas that are alive.
    pub(crate) fn low_watermark(&self, log_start: i64, at: &StepContext<'_>) -> i64 {
        let alive = self.followers.iter().filter(|(id, _)| at.alive_epoch(**id).is_some());
        alive.map(|(_, progress)| progress.start_offset).fold(log_start, i64::min)
    }
}

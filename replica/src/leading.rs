//! The steps of a leader: followers fetch, lag and catch up, the controller answers, records are
//! deleted.
//!
//! Kafka: `Partition.updateFollowerFetchState`, `maybeExpandIsr`, `maybeShrinkIsr`,
//! `submitAlterPartition` and its handlers, `deleteRecordsOnLeader`.

use protocol::ErrorCode;

use crate::effects::Effects;
use crate::fetch::{self, FetchGrant, FetchRefused, FollowerFetch};
use crate::isr::{IsrAnswer, IsrChange, IsrOutcome, IsrProposal};
use crate::log::Log;
use crate::partition::{Partition, Role};
use crate::step_context::StepContext;
use crate::waiters::Token;

/// Records that were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    /// The log start that was asked for, -1 resolved.
    pub requested: i64,
    /// The smallest log start of all live replicas.
    pub low_watermark: i64,
    /// Whether the request may be answered now; otherwise its token waits.
    pub done: bool,
}

/// Why no records were deleted.
#[derive(Debug, PartialEq, Eq)]
pub enum NotDeleted<E> {
    /// This broker does not lead the partition.
    NotLeader,
    /// The offset is not among those that are committed.
    OutOfRange {
        /// What was asked for.
        offset: i64,
        /// What is committed.
        high_watermark: i64,
    },
    /// The log failed.
    Log(E),
}

impl<L: Log> Partition<L> {
    /// What a follower that asks like this may be given. Changes nothing: for a fetch that is
    /// looked at again after it has waited.
    pub fn check_follower_fetch(&self, fetch: &FollowerFetch) -> Result<FetchGrant, FetchRefused> {
        self.check_leadership(fetch.current_leader_epoch, true)?;
        let Role::Leader(leader) = &self.role else {
            return Err(FetchRefused::NotLeader);
        };
        let replica_id = fetch.replica_id;
        if !leader.followers().contains_key(&replica_id) {
            let named_epoch = fetch.current_leader_epoch >= 0;
            return Err(FetchRefused::UnknownReplica { replica_id, named_epoch });
        }
        self.grant(fetch.fetch_offset, fetch.last_fetched_epoch)
    }

    /// A follower fetches: says what it may be given, and counts what it thereby says it has.
    pub fn follower_fetched(
        &mut self,
        fetch: &FollowerFetch,
        at: &StepContext<'_>,
    ) -> Result<(FetchGrant, Effects), FetchRefused> {
        let grant = self.check_follower_fetch(fetch)?;
        let theirs = fetch::Extent {
            log_start_offset: fetch.log_start_offset,
            log_end_offset: fetch.fetch_offset,
            last_epoch: fetch.last_fetched_epoch,
        };
        // Such a one begins anew when it is told where we start.
        let is_unknown =
            theirs.cannot_be_compared(grant.bounds.log_start_offset, self.leader_epoch);
        if grant.diverging.is_some() || is_unknown {
            return Ok((grant, Effects::default()));
        }
        let FollowerFetch { replica_id, broker_epoch, .. } = *fetch;
        if let Some(current) = at.alive_epoch(replica_id)
            && broker_epoch != -1
            && broker_epoch < current
        {
            return Err(FetchRefused::StaleBroker { replica_id, asked: broker_epoch, current });
        }
        if let Role::Leader(leader) = &mut self.role
            && let Some(progress) = leader.follower_mut(replica_id)
        {
            let range = (fetch.log_start_offset, fetch.fetch_offset);
            let leader_end = grant.bounds.log_end_offset;
            progress.fetched(range, leader_end, broker_epoch, at.monotonic_ms);
        }
        // First the set, then the mark: a replica that joins holds it back from now on.
        let propose = self.expand(replica_id, at);
        let mut effects = self.advance(at);
        effects.propose = propose;
        effects.deleted = self.pass_deletions(at);
        Ok((grant, effects))
    }

    /// What may be read from an offset, and whether the asker's log parts from ours before it.
    pub(crate) fn grant(
        &self,
        fetch_offset: i64,
        last_fetched_epoch: i32,
    ) -> Result<FetchGrant, FetchRefused> {
        let bounds = self.bounds();
        let end_offset = self.log.end_offset_for_epoch(last_fetched_epoch);
        let diverging = fetch::diverging(fetch_offset, last_fetched_epoch, end_offset, &bounds)?;
        if diverging.is_none() {
            fetch::check_range(fetch_offset, bounds.log_start_offset, bounds.log_end_offset)?;
        }
        Ok(FetchGrant { bounds, diverging })
    }

    fn expand(&mut self, replica_id: i32, at: &StepContext<'_>) -> Option<IsrProposal> {
        let Role::Leader(leader) = &self.role else { return None };
        let joins = leader.is_to_join(replica_id, self.high_watermark, at);
        joins.then(|| self.propose(IsrChange::Expand(replica_id), at))?
    }

    fn propose(&mut self, change: IsrChange, at: &StepContext<'_>) -> Option<IsrProposal> {
        let epochs = (self.leader_epoch, self.partition_epoch);
        let own_epoch = at.brokers.broker(self.settings.broker_id).map_or(-1, |own| own.epoch);
        match &mut self.role {
            Role::Leader(leader) => Some(leader.propose(change, epochs, own_epoch)),
            Role::Follower(_) => None,
        }
    }

    /// Time has passed: members of the in-sync set that lag are proposed to be dropped. Due every
    /// half of `replica.lag.time.max.ms`.
    pub fn tick(&mut self, at: &StepContext<'_>) -> Effects {
        let measure = self.measure(at);
        let Role::Leader(leader) = &self.role else {
            return Effects::default();
        };
        let lagging = leader.lagging(measure);
        let propose =
            if lagging.is_empty() { None } else { self.propose(IsrChange::Shrink(lagging), at) };
        Effects { propose, ..self.advance(at) }
    }

    /// The controller answered a proposal of ours. What concerns another one than the one that is
    /// out is ignored.
    pub fn isr_answered(
        &mut self,
        proposal: &IsrProposal,
        answer: &IsrAnswer,
        at: &StepContext<'_>,
    ) -> Effects {
        let Role::Leader(leader) = &mut self.role else {
            return Effects::default();
        };
        if leader.pending() != Some(proposal) {
            return Effects::default();
        }
        let outcome = |isr| Effects { isr: Some(isr), ..Effects::default() };
        match answer {
            IsrAnswer::Changed { leader_epoch, partition_epoch, isr, recovery } => {
                if *leader_epoch != self.leader_epoch || *partition_epoch < self.partition_epoch {
                    return outcome(IsrOutcome::Failed);
                }
                leader.confirm(isr, *recovery);
                self.partition_epoch = *partition_epoch;
                let done = match proposal.change {
                    IsrChange::Expand(_) => IsrOutcome::Expanded,
                    IsrChange::Shrink(_) => IsrOutcome::Shrunk,
                };
                Effects { isr: Some(done), ..self.advance(at) }
            }
            // The controller knows this very state and has not changed it, nor will it.
            IsrAnswer::Refused(ErrorCode::IneligibleReplica | ErrorCode::OperationNotAttempted) => {
                leader.isr_mut().roll_back();
                Effects { isr: Some(IsrOutcome::Failed), ..self.advance(at) }
            }
            // The controller has, or had, something else: what it has comes with the metadata.
            IsrAnswer::Refused(
                ErrorCode::UnknownTopicOrPartition
                | ErrorCode::UnknownTopicId
                | ErrorCode::FencedLeaderEpoch
                | ErrorCode::InvalidUpdateVersion
                | ErrorCode::InvalidRequest
                | ErrorCode::NewLeaderElected,
            ) => outcome(IsrOutcome::Failed),
            IsrAnswer::Refused(_) => {
                Effects { propose: Some(proposal.clone()), ..outcome(IsrOutcome::Failed) }
            }
        }
    }

    /// DeleteRecords: moves the log start to `offset` (-1: to the high watermark). `token` waits
    /// until all live replicas have followed.
    pub fn delete_records(
        &mut self,
        offset: i64,
        token: Token,
        at: &StepContext<'_>,
    ) -> Result<(Deletion, Effects), NotDeleted<L::Error>> {
        if !self.leads() {
            return Err(NotDeleted::NotLeader);
        }
        let high_watermark = self.high_watermark;
        let requested = if offset == -1 { high_watermark } else { offset };
        if requested < 0 || requested > high_watermark {
            return Err(NotDeleted::OutOfRange { offset: requested, high_watermark });
        }
        if requested > self.log.log_start_offset() {
            self.log.delete_records_before(requested).map_err(NotDeleted::Log)?;
        }
        self.invariants();
        let deleted = self.pass_deletions(at);
        let low_watermark = self.low_watermark(at).unwrap_or(-1);
        let done = low_watermark >= requested;
        if !done {
            self.deletions.push(requested, token);
        }
        let effects = Effects { deleted, ..Effects::default() };
        Ok((Deletion { requested, low_watermark, done }, effects))
    }

    /// The smallest log start of all live replicas; `None` when this broker does not lead.
    pub fn low_watermark(&self, at: &StepContext<'_>) -> Option<i64> {
        match &self.role {
            Role::Leader(leader) => Some(leader.low_watermark(self.log.log_start_offset(), at)),
            Role::Follower(_) => None,
        }
    }

    fn pass_deletions(&mut self, at: &StepContext<'_>) -> Vec<(Token, Option<i64>)> {
        if self.deletions.is_empty() {
            return Vec::new();
        }
        let Some(mark) = self.low_watermark(at) else { return Vec::new() };
        self.deletions.pass(mark).into_iter().map(|token| (token, Some(mark))).collect()
    }
}

//! ReadShareGroupState, by which a leader of a partition takes the state over, and
//! ReadShareGroupStateSummary, by which anybody looks at it.
//!
//! Unlike Kafka: a leader that has read the state before it began anew is written down again, so
//! that whoever loads a pruned log fences those before it
//! (docs/decisions/0482-a-leader-is-written-down-again.md).

use super::Outputs;
use super::answer::{ReadAnswer, ShareError, SummaryAnswer};
use super::initialize::known_partition;
use super::key::SharePartitionKey;
use super::log_event::{LogEvent, Request};
use super::shard::ShareShard;
use super::state::{Known, NO_EPOCH, UNINITIALIZED_COUNT, UNINITIALIZED_OFFSET};
use super::state_batch::StateBatch;
use super::write::WriteState;
use crate::runtime::{Now, Reply};

/// Whose state is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadState {
    pub key: SharePartitionKey,
    /// Of the leader that reads; -1: none, and nobody is fenced.
    pub leader_epoch: i32,
}

/// A state as its reader has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRead {
    pub state_epoch: i32,
    pub start_offset: i64,
    pub batches: Vec<StateBatch>,
}

/// A state without its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateSummary {
    pub state_epoch: i32,
    pub leader_epoch: i32,
    pub start_offset: i64,
    pub delivery_complete_count: i32,
}

impl StateSummary {
    /// What is said where there is no state.
    const UNINITIALIZED: Self = Self {
        state_epoch: 0,
        leader_epoch: 0,
        start_offset: UNINITIALIZED_OFFSET,
        delivery_complete_count: UNINITIALIZED_COUNT,
    };
}

impl ShareShard {
    /// From a leader that is newer than any before it fences those; the answer waits until that
    /// stands in the log. `is_known`: the partition of the topic is there.
    pub fn read(
        &mut self,
        asked: &ReadState,
        is_known: bool,
        reply: Reply<ReadAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let known = match self.may_read(asked, is_known, out) {
            Ok(known) => known,
            Err(error) => return out.reply_when_settled(reply, Err(error)),
        };
        let answer = StateRead {
            state_epoch: known.state.state_epoch,
            start_offset: known.state.start_offset,
            batches: known.state.batches.clone(),
        };
        let leader_epoch = asked.leader_epoch;
        let is_written = leader_epoch == known.state.leader_epoch;
        if leader_epoch == NO_EPOCH || is_written && leader_epoch == known.newest_leader_epoch {
            return out.reply_when_settled(reply, Ok(answer));
        }
        out.log(LogEvent::NewLeaderEpoch { key: asked.key.clone(), leader_epoch });
        let unchanged = WriteState {
            key: asked.key.clone(),
            state_epoch: known.state.state_epoch,
            leader_epoch,
            start_offset: known.state.start_offset,
            delivery_complete_count: known.state.delivery_complete_count,
            batches: Vec::new(),
        };
        let record = self.change(known, &unchanged, leader_epoch, now);
        out.write_and_reply(self, vec![record], reply, Ok(answer));
    }

    /// `is_known`: the partition of the topic is there.
    pub fn summarize(
        &mut self,
        asked: &ReadState,
        is_known: bool,
        reply: Reply<SummaryAnswer>,
        out: &mut Outputs,
    ) {
        if asked.key.partition < 0 {
            return out.reply_when_settled(reply, Err(ShareError::NegativePartition));
        }
        if let Err(error) = known_partition(is_known, out) {
            return out.reply_when_settled(reply, Err(error));
        }
        let known = self.states.latest(&asked.key);
        let summary = known.map_or(StateSummary::UNINITIALIZED, |known| StateSummary {
            state_epoch: known.state.state_epoch,
            leader_epoch: known.state.leader_epoch,
            start_offset: known.state.start_offset,
            delivery_complete_count: known.state.delivery_complete_count,
        });
        out.reply_when_settled(reply, Ok(summary));
    }

    fn may_read(
        &self,
        asked: &ReadState,
        is_known: bool,
        out: &mut Outputs,
    ) -> Result<&Known, ShareError> {
        if asked.key.partition < 0 {
            return Err(ShareError::NegativePartition);
        }
        let Some(known) = self.states.latest(&asked.key) else {
            out.log(LogEvent::ReadUninitialized { key: asked.key.clone() });
            return Err(ShareError::ReadUninitialized);
        };
        known.fence_leader(Request::Read, asked.leader_epoch, out)?;
        known_partition(is_known, out)?;
        Ok(known)
    }
}

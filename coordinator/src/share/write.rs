//! WriteShareGroupState: what has changed joins the state, as an update, or as a snapshot when
//! there have been enough updates since the last one.

use protocol::records::share::{ShareRecord, ShareUpdateValue};

use super::Outputs;
use super::answer::{DoneAnswer, ShareError};
use super::initialize::known_partition;
use super::key::SharePartitionKey;
use super::log_event::{LogEvent, Request};
use super::shard::ShareShard;
use super::state::{Known, NO_EPOCH, ShareState, UNINITIALIZED_OFFSET, record_batch, record_key};
use super::state_batch::{StateBatch, combine};
use crate::runtime::{Now, Reply};

/// What has changed of a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteState {
    pub key: SharePartitionKey,
    /// -1: not fenced.
    pub state_epoch: i32,
    /// -1: not fenced.
    pub leader_epoch: i32,
    /// -1: as it was.
    pub start_offset: i64,
    /// KIP-1226; -1: not known.
    pub delivery_complete_count: i32,
    pub batches: Vec<StateBatch>,
}

impl ShareShard {
    /// `is_known`: the partition of the topic is there.
    pub fn write(
        &mut self,
        asked: &WriteState,
        is_known: bool,
        reply: Reply<DoneAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        match self.may_write(asked, is_known, out) {
            Ok(known) => {
                let leader_epoch = known.state.leader_epoch;
                let record = self.change(known, asked, leader_epoch, now);
                out.write_and_reply(self, vec![record], reply, Ok(()));
            }
            Err(error) => out.reply_when_settled(reply, Err(error)),
        }
    }

    fn may_write(
        &self,
        asked: &WriteState,
        is_known: bool,
        out: &mut Outputs,
    ) -> Result<&Known, ShareError> {
        if asked.key.partition < 0 {
            return Err(ShareError::NegativePartition);
        }
        let known = self.states.latest(&asked.key).ok_or(ShareError::WriteUninitialized)?;
        known.fence_leader(Request::Write, asked.leader_epoch, out)?;
        let newest = known.newest_state_epoch.unwrap_or(i32::MIN);
        if asked.state_epoch != NO_EPOCH && newest > asked.state_epoch {
            let (request, requested) = (Request::Write, asked.state_epoch);
            out.log(LogEvent::StateEpochIsOld { request, newest, requested });
            return Err(ShareError::FencedStateEpoch);
        }
        known_partition(is_known, out)?;
        Ok(known)
    }

    /// The record that makes a state what was written, in the name of this leader.
    pub(super) fn change(
        &self,
        known: &Known,
        asked: &WriteState,
        leader_epoch: i32,
        now: Now,
    ) -> ShareRecord {
        let (key, state) = (record_key(&asked.key), &known.state);
        let delivery_complete_count = asked.delivery_complete_count;
        if known.updates < self.settings.updates_per_snapshot {
            let batches = combine(&[], &asked.batches, asked.start_offset);
            let value = ShareUpdateValue {
                snapshot_epoch: state.snapshot_epoch,
                leader_epoch,
                start_offset: asked.start_offset,
                delivery_complete_count,
                batches: batches.iter().map(record_batch).collect(),
                unknown_tagged_fields: Default::default(),
            };
            return ShareRecord::Update { key, value: Some(value) };
        }
        let start_offset = match asked.start_offset {
            UNINITIALIZED_OFFSET => state.start_offset,
            moved => moved,
        };
        let state = ShareState {
            snapshot_epoch: state.snapshot_epoch.wrapping_add(1),
            state_epoch: state.state_epoch,
            leader_epoch,
            start_offset,
            delivery_complete_count,
            batches: combine(&state.batches, &asked.batches, start_offset),
            create_timestamp_ms: now.wall_ms,
            write_timestamp_ms: now.wall_ms,
        };
        ShareRecord::Snapshot { key, value: Some(state.snapshot_value()) }
    }
}

impl Known {
    /// A leader of the partition is fenced when a newer one has read the state.
    pub(super) fn fence_leader(
        &self,
        request: Request,
        leader_epoch: i32,
        out: &mut Outputs,
    ) -> DoneAnswer {
        let newest = self.newest_leader_epoch;
        if leader_epoch != NO_EPOCH && newest > leader_epoch {
            out.log(LogEvent::LeaderEpochIsOld { request, newest, requested: leader_epoch });
            return Err(ShareError::FencedLeaderEpoch);
        }
        Ok(())
    }
}

//! InitializeShareGroupState: a state begins, or begins anew where it was, under a state epoch that
//! fences all who knew the one before.

use protocol::records::share::ShareRecord;

use super::Outputs;
use super::answer::{DoneAnswer, ShareError};
use super::key::SharePartitionKey;
use super::log_event::{LogEvent, Request};
use super::shard::ShareShard;
use super::state::{NO_EPOCH, ShareState, UNINITIALIZED_COUNT, UNINITIALIZED_OFFSET, record_key};
use crate::runtime::{Now, Reply};

/// How a state begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitializeState {
    pub key: SharePartitionKey,
    /// -1: fences nobody and is not fenced.
    pub state_epoch: i32,
    /// -1: not known yet.
    pub start_offset: i64,
}

impl ShareShard {
    /// `is_known`: the partition of the topic is there.
    pub fn initialize(
        &mut self,
        asked: &InitializeState,
        is_known: bool,
        reply: Reply<DoneAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        if let Err(error) = self.may_initialize(asked, is_known, out) {
            return out.reply_when_settled(reply, Err(error));
        }
        let before = self.states.latest(&asked.key);
        let state = ShareState {
            snapshot_epoch: before.map_or(0, |known| known.state.snapshot_epoch.wrapping_add(1)),
            state_epoch: asked.state_epoch,
            leader_epoch: 0,
            start_offset: asked.start_offset,
            delivery_complete_count: match asked.start_offset {
                UNINITIALIZED_OFFSET => UNINITIALIZED_COUNT,
                // From there on nothing has been delivered.
                _ => 0,
            },
            batches: Vec::new(),
            create_timestamp_ms: now.wall_ms,
            write_timestamp_ms: now.wall_ms,
        };
        let (key, value) = (record_key(&asked.key), Some(state.snapshot_value()));
        out.write_and_reply(self, vec![ShareRecord::Snapshot { key, value }], reply, Ok(()));
    }

    fn may_initialize(
        &self,
        asked: &InitializeState,
        is_known: bool,
        out: &mut Outputs,
    ) -> DoneAnswer {
        if asked.key.partition < 0 {
            return Err(ShareError::NegativePartition);
        }
        let known = self.states.latest(&asked.key);
        let newest = known.and_then(|known| known.newest_state_epoch);
        if let Some(newest) = newest
            && asked.state_epoch != NO_EPOCH
            && newest > asked.state_epoch
        {
            let (request, requested) = (Request::Initialize, asked.state_epoch);
            out.log(LogEvent::StateEpochIsOld { request, newest, requested });
            return Err(ShareError::FencedStateEpoch);
        }
        known_partition(is_known, out)
    }
}

/// What is asked of a partition that its topic does not have is refused.
pub(super) fn known_partition(is_known: bool, out: &mut Outputs) -> DoneAnswer {
    if !is_known {
        out.log(LogEvent::UnknownPartition);
        return Err(ShareError::UnknownPartition);
    }
    Ok(())
}

//! The follower's side of a fetch: append, or cut off what the leader does not have, or turn to its
//! snapshot.
//!
//! Kept true: nothing below the high watermark is cut off; a leader that asks for it ends this
//! node. Answers to `handleFetchResponse` of `KafkaRaftClient`.

use protocol::messages::FetchResponse;
use protocol::messages::fetch_response::PartitionData;

use super::Quorum;
use super::error::QuorumError;
use super::follower::Download;
use super::log::{Log, VoteStore};
use super::response::{Handled, Heard, heard_endpoints};
use super::role::Role;
use super::snapshot_id::SnapshotId;

impl<L: Log, V: VoteStore> Quorum<L, V> {
    /// Says whether the answer was of use.
    pub(super) fn fetch_answered(&mut self, response: &FetchResponse) -> Result<bool, QuorumError> {
        let partition = match &response.responses[..] {
            [topic] if response.error_code == 0 => topic.partitions.first(),
            _ => None,
        };
        let Some(partition) = partition else {
            return Ok(false);
        };
        let leader = &partition.current_leader;
        let nodes = response.node_endpoints.iter().filter_map(|node| {
            Some((node.node_id.0, node.host.as_str(), u16::try_from(node.port).ok()?))
        });
        let heard = Heard {
            error: partition.error_code,
            leader_id: leader.leader_id.0,
            epoch: leader.leader_epoch,
            endpoints: heard_endpoints(&self.settings.listener, leader.leader_id.0, nodes),
        };
        if let Handled::Done(success) = self.hear(heard) {
            return Ok(success);
        }
        if partition.error_code != 0 || !matches!(self.role, Role::Follower(_)) {
            return Ok(false);
        }
        let success = self.take_in(partition)?;
        if success {
            self.leader_answered();
        }
        Ok(success)
    }

    /// The leader is there.
    pub(super) fn leader_answered(&mut self) {
        let (now_ms, fetch_ms) = (self.now.monotonic_ms, self.settings.timeouts.fetch_ms);
        if let Role::Follower(role) = &mut self.role {
            role.fetched(now_ms, fetch_ms);
        }
    }

    fn take_in(&mut self, partition: &PartitionData) -> Result<bool, QuorumError> {
        let (diverging, snapshot) = (&partition.diverging_epoch, &partition.snapshot_id);
        if diverging.epoch >= 0 {
            self.truncate_to_end_of(diverging.epoch, diverging.end_offset)?;
            return Ok(true);
        }
        if snapshot.epoch >= 0 || snapshot.end_offset >= 0 {
            let id = SnapshotId { end_offset: snapshot.end_offset, epoch: snapshot.epoch };
            if snapshot.epoch < 0 || snapshot.end_offset < 0 {
                return Ok(false);
            }
            if let Role::Follower(role) = &mut self.role {
                role.download = Some(Download { id, content: bytes::BytesMut::new() });
            }
            return Ok(true);
        }
        let records = partition.records.clone().unwrap_or_default();
        let sound = self.append_fetched(&records)?;
        if partition.high_watermark >= 0 {
            self.follow_high_watermark(partition.high_watermark)?;
        }
        Ok(sound)
    }

    /// The leader's log ends `epoch` at `end_offset`; ours must go no further.
    fn truncate_to_end_of(&mut self, epoch: i32, end_offset: i64) -> Result<(), QuorumError> {
        let log_end = self.log.log_end_offset();
        let offset = if epoch == 0 {
            end_offset.min(log_end)
        } else {
            let earliest = self.earliest_snapshot();
            match self.epochs.end_of(epoch, log_end, earliest) {
                (known, own_end) if known == epoch => own_end.min(end_offset),
                (_, own_end) => own_end,
            }
        };
        self.truncate_to(offset)
    }
}

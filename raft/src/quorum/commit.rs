//! The high watermark moves: what lies below goes out, once and in order.
//!
//! Kept true: the high watermark never falls and never passes the log's end. What is not at hand
//! any more, or stood in the log when the node opened, is read again.

use super::Quorum;
use super::batches::decode;
use super::error::QuorumError;
use super::event::Output;
use super::log::{Log, VoteStore};
use super::role::Role;
use super::{Entry, REPLAY_BYTES};
use crate::planted::{Bug, is_planted};

impl<L: Log, V: VoteStore> Quorum<L, V> {
    pub(super) fn leader_high_watermark_moved(&mut self) -> Result<(), QuorumError> {
        let Role::Leader(leader) = &self.role else {
            return Ok(());
        };
        let (epoch, start) = (leader.epoch, leader.epoch_start_offset);
        if let Some(high_watermark) = leader.high_watermark() {
            self.advance_to(high_watermark)?;
        }
        self.change_committed();
        if !self.active && self.next_commit > start {
            self.activate(epoch);
        }
        Ok(())
    }

    /// The leader says that everything below `high_watermark` is committed.
    pub(super) fn follow_high_watermark(&mut self, high_watermark: i64) -> Result<(), QuorumError> {
        self.advance_to(high_watermark.min(self.log.log_end_offset()))
    }

    fn advance_to(&mut self, high_watermark: i64) -> Result<(), QuorumError> {
        if self.high_watermark.is_some_and(|at| at >= high_watermark) || high_watermark < 0 {
            return Ok(());
        }
        self.high_watermark = Some(high_watermark);
        self.commit_from_log(high_watermark)?;
        let committed = self.uncommitted.partition_point(|entry| entry.offset < high_watermark);
        let entries: Vec<Entry> = self.uncommitted.drain(..committed).collect();
        self.hand_out(entries, high_watermark);
        Ok(())
    }

    fn hand_out(&mut self, entries: Vec<Entry>, high_watermark: i64) {
        if high_watermark > self.next_commit {
            self.next_commit = high_watermark;
            self.outputs.push(Output::Commit { entries, high_watermark });
        }
    }

    /// Hands out what lies before the entries at hand.
    fn commit_from_log(&mut self, high_watermark: i64) -> Result<(), QuorumError> {
        let at_hand = self.uncommitted.front().map_or(i64::MAX, |entry| entry.offset);
        let until = high_watermark.min(at_hand);
        while self.next_commit < until {
            let from = self.next_commit;
            for piece in self.log.read(from, REPLAY_BYTES)? {
                let mut entries = decode(&piece)?;
                let next = self.next_commit;
                entries.retain(|entry| (next..until).contains(&entry.offset));
                let Some((first, last)) = entries.first().zip(entries.last()) else {
                    continue;
                };
                if first.offset != next {
                    return Err(QuorumError::Gap { from: next, to: first.offset });
                }
                let reached = last.offset + 1;
                self.hand_out(entries, reached);
            }
            if self.next_commit == from {
                return Err(QuorumError::Gap { from, to: until });
            }
        }
        Ok(())
    }

    /// Everything from `offset` on is void.
    pub(super) fn truncate_to(&mut self, offset: i64) -> Result<(), QuorumError> {
        if let Some(high_watermark) = self.high_watermark.filter(|at| offset < *at) {
            return Err(QuorumError::TruncationBelowHighWatermark { offset, high_watermark });
        }
        if offset >= self.log.log_end_offset() {
            return Ok(());
        }
        self.log.truncate_to(offset);
        self.void_syncs(offset);
        self.epochs.truncated_to(offset);
        if !is_planted(Bug::VotersOutliveTruncation) {
            self.kraft.truncated_to(offset);
        }
        let kept = self.uncommitted.partition_point(|entry| entry.offset < offset);
        self.uncommitted.truncate(kept);
        if self.syncs() {
            self.request_sync();
        }
        Ok(())
    }
}

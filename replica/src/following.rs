//! The steps of a follower: what it asks for, and what it does with the leader's answers.
//!
//! A follower's log ends where its position says; whatever changes the log changes the position, so
//! that an answer to an older question is recognized and dropped.
//!
//! Kafka: `AbstractFetcherThread`, `ReplicaFetcherThread`,
//! `Partition.appendRecordsToFollowerOrFutureReplica`.

use crate::fetch::{self, Diverging};
use crate::follower::{self, FetchPosition, Fetched, Replicated};
use crate::log::Log;
use crate::partition::{Partition, Role};
use crate::planted::{Bug, is_planted};
use crate::step_context::StepContext;

impl<L: Log> Partition<L> {
    /// What to ask the leader for; `None` when nobody is to be asked.
    pub fn fetch_position(&self) -> Option<FetchPosition> {
        let Role::Follower(follower) = &self.role else { return None };
        if follower.leader < 0 || follower.halted {
            return None;
        }
        let epoch = self.log.latest_epoch();
        // Without an epoch nothing says whether what is not committed is the leader's too.
        let fetch_offset = match epoch {
            Some(_) => self.log.log_end_offset(),
            None => self.high_watermark,
        };
        let known = epoch.filter(|_| !is_planted(Bug::NoTruncationOnDivergence));
        Some(FetchPosition {
            leader: follower.leader,
            leader_epoch: self.leader_epoch,
            fetch_offset,
            last_fetched_epoch: known.unwrap_or(-1),
            log_start_offset: self.log.log_start_offset(),
        })
    }

    fn is_current(&self, position: &FetchPosition) -> bool {
        self.fetch_position().is_some_and(|current| {
            current.leader_epoch == position.leader_epoch
                && current.fetch_offset == position.fetch_offset
                && current.last_fetched_epoch == position.last_fetched_epoch
        })
    }

    /// The leader sent records, or none.
    pub fn append_from_leader(
        &mut self,
        position: &FetchPosition,
        fetched: &Fetched,
        at: &StepContext<'_>,
    ) -> Result<Replicated, L::Error> {
        if !self.is_current(position) {
            return Ok(Replicated::Outdated);
        }
        let ours = fetch::Extent {
            log_start_offset: position.log_start_offset,
            log_end_offset: position.fetch_offset,
            last_epoch: position.last_fetched_epoch,
        };
        if ours.cannot_be_compared(fetched.log_start_offset, self.leader_epoch)
            && !is_planted(Bug::KeepsWhatCannotBeCompared)
        {
            self.start_at(fetched.log_start_offset, at)?;
            return Ok(Replicated::StartedAt(fetched.log_start_offset));
        }
        if position.fetch_offset < self.log.log_end_offset() {
            self.truncate(position.fetch_offset, at)?;
        }
        let before = self.log.log_end_offset();
        if !fetched.records.is_empty() {
            if let Some(start) = follower::earlier_start(&fetched.records, &self.log) {
                if self.log.log_start_offset() == before {
                    self.start_at(start, at)?;
                } else {
                    self.truncate(start, at)?;
                }
            }
            let appended =
                self.log.append_as_follower(&fetched.records, self.leader_epoch, at.wall_ms);
            self.within_log(appended)?;
        }
        self.move_high_watermark(fetched.high_watermark);
        let start = fetched.log_start_offset;
        if start > self.log.log_start_offset() && start <= self.high_watermark {
            self.log.delete_records_before(start)?;
        }
        self.invariants();
        let appended = self.log.log_end_offset() > before;
        Ok(if appended { Replicated::Appended } else { Replicated::Nothing })
    }

    /// The leader says where our log parts from its own, and where its own starts (-1 if it does
    /// not say).
    pub fn diverged(
        &mut self,
        position: &FetchPosition,
        diverging: Diverging,
        leader_start: i64,
        at: &StepContext<'_>,
    ) -> Result<Replicated, L::Error> {
        if !self.is_current(position) {
            return Ok(Replicated::Outdated);
        }
        let offset = follower::truncation_offset(&self.log, diverging, self.high_watermark);
        self.truncate_or_begin_anew(offset, leader_start, at)
    }

    /// The leader has nothing at our position; these are the ends of what it has.
    pub fn out_of_range(
        &mut self,
        position: &FetchPosition,
        leader_start: i64,
        leader_end: i64,
        at: &StepContext<'_>,
    ) -> Result<Replicated, L::Error> {
        if !self.is_current(position) {
            return Ok(Replicated::Outdated);
        }
        let end = self.log.log_end_offset();
        if leader_end < end {
            // Elected out of sync, it has less than we.
            return self.truncate_or_begin_anew(leader_end, leader_start, at);
        }
        if leader_start > end {
            self.start_at(leader_start, at)?;
            return Ok(Replicated::StartedAt(leader_start));
        }
        Ok(Replicated::Nothing)
    }

    /// The leader is one of a newer epoch: nothing more is asked until the controller says so, too.
    pub fn leader_fenced_us(&mut self, position: &FetchPosition) {
        if self.is_current(position) {
            self.halt();
        }
    }

    /// The log failed, or does not fit together with the leader's: fetching stops until the next
    /// election.
    pub fn halt(&mut self) {
        if let Role::Follower(follower) = &mut self.role {
            follower.halted = true;
        }
    }

    /// Cuts our log to what the leader may have as well. A log that lies behind that as a whole is
    /// none that this leader's goes on from, and begins where the leader's does. One that is cut
    /// at its start stays there: what it deleted was committed.
    ///
    /// Unlike Kafka: its follower begins where it was to be cut, is in sync, and never gets what
    /// the leader has before that (docs/decisions/0313).
    fn truncate_or_begin_anew(
        &mut self,
        offset: i64,
        leader_start: i64,
        at: &StepContext<'_>,
    ) -> Result<Replicated, L::Error> {
        let is_behind = offset < self.log.log_start_offset();
        if is_behind && leader_start >= 0 && !is_planted(Bug::BeginsWhereItWasCut) {
            self.start_at(leader_start, at)?;
            return Ok(Replicated::StartedAt(leader_start));
        }
        self.truncate(offset, at)?;
        Ok(Replicated::Truncated(offset))
    }

    /// Where nothing is left of what readers see, nothing is left at all: what lies below the log's
    /// start was compared with nobody's, and a crash may bring it back (docs/decisions/0313).
    fn truncate(&mut self, offset: i64, at: &StepContext<'_>) -> Result<(), L::Error> {
        if offset <= self.log.log_start_offset() {
            return self.start_at(offset, at);
        }
        let truncated = self.log.truncate_to(offset, at.wall_ms);
        self.within_log(truncated)?;
        self.move_high_watermark(self.high_watermark);
        self.invariants();
        Ok(())
    }

    fn start_at(&mut self, offset: i64, at: &StepContext<'_>) -> Result<(), L::Error> {
        let started = self.log.truncate_fully_and_start_at(offset, at.wall_ms);
        self.within_log(started)?;
        self.move_high_watermark(offset);
        self.invariants();
        Ok(())
    }

    /// Passes a log's result on. What failed may have left the log shorter than it was.
    pub(crate) fn within_log<T>(&mut self, done: Result<T, L::Error>) -> Result<T, L::Error> {
        if done.is_err() {
            self.move_high_watermark(self.high_watermark);
        }
        done
    }

    /// Brings the mark within the log. As in Kafka it may also move back: a new leader may have
    /// heard of less than the one before.
    fn move_high_watermark(&mut self, offset: i64) {
        let (start, end) = (self.log.log_start_offset(), self.log.log_end_offset());
        let moved = offset.clamp(start, end);
        if moved != self.high_watermark {
            self.high_watermark = moved;
            self.log.high_watermark_moved(moved);
        }
    }
}

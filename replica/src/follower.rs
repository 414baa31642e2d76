//! What a follower decides: what to fetch next, and where to cut its log when it parts from the
//! leader's.
//!
//! Kafka: `AbstractFetcherThread` (truncation on fetch, KIP-595) and `ReplicaFetcherThread`.

use bytes::Bytes;
use protocol::batch::BatchView;

use crate::fetch::Diverging;
use crate::log::Log;

/// State of the follower role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerState {
    /// The leader's broker id, -1 for none.
    pub leader: i32,
    /// The leader has a newer epoch, or our log took no more: nothing is fetched until the
    /// controller says something new.
    pub(crate) halted: bool,
}

/// What to ask the leader for next. Comes back with the answer, so that an answer to what was asked
/// before a truncation or an election is told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchPosition {
    /// Whom to ask.
    pub leader: i32,
    /// The leadership.
    pub leader_epoch: i32,
    /// Our log's end.
    pub fetch_offset: i64,
    /// The epoch of our last record, -1 for none. An answer without records leaves it as it is
    /// (KAFKA-15510), since it is the log that knows.
    pub last_fetched_epoch: i32,
    /// Our log's start.
    pub log_start_offset: i64,
}

/// A leader's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Whole batches from the position on; the last one may be cut.
    pub records: Bytes,
    /// The leader's.
    pub high_watermark: i64,
    /// The leader's.
    pub log_start_offset: i64,
}

/// What an answer of the leader did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replicated {
    /// It was asked for before something else happened; nothing is done with it.
    Outdated,
    /// Nothing was appended; marks may have moved.
    Nothing,
    /// Records were appended.
    Appended,
    /// The log was cut to this offset.
    Truncated(i64),
    /// Everything was dropped, and the log goes on at this offset.
    StartedAt(i64),
}

/// Where a follower cuts its log for the leader's `diverging`.
pub(crate) fn truncation_offset(log: &impl Log, diverging: Diverging, high_watermark: i64) -> i64 {
    let end = log.log_end_offset();
    if diverging.end_offset < 0 {
        // The leader knows no epoch as old as ours.
        return high_watermark;
    }
    if diverging.epoch < 0 {
        return diverging.end_offset.min(end);
    }
    match log.end_offset_for_epoch(diverging.epoch) {
        // Its epoch is not in our log: cut ours back to the epoch before, and ask again.
        Some((epoch, ours)) if epoch != diverging.epoch => ours.min(end),
        Some((_, ours)) => ours.min(diverging.end_offset).min(end),
        None => diverging.end_offset.min(end),
    }
}

/// Where the first of `records` begins, if our log ends inside of it: the leader's start lay inside
/// of a batch when we began there, or when we were cut to the end of one that had begun there. What
/// we have from there on is no part of the leader's batch.
pub(crate) fn earlier_start(records: &Bytes, log: &impl Log) -> Option<i64> {
    let end = log.log_end_offset();
    let first = BatchView::parse(records).ok()?;
    (first.base_offset() < end && first.last_offset() >= end).then(|| first.base_offset())
}

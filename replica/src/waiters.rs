//! Produce requests with acks=all that wait until the high watermark passes their last record.
//!
//! Kept in the order of their offsets, which is the order of the appends: a waiter is answered when
//! the high watermark is past every offset it wrote, or when the leadership it wrote under ends.

use std::collections::VecDeque;

/// The host's name for a waiting request; this crate only hands it back.
pub type Token = u64;

/// What a waiter is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Every record of the append is committed.
    Committed,
    /// Committed, but the in-sync set had shrunk below min.insync.replicas by then (code 20).
    TooFewInSync,
    /// This broker no longer leads the partition under the epoch of the append.
    NoLongerLeader,
}

/// One request's claim: "tell me when `end_offset` is committed".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiter {
    end_offset: i64,
    token: Token,
}

/// The queue of a partition.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    queue: VecDeque<Waiter>,
}

impl Waiters {
    /// Adds a request whose append ended (exclusive) at `end_offset`.
    pub(crate) fn push(&mut self, end_offset: i64, token: Token) {
        debug_assert!(self.queue.back().is_none_or(|last| last.end_offset <= end_offset));
        self.queue.push_back(Waiter { end_offset, token });
    }

    /// Takes those whose records all lie below `high_watermark`.
    pub(crate) fn pass(&mut self, high_watermark: i64) -> Vec<Token> {
        let passed = self.queue.iter().take_while(|w| w.end_offset <= high_watermark).count();
        self.queue.drain(..passed).map(|w| w.token).collect()
    }

    /// Takes all of them; used when the leadership ends.
    pub(crate) fn take_all(&mut self) -> Vec<Token> {
        self.queue.drain(..).map(|w| w.token).collect()
    }

    /// Whether none waits at or below `high_watermark`.
    pub(crate) fn none_passed_at(&self, high_watermark: i64) -> bool {
        self.queue.front().is_none_or(|first| first.end_offset > high_watermark)
    }
}

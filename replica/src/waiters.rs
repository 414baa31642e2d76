//! Requests that wait for an offset: produce requests with acks=all until the high watermark passes
//! their last record, DeleteRecords until the low watermark reaches theirs.
//!
//! Kept in the order of their offsets. A waiter is answered when the mark reaches what it waits
//! for, or when the leadership it waits under ends.

use std::collections::VecDeque;

/// The host's name for a waiting request; this crate only hands it back.
pub type Token = u64;

/// What a waiting produce request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Every record of the append is committed.
    Committed,
    /// Committed, but the in-sync set had shrunk below min.insync.replicas by then (code 20).
    TooFewInSync,
    /// This broker no longer leads the partition.
    NoLongerLeader,
}

/// One request's claim: "tell me when `offset` is reached".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiter {
    offset: i64,
    token: Token,
}

/// The queue of a partition.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    queue: VecDeque<Waiter>,
}

impl Waiters {
    /// Adds a request that waits until the mark is at least `offset`.
    pub(crate) fn push(&mut self, offset: i64, token: Token) {
        // Nearly always the last: only a repeated batch waits for an offset of the past.
        let at = self.queue.iter().rposition(|waiter| waiter.offset <= offset);
        self.queue.insert(at.map_or(0, |last| last + 1), Waiter { offset, token });
    }

    /// Takes those whose offset the mark has reached.
    pub(crate) fn pass(&mut self, mark: i64) -> Vec<Token> {
        let passed = self.queue.iter().take_while(|waiter| waiter.offset <= mark).count();
        self.queue.drain(..passed).map(|waiter| waiter.token).collect()
    }

    /// Takes all of them; used when the leadership ends.
    pub(crate) fn take_all(&mut self) -> Vec<Token> {
        self.queue.drain(..).map(|waiter| waiter.token).collect()
    }

    /// Drops one that waits no longer.
    pub(crate) fn forget(&mut self, token: Token) {
        self.queue.retain(|waiter| waiter.token != token);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether none waits at or below `mark`.
    pub(crate) fn none_passed_at(&self, mark: i64) -> bool {
        self.queue.front().is_none_or(|first| first.offset > mark)
    }
}

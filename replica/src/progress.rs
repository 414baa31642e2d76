//! What a leader knows of one follower, all of it from the follower's fetches.
//!
//! `caught_up_ms` is the newest time at which the follower had everything that the leader then had:
//! at this fetch, or, if it asks for what lies behind the leader's end of the fetch before, at that
//! one. So a follower that is always a step behind a busy leader still counts as in sync.
//!
//! Kafka: `Replica` and `ReplicaState`.

/// Long ago: before any time that lag is measured from.
const NEVER: i64 = i64::MIN;

/// One follower's state at its leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Where its log ends, -1 until it has fetched.
    pub end_offset: i64,
    /// Where its log starts, -1 until it has fetched.
    pub start_offset: i64,
    /// The leader's end when the follower last fetched.
    leader_end_at_fetch: i64,
    fetched_ms: i64,
    caught_up_ms: i64,
    /// The epoch of the broker that fetched, -1 if it did not say, `None` until it has fetched.
    pub broker_epoch: Option<i64>,
}

impl Progress {
    /// A follower that nothing is known of.
    pub(crate) const UNKNOWN: Self = Self {
        end_offset: -1,
        start_offset: -1,
        leader_end_at_fetch: 0,
        fetched_ms: NEVER,
        caught_up_ms: NEVER,
        broker_epoch: None,
    };

    /// The follower fetched from `end_offset`.
    pub(crate) fn fetched(
        &mut self,
        (start_offset, end_offset): (i64, i64),
        leader_end: i64,
        broker_epoch: i64,
        now_ms: i64,
    ) {
        if end_offset >= leader_end {
            self.caught_up_ms = self.caught_up_ms.max(now_ms);
        } else if end_offset >= self.leader_end_at_fetch {
            self.caught_up_ms = self.caught_up_ms.max(self.fetched_ms);
        }
        self.start_offset = start_offset;
        self.end_offset = end_offset;
        self.leader_end_at_fetch = self.leader_end_at_fetch.max(leader_end);
        self.fetched_ms = now_ms;
        self.broker_epoch = Some(broker_epoch);
    }

    /// A leader epoch begins at `leader_end`. A member of the in-sync set has its lag time anew;
    /// for others the high watermark shall not wait.
    pub(crate) fn begin_epoch(&mut self, in_sync: bool, anew: bool, leader_end: i64, now_ms: i64) {
        let since = if in_sync { now_ms } else { NEVER };
        *self = if anew {
            Self { caught_up_ms: since, leader_end_at_fetch: -1, ..Self::UNKNOWN }
        } else {
            Self {
                leader_end_at_fetch: leader_end,
                fetched_ms: since,
                caught_up_ms: since,
                ..*self
            }
        };
    }

    /// Whether it has all of the leader's log, or had it at most `lag_max_ms` ago.
    pub(crate) fn is_caught_up(&self, leader_end: i64, now_ms: i64, lag_max_ms: i64) -> bool {
        self.end_offset == leader_end || now_ms.saturating_sub(self.caught_up_ms) <= lag_max_ms
    }

    /// When it last had everything; `None` for never, as far as this leader knows.
    pub fn caught_up_ms(&self) -> Option<i64> {
        (self.caught_up_ms != NEVER).then_some(self.caught_up_ms)
    }

    /// When it last fetched; `None` for never, as far as this leader knows.
    pub fn fetched_ms(&self) -> Option<i64> {
        (self.fetched_ms != NEVER).then_some(self.fetched_ms)
    }
}

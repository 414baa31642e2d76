//! A partition's offsets, published for readers that must not wait for the partition's lock.
//!
//! Invariant, at every moment a reader may look: log start <= last stable <= high watermark <= log
//! end held when the values were stored; since each only grows while the leadership lasts and they
//! are stored from the greatest down, a reader that loads from the smallest up sees them in order.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicI64, Ordering};

/// Up to where a fetch may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// A consumer with isolation.level=read_uncommitted: the high watermark.
    ReadUncommitted,
    /// A consumer with isolation.level=read_committed: the last stable offset.
    ReadCommitted,
    /// A follower or a debugging tool: everything there is.
    LogEnd,
}

/// The published offsets.
#[derive(Debug)]
pub(crate) struct Marks {
    log_start_offset: AtomicI64,
    last_stable_offset: AtomicI64,
    high_watermark: AtomicI64,
    log_end_offset: AtomicI64,
    epoch_start_offset: AtomicI64,
    leader_epoch: AtomicI32,
    latest_log_epoch: AtomicI32,
    leads: AtomicBool,
}

/// One consistent set, as the partition's lock holder knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offsets {
    pub(crate) log_start: i64,
    pub(crate) last_stable: i64,
    pub(crate) high_watermark: i64,
    pub(crate) log_end: i64,
    /// Epoch of the newest record; -1 for none.
    pub(crate) latest_log_epoch: i32,
}

/// Whether this broker leads, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leadership {
    pub(crate) leads: bool,
    pub(crate) epoch: i32,
    /// Where the log ended when this broker became the leader; -1 while it is none.
    pub(crate) start_offset: i64,
}

/// Who may want to look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// Readers up to the log's end: followers.
    pub(crate) end: bool,
    /// Readers of what is committed: consumers.
    pub(crate) committed: bool,
}

impl Marks {
    pub(crate) fn new() -> Self {
        Self {
            log_start_offset: AtomicI64::new(0),
            last_stable_offset: AtomicI64::new(0),
            high_watermark: AtomicI64::new(0),
            log_end_offset: AtomicI64::new(0),
            epoch_start_offset: AtomicI64::new(-1),
            leader_epoch: AtomicI32::new(-1),
            latest_log_epoch: AtomicI32::new(-1),
            leads: AtomicBool::new(false),
        }
    }

    /// Publishes what the lock holder knows.
    pub(crate) fn publish(&self, leadership: Leadership, offsets: Offsets) -> Moved {
        let epoch = self.leader_epoch.swap(leadership.epoch, Ordering::AcqRel);
        let leads = self.leads.swap(leadership.leads, Ordering::AcqRel);
        self.epoch_start_offset.store(leadership.start_offset, Ordering::Release);
        self.latest_log_epoch.store(offsets.latest_log_epoch, Ordering::Release);
        let log_end = self.log_end_offset.swap(offsets.log_end, Ordering::AcqRel);
        let high_watermark = self.high_watermark.swap(offsets.high_watermark, Ordering::AcqRel);
        let last_stable = self.last_stable_offset.swap(offsets.last_stable, Ordering::AcqRel);
        let log_start = self.log_start_offset.swap(offsets.log_start, Ordering::AcqRel);
        let elected = (leads, epoch) != (leadership.leads, leadership.epoch);
        let committed = (log_start, last_stable, high_watermark)
            != (offsets.log_start, offsets.last_stable, offsets.high_watermark);
        Moved { end: elected || log_end != offsets.log_end, committed: elected || committed }
    }

    pub(crate) fn log_start_offset(&self) -> i64 {
        self.log_start_offset.load(Ordering::Acquire)
    }

    pub(crate) fn last_stable_offset(&self) -> i64 {
        self.last_stable_offset.load(Ordering::Acquire)
    }

    pub(crate) fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::Acquire)
    }

    pub(crate) fn log_end_offset(&self) -> i64 {
        self.log_end_offset.load(Ordering::Acquire)
    }

    pub(crate) fn leader_epoch(&self) -> i32 {
        self.leader_epoch.load(Ordering::Acquire)
    }

    pub(crate) fn latest_log_epoch(&self) -> i32 {
        self.latest_log_epoch.load(Ordering::Acquire)
    }

    /// Where the log ended when this broker became the leader; -1 while it is none.
    pub(crate) fn epoch_start_offset(&self) -> i64 {
        self.epoch_start_offset.load(Ordering::Acquire)
    }

    pub(crate) fn leads(&self) -> bool {
        self.leads.load(Ordering::Acquire)
    }

    /// First offset that such a reader may not see.
    pub(crate) fn upper_bound(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.high_watermark(),
            Isolation::ReadCommitted => self.last_stable_offset(),
            Isolation::LogEnd => self.log_end_offset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_says_who_may_want_to_look() {
        let marks = Marks::new();
        let leading = Leadership { leads: true, epoch: 3, start_offset: 4 };
        let mut offsets = Offsets {
            log_start: 0,
            last_stable: 2,
            high_watermark: 3,
            log_end: 4,
            latest_log_epoch: 1,
        };
        assert_eq!(marks.publish(leading, offsets), Moved { end: true, committed: true });
        assert_eq!(marks.publish(leading, offsets), Moved { end: false, committed: false });
        assert_eq!(marks.upper_bound(Isolation::ReadCommitted), 2);
        assert_eq!(marks.upper_bound(Isolation::ReadUncommitted), 3);
        assert_eq!(marks.upper_bound(Isolation::LogEnd), 4);
        offsets.log_end = 5;
        assert_eq!(marks.publish(leading, offsets), Moved { end: true, committed: false });
        offsets.high_watermark = 5;
        assert_eq!(marks.publish(leading, offsets), Moved { end: false, committed: true });
        let following = Leadership { leads: false, epoch: 4, start_offset: -1 };
        assert_eq!(marks.publish(following, offsets), Moved { end: true, committed: true });
    }
}

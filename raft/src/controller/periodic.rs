//! What the active controller does without being asked: it fences brokers that fell silent, gives
//! partitions back to their preferred leaders, elects unclean ones where that is allowed, and takes
//! away delegation tokens that have expired.
//!
//! Kept true: one call does one task, so that the records of the next are decided on what the
//! former wrote; after a fail-over all tasks start their interval anew.
//!
//! Answers to `PeriodicTaskControlManager` and the tasks that `QuorumController` registers.

use super::{Controller, ControllerNow, ControllerResult, ControllerSettings};

/// A task that left something over goes on after this time, so that requests get their turn.
const CONTINUATION_MS: i64 = 10;

/// Who looks at sessions so long after one ended did not run in between.
const STALLED_MS: i64 = 500;

/// When the tasks of an active controller are due.
#[derive(Debug)]
pub(super) struct Schedule {
    /// `None`: leaders stay where they are.
    balance_ms: Option<i64>,
    unclean_ms: i64,
    expired_tokens_ms: i64,
}

impl Schedule {
    pub(super) fn new(settings: &ControllerSettings, now_ms: i64) -> Self {
        Self {
            balance_ms: settings.leader_balance_interval_ms.map(|interval| now_ms + interval),
            unclean_ms: now_ms + settings.unclean_election_interval_ms,
            expired_tokens_ms: now_ms
                .saturating_add(settings.delegation_tokens.expiry_check_interval_ms),
        }
    }

    fn next_ms(&self) -> i64 {
        let next = self.unclean_ms.min(self.expired_tokens_ms);
        self.balance_ms.map_or(next, |balance| balance.min(next))
    }
}

impl Controller {
    /// Does one task that is due; the answer says whether to call again at once.
    ///
    /// Unlike Kafka: a controller that did not run when a session ended, paused or starved, has not
    /// read the heartbeats of that time either, and hears them first (docs/decisions/0108).
    pub fn tick(&mut self, now: &ControllerNow) -> ControllerResult<bool> {
        if let Some(heartbeats) = &mut self.heartbeats
            && heartbeats.next_expiry_ms().is_some_and(|at| now.monotonic_ms > at + STALLED_MS)
        {
            heartbeats.prolong(now.monotonic_ms);
        }
        let fenced = self.fence_stale_broker(now);
        if fenced.response.is_some() {
            return ControllerResult::of(fenced.records, true);
        }
        let now_ms = now.monotonic_ms;
        let Some(schedule) = &self.schedule else {
            return ControllerResult::unchanged(false);
        };
        let next = |more: bool, interval: i64| {
            now_ms.saturating_add(if more { CONTINUATION_MS } else { interval })
        };
        let due = schedule.balance_ms.is_some_and(|at| now_ms >= at);
        if let Some(interval) = self.settings.leader_balance_interval_ms.filter(|_| due) {
            let balanced = self.balance_leaders();
            if let Some(schedule) = &mut self.schedule {
                schedule.balance_ms = Some(next(balanced.response, interval));
            }
            return ControllerResult::of(balanced.records, true);
        }
        if now_ms >= schedule.unclean_ms {
            let elected = self.elect_unclean_leaders();
            let interval = self.settings.unclean_election_interval_ms;
            if let Some(schedule) = &mut self.schedule {
                schedule.unclean_ms = next(elected.response, interval);
            }
            return ControllerResult::of(elected.records, true);
        }
        if now_ms >= schedule.expired_tokens_ms {
            let removed = self.remove_expired_tokens(now);
            let interval = self.settings.delegation_tokens.expiry_check_interval_ms;
            if let Some(schedule) = &mut self.schedule {
                schedule.expired_tokens_ms = next(removed.response, interval);
            }
            return ControllerResult::of(removed.records, true);
        }
        ControllerResult::unchanged(false)
    }

    /// When to call [`Self::tick`] next at the latest; `None` while inactive.
    pub fn next_expiry_ms(&self) -> Option<i64> {
        let due = self.schedule.as_ref()?.next_ms();
        let session = self.heartbeats.as_ref().and_then(|heartbeats| heartbeats.next_expiry_ms());
        Some(session.map_or(due, |session| session.min(due)))
    }
}

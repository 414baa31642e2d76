//! When the cluster is asked for its metadata.
//!
//! Pure: times are durations since the client began. Answers to `Metadata.timeToNextUpdate` and
//! `ExponentialBackoff`; Unlike Kafka: pauses have no jitter, as with the admin client.

use std::time::Duration;

/// Pauses that double up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub first: Duration,
    pub most: Duration,
}

impl Backoff {
    /// The pause after so many failures before it.
    #[must_use]
    pub fn after(self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.most.max(self.first))
    }
}

/// When the last questions were, and whether another is due.
#[derive(Debug)]
pub(super) struct Refresh {
    max_age: Duration,
    backoff: Backoff,
    /// When the last question was answered, or failed.
    last: Option<Duration>,
    last_success: Option<Duration>,
    /// Questions in a row that failed or left something open.
    failures: u32,
    is_requested: bool,
    is_new_topic: bool,
    is_asking: bool,
}

impl Refresh {
    pub(super) fn new(max_age: Duration, backoff: Backoff) -> Self {
        Self {
            max_age,
            backoff,
            last: None,
            last_success: None,
            failures: 0,
            is_requested: false,
            is_new_topic: false,
            is_asking: false,
        }
    }

    /// Somebody found that what is known is not so any more.
    pub(super) fn request(&mut self) {
        self.is_requested = true;
    }

    /// A topic is wanted of which nothing is known: no backoff before it.
    pub(super) fn request_for_new_topic(&mut self) {
        self.is_new_topic = true;
        self.failures = 0;
    }

    pub(super) fn asking(&mut self) {
        self.is_asking = true;
        self.is_requested = false;
        self.is_new_topic = false;
    }

    pub(super) fn answered(&mut self, now: Duration, is_unsettled: bool) {
        self.is_asking = false;
        self.last = Some(now);
        self.last_success = Some(now);
        if is_unsettled {
            self.is_requested = true;
            self.failures = self.failures.saturating_add(1);
        } else {
            self.failures = 0;
        }
    }

    pub(super) fn failed(&mut self, now: Duration) {
        self.is_asking = false;
        self.last = Some(now);
        self.failures = self.failures.saturating_add(1);
        self.is_requested = true;
    }

    /// How long until the next question; nothing while one is under way.
    pub(super) fn due_in(&self, now: Duration) -> Option<Duration> {
        if self.is_asking {
            return None;
        }
        if self.is_new_topic {
            return Some(Duration::ZERO);
        }
        let expires = match self.last_success {
            _ if self.is_requested => Duration::ZERO,
            None => Duration::ZERO,
            Some(success) => (success + self.max_age).saturating_sub(now),
        };
        let pause = self.backoff.after(self.failures.saturating_sub(1));
        let allowed = self.last.map_or(Duration::ZERO, |last| (last + pause).saturating_sub(now));
        Some(expires.max(allowed))
    }
}

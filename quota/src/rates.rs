//! A quota of so much a second: bytes of records, or time on a thread.
//!
//! Answers to `ClientQuotaManager` and `ClientRequestQuotaManager`.

use crate::accounts::Accounts;
use crate::limits::Limits;
use crate::rate::Rate;
use crate::window::Window;

/// What each may a second, and what he did.
///
/// Unlike Kafka what nothing bounds is not measured (docs/decisions/0570).
#[derive(Debug)]
pub struct RateQuota {
    limits: Limits,
    window: Window,
    /// For how long somebody is held back at most.
    throttle_max_ms: Option<i64>,
    accounts: Accounts<Rate>,
}

impl RateQuota {
    pub fn new(window: Window) -> Self {
        let (limits, accounts) = (Limits::default(), Accounts::default());
        Self { limits, window, throttle_max_ms: None, accounts }
    }

    /// As [`Self::new`], for what nobody is held back for longer than a sample's length: how long a
    /// request takes its sender has no part in.
    pub fn with_short_throttles(window: Window) -> Self {
        Self { throttle_max_ms: Some(window.sample_ms()), ..Self::new(window) }
    }

    /// Other quotas stand from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Records what somebody did; for how many milliseconds he is held back for it.
    pub fn record(&mut self, user: &str, client_id: &str, value: f64, now_ms: i64) -> i64 {
        let account = self.limits.account(user, client_id);
        let Some(bound) = account.bound else { return 0 };
        let rate = self.accounts.of(&account, self.window, now_ms);
        rate.record(self.window, value, now_ms);
        let throttled_ms = rate.observe(self.window, now_ms).throttle_time_ms(bound).unwrap_or(0);
        self.throttle_max_ms.map_or(throttled_ms, |most_ms| throttled_ms.min(most_ms))
    }

    /// Records what somebody is not held back for now; a negative value takes back what he did not
    /// get after all.
    pub fn note(&mut self, user: &str, client_id: &str, value: f64, now_ms: i64) {
        let account = self.limits.account(user, client_id);
        if account.bound.is_some() {
            self.accounts.of(&account, self.window, now_ms).record(self.window, value, now_ms);
        }
    }

    /// More at once than this is held back even if nothing else is done in a window.
    pub fn most_at_once(&self, user: &str, client_id: &str) -> Option<f64> {
        let bound = self.limits.account(user, client_id).bound?;
        Some(bound * self.window.whole_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Name;

    fn limited(mut quota: RateQuota, bound: f64) -> RateQuota {
        let mut limits = Limits::default();
        limits.set(None, Some(Name::Named("slow")), bound);
        quota.set_limits(limits);
        quota
    }

    #[test]
    fn who_is_too_fast_is_held_back_until_the_rate_is_what_it_may_be() {
        let mut quota = limited(RateQuota::new(Window::new(11, 1)), 1000.0);
        assert_eq!(quota.record("u", "slow", 10_000.0, 0), 0);
        let throttled_ms = quota.record("u", "slow", 500.0, 0);
        assert_eq!(throttled_ms, 500);
        assert_eq!(quota.record("u", "slow", 0.0, throttled_ms), 0);
        assert_eq!(quota.record("u", "other", 1e9, 0), 0, "nothing bounds it");
    }

    #[test]
    fn what_is_taken_back_does_not_count() {
        let mut quota = limited(RateQuota::new(Window::new(11, 1)), 1000.0);
        assert_eq!(quota.record("u", "slow", 12_000.0, 0), 2000);
        quota.note("u", "slow", -12_000.0, 0);
        assert_eq!(quota.record("u", "slow", 10_000.0, 1), 0);
        assert_eq!(quota.most_at_once("u", "slow"), Some(10_000.0));
        assert_eq!(quota.most_at_once("u", "other"), None);
    }

    #[test]
    fn a_request_is_held_back_for_a_samples_length_at_most() {
        let mut quota = limited(RateQuota::with_short_throttles(Window::new(11, 1)), 1.0);
        assert_eq!(quota.record("u", "slow", 500.0, 0), 1000);
    }
}

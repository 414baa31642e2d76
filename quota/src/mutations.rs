//! A quota of partitions that are made and deleted (KIP-599).
//!
//! A strict one lets nothing through while its account is in debt; a permissive one lets everything
//! through, and has its sender wait afterwards, for clients that know no such error.
//!
//! Answers to `ControllerMutationQuotaManager`.

use crate::accounts::Accounts;
use crate::limits::Limits;
use crate::token_bucket::TokenBucket;
use crate::window::Window;

/// What each may a second, and what he did.
#[derive(Debug)]
pub struct MutationQuota {
    limits: Limits,
    window: Window,
    accounts: Accounts<TokenBucket>,
}

impl MutationQuota {
    pub fn new(window: Window) -> Self {
        Self { limits: Limits::default(), window, accounts: Accounts::default() }
    }

    /// Other quotas stand from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes so many, unless the account is in debt: for how many milliseconds it still is.
    pub fn take_strictly(
        &mut self,
        user: &str,
        client_id: &str,
        partitions: f64,
        now_ms: i64,
    ) -> Result<(), i64> {
        let account = self.limits.account(user, client_id);
        let Some(bound) = account.bound else { return Ok(()) };
        let bucket = self.accounts.of(&account, self.window, now_ms);
        if let Some(throttled_ms) = bucket.throttle_time_ms(self.window, bound, now_ms) {
            return Err(throttled_ms);
        }
        bucket.take(self.window, bound, partitions, now_ms);
        Ok(())
    }

    /// Takes so many; for how many milliseconds the account is in debt afterwards, if it is.
    pub fn take(
        &mut self,
        user: &str,
        client_id: &str,
        partitions: f64,
        now_ms: i64,
    ) -> Option<i64> {
        let account = self.limits.account(user, client_id);
        let bound = account.bound?;
        let bucket = self.accounts.of(&account, self.window, now_ms);
        bucket.take(self.window, bound, partitions, now_ms);
        bucket.throttle_time_ms(self.window, bound, now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Name;

    fn quota() -> MutationQuota {
        let mut limits = Limits::default();
        limits.set(Some(Name::Default), None, 2.0);
        let mut quota = MutationQuota::new(Window::new(11, 1));
        quota.set_limits(limits);
        quota
    }

    #[test]
    fn a_strict_quota_lets_through_what_makes_the_debt_and_nothing_behind_it() {
        let mut quota = quota();
        assert_eq!(quota.take_strictly("u", "c", 30.0, 0), Ok(()));
        assert_eq!(quota.take_strictly("u", "c", 1.0, 0), Err(4000));
        assert_eq!(quota.take_strictly("u", "other", 1.0, 3000), Err(1000), "the user's account");
        assert_eq!(quota.take_strictly("v", "c", 1.0, 0), Ok(()), "another user's");
        assert_eq!(quota.take_strictly("u", "c", 1.0, 4000), Ok(()));
    }

    #[test]
    fn a_permissive_quota_lets_everything_through_and_tells_the_debt() {
        let mut quota = quota();
        assert_eq!(quota.take("u", "c", 22.0, 0), None);
        assert_eq!(quota.take("u", "c", 1.0, 0), Some(500));
        assert_eq!(quota.take("u", "c", 1.0, 0), Some(1000));
    }
}

//! What is measured of each who has a bound.
//!
//! Unlike Kafka, which forgets a client after an hour: an account is forgotten as soon as it would
//! measure nothing any more, which nobody can tell from one that is kept
//! (docs/decisions/0570). It is looked for when new ones come, at a cost that those have paid for.

use std::collections::HashMap;

use crate::limits::Account;
use crate::window::Window;

/// Most accounts of one quota. Who comes beyond finds the ones put aside that were idle for longer
/// than a sample, or all.
pub const ACCOUNTS_MAX: usize = 100_000;
/// How many there are before any is looked for.
const SWEPT_MIN: usize = 1000;

/// What an account measures by.
pub trait Measure: Default {
    /// Whether one that begins now would measure the same.
    fn is_idle(&self, window: Window, bound: Option<f64>, now_ms: i64) -> bool;

    /// When it measured last.
    fn last_ms(&self) -> i64;
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    user: Box<str>,
    client_id: Box<str>,
}

#[derive(Debug)]
struct Kept<M> {
    measure: M,
    bound: Option<f64>,
}

/// Accounts by user and client id.
#[derive(Debug)]
pub struct Accounts<M> {
    kept: HashMap<Key, Kept<M>>,
    /// With so many the idle ones are forgotten.
    swept_at: usize,
}

impl<M> Default for Accounts<M> {
    fn default() -> Self {
        Self { kept: HashMap::new(), swept_at: SWEPT_MIN }
    }
}

impl<M: Measure> Accounts<M> {
    /// The measure of this account, which begins where there is none.
    pub fn of(&mut self, account: &Account<'_>, window: Window, now_ms: i64) -> &mut M {
        let key = Key { user: account.user.into(), client_id: account.client_id.into() };
        if self.kept.len() >= self.swept_at && !self.kept.contains_key(&key) {
            self.forget(window, now_ms);
        }
        let begun = || Kept { measure: M::default(), bound: account.bound };
        let kept = self.kept.entry(key).or_insert_with(begun);
        kept.bound = account.bound;
        &mut kept.measure
    }

    fn forget(&mut self, window: Window, now_ms: i64) {
        self.kept.retain(|_, kept| !kept.measure.is_idle(window, kept.bound, now_ms));
        if self.kept.len() >= ACCOUNTS_MAX {
            self.kept.retain(|_, kept| now_ms - kept.measure.last_ms() < window.sample_ms());
        }
        if self.kept.len() >= ACCOUNTS_MAX {
            self.kept.clear();
        }
        self.swept_at = (2 * self.kept.len()).clamp(SWEPT_MIN, ACCOUNTS_MAX);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::Rate;

    fn account(client_id: &str) -> Account<'_> {
        Account { user: "", client_id, bound: Some(1.0) }
    }

    #[test]
    fn clients_that_never_come_again_are_forgotten_and_those_that_come_are_not() {
        let window = Window::new(11, 1);
        let mut accounts = Accounts::<Rate>::default();
        for number in 0..20_000_i64 {
            let now_ms = number * 10;
            let one = accounts.of(&account("steady"), window, now_ms);
            one.record(window, 1.0, now_ms);
            assert!(number < 2000 || one.observe(window, now_ms).per_second > 80.0);
            let client_id = format!("client-{number}");
            accounts.of(&account(&client_id), window, now_ms).record(window, 1.0, now_ms);
        }
        assert!(accounts.len() < 3000, "{}", accounts.len());
    }

    #[test]
    fn there_are_never_more_than_the_most() {
        let window = Window::new(11, 1);
        let mut accounts = Accounts::<Rate>::default();
        for number in 0..2 * ACCOUNTS_MAX {
            let client_id = format!("client-{number}");
            accounts.of(&account(&client_id), window, 5).record(window, 1.0, 5);
            assert!(accounts.len() <= ACCOUNTS_MAX);
        }
    }
}

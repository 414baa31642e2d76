//! Tokens that come at a steady rate and are taken as they are needed, even into debt.
//!
//! A bucket holds what comes in one whole window; who is below zero is told how long it takes to
//! come back to it. A bucket begins full. Answers to `TokenBucket` (KIP-599).

use crate::accounts::Measure;
use crate::rate::rounded;
use crate::window::Window;

/// A bucket whose bound is its rate.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TokenBucket {
    /// Tokens, and when there were so many; nothing before anybody asked.
    filled: Option<(f64, i64)>,
}

impl TokenBucket {
    /// Takes tokens, whether there are so many or not.
    pub fn take(&mut self, window: Window, bound: f64, tokens: f64, now_ms: i64) {
        let left = self.refill(window, bound, now_ms) - tokens;
        self.filled = Some((left.min(burst(window, bound)), now_ms));
    }

    /// How long it takes until there is no debt; `None` where there is none.
    pub fn throttle_time_ms(&mut self, window: Window, bound: f64, now_ms: i64) -> Option<i64> {
        let tokens = self.refill(window, bound, now_ms);
        (tokens < 0.0).then(|| rounded(-tokens / bound * 1000.0))
    }

    fn refill(&mut self, window: Window, bound: f64, now_ms: i64) -> f64 {
        let tokens = self.tokens(window, bound, now_ms);
        self.filled = Some((tokens, now_ms));
        tokens
    }

    fn tokens(self, window: Window, bound: f64, now_ms: i64) -> f64 {
        let burst = burst(window, bound);
        let Some((tokens, at_ms)) = self.filled else { return burst };
        #[allow(clippy::cast_precision_loss)]
        let seconds = (now_ms - at_ms) as f64 / 1000.0;
        (tokens + bound * seconds).min(burst)
    }
}

fn burst(window: Window, bound: f64) -> f64 {
    window.span_seconds() * bound
}

impl Measure for TokenBucket {
    /// It is full again.
    fn is_idle(&self, window: Window, bound: Option<f64>, now_ms: i64) -> bool {
        bound.is_none_or(|bound| self.tokens(window, bound, now_ms) >= burst(window, bound))
    }

    fn last_ms(&self) -> i64 {
        self.filled.map_or(i64::MIN, |(_, at_ms)| at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_full_goes_into_debt_and_fills_up_to_its_burst() {
        let window = Window::new(11, 1);
        let mut bucket = TokenBucket::default();
        assert_eq!(bucket.throttle_time_ms(window, 5.0, 100), None);
        bucket.take(window, 5.0, 55.0, 100);
        assert_eq!(bucket.throttle_time_ms(window, 5.0, 100), None, "empty, and not in debt");
        bucket.take(window, 5.0, 12.0, 100);
        assert_eq!(bucket.throttle_time_ms(window, 5.0, 100), Some(2400));
        assert_eq!(bucket.throttle_time_ms(window, 5.0, 1100), Some(1400));
        assert_eq!(bucket.throttle_time_ms(window, 5.0, 2500), None);
        assert!(!bucket.is_idle(window, Some(5.0), 13_000));
        assert!(bucket.is_idle(window, Some(5.0), 13_500));
        bucket.take(window, 5.0, 56.0, 1_000_000);
        assert_eq!(bucket.throttle_time_ms(window, 5.0, 1_000_000), Some(200));
    }
}

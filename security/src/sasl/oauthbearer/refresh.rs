//! When a token is asked for anew: when a part of its time is over, neither too soon after the last
//! time nor too late before its end.
//!
//! ```text
//! iat ───────────── factor .. factor + jitter ──── exp      of the time between
//!     now + min.period ≤ then ≤ exp - buffer                 where both fit
//! ```
//!
//! Answers to `ExpiringCredentialRefreshingLogin.refreshMs`.

use super::NoToken;
use super::access_token::AccessToken;
use super::login_keys::LoginKeys;

/// Who could not be asked is asked again so much later; so is whoever gave a token that is over.
pub const AGAIN_AFTER_MS: i64 = 10_000;

/// The keys `sasl.login.refresh.*`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RefreshSettings {
    pub window_factor: f64,
    pub window_jitter: f64,
    pub min_period_seconds: i64,
    pub buffer_seconds: i64,
}

/// The numbers were compared with their ranges: none of them is none.
impl Eq for RefreshSettings {}

impl Default for RefreshSettings {
    fn default() -> Self {
        Self {
            window_factor: 0.8,
            window_jitter: 0.05,
            min_period_seconds: 60,
            buffer_seconds: 300,
        }
    }
}

impl RefreshSettings {
    pub(super) fn of(keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        let usual = Self::default();
        let part = |name, range, usual| Ok(keys.number(name, &range)?.unwrap_or(usual));
        let seconds = |name, max, usual| Ok(keys.number(name, &(0..=max))?.unwrap_or(usual));
        Ok(Self {
            window_factor: part(
                "sasl.login.refresh.window.factor",
                0.5..=1.0,
                usual.window_factor,
            )?,
            window_jitter: part(
                "sasl.login.refresh.window.jitter",
                0.0..=0.25,
                usual.window_jitter,
            )?,
            min_period_seconds: seconds(
                "sasl.login.refresh.min.period.seconds",
                900,
                usual.min_period_seconds,
            )?,
            buffer_seconds: seconds(
                "sasl.login.refresh.buffer.seconds",
                3600,
                usual.buffer_seconds,
            )?,
        })
    }

    /// When a token that is there now is asked for anew. `draw`: between 0 and 1.
    pub fn due_ms(&self, token: &AccessToken, now_ms: i64, draw: f64) -> i64 {
        let expires_at = token.expires_at_ms;
        if now_ms > expires_at {
            return now_ms.saturating_add(AGAIN_AFTER_MS);
        }
        let part = self.window_factor + self.window_jitter * draw;
        let after = |start: i64| {
            let left = expires_at.saturating_sub(start);
            start.saturating_add((left as f64 * part) as i64)
        };
        let buffers_ms = 1000 * (self.min_period_seconds + self.buffer_seconds);
        if now_ms.saturating_add(buffers_ms) > expires_at {
            return after(now_ms);
        }
        let proposed = after(token.starts_at_ms.unwrap_or(now_ms));
        let latest = expires_at.saturating_sub(1000 * self.buffer_seconds);
        let soonest = now_ms.saturating_add(1000 * self.min_period_seconds);
        if proposed > latest { latest } else { proposed.max(soonest) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn a_token_is_asked_for_anew_within_its_time() {
        let settings = RefreshSettings::default();
        let hour = 3_600_000;
        // Made at, expires at, now; when, by the least and the largest draw.
        for (starts_at, expires_at, now, [least, largest]) in [
            (Some(0), hour, 0, [2_880_000, 3_060_000]),
            (None, hour + 1000, 1000, [2_881_000, 3_061_000]),
            // Made long ago: not at once.
            (Some(0), hour, 3_000_000, [3_060_000, 3_060_000]),
            // Most of it is over: what is left is shared.
            (Some(0), hour, 3_300_000, [3_540_000, 3_555_000]),
            // Shorter than the buffers.
            (Some(0), 5_000, 0, [4_000, 4_250]),
            (Some(0), 5_000, 5_000, [5_000, 5_000]),
            (Some(0), 5_000, 5_001, [15_001, 15_001]),
            // The end is kept free.
            (Some(0), 1_000_000, 0, [700_000, 700_000]),
            (None, i64::MAX, 0, [i64::MAX / 5 * 4, i64::MAX / 20 * 17]),
        ] {
            let token = AccessToken {
                text: Secret::new(""),
                principal: String::new(),
                starts_at_ms: starts_at,
                expires_at_ms: expires_at,
            };
            for (draw, expected) in [(0.0, least), (1.0, largest)] {
                let due = settings.due_ms(&token, now, draw);
                assert!((due - expected).abs() <= expected / 1_000_000, "{token:?} {now}: {due}");
            }
        }
    }
}

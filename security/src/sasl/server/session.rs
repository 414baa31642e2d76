//! How long somebody who is proven may ask (KIP-368): as long as the listener lets sessions last,
//! and no longer than the credential that was shown. Kafka: `SaslServerAuthenticator.ReauthInfo`.

use std::sync::Arc;
use std::time::Duration;

use super::super::mechanism::Mechanism;

/// Somebody who proved to be himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub user: Arc<str>,
    pub mechanism: Mechanism,
    /// By a delegation token, whose holder may ask for no other.
    pub by_token: bool,
    /// From when on nothing more is served but a re-authentication.
    pub expires_at: Option<Duration>,
}

/// Who somebody is, by what was shown.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) user: String,
    pub(super) by_token: bool,
    /// Of what was shown, by the wall's clock.
    pub(super) expires_at_ms: Option<i64>,
}

impl Identity {
    /// By something that does not expire.
    pub(super) fn of(user: String) -> Self {
        Self { user, by_token: false, expires_at_ms: None }
    }

    /// How long the session lasts, if it ends. `limit` is connections.max.reauth.ms, 0 for none.
    pub(super) fn session_lifetime(&self, limit: Duration, wall_ms: i64) -> Option<Duration> {
        let limit = (!limit.is_zero()).then_some(limit);
        let left = self.expires_at_ms.map(|at_ms| {
            // What has expired is as what expires now.
            Duration::from_millis(u64::try_from(at_ms.saturating_sub(wall_ms)).unwrap_or(0))
        });
        match (limit, left) {
            (Some(limit), Some(left)) => Some(limit.min(left)),
            (limit, left) => limit.or(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_with_the_first_of_what_bounds_it() {
        let lifetime = |limit_ms, expires_at_ms| {
            let identity = Identity { expires_at_ms, ..Identity::of("alice".to_owned()) };
            let limit = Duration::from_millis(limit_ms);
            identity.session_lifetime(limit, 1000).map(|lifetime| lifetime.as_millis())
        };
        assert_eq!(lifetime(0, None), None);
        assert_eq!(lifetime(50, None), Some(50));
        assert_eq!(lifetime(0, Some(1070)), Some(70));
        assert_eq!(lifetime(50, Some(1070)), Some(50));
        assert_eq!(lifetime(90, Some(1070)), Some(70));
        assert_eq!(lifetime(90, Some(999)), Some(0));
        assert_eq!(lifetime(0, Some(i64::MIN)), Some(0));
    }
}

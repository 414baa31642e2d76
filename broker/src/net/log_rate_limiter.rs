//! How often a peer's faults are named in the log: the first of a kind at once, then one line in
//! [`INTERVAL`] at most, which says how many it stands for.
//!
//! Pure: time comes in. Invariant: every fault is either named or counted by a later line of its
//! kind and peer, unless that peer behaves for longer than [`INTERVAL`] or more than [`PEERS_MAX`]
//! peers are at fault at once.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::Duration;

/// Between two lines of one kind about one peer.
pub(crate) const INTERVAL: Duration = Duration::from_secs(10);
/// Peers and kinds that are remembered.
const PEERS_MAX: usize = 4096;

/// What was said of one kind of fault of one peer.
#[derive(Debug)]
struct Said {
    at: Duration,
    unsaid: u64,
}

/// What was said of all. `K` tells kinds apart.
#[derive(Debug)]
pub(crate) struct LogRateLimiter<K> {
    said: HashMap<(IpAddr, K), Said>,
}

impl<K> Default for LogRateLimiter<K> {
    fn default() -> Self {
        Self { said: HashMap::new() }
    }
}

impl<K: Eq + Hash> LogRateLimiter<K> {
    /// Whether a fault is to be named now, and how many before it were not; `now` counts from any
    /// fixed moment.
    pub(crate) fn of(&mut self, peer: IpAddr, kind: K, now: Duration) -> Option<u64> {
        let key = (peer, kind);
        let is_due = |said: &Said| now.saturating_sub(said.at) >= INTERVAL;
        if let Some(said) = self.said.get_mut(&key) {
            if !is_due(said) {
                said.unsaid += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.unsaid));
        }
        if self.said.len() >= PEERS_MAX {
            self.said.retain(|_, said| !is_due(said));
        }
        if self.said.len() < PEERS_MAX {
            self.said.insert(key, Said { at: now, unsaid: 0 });
        }
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[derive(PartialEq, Eq, Hash)]
    enum Kind {
        Length,
        Version,
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn peer(last: u8) -> IpAddr {
        Ipv4Addr::new(10, 0, 0, last).into()
    }

    #[test]
    fn one_line_in_ten_seconds_counts_those_that_were_left_out() {
        let mut limiter = LogRateLimiter::default();
        assert_eq!(limiter.of(peer(1), Kind::Length, seconds(5)), Some(0));
        for _ in 0..7 {
            assert_eq!(limiter.of(peer(1), Kind::Length, seconds(14)), None);
        }
        assert_eq!(limiter.of(peer(1), Kind::Length, seconds(15)), Some(7));
        assert_eq!(limiter.of(peer(1), Kind::Length, seconds(25)), Some(0));
    }

    #[test]
    fn peers_and_kinds_are_told_apart() {
        let mut limiter = LogRateLimiter::default();
        assert_eq!(limiter.of(peer(1), Kind::Length, seconds(0)), Some(0));
        assert_eq!(limiter.of(peer(2), Kind::Length, seconds(0)), Some(0));
        assert_eq!(limiter.of(peer(1), Kind::Version, seconds(0)), Some(0));
        assert_eq!(limiter.of(peer(1), Kind::Version, seconds(0)), None);
    }

    #[test]
    fn memory_is_bounded_and_those_who_behaved_are_forgotten() {
        let mut limiter = LogRateLimiter::default();
        for last in 0..6000_u32 {
            let from = IpAddr::from(Ipv4Addr::from(last));
            assert_eq!(limiter.of(from, Kind::Length, seconds(0)), Some(0));
        }
        assert_eq!(limiter.said.len(), PEERS_MAX);
        assert_eq!(limiter.of(peer(9), Kind::Length, seconds(60)), Some(0));
        assert_eq!(limiter.said.len(), 1);
    }
}

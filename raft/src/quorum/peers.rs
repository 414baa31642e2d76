//! What is on its way to whom: one request per destination at a time, a pause after a failure.
//!
//! An answer counts only while its request is the one in flight; a change of role forgets them all.
//! Answers to `RequestManager`.

use std::collections::BTreeMap;

use super::settings::QuorumTimeouts;

/// A node's id, or, below -1, a bootstrap server by its place.
pub(super) type PeerKey = i32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Connection {
    Awaiting { request_id: u64, until_ms: i64 },
    BackingOff { until_ms: i64 },
}

#[derive(Debug, Clone)]
pub(super) struct Peers {
    connections: BTreeMap<PeerKey, Connection>,
    last_request_id: u64,
    request_timeout_ms: i64,
    retry_backoff_ms: i64,
}

impl Peers {
    pub(super) fn new(timeouts: &QuorumTimeouts) -> Self {
        Self {
            connections: BTreeMap::new(),
            last_request_id: 0,
            request_timeout_ms: timeouts.request_ms.max(1),
            retry_backoff_ms: timeouts.retry_backoff_ms.max(1),
        }
    }

    /// Time went by: pauses end, and who did not answer in time gets one.
    pub(super) fn expire(&mut self, now_ms: i64) {
        let pause = Connection::BackingOff { until_ms: now_ms + self.retry_backoff_ms };
        self.connections.retain(|_, connection| match connection {
            Connection::BackingOff { until_ms } => *until_ms > now_ms,
            Connection::Awaiting { until_ms, .. } => {
                if *until_ms <= now_ms {
                    *connection = pause;
                }
                true
            }
        });
    }

    pub(super) fn is_ready(&self, key: PeerKey) -> bool {
        !self.connections.contains_key(&key)
    }

    pub(super) fn is_backing_off(&self, key: PeerKey) -> bool {
        matches!(self.connections.get(&key), Some(Connection::BackingOff { .. }))
    }

    pub(super) fn any_in_flight(&self) -> bool {
        let mut all = self.connections.values();
        all.any(|connection| matches!(connection, Connection::Awaiting { .. }))
    }

    /// The id under which the request goes out.
    pub(super) fn sent(&mut self, key: PeerKey, now_ms: i64) -> u64 {
        self.last_request_id += 1;
        let request_id = self.last_request_id;
        let until_ms = now_ms + self.request_timeout_ms;
        self.connections.insert(key, Connection::Awaiting { request_id, until_ms });
        request_id
    }

    /// Who was sent the request, if its answer is still waited for.
    pub(super) fn awaited(&self, request_id: u64) -> Option<PeerKey> {
        self.connections.iter().find_map(|(key, connection)| match connection {
            Connection::Awaiting { request_id: known, .. } if *known == request_id => Some(*key),
            _ => None,
        })
    }

    /// What was made of the answer, unless a change of role has forgotten the request.
    pub(super) fn answered(&mut self, request_id: u64, success: bool, now_ms: i64) {
        let Some(key) = self.awaited(request_id) else {
            return;
        };
        if success {
            self.connections.remove(&key);
        } else {
            let until_ms = now_ms + self.retry_backoff_ms;
            self.connections.insert(key, Connection::BackingOff { until_ms });
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.connections.clear();
    }

    pub(super) fn next_deadline_ms(&self) -> i64 {
        let until = |connection: &Connection| match connection {
            Connection::Awaiting { until_ms, .. } | Connection::BackingOff { until_ms } => {
                *until_ms
            }
        };
        self.connections.values().map(until).min().unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_at_a_time_and_a_pause_after_a_failure() {
        let mut peers = Peers::new(&QuorumTimeouts::default());
        let first = peers.sent(2, 100);
        assert!(!peers.is_ready(2) && peers.is_ready(3) && peers.any_in_flight());
        assert_eq!((peers.awaited(first), peers.awaited(first + 1)), (Some(2), None));
        peers.answered(first, false, 110);
        assert!(!peers.is_ready(2) && peers.is_backing_off(2) && !peers.any_in_flight());
        assert_eq!(peers.next_deadline_ms(), 130);
        peers.expire(130);
        assert!(peers.is_ready(2));
        let second = peers.sent(2, 130);
        peers.expire(2_130);
        assert!(peers.is_backing_off(2), "no answer in time");
        peers.answered(second, true, 2_131);
        assert!(peers.is_backing_off(2), "an answer that comes late is none");
        let third = peers.sent(3, 2_131);
        peers.forget_all();
        peers.answered(third, false, 2_132);
        assert!(peers.is_ready(3));
    }
}

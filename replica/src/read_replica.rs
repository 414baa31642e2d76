//! Which replica a consumer should rather read from (KIP-392).
//!
//! Kafka: `ReplicaManager.findPreferredReadReplica` and `RackAwareReplicaSelector`.

use crate::log::Log;
use crate::partition::{Partition, Role};

impl<L: Log> Partition<L> {
    /// The replica in the consumer's rack that is furthest, if the leader is not in that rack
    /// itself. `rack_of` knows the rack of every broker that is reachable on the consumer's
    /// listener.
    pub fn preferred_read_replica<'r>(
        &self,
        client_rack: &str,
        fetch_offset: i64,
        rack_of: impl Fn(i32) -> Option<&'r str>,
    ) -> Option<i32> {
        let Role::Leader(leader) = &self.role else { return None };
        let own_id = self.settings.broker_id;
        if client_rack.is_empty() || rack_of(own_id) == Some(client_rack) {
            return None;
        }
        // A follower out of sync could stay behind for ever, and the consumer with it.
        let serves = |id: i32, start: i64, end: i64| {
            leader.in_sync().contains(&id)
                && end >= fetch_offset
                && start <= fetch_offset
                && rack_of(id) == Some(client_rack)
        };
        let followers = leader.followers().iter();
        followers
            .filter(|(id, progress)| serves(**id, progress.start_offset, progress.end_offset))
            // Of two that are as far, the one that has been up with the leader more recently.
            .max_by_key(|(id, progress)| {
                (progress.end_offset, progress.caught_up_ms(), std::cmp::Reverse(**id))
            })
            .map(|(id, _)| *id)
    }
}

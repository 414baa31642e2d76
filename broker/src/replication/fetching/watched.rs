//! The fetches of a follower within its session: what changed is looked at, not everything.
//!
//! The first look is at what the request changed and what changed here since the last answer; while
//! the fetch waits, at what changes. A follower of thousands of partitions so costs its leader what
//! moves, not what is there.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use protocol::fetch::PartitionResponse;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Counted, Interest, Limits, look};
use crate::broker::Broker;
use crate::replication::fetch_session::{PartitionKey, Watch};

/// Reads what `first` asks for, and what `resolve` makes of partitions that change meanwhile, for
/// as long as the limits say.
pub(crate) async fn read_watched(
    broker: &Arc<Broker>,
    limits: &Limits,
    hurries: &Notify,
    watch: &Watch,
    first: Vec<Interest>,
    resolve: impl Fn(PartitionKey) -> Option<Interest>,
) -> Vec<(Interest, PartitionResponse)> {
    let deadline = Instant::now() + Duration::from_millis(limits.max_wait_ms);
    let mut answers: IndexMap<PartitionKey, (Interest, PartitionResponse)> = IndexMap::new();
    let (mut interests, mut counted) = (first, Counted::NONE);
    let mut is_last = limits.max_wait_ms == 0;
    loop {
        let looked_at = Arc::new(interests);
        let look = look(broker, limits, &looked_at, counted).await;
        // Looks on blocking threads are over, so this is the only owner.
        let looked_at = Arc::into_inner(looked_at).unwrap_or_default();
        for (interest, response) in looked_at.into_iter().zip(look.responses) {
            answers.insert(interest.key.clone(), (interest, response));
        }
        let bytes: usize = answers.values().map(|(_, answer)| answer.records_length()).sum();
        if is_last || look.urgent || bytes >= limits.min_bytes {
            return answers.into_values().collect();
        }
        tokio::select! {
            biased;
            () = watch.urgent() => {}
            () = hurries.notified() => is_last = true,
            () = tokio::time::sleep_until(deadline) => is_last = true,
        }
        interests = watch.take_changed().into_iter().filter_map(&resolve).collect();
        counted = Counted::ALL;
    }
}

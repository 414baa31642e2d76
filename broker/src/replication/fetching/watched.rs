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

use super::{Counted, FetchParams, FetchedPartition, look};
use crate::partitions::{PartitionKey, Watch};
use crate::replication::replica_manager::ReplicaManager;

/// Reads what `first` asks for, and what `resolve` makes of partitions that change meanwhile, for
/// as long as the request says.
pub(crate) async fn read_watched(
    replicas: &Arc<ReplicaManager>,
    params: &FetchParams,
    hurries: &Notify,
    watch: &Watch,
    first: Vec<FetchedPartition>,
    resolve: impl Fn(PartitionKey) -> Option<FetchedPartition>,
) -> Vec<(FetchedPartition, PartitionResponse)> {
    let deadline = Instant::now() + Duration::from_millis(params.max_wait_ms);
    let mut answers: IndexMap<PartitionKey, (FetchedPartition, PartitionResponse)> =
        IndexMap::new();
    let (mut fetched, mut counted) = (first, Counted::NONE);
    let mut is_last = params.max_wait_ms == 0;
    loop {
        let looked_at = Arc::new(fetched);
        let look = look(replicas, params, &looked_at, counted).await;
        // Looks on blocking threads are over, so this is the only owner.
        let looked_at = Arc::into_inner(looked_at).unwrap_or_default();
        for (fetched, response) in looked_at.into_iter().zip(look.responses) {
            answers.insert(fetched.key.clone(), (fetched, response));
        }
        let bytes: usize = answers.values().map(|(_, answer)| answer.records_length()).sum();
        if is_last || look.urgent || bytes >= params.min_bytes {
            return answers.into_values().collect();
        }
        tokio::select! {
            biased;
            () = watch.urgent() => {}
            () = hurries.notified() => is_last = true,
            () = tokio::time::sleep_until(deadline) => is_last = true,
        }
        fetched = watch.take_changed().into_iter().filter_map(&resolve).collect();
        counted = Counted::ALL;
    }
}

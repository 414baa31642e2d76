//! Has written what a share partition has to persist, one write after the other, and tells those
//! who wait. Kafka: `SharePartition.writeShareGroupState`.

use std::sync::Arc;

use coordinator::share::{ShareTopicPartition, StateBatch};
use replica::share::{SharePartition, StateWrite};

use super::hosted_share_partition::HostedSharePartition;
use super::share_partitions::SharePartitions;
use super::state_persister::{fences, refused};
use crate::clock::monotonic_ms;
use crate::coordinators::persister::WriteState;

const LOGGER: &str = "kafka.server.share.SharePartition";

/// Something may have come up that is to be persisted.
pub(super) fn persist(share: &Arc<SharePartitions>, hosted: &Arc<HostedSharePartition>) {
    if let Some(write) = hosted.end(SharePartition::next_write).flatten() {
        let (share, hosted) = (Arc::clone(share), Arc::clone(hosted));
        tokio::spawn(write_all(share, hosted, write));
    }
}

async fn write_all(
    share: Arc<SharePartitions>,
    hosted: Arc<HostedSharePartition>,
    first: StateWrite,
) {
    let mut next = Some(first);
    while let Some(write) = next {
        let asked = asked(&hosted, write);
        let outcome = share.persister().write(&hosted.key.group, asked).await.map_err(refused);
        if let Err(error) = &outcome {
            tracing::error!(
                target: LOGGER,
                "Failed to write the share group state for share partition: {}-{}-{}: {:?} {}",
                hosted.key.group, hosted.topic, hosted.key.id.partition, error.code,
                error.message.as_deref().unwrap_or_default(),
            );
        }
        let ended = hosted.end(|partition| {
            let written = partition.written(outcome.is_ok(), monotonic_ms());
            (written, partition.next_write())
        });
        let Some((written, following)) = ended else { return };
        hosted.answer(&written.answered, &outcome);
        if outcome.as_ref().is_err_and(|error| fences(error.code)) {
            share.drop_fenced(&hosted);
        }
        if written.acquirable {
            hosted.waiting_fetches().wake();
        }
        next = following;
    }
}

fn asked(hosted: &HostedSharePartition, write: StateWrite) -> WriteState {
    let StateWrite { state_epoch, start_offset, delivery_complete_count, batches } = write;
    let batch = |batch: replica::share::StateBatch| StateBatch {
        first_offset: batch.first_offset,
        last_offset: batch.last_offset,
        delivery_count: batch.delivery_count,
        delivery_state: batch.state.id(),
    };
    WriteState {
        partition: state_key(hosted),
        state_epoch,
        leader_epoch: hosted.leader_epoch,
        start_offset,
        delivery_complete_count: i32::try_from(delivery_complete_count).unwrap_or(i32::MAX),
        batches: batches.into_iter().map(batch).collect(),
    }
}

/// By what the persister finds its state.
pub(super) fn state_key(hosted: &HostedSharePartition) -> ShareTopicPartition {
    let id = hosted.key.id;
    ShareTopicPartition { topic_id: id.topic_id, partition: id.partition }
}

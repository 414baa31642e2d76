//! A share partition begins: its state is read, and where nothing is known yet, the group's reset
//! strategy says where it starts. From then on its locks end in time. Kafka:
//! `SharePartition.maybeInitialize`, `startOffsetDuringInitialization`.

use std::sync::{Arc, Weak};
use std::time::Duration;

use config::group::ShareOffsetReset;
use protocol::{Base64Uuid, ErrorCode};
use replica::FetchIsolation;
use replica::share::{PersistedState, RecordState, SharePartition, StateBatch};

use super::hosted_share_partition::HostedSharePartition;
use super::persisting::{persist, state_key};
use super::share_partitions::SharePartitions;
use super::state_persister::refused;
use crate::clock::{monotonic_ms, wall_ms};
use crate::coordinators::persister::{self, ReadState};
use crate::partitions::OffsetSought;
use crate::requests::api_error::ApiError;
use crate::requests::error_map;

const LOGGER: &str = "kafka.server.share.SharePartition";
/// Where the persister knows no start.
const UNKNOWN_START: i64 = -1;

/// Reads the state of a share partition, and keeps its time afterwards.
pub(super) async fn load(share: Arc<SharePartitions>, hosted: Arc<HostedSharePartition>) {
    let asked = ReadState { partition: state_key(&hosted), leader_epoch: hosted.leader_epoch };
    let loaded = match share.persister().read(&hosted.key.group, asked).await {
        Ok(state) => take_up(&share, &hosted, state).await,
        Err(error) => Err(refused(error)),
    };
    if let Err(error) = &loaded {
        tracing::error!(
            target: LOGGER,
            "Failed to initialize the share partition: {}-{}-{}: {:?} {}",
            hosted.key.group, hosted.topic, hosted.key.id.partition, error.code,
            error.message.as_deref().unwrap_or_default(),
        );
    }
    let is_active = loaded.is_ok();
    if hosted.loaded(loaded) && is_active {
        let timeouts = keep_time(Arc::downgrade(&share), Arc::downgrade(&hosted));
        tokio::spawn(timeouts);
    } else {
        share.drop_failed(&hosted);
    }
    hosted.waiting_fetches().wake();
}

async fn take_up(
    share: &SharePartitions,
    hosted: &HostedSharePartition,
    state: persister::PersistedState,
) -> Result<SharePartition, ApiError> {
    let start_offset = match state.start_offset {
        UNKNOWN_START => first_offset(share, hosted).await?,
        known => known,
    };
    let batch = |batch: coordinator::share::StateBatch| {
        Some(StateBatch {
            first_offset: batch.first_offset,
            last_offset: batch.last_offset,
            state: RecordState::from_id(batch.delivery_state)?,
            delivery_count: batch.delivery_count,
        })
    };
    let batches: Option<Vec<_>> = state.batches.into_iter().map(batch).collect();
    let failed = || {
        let (group, id) = (&hosted.key.group, hosted.key.id);
        let (topic_id, topic, partition) = (Base64Uuid(id.topic_id), &hosted.topic, id.partition);
        let which = format!("{group}-{topic_id}:{topic}-{partition}");
        let words = format!("Failed to initialize the share partition {which}");
        ApiError::new(ErrorCode::UnknownServerError, words)
    };
    let batches = batches.ok_or_else(failed)?;
    let state = PersistedState { state_epoch: state.state_epoch, start_offset, batches };
    SharePartition::load(state).map_err(|invalid| {
        tracing::error!(target: LOGGER, "Invalid state batch found: {invalid}");
        failed()
    })
}

/// Where the group begins to read a partition that it has not read yet.
async fn first_offset(
    share: &SharePartitions,
    hosted: &HostedSharePartition,
) -> Result<i64, ApiError> {
    let reset = share.settings(&hosted.key.group).reset;
    let sought = match reset {
        ShareOffsetReset::Earliest => OffsetSought::Earliest,
        ShareOffsetReset::Latest => OffsetSought::Latest,
        ShareOffsetReset::ByDuration(ms) => OffsetSought::Timestamp(wall_ms().saturating_sub(ms)),
    };
    hosted.partition.check_leadership(hosted.leader_epoch, true)?;
    let isolation = FetchIsolation::HighWatermark;
    let found = hosted.partition.find_offset(sought, isolation).await.map_err(|error| {
        share.note_storage_failure(&error);
        ApiError::from(error_map::storage_error(&error))
    })?;
    let last_fetchable = hosted.partition.upper_bound(isolation);
    let is_told =
        |offset: i64| !matches!(sought, OffsetSought::Timestamp(_)) || offset < last_fetchable;
    found.map(|found| found.offset).filter(|offset| is_told(*offset)).ok_or_else(|| {
        let id = hosted.key.id;
        let (topic_id, topic, partition) = (Base64Uuid(id.topic_id), &hosted.topic, id.partition);
        let what = match sought {
            OffsetSought::Timestamp(timestamp) => timestamp.to_string(),
            _ => format!("{sought:?}").to_lowercase(),
        };
        let which = format!("{topic_id}:{topic}-{partition}");
        let words = format!("Offset for timestamp {what} not found for topic partition: {which}");
        ApiError::new(ErrorCode::OffsetNotAvailable, words)
    })
}

/// Ends the locks of a share partition in time, as long as it is active.
async fn keep_time(share: Weak<SharePartitions>, hosted: Weak<HostedSharePartition>) {
    while let (Some(share), Some(hosted)) = (share.upgrade(), hosted.upgrade()) {
        let limits = share.settings(&hosted.key.group).limits;
        let now_ms = monotonic_ms();
        let expired = hosted.with(|partition| {
            let expired = partition.expire(&limits, now_ms);
            (expired, partition.next_timeout())
        });
        let Some((expired, next)) = expired else { return };
        if expired > 0 {
            tracing::debug!(
                target: LOGGER,
                "Acquisition lock timeout of {expired} records of the share partition {}-{}-{}",
                hosted.key.group, hosted.topic, hosted.key.id.partition,
            );
            persist(&share, &hosted);
            hosted.waiting_fetches().wake();
        }
        let changed = hosted.timeouts();
        drop((share, hosted));
        let pause = next.map(|next| u64::try_from(next - now_ms).unwrap_or(0));
        let over = async {
            match pause {
                Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed.notified() => {}
            () = over => {}
        }
    }
}

//! Share partitions by tables, sessions, and a share partition under a seed.

mod acknowledging;
mod acquiring;
mod draws;
mod loading;
mod planted_bugs;
mod sessions;
mod sharing;
mod simulation;

use std::sync::Arc;

use super::*;

pub(super) const LIMITS: Limits =
    Limits { delivery_count: 5, in_flight: 200, record_lock_duration_ms: 30_000, renew: true };

/// A share partition of which nothing is persisted.
pub(super) fn fresh() -> SharePartition {
    loaded(0, &[])
}

pub(super) fn loaded(
    start_offset: i64,
    batches: &[(i64, i64, RecordState, i16)],
) -> SharePartition {
    let batch = |&(first_offset, last_offset, state, delivery_count)| StateBatch {
        first_offset,
        last_offset,
        state,
        delivery_count,
    };
    let batches = batches.iter().map(batch).collect();
    let persisted = PersistedState { state_epoch: 0, start_offset, batches };
    SharePartition::load(persisted).expect("sound state")
}

pub(super) fn plain(ranges: &[(i64, i64)]) -> Vec<FetchedBatch> {
    let batch = |&(base_offset, last_offset)| FetchedBatch {
        base_offset,
        last_offset,
        kind: BatchKind::Plain,
    };
    ranges.iter().map(batch).collect()
}

pub(super) fn wanted(member: &str, mode: AcquireMode, max_records: i64) -> Wanted {
    Wanted { member: Arc::from(member), mode, batch_size: 500, max_records }
}

/// `member` acquires what it can of the log's batches.
pub(super) fn acquire(
    partition: &mut SharePartition,
    member: &str,
    max_records: i64,
    log: &[(i64, i64)],
) -> Vec<(i64, i64, i16)> {
    let wanted = wanted(member, AcquireMode::BatchOptimized, max_records);
    acquire_as(partition, &wanted, log, &LIMITS, 0)
}

pub(super) fn acquire_as(
    partition: &mut SharePartition,
    wanted: &Wanted,
    log: &[(i64, i64)],
    limits: &Limits,
    now_ms: i64,
) -> Vec<(i64, i64, i16)> {
    let fetch_offset = partition.next_fetch_offset();
    let log: Vec<_> = log.iter().copied().filter(|(_, last)| *last >= fetch_offset).collect();
    let batches = plain(&log);
    let fetched = Fetched { fetch_offset, batches: &batches, aborted: &[] };
    let acquired = partition.acquire(wanted, fetched, limits, now_ms);
    partition.invariants().expect("sound after an acquisition");
    acquired.into_iter().map(|a| (a.first_offset, a.last_offset, a.delivery_count)).collect()
}

pub(super) fn said(first_offset: i64, last_offset: i64, types: &[i8]) -> AcknowledgementBatch {
    let kind = |id: &i8| AcknowledgeType::from_id(*id).expect("a type");
    AcknowledgementBatch { first_offset, last_offset, types: types.iter().map(kind).collect() }
}

/// `member` acknowledges, and the persister writes what there is to write.
pub(super) fn acknowledge(
    partition: &mut SharePartition,
    member: &str,
    batches: &[AcknowledgementBatch],
) -> Result<Vec<StateBatch>, AcknowledgeError> {
    let token = partition.acknowledge(member, batches, &LIMITS, 0)?;
    partition.invariants().expect("sound after an acknowledgement");
    let Some(token) = token else { return Ok(Vec::new()) };
    let write = partition.next_write().expect("something to write");
    assert_eq!(partition.written(true, 0).answered, [token]);
    partition.invariants().expect("sound after a write");
    Ok(write.batches)
}

pub(super) fn batch(first: i64, last: i64, state: RecordState, count: i16) -> StateBatch {
    StateBatch { first_offset: first, last_offset: last, state, delivery_count: count }
}

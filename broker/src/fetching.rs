//! Reads what a Fetch asks of its partitions, and waits while there is too little.
//!
//! A fetch that finds less than its min bytes registers with each of its partitions, looks again
//! (what came in between would not wake it), and sleeps until one of them changes or its time is
//! up. Kafka: `ReplicaManager.fetchMessages`, `readFromLog`, `DelayedFetch`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::fetch::{AbortedTransaction, EpochEndOffset, PartitionResponse};
use storage::ReadError;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::broker::Broker;
use crate::error_map;
use crate::fetch_session::{PartitionKey, Requested};
use crate::partitions::{HostedPartition, Isolation};

/// Bounds of one Fetch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_bytes: usize,
    pub(crate) min_bytes: usize,
    pub(crate) max_wait_ms: u64,
    pub(crate) isolation: Isolation,
    pub(crate) leader_only: bool,
}

/// One partition of a Fetch, resolved.
#[derive(Debug)]
pub(crate) struct Interest {
    pub(crate) key: PartitionKey,
    pub(crate) requested: Requested,
    /// `None` for a topic id nobody knows.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) partition: Result<Arc<HostedPartition>, ErrorCode>,
}

/// What one look at all partitions gave.
struct Look {
    responses: Vec<PartitionResponse>,
    bytes: usize,
    /// An error or a divergence, which is told at once.
    urgent: bool,
}

/// Reads, waiting for as long as the limits say.
pub(crate) async fn read(
    broker: &Arc<Broker>,
    limits: &Limits,
    interests: Vec<Interest>,
) -> Vec<(Interest, PartitionResponse)> {
    let interests = Arc::new(interests);
    let mut look = look(broker, limits, &interests).await;
    if !done(limits, &interests, &look) {
        let deadline = Instant::now() + Duration::from_millis(limits.max_wait_ms);
        let sleeper = Arc::new(Notify::new());
        loop {
            for partition in interests.iter().filter_map(|i| i.partition.as_ref().ok()) {
                partition.wake_on_change(Arc::downgrade(&sleeper));
            }
            look = self::look(broker, limits, &interests).await;
            if done(limits, &interests, &look) {
                break;
            }
            if tokio::time::timeout_at(deadline, sleeper.notified()).await.is_err() {
                look = self::look(broker, limits, &interests).await;
                break;
            }
        }
    }
    // Looks on blocking threads are over, so this is the only owner.
    let interests = Arc::into_inner(interests).unwrap_or_default();
    interests.into_iter().zip(look.responses).collect()
}

fn done(limits: &Limits, interests: &[Interest], look: &Look) -> bool {
    let nothing_to_wait_for = interests.iter().all(|interest| interest.partition.is_err());
    limits.max_wait_ms == 0 || nothing_to_wait_for || look.urgent || look.bytes >= limits.min_bytes
}

/// Looks once. What is not in memory is looked at on a blocking thread.
async fn look(broker: &Arc<Broker>, limits: &Limits, interests: &Arc<Vec<Interest>>) -> Look {
    if let Some(look) = look_at_all(broker, limits, interests, Residency::MemoryOnly) {
        return look;
    }
    let (broker, limits, interests) = (Arc::clone(broker), *limits, Arc::clone(interests));
    let looked = tokio::task::spawn_blocking(move || {
        look_at_all(&broker, &limits, &interests, Residency::Any)
    });
    looked.await.ok().flatten().unwrap_or(Look { responses: Vec::new(), bytes: 0, urgent: true })
}

/// Where bytes may be read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Residency {
    /// Only what needs no disk; anything else makes the look fail.
    MemoryOnly,
    Any,
}

fn look_at_all(
    broker: &Arc<Broker>,
    limits: &Limits,
    interests: &[Interest],
    residency: Residency,
) -> Option<Look> {
    let mut look = Look { responses: Vec::with_capacity(interests.len()), bytes: 0, urgent: false };
    for interest in interests {
        let left = limits.max_bytes.saturating_sub(look.bytes);
        let response = match &interest.partition {
            Ok(partition) => {
                let room = Room { bytes: left, at_least_one: look.bytes == 0 };
                look_at(broker, limits, interest, partition, room, residency)?
            }
            // Told, but not waited less for.
            Err(code) => {
                look.responses.push(PartitionResponse::failed(interest.key.partition, code.code()));
                continue;
            }
        };
        look.bytes += response.records_length();
        look.urgent |= response.error_code != 0 || response.diverging_epoch.is_some();
        look.responses.push(response);
    }
    Some(look)
}

/// What is left of the answer's size.
#[derive(Debug, Clone, Copy)]
struct Room {
    bytes: usize,
    /// The first batch comes whole, however large.
    at_least_one: bool,
}

/// Reads one partition; `None` when it would need the disk and must not.
fn look_at(
    broker: &Arc<Broker>,
    limits: &Limits,
    interest: &Interest,
    partition: &Arc<HostedPartition>,
    room: Room,
    residency: Residency,
) -> Option<PartitionResponse> {
    let index = interest.key.partition;
    let failed = |code: ErrorCode| Some(PartitionResponse::failed(index, code.code()));
    let requested = &interest.requested;
    let leadership = partition.check_leadership(requested.current_leader_epoch, limits.leader_only);
    if let Err(code) = leadership {
        return failed(code);
    }
    let marks = partition.marks();
    let mut response = PartitionResponse {
        log_start_offset: marks.log_start_offset(),
        last_stable_offset: marks.last_stable_offset(),
        high_watermark: marks.high_watermark(),
        ..PartitionResponse::failed(index, 0)
    };
    match divergence(partition, requested) {
        Ok(None) => {}
        Ok(diverging) => {
            response.diverging_epoch = diverging;
            return Some(response);
        }
        Err(code) => return failed(code),
    }
    let from = requested.fetch_offset;
    if from < response.log_start_offset || from > marks.log_end_offset() {
        return failed(ErrorCode::OffsetOutOfRange);
    }
    let upper = marks.upper_bound(limits.isolation);
    let max_bytes = usize::try_from(requested.max_bytes).unwrap_or(0).min(room.bytes);
    if limits.isolation == Isolation::ReadCommitted {
        response.aborted_transactions = Some(Vec::new());
    }
    if from >= upper || (max_bytes == 0 && !room.at_least_one) {
        return Some(response);
    }
    let room = Room { bytes: max_bytes, ..room };
    match read_records(partition, limits, from, upper, room, residency) {
        Ok(None) => return None,
        Ok(Some((records, aborted))) => {
            response.records = records;
            response.aborted_transactions = aborted;
        }
        Err(error) => {
            broker.note_read_failure(&error);
            return failed(error_map::read_error(&error));
        }
    }
    Some(response)
}

type Records = (Vec<Bytes>, Option<Vec<AbortedTransaction>>);

/// The bytes, and for a reader of committed records the transactions that it must leave out; `None`
/// when that would need the disk and must not.
fn read_records(
    partition: &HostedPartition,
    limits: &Limits,
    from: i64,
    upper: i64,
    room: Room,
    residency: Residency,
) -> Result<Option<Records>, ReadError> {
    let committed_only = limits.isolation == Isolation::ReadCommitted;
    let plan = partition.reader().plan(from, room.bytes, upper, room.at_least_one)?;
    let Some(plan) = plan else {
        return Ok(Some((Vec::new(), committed_only.then(Vec::new))));
    };
    if residency == Residency::MemoryOnly && !plan.is_resident() {
        return Ok(None);
    }
    let read = plan.fetch()?;
    let aborted = if committed_only {
        Some(partition.aborted_between(from, read.upper_offset)?)
    } else {
        None
    };
    Ok(Some((read.slices, aborted)))
}

/// Where the reader's log leaves ours, if it does (KIP-595's diverging epoch, also for consumers).
fn divergence(
    partition: &HostedPartition,
    requested: &Requested,
) -> Result<Option<EpochEndOffset>, ErrorCode> {
    let epoch = requested.last_fetched_epoch;
    let marks = partition.marks();
    let at_our_end =
        epoch == marks.latest_log_epoch() && requested.fetch_offset <= marks.log_end_offset();
    if epoch < 0 || at_our_end {
        return Ok(None);
    }
    let Some((end_epoch, end_offset)) = partition.end_offset_for_epoch(epoch) else {
        return Err(ErrorCode::OffsetOutOfRange);
    };
    let diverges = end_epoch < epoch || end_offset < requested.fetch_offset;
    Ok(diverges.then_some(EpochEndOffset { epoch: end_epoch, end_offset }))
}

//! Reads what a Fetch asks of its partitions, and waits while there is too little.
//!
//! A follower's fetch says what it has, which counts once, when it comes; a consumer's may be sent
//! to a replica that is nearer (KIP-392).
//! A fetch that finds less than its min bytes registers with each of its partitions, looks again
//! (what came in between would not wake it), and sleeps until one of them changes or its time is
//! up. Kafka: `ReplicaManager.fetchMessages`, `readFromLog`, `DelayedFetch`.

mod counted;
#[cfg(test)]
mod tests;
mod watched;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::fetch::{AbortedTransaction, EpochEndOffset, PartitionResponse};
use protocol::wire::StrBytes;
use replica::FollowerFetch;
use storage::{ReadError, ReadPlan};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::counted::{Counted, Occasion, look_at_each};
pub(crate) use self::watched::read_watched;
use crate::broker::Broker;
use crate::replication::fetch_session::{PartitionKey, Requested};
use crate::replication::partitions::{HostedPartition, Isolation};
use crate::requests::error_map;

/// A follower, as it says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Follower {
    pub(crate) replica_id: i32,
    /// -1 if it does not say.
    pub(crate) broker_epoch: i64,
}

/// A consumer that could read from a replica that is nearer than the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Nearby {
    pub(crate) rack: StrBytes,
    /// Listener by which it came, and would go elsewhere.
    pub(crate) listener: Arc<str>,
}

/// Bounds of one Fetch.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) max_bytes: usize,
    pub(crate) min_bytes: usize,
    pub(crate) max_wait_ms: u64,
    pub(crate) isolation: Isolation,
    pub(crate) leader_only: bool,
    /// `None` for a consumer.
    pub(crate) follower: Option<Follower>,
    pub(crate) nearby: Option<Nearby>,
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

/// Reads, waiting for as long as the limits say; a follower that hurries is answered at once.
pub(crate) async fn read(
    broker: &Arc<Broker>,
    limits: &Limits,
    hurries: &Notify,
    interests: Vec<Interest>,
) -> Vec<(Interest, PartitionResponse)> {
    let interests = Arc::new(interests);
    let mut look = look(broker, limits, &interests, Counted::NONE).await;
    if !done(limits, &interests, &look) {
        let deadline = Instant::now() + Duration::from_millis(limits.max_wait_ms);
        let sleeper = Arc::new(Notify::new());
        loop {
            for partition in interests.iter().filter_map(|i| i.partition.as_ref().ok()) {
                match limits.follower {
                    Some(_) => partition.wake_follower(Arc::downgrade(&sleeper)),
                    None => partition.wake_consumer(Arc::downgrade(&sleeper)),
                }
            }
            look = self::look(broker, limits, &interests, Counted::ALL).await;
            if done(limits, &interests, &look) {
                break;
            }
            let hurried = async {
                match &limits.follower {
                    Some(_) => hurries.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = sleeper.notified() => {}
                () = hurried => {
                    look = self::look(broker, limits, &interests, Counted::ALL).await;
                    break;
                }
                () = tokio::time::sleep_until(deadline) => {
                    look = self::look(broker, limits, &interests, Counted::ALL).await;
                    break;
                }
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
async fn look(
    broker: &Arc<Broker>,
    limits: &Limits,
    interests: &Arc<Vec<Interest>>,
    counted: Counted,
) -> Look {
    let counted = match look_at_all(broker, limits, interests, counted, Residency::MemoryOnly) {
        Ok(look) => return look,
        Err(counted) => counted,
    };
    let (broker, limits, interests) = (Arc::clone(broker), limits.clone(), Arc::clone(interests));
    let looked = tokio::task::spawn_blocking(move || {
        look_at_all(&broker, &limits, &interests, counted, Residency::Any)
    });
    let nothing = Look { responses: Vec::new(), bytes: 0, urgent: true };
    looked.await.ok().and_then(Result::ok).unwrap_or(nothing)
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
    counted: Counted,
    residency: Residency,
) -> Result<Look, Counted> {
    let (mut bytes, mut urgent) = (0_usize, false);
    let responses = look_at_each(interests, counted, |interest, occasion| {
        let response = match &interest.partition {
            Ok(partition) => {
                let left = limits.max_bytes.saturating_sub(bytes);
                let room = Room { bytes: left, at_least_one: bytes == 0 };
                look_at(broker, limits, interest, partition, room, (occasion, residency))?
            }
            // Told, but a consumer does not wait less for it.
            Err(code) => {
                urgent |= limits.follower.is_some();
                return Some(PartitionResponse::failed(interest.key.partition, code.code()));
            }
        };
        bytes += response.records_length();
        urgent |= response.error_code != 0
            || response.diverging_epoch.is_some()
            || response.preferred_read_replica >= 0;
        Some(response)
    })?;
    Ok(Look { responses, bytes, urgent })
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
    (occasion, residency): (Occasion, Residency),
) -> Option<PartitionResponse> {
    let index = interest.key.partition;
    let failed = |code: ErrorCode| Some(PartitionResponse::failed(index, code.code()));
    let requested = &interest.requested;
    if let Err(code) = partition.check_present() {
        return failed(code);
    }
    let viewed = match limits.follower {
        Some(follower) => for_follower(partition, requested, follower, occasion),
        None => for_consumer(broker, partition, requested, limits),
    };
    let View { mut response, upper, ends } = match viewed {
        Ok(view) => view,
        Err(code) => return failed(code),
    };
    response.index = index;
    let from = requested.fetch_offset;
    let max_bytes = usize::try_from(requested.max_bytes).unwrap_or(0).min(room.bytes);
    let held_back =
        limits.follower.is_some_and(|follower| is_held_back(broker, partition, follower));
    if ends || held_back || from >= upper || (max_bytes == 0 && !room.at_least_one) {
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

/// What a reader may see of a partition.
struct View {
    /// Without records yet.
    response: PartitionResponse,
    /// First offset that it may not see.
    upper: i64,
    /// Whether that is all, without records.
    ends: bool,
}

/// A follower fetches, which says how far it is.
fn for_follower(
    partition: &HostedPartition,
    requested: &Requested,
    follower: Follower,
    occasion: Occasion,
) -> Result<View, ErrorCode> {
    let fetch = FollowerFetch {
        replica_id: follower.replica_id,
        broker_epoch: follower.broker_epoch,
        current_leader_epoch: requested.current_leader_epoch,
        fetch_offset: requested.fetch_offset,
        last_fetched_epoch: requested.last_fetched_epoch,
        log_start_offset: requested.log_start_offset,
    };
    let granted = match occasion {
        Occasion::Arrival => partition.follower_fetched(&fetch),
        Occasion::Again => partition.check_follower_fetch(&fetch),
    };
    let grant = granted.map_err(|refused| error_map::fetch_refused(&refused))?;
    let diverging_epoch = grant.diverging.map(|diverging| EpochEndOffset {
        epoch: diverging.epoch,
        end_offset: diverging.end_offset,
    });
    let ends = diverging_epoch.is_some();
    let response = PartitionResponse {
        log_start_offset: grant.bounds.log_start_offset,
        // As this very fetch has moved them, so that the follower need not ask once more.
        last_stable_offset: partition.marks().last_stable_offset(),
        high_watermark: partition.marks().high_watermark(),
        diverging_epoch,
        ..PartitionResponse::failed(0, 0)
    };
    Ok(View { response, upper: grant.bounds.log_end_offset, ends })
}

fn for_consumer(
    broker: &Broker,
    partition: &HostedPartition,
    requested: &Requested,
    limits: &Limits,
) -> Result<View, ErrorCode> {
    partition.check_leadership(requested.current_leader_epoch, limits.leader_only)?;
    let marks = partition.marks();
    let mut response = PartitionResponse {
        log_start_offset: marks.log_start_offset(),
        last_stable_offset: marks.last_stable_offset(),
        high_watermark: marks.high_watermark(),
        ..PartitionResponse::failed(0, 0)
    };
    let from = requested.fetch_offset;
    if let Some(nearby) = &limits.nearby
        && let Some(nearer) = nearer_replica(broker, partition, nearby, from)
    {
        response.preferred_read_replica = nearer;
        return Ok(View { response, upper: from, ends: true });
    }
    if let Some(diverging) = divergence(partition, requested)? {
        response.diverging_epoch = Some(diverging);
        return Ok(View { response, upper: from, ends: true });
    }
    if from < response.log_start_offset || from > marks.log_end_offset() {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    if limits.isolation == Isolation::ReadCommitted {
        response.aborted_transactions = Some(Vec::new());
    }
    Ok(View { response, upper: marks.upper_bound(limits.isolation), ends: false })
}

/// A replica in the consumer's rack, where the leader is in another.
fn nearer_replica(
    broker: &Broker,
    partition: &HostedPartition,
    nearby: &Nearby,
    from: i64,
) -> Option<i32> {
    if !partition.marks().leads() {
        return None;
    }
    let image = broker.image();
    let rack_of = |id: i32| {
        let broker = image.cluster().broker(id).filter(|broker| !broker.fenced)?;
        broker.end_points.iter().find(|point| *point.name.as_str() == *nearby.listener)?;
        broker.rack.as_deref()
    };
    partition.preferred_read_replica(&nearby.rack, from, rack_of)
}

/// Whether a throttle lets this follower have nothing now; one that is in sync always may.
fn is_held_back(broker: &Broker, partition: &HostedPartition, follower: Follower) -> bool {
    partition.is_throttled_as_leader()
        && broker.parts.quotas.leader.is_exceeded()
        && !partition.is_in_sync(follower.replica_id)
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
    // As in Kafka, a batch that the limits cut short is not sent at all.
    let Some(plan) = plan.filter(ReadPlan::holds_a_batch) else {
        return Ok(Some((Vec::new(), committed_only.then(Vec::new))));
    };
    match residency {
        Residency::MemoryOnly if !plan.is_resident()? => return Ok(None),
        Residency::MemoryOnly => {}
        Residency::Any => plan.check_length()?,
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

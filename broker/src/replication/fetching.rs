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
use replica::{ConsumerFetch, FetchIsolation, FollowerFetch, Requested, consumer_fetch};
use storage::{ReadError, ReadPlan};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::counted::{Counted, FetchCount, look_at_each};
pub(crate) use self::watched::read_watched;
use crate::partitions::HostedPartition;
use crate::partitions::PartitionKey;
use crate::replication::replica_manager::ReplicaManager;
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
pub(crate) struct FetchParams {
    pub(crate) max_bytes: usize,
    pub(crate) min_bytes: usize,
    pub(crate) max_wait_ms: u64,
    pub(crate) isolation: FetchIsolation,
    pub(crate) leader_only: bool,
    /// `None` for a consumer.
    pub(crate) follower: Option<Follower>,
    pub(crate) nearby: Option<Nearby>,
}

/// One partition of a Fetch, resolved.
#[derive(Debug)]
pub(crate) struct FetchedPartition {
    pub(crate) key: PartitionKey,
    pub(crate) requested: Requested,
    /// `None` for a topic id nobody knows.
    pub(crate) name: Option<Arc<str>>,
    pub(crate) partition: Result<Arc<HostedPartition>, ErrorCode>,
    /// Nothing behind the batch that holds this offset is wanted.
    pub(crate) last_wanted: Option<i64>,
}

/// What one look at all partitions gave.
struct Look {
    responses: Vec<PartitionResponse>,
    bytes: usize,
    /// An error or a divergence, which is told at once.
    urgent: bool,
}

/// Reads, waiting for as long as the request says; a follower that hurries is answered at once.
pub(crate) async fn read(
    replicas: &Arc<ReplicaManager>,
    params: &FetchParams,
    hurries: &Notify,
    fetched: Vec<FetchedPartition>,
) -> Vec<(FetchedPartition, PartitionResponse)> {
    let fetched = Arc::new(fetched);
    let mut look = look(replicas, params, &fetched, Counted::NONE).await;
    if !done(params, &fetched, &look) {
        let deadline = Instant::now() + Duration::from_millis(params.max_wait_ms);
        let sleeper = Arc::new(Notify::new());
        loop {
            for partition in fetched.iter().filter_map(|i| i.partition.as_ref().ok()) {
                match params.follower {
                    Some(_) => partition.wake_follower(Arc::downgrade(&sleeper)),
                    None => partition.wake_consumer(Arc::downgrade(&sleeper)),
                }
            }
            look = self::look(replicas, params, &fetched, Counted::ALL).await;
            if done(params, &fetched, &look) {
                break;
            }
            let hurried = async {
                match &params.follower {
                    Some(_) => hurries.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = sleeper.notified() => {}
                () = hurried => {
                    look = self::look(replicas, params, &fetched, Counted::ALL).await;
                    break;
                }
                () = tokio::time::sleep_until(deadline) => {
                    look = self::look(replicas, params, &fetched, Counted::ALL).await;
                    break;
                }
            }
        }
    }
    // Looks on blocking threads are over, so this is the only owner.
    let fetched = Arc::into_inner(fetched).unwrap_or_default();
    fetched.into_iter().zip(look.responses).collect()
}

fn done(params: &FetchParams, fetched: &[FetchedPartition], look: &Look) -> bool {
    let nothing_to_wait_for = fetched.iter().all(|fetched| fetched.partition.is_err());
    params.max_wait_ms == 0 || nothing_to_wait_for || look.urgent || look.bytes >= params.min_bytes
}

/// Looks once. What is not in memory is looked at on a blocking thread.
async fn look(
    replicas: &Arc<ReplicaManager>,
    params: &FetchParams,
    fetched: &Arc<Vec<FetchedPartition>>,
    counted: Counted,
) -> Look {
    let counted = match look_at_all(replicas, params, fetched, counted, Residency::MemoryOnly) {
        Ok(look) => return look,
        Err(counted) => counted,
    };
    let (replicas, params, fetched) = (Arc::clone(replicas), params.clone(), Arc::clone(fetched));
    let looked = tokio::task::spawn_blocking(move || {
        look_at_all(&replicas, &params, &fetched, counted, Residency::Any)
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
    replicas: &Arc<ReplicaManager>,
    params: &FetchParams,
    fetched: &[FetchedPartition],
    counted: Counted,
    residency: Residency,
) -> Result<Look, Counted> {
    let (mut bytes, mut urgent) = (0_usize, false);
    let responses = look_at_each(fetched, counted, |fetched, count| {
        let response = match &fetched.partition {
            Ok(partition) => {
                let left = params.max_bytes.saturating_sub(bytes);
                let limit = ReadLimit { bytes: left, at_least_one: bytes == 0 };
                look_at(replicas, params, fetched, partition, limit, (count, residency))?
            }
            // Told, but a consumer does not wait less for it.
            Err(code) => {
                urgent |= params.follower.is_some();
                return Some(PartitionResponse::failed(fetched.key.partition, code.code()));
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
struct ReadLimit {
    bytes: usize,
    /// The first batch comes whole, however large.
    at_least_one: bool,
}

/// Reads one partition; `None` when it would need the disk and must not.
fn look_at(
    replicas: &Arc<ReplicaManager>,
    params: &FetchParams,
    fetched: &FetchedPartition,
    partition: &Arc<HostedPartition>,
    limit: ReadLimit,
    (count, residency): (FetchCount, Residency),
) -> Option<PartitionResponse> {
    let index = fetched.key.partition;
    let failed = |code: ErrorCode| Some(PartitionResponse::failed(index, code.code()));
    let requested = &fetched.requested;
    if let Err(code) = partition.check_present() {
        return failed(code);
    }
    let viewed = match params.follower {
        Some(follower) => for_follower(partition, requested, follower, count),
        None => for_consumer(replicas, partition, requested, params),
    };
    let View { mut response, upper, ends } = match viewed {
        Ok(view) => view,
        Err(code) => return failed(code),
    };
    let upper = fetched.last_wanted.map_or(upper, |last| end_of_wanted(partition, last, upper));
    response.index = index;
    let from = requested.fetch_offset;
    let max_bytes = usize::try_from(requested.max_bytes).unwrap_or(0).min(limit.bytes);
    let held_back =
        params.follower.is_some_and(|follower| is_held_back(replicas, partition, follower));
    if ends || held_back || from >= upper || (max_bytes == 0 && !limit.at_least_one) {
        return Some(response);
    }
    let limit = ReadLimit { bytes: max_bytes, ..limit };
    match read_records(partition, params, from, upper, limit, residency) {
        Ok(None) => return None,
        Ok(Some((records, aborted))) => {
            response.records = records;
            response.aborted_transactions = aborted;
        }
        Err(error) => {
            replicas.note_read_failure(&error);
            return failed(error_map::read_error(&error));
        }
    }
    Some(response)
}

/// Where the batch ends that holds `last`, below `upper`.
fn end_of_wanted(partition: &HostedPartition, last: i64, upper: i64) -> i64 {
    if last >= upper {
        return upper;
    }
    // What cannot be read there is told by whoever gets there.
    let end = partition.reader().end_of_batch(last).ok().flatten();
    end.map_or(upper, |end| end.min(upper))
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
    count: FetchCount,
) -> Result<View, ErrorCode> {
    let fetch = FollowerFetch {
        replica_id: follower.replica_id,
        broker_epoch: follower.broker_epoch,
        current_leader_epoch: requested.current_leader_epoch,
        fetch_offset: requested.fetch_offset,
        last_fetched_epoch: requested.last_fetched_epoch,
        log_start_offset: requested.log_start_offset,
    };
    let granted = match count {
        FetchCount::First => partition.follower_fetched(&fetch),
        FetchCount::Again => partition.check_follower_fetch(&fetch),
    };
    let grant = granted.map_err(|refused| refused.code())?;
    let diverging_epoch = grant.diverging.map(|diverging| EpochEndOffset {
        epoch: diverging.epoch,
        end_offset: diverging.end_offset,
    });
    let ends = diverging_epoch.is_some();
    let response = PartitionResponse {
        log_start_offset: grant.bounds.log_start_offset,
        // As this very fetch has moved them, so that the follower need not ask once more.
        last_stable_offset: partition.published().last_stable_offset(),
        high_watermark: partition.published().high_watermark(),
        diverging_epoch,
        ..PartitionResponse::failed(0, 0)
    };
    Ok(View { response, upper: grant.bounds.log_end_offset, ends })
}

fn for_consumer(
    replicas: &ReplicaManager,
    partition: &HostedPartition,
    requested: &Requested,
    params: &FetchParams,
) -> Result<View, ErrorCode> {
    partition.check_leadership(requested.current_leader_epoch, params.leader_only)?;
    let published = partition.published();
    let bounds = published.bounds();
    let mut response = PartitionResponse {
        log_start_offset: bounds.log_start_offset,
        last_stable_offset: bounds.last_stable_offset,
        high_watermark: bounds.high_watermark,
        ..PartitionResponse::failed(0, 0)
    };
    let from = requested.fetch_offset;
    if let Some(nearby) = &params.nearby
        && let Some(nearer) = nearer_replica(replicas, partition, nearby, from)
    {
        response.preferred_read_replica = nearer;
        return Ok(View { response, upper: from, ends: true });
    }
    let fetch =
        ConsumerFetch { fetch_offset: from, last_fetched_epoch: requested.last_fetched_epoch };
    let end_offset = |epoch| partition.end_offset_for_epoch(epoch);
    let grant = consumer_fetch(fetch, bounds, published.latest_log_epoch(), end_offset)
        .map_err(|refused| refused.code())?;
    if let Some(diverging) = grant.diverging {
        let (epoch, end_offset) = (diverging.epoch, diverging.end_offset);
        response.diverging_epoch = Some(EpochEndOffset { epoch, end_offset });
        return Ok(View { response, upper: from, ends: true });
    }
    if params.isolation == FetchIsolation::TxnCommitted {
        response.aborted_transactions = Some(Vec::new());
    }
    Ok(View { response, upper: bounds.upper(params.isolation), ends: false })
}

/// A replica in the consumer's rack, where the leader is in another.
fn nearer_replica(
    replicas: &ReplicaManager,
    partition: &HostedPartition,
    nearby: &Nearby,
    from: i64,
) -> Option<i32> {
    if !partition.published().leads() {
        return None;
    }
    let image = replicas.metadata.image();
    let rack_of = |id: i32| {
        let broker = image.cluster().broker(id).filter(|broker| !broker.fenced)?;
        broker.end_points.iter().find(|point| *point.name.as_str() == *nearby.listener)?;
        broker.rack.as_deref()
    };
    partition.preferred_read_replica(&nearby.rack, from, rack_of)
}

/// Whether a throttle lets this follower have nothing now; one that is in sync always may.
fn is_held_back(
    replicas: &ReplicaManager,
    partition: &HostedPartition,
    follower: Follower,
) -> bool {
    partition.is_throttled_as_leader()
        && replicas.quotas.leader.is_exceeded()
        && !partition.is_in_sync(follower.replica_id)
}

type Records = (Vec<Bytes>, Option<Vec<AbortedTransaction>>);

/// The bytes, and for a reader of committed records the transactions that it must leave out; `None`
/// when that would need the disk and must not.
fn read_records(
    partition: &HostedPartition,
    params: &FetchParams,
    from: i64,
    upper: i64,
    limit: ReadLimit,
    residency: Residency,
) -> Result<Option<Records>, ReadError> {
    let committed_only = params.isolation == FetchIsolation::TxnCommitted;
    let plan = partition.reader().plan(from, limit.bytes, upper, limit.at_least_one)?;
    // As in Kafka, a batch that the params cut short is not sent at all.
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

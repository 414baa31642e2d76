//! A ShareFetch reads the log where its share partitions have something to acquire, and waits while
//! there is too little.
//!
//! Several members of a group look at once; each partition is read and acquired by one of them at
//! a time, so that none reads what another one takes. Who waits is woken by new records, by records
//! that are available again, and by the fetch before it. Kafka: `DelayedShareFetch`,
//! `ShareFetchUtils.processFetchResponse`.

mod acquired;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::fetch::PartitionResponse;
use protocol::wire::StrBytes;
use replica::Requested;
use replica::share::{
    AbortedTransaction, AcquiredRecords, Fetched, SharePartitionId, Wanted, uniform_max_bytes,
};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::acquired::{batches_of, only_acquired};
use super::group_settings::GroupSettings;
use super::hosted_share_partition::{FetchLock, HostedSharePartition};
use super::share_partitions::SharePartitions;
use crate::clock::monotonic_ms;
use crate::partitions::PartitionKey;
use crate::replication::fetching::{self, FetchParams, FetchedPartition};
use crate::requests::api_error::{ApiError, worded};

/// What a member asks of its session's partitions.
#[derive(Debug)]
pub(crate) struct ShareFetch {
    pub(crate) group: StrBytes,
    pub(crate) wanted: Wanted,
    pub(crate) min_bytes: usize,
    pub(crate) max_bytes: usize,
    pub(crate) max_wait_ms: u64,
    /// With the names of their topics, in the order of their turns.
    pub(crate) partitions: Vec<(SharePartitionId, Arc<str>)>,
}

/// What a partition came to.
#[derive(Debug)]
pub(crate) struct ShareFetched {
    pub(crate) id: SharePartitionId,
    pub(crate) outcome: Result<Acquired, ApiError>,
}

/// Records, and which of them the member has now; both may be empty.
#[derive(Debug, Default)]
pub(crate) struct Acquired {
    pub(crate) records: Bytes,
    pub(crate) acquired: Vec<AcquiredRecords>,
}

/// Acquires what there is, waiting for as long as the request says. Partitions from which nothing
/// was read are not in the answer.
pub(crate) async fn fetch(share: &Arc<SharePartitions>, fetch: ShareFetch) -> Vec<ShareFetched> {
    let mut answers = Vec::new();
    if fetch.wanted.max_records <= 0 || fetch.max_bytes == 0 {
        return answers;
    }
    let mut hosted = Vec::with_capacity(fetch.partitions.len());
    for (id, topic) in &fetch.partitions {
        match share.find_or_load(&fetch.group, *id, topic) {
            Ok(found) => hosted.push(found),
            Err(error) => answers.push(ShareFetched { id: *id, outcome: Err(error) }),
        }
    }
    if hosted.is_empty() {
        return answers;
    }
    answers.extend(wait_and_acquire(share, &fetch, &hosted).await);
    for failed in hosted {
        let is_told = answers.iter().any(|answer| answer.id == failed.key.id);
        if let Some(error) = failed.failure().filter(|_| !is_told) {
            answers.push(ShareFetched { id: failed.key.id, outcome: Err(error) });
        }
    }
    answers
}

async fn wait_and_acquire(
    share: &Arc<SharePartitions>,
    fetch: &ShareFetch,
    hosted: &[Arc<HostedSharePartition>],
) -> Vec<ShareFetched> {
    let deadline = Instant::now() + Duration::from_millis(fetch.max_wait_ms);
    let sleeper = Arc::new(Notify::new());
    let mut is_last = fetch.max_wait_ms == 0;
    loop {
        for hosted in hosted {
            hosted.waiting_fetches().register(Arc::downgrade(&sleeper));
            hosted.partition.wake_consumer(Arc::downgrade(&sleeper));
        }
        if let Some(answers) = attempt(share, fetch, hosted, is_last).await {
            return answers;
        }
        tokio::select! {
            biased;
            () = sleeper.notified() => {}
            () = tokio::time::sleep_until(deadline) => is_last = true,
        }
    }
}

/// Looks once; `None` if there is too little, and time to wait for more.
async fn attempt(
    share: &Arc<SharePartitions>,
    fetch: &ShareFetch,
    hosted: &[Arc<HostedSharePartition>],
    is_last: bool,
) -> Option<Vec<ShareFetched>> {
    let settings = share.settings(&fetch.group);
    let acquirable = hosted.iter().filter_map(|hosted| hosted.try_fetch(&settings.limits));
    let acquirable: Vec<(FetchLock, i64)> = acquirable.collect();
    if acquirable.is_empty() {
        return is_last.then(Vec::new);
    }
    let answers = read(share, fetch, &settings, &acquirable).await;
    let bytes: usize = answers.iter().map(PartitionResponse::records_length).sum();
    let failed = answers.iter().any(|answer| answer.error_code != 0);
    if !is_last && !failed && bytes < fetch.min_bytes {
        return None;
    }
    let mut left = fetch.wanted.max_records;
    let mut acquired = Vec::with_capacity(answers.len());
    for ((lock, fetch_offset), answer) in acquirable.into_iter().zip(answers) {
        let wanted = Wanted { max_records: left, ..fetch.wanted.clone() };
        let outcome = acquire(&lock.0, &wanted, &settings, fetch_offset, answer);
        if let Ok(acquired) = &outcome {
            left -= acquired.acquired.iter().map(AcquiredRecords::count).sum::<i64>();
        }
        acquired.push(ShareFetched { id: lock.0.key.id, outcome });
        lock.complete();
    }
    Some(acquired)
}

/// One look at the log of each partition. No more is read than can be acquired: a fetch is let have
/// megabytes, each page of which would be looked at.
async fn read(
    share: &SharePartitions,
    fetch: &ShareFetch,
    settings: &GroupSettings,
    acquirable: &[(FetchLock, i64)],
) -> Vec<PartitionResponse> {
    let count = acquirable.len();
    let draw = getrandom::u64().unwrap_or(0);
    let shares = uniform_max_bytes(fetch.max_bytes, count, count, draw);
    let fetched = acquirable.iter().zip(shares).map(|((lock, fetch_offset), max_bytes)| {
        let enough = || lock.0.with(|partition| partition.enough(&fetch.wanted, *fetch_offset));
        // A fetch that waits for more bytes counts all that it could read.
        let last_wanted = if fetch.min_bytes <= 1 { enough() } else { None };
        let id = lock.0.key.id;
        let (topic_id, topic) = (id.topic_id, StrBytes::default());
        FetchedPartition {
            key: PartitionKey { topic_id, topic, partition: id.partition },
            requested: Requested {
                current_leader_epoch: -1,
                fetch_offset: *fetch_offset,
                last_fetched_epoch: -1,
                log_start_offset: -1,
                max_bytes: i32::try_from(max_bytes).unwrap_or(i32::MAX),
            },
            name: Some(Arc::clone(&lock.0.topic)),
            partition: Ok(Arc::clone(&lock.0.partition)),
            last_wanted,
        }
    });
    let params = FetchParams {
        max_bytes: fetch.max_bytes,
        min_bytes: 0,
        max_wait_ms: 0,
        isolation: settings.isolation,
        leader_only: true,
        follower: None,
        nearby: None,
    };
    let hurries = Notify::new();
    let read = fetching::read(share.replicas(), &params, &hurries, fetched.collect()).await;
    read.into_iter().map(|(_, answer)| answer).collect()
}

fn acquire(
    hosted: &HostedSharePartition,
    wanted: &Wanted,
    settings: &GroupSettings,
    fetch_offset: i64,
    answer: PartitionResponse,
) -> Result<Acquired, ApiError> {
    match ErrorCode::try_from_code(answer.error_code) {
        None => {}
        Some(ErrorCode::OffsetOutOfRange) => {
            // The log starts later now; the member asks again.
            let log_start = hosted.partition.published().log_start_offset();
            hosted.with(|partition| partition.log_start_moved(log_start));
            return Ok(Acquired::default());
        }
        Some(code) => return Err(worded(code)),
    }
    let records = only_slice(answer.records);
    let aborted = answer.aborted_transactions.unwrap_or_default();
    let aborted: Vec<AbortedTransaction> = aborted
        .into_iter()
        .map(|found| AbortedTransaction {
            producer_id: found.producer_id,
            first_offset: found.first_offset,
        })
        .collect();
    let acquired = hosted.with(|partition| {
        let batches = partition.acquirable(wanted, fetch_offset, batches_of(&records));
        let fetched = Fetched { fetch_offset, batches: &batches, aborted: &aborted };
        partition.acquire(wanted, fetched, &settings.limits, monotonic_ms())
    });
    let acquired = acquired.unwrap_or_default();
    let records = only_acquired(records, &acquired);
    Ok(Acquired { records, acquired })
}

/// A read gives one slice of one segment.
fn only_slice(mut slices: Vec<Bytes>) -> Bytes {
    match slices.len() {
        0 | 1 => slices.pop().unwrap_or_default(),
        _ => slices.concat().into(),
    }
}

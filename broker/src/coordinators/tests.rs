//! The host over a log in memory that can be slow, refuse, or stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use coordinator::group::{Caller, CommitAnswer, GroupError, GroupSettings, JoinAnswer};
use coordinator::runtime::WriteFailure;
use parking_lot::Mutex;
use protocol::batch::{BatchBuilder, Compression, batches};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, OffsetCommitRequest, TopicName,
};
use protocol::wire::StrBytes;
use storage::{ReadError, TransactionTerms};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::ShardSettings;
use super::log::{Appending, Deleting, ShardLog};
use crate::coordinators::groups::{Groups, GroupsShard, Limits};

#[derive(Debug)]
struct Contents {
    batches: Vec<Bytes>,
    /// The offset behind each batch, whatever becomes of its bytes.
    ends: Vec<i64>,
    end_offset: i64,
}

/// A log in memory. Appends wait for a permit; loads wait while `stalled`.
#[derive(Debug)]
struct MemoryLog {
    contents: Mutex<Contents>,
    permits: Arc<Semaphore>,
    refusal: Mutex<Option<WriteFailure>>,
    stalled: AtomicBool,
    /// How often whoever keeps the shard was told that it does not serve.
    failures: AtomicUsize,
    damage: Mutex<Vec<String>>,
    max_batch_bytes: usize,
}

impl MemoryLog {
    fn new(permits: usize) -> Arc<Self> {
        Arc::new(Self {
            contents: Mutex::new(Contents { batches: Vec::new(), ends: Vec::new(), end_offset: 0 }),
            permits: Arc::new(Semaphore::new(permits)),
            refusal: Mutex::new(None),
            stalled: AtomicBool::new(false),
            failures: AtomicUsize::new(0),
            damage: Mutex::default(),
            max_batch_bytes: 10_000,
        })
    }

    fn put(&self, batch: &[u8]) -> i64 {
        let mut contents = self.contents.lock();
        let base = contents.end_offset;
        let batch = batches(batch).next().expect("a batch").expect("a whole one");
        let mut header = batch.header_copy();
        contents.end_offset += i64::from(header.records_count());
        header.set_base_offset(base);
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(batch.payload());
        contents.batches.push(Bytes::from(bytes));
        let end = contents.end_offset;
        contents.ends.push(end);
        base
    }

    fn batch_count(&self) -> usize {
        self.contents.lock().batches.len()
    }
}

/// The log as the shard has it: what it appends goes to the shared memory.
#[derive(Debug)]
struct Handle(Arc<MemoryLog>);

impl ShardLog for Handle {
    fn append(&self, batch: Bytes, _: TransactionTerms) -> Appending {
        let log = Arc::clone(&self.0);
        Box::pin(async move {
            let permits = Arc::clone(&log.permits);
            permits.acquire().await.expect("never closed").forget();
            let refusal = log.refusal.lock().take();
            // Where doubt is left, the records stand in the log.
            let base_offset = match refusal {
                Some(failure) if !failure.leaves_doubt() => -1,
                _ => log.put(&batch),
            };
            refusal.map_or(Ok(base_offset), Err)
        })
    }

    fn max_batch_bytes(&self) -> usize {
        self.0.max_batch_bytes
    }

    fn start_offset(&self) -> i64 {
        0
    }

    fn end_offset(&self) -> i64 {
        self.0.contents.lock().end_offset
    }

    fn high_watermark(&self) -> i64 {
        self.end_offset()
    }

    fn leads(&self) -> bool {
        true
    }

    fn note_damage(&self, found: &str) {
        self.0.damage.lock().push(found.to_owned());
    }

    fn note_failure(&self) {
        self.0.failures.fetch_add(1, Ordering::Relaxed);
    }

    fn delete_records_before(&self, _: i64) -> Deleting {
        Box::pin(std::future::ready(Err("groups do not prune".to_owned())))
    }

    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<u8>, ReadError> {
        while self.0.stalled.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut read = Vec::new();
        let contents = self.0.contents.lock();
        for (bytes, end) in contents.batches.iter().zip(&contents.ends) {
            if *end > from && (read.is_empty() || read.len() < max_bytes) {
                read.extend_from_slice(bytes);
            }
        }
        Ok(read)
    }
}

fn limits() -> Limits {
    Limits {
        settings: GroupSettings {
            initial_rebalance_delay_ms: 20,
            min_session_timeout_ms: 10,
            ..GroupSettings::default()
        },
        commit_timeout: Duration::from_millis(200),
        shards: ShardSettings { load_buffer_bytes: 100, compression: Compression::None },
        topic_partitions: 1,
        has_consumer_protocol: true,
        has_streams_protocol: true,
    }
}

fn groups_over(log: &Arc<MemoryLog>) -> Groups {
    let groups = Groups::new(1, limits());
    groups.hosted().take(0, 0, Arc::new(Handle(Arc::clone(log))));
    groups
}

async fn served(groups: &Groups) -> Arc<GroupsShard> {
    let shard = groups.shard(0).expect("it was taken");
    while shard.act(|_, _, _| ()).is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    shard
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn commit_request(offset: i64, metadata: &str) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        committed_offset: offset,
        committed_metadata: Some(StrBytes::from_string(metadata.to_owned())),
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: TopicName(text("orders")),
        partitions: vec![partition],
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: GroupId(text("g")),
        generation_id_or_member_epoch: -1,
        retention_time_ms: -1,
        topics: vec![topic],
        ..Default::default()
    }
}

async fn commit(groups: &Groups, offset: i64, metadata: &str) -> Result<(), GroupError> {
    let request = commit_request(offset, metadata);
    let parked = groups
        .shard(0)?
        .ask(|shard, reply, now, out| shard.commit_offsets(9, &request, reply, now, out))?;
    let committed: CommitAnswer = groups.within_commit_timeout(parked).await?;
    committed.map(|_| ())
}

fn committed(shard: &Arc<GroupsShard>) -> Option<i64> {
    let topics = [(text("orders"), vec![0])];
    let fetched = shard
        .act(|shard, _, _| shard.fetch_offsets(&text("g"), None, &topics, true))
        .expect("it serves")
        .expect("it answers");
    let offset = fetched[0].partitions[0].offset.clone().expect("stable");
    offset.map(|offset| offset.offset)
}

fn join_request(member: StrBytes) -> JoinGroupRequest {
    JoinGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(member)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![JoinGroupRequestProtocol::default().with_name(text("range"))])
        .with_session_timeout_ms(60_000)
        .with_rebalance_timeout_ms(60_000)
}

async fn join(shard: &Arc<GroupsShard>, member: StrBytes) -> JoinAnswer {
    let request = join_request(member);
    let caller = Caller { client_id: "c", client_host: "/127.0.0.1", api_version: 9 };
    let parked = shard
        .ask(|shard, reply, now, out| {
            shard.join(caller, &request, reply, Uuid::from_u128(1), now, out);
        })
        .expect("it serves");
    parked.answer().await.expect("an answer")
}

#[tokio::test]
async fn a_commit_is_answered_when_it_is_in_the_log_and_read_after_a_reload() {
    let log = MemoryLog::new(1_000);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    for offset in 1..=20 {
        commit(&groups, offset, "a note that fills the load buffer").await.unwrap();
    }
    assert_eq!(committed(&shard), Some(20));
    let other = groups_over(&log);
    assert_eq!(committed(&served(&other).await), Some(20));
}

#[tokio::test]
async fn compressed_batches_are_written_and_loaded() {
    use Compression::{Gzip, Lz4, None, Snappy, Zstd};
    for compression in [None, Gzip, Snappy, Lz4, Zstd] {
        let log = MemoryLog::new(1_000);
        let groups = Groups::new(
            1,
            Limits { shards: ShardSettings { compression, ..limits().shards }, ..limits() },
        );
        groups.hosted().take(0, 0, Arc::new(Handle(Arc::clone(&log))));
        served(&groups).await;
        commit(&groups, 5, "a note").await.unwrap();
        let written = log.contents.lock().batches[0].clone();
        let batch = batches(&written).next().unwrap().unwrap();
        batch.verify_crc().unwrap();
        assert_eq!(batch.compression(), Ok(compression));
        assert_eq!(committed(&served(&groups_over(&log)).await), Some(5), "{compression:?}");
    }
}

#[tokio::test]
async fn commits_that_wait_are_appended_together() {
    let log = MemoryLog::new(0);
    let groups = Arc::new(groups_over(&log));
    served(&groups).await;
    let waiting: Vec<_> = (1..=50)
        .map(|offset| {
            let groups = Arc::clone(&groups);
            tokio::spawn(async move { commit(&groups, offset, "").await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    log.permits.add_permits(1_000);
    for commit in waiting {
        commit.await.unwrap().unwrap();
    }
    assert!(log.batch_count() <= 3, "{} batches", log.batch_count());
}

#[tokio::test]
async fn a_stalled_log_delays_commits_and_no_heartbeat() {
    let log = MemoryLog::new(2);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    let member = join(&shard, StrBytes::default()).await.member_id;
    let joined = join(&shard, member.clone()).await;
    assert_eq!((joined.error, joined.generation), (None, 1));
    log.permits.forget_permits(2);
    let request = OffsetCommitRequest {
        member_id: member.clone(),
        generation_id_or_member_epoch: 1,
        ..commit_request(5, "")
    };
    let sync = protocol::messages::SyncGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(member.clone())
        .with_generation_id(1);
    let _parked = shard.ask(|shard, reply, now, out| shard.sync(&sync, reply, now, out)).unwrap();
    let heartbeat = HeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(member)
        .with_generation_id(1);
    let begun = Instant::now();
    for _ in 0..1_000 {
        shard.act(|shard, now, out| shard.heartbeat(&heartbeat, now, out)).unwrap().unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    let refused = shard
        .ask(|shard, reply, now, out| shard.commit_offsets(9, &request, reply, now, out))
        .unwrap();
    let answer = refused.answer().await;
    assert_eq!(answer, Some(Err(GroupError::RebalanceInProgress)));
}

#[tokio::test]
async fn a_commit_that_takes_too_long_is_refused_and_holds_all_the_same() {
    let log = MemoryLog::new(0);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    let refused = commit(&groups, 5, "").await;
    assert_eq!(refused, Err(GroupError::WriteFailed(WriteFailure::TimedOut)));
    assert_eq!(committed(&shard), None);
    assert_eq!(
        groups.settled(&shard).await,
        Err(GroupError::WriteFailed(WriteFailure::TimedOut)),
        "a stable fetch waits for it"
    );
    log.permits.add_permits(1);
    groups.settled(&shard).await.unwrap();
    assert_eq!(committed(&shard), Some(5));
}

#[tokio::test]
async fn a_refused_append_fails_what_was_in_it_and_nothing_else() {
    let log = MemoryLog::new(1_000);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    commit(&groups, 5, "").await.unwrap();
    *log.refusal.lock() = Some(WriteFailure::NotEnoughReplicas);
    assert_eq!(
        commit(&groups, 6, "").await,
        Err(GroupError::WriteFailed(WriteFailure::NotEnoughReplicas)),
    );
    assert_eq!(committed(&shard), Some(5));
    commit(&groups, 7, "").await.unwrap();
    assert_eq!(committed(&shard), Some(7));
}

#[tokio::test]
async fn a_write_larger_than_a_batch_may_be_fails_alone() {
    let mut limits = limits();
    limits.settings.offset_metadata_max_size = usize::MAX;
    let log = MemoryLog::new(1_000);
    let groups = Groups::new(1, limits);
    groups.hosted().take(0, 0, Arc::new(Handle(Arc::clone(&log))));
    let shard = served(&groups).await;
    let metadata = "x".repeat(20_000);
    let (large, small) = tokio::join!(commit(&groups, 5, &metadata), commit(&groups, 6, ""));
    assert_eq!(large, Err(GroupError::WriteFailed(WriteFailure::TooLarge)));
    assert_eq!((small, committed(&shard)), (Ok(()), Some(6)));
}

#[tokio::test]
async fn while_it_is_loaded_a_shard_says_so() {
    let log = MemoryLog::new(1_000);
    let first = groups_over(&log);
    served(&first).await;
    commit(&first, 5, "").await.unwrap();
    log.stalled.store(true, Ordering::Relaxed);
    let second = groups_over(&log);
    assert_eq!(commit(&second, 6, "").await, Err(GroupError::LoadInProgress));
    log.stalled.store(false, Ordering::Relaxed);
    assert_eq!(committed(&served(&second).await), Some(5));
}

#[tokio::test]
async fn a_log_that_cannot_be_read_makes_no_coordinator() {
    let log = MemoryLog::new(1_000);
    let mut builder = BatchBuilder::new(0);
    builder.append(0, Some(b"\0\x01\0\x01g"), Some(b"\0\0"));
    log.put(&builder.build());
    let groups = groups_over(&log);
    let mut answer = commit(&groups, 5, "").await;
    while answer == Err(GroupError::LoadInProgress) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        answer = commit(&groups, 5, "").await;
    }
    assert_eq!(answer, Err(GroupError::NotCoordinator));
    assert_eq!(*log.damage.lock(), [""; 0], "another replica has the same record");
}

/// What a new coordinator says when it has read the log.
async fn said_after_loading(log: &Arc<MemoryLog>) -> Result<(), GroupError> {
    let groups = groups_over(log);
    loop {
        match commit(&groups, 9, "").await {
            Err(GroupError::LoadInProgress) => tokio::time::sleep(Duration::from_millis(1)).await,
            answer => return answer,
        }
    }
}

#[tokio::test]
async fn a_log_with_a_damaged_batch_makes_no_coordinator_whatever_the_damage() {
    let damages: [(&str, usize, &[u8]); 9] = [
        ("no length", 8, &[0; 4]),
        ("a length below a header's", 8, &[0, 0, 0, 48]),
        ("a negative length", 8, &[0xff; 4]),
        ("a length beyond the log", 8, &[0, 1, 0, 0]),
        ("a format before 0.11", 16, &[1]),
        ("a format that is not known", 16, &[3]),
        ("another CRC", 17, &[0; 4]),
        ("another byte of a record", 70, &[0xff]),
        ("offsets that came before", 0, &[0; 8]),
    ];
    for (kind, at, bytes) in damages {
        for number in 1..4 {
            let log = MemoryLog::new(1_000);
            let first = groups_over(&log);
            for offset in 0..4 {
                while let Err(error) = commit(&first, offset, "").await {
                    assert_eq!(error, GroupError::LoadInProgress);
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            assert_eq!(log.batch_count(), 4);
            assert_eq!(said_after_loading(&log).await, Ok(()));
            {
                let mut contents = log.contents.lock();
                let mut damaged = contents.batches[number].to_vec();
                damaged[at..at + bytes.len()].copy_from_slice(bytes);
                contents.batches[number] = damaged.into();
            }
            let case = format!("{kind}, batch {number}");
            assert_eq!(said_after_loading(&log).await, Err(GroupError::NotCoordinator), "{case}");
            assert_eq!(log.damage.lock().len(), 1, "{case}");
        }
    }
}

#[tokio::test]
async fn who_waits_in_a_shard_that_is_given_up_is_sent_away() {
    let log = MemoryLog::new(0);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    let request = commit_request(5, "");
    let commit = shard
        .ask(|shard, reply, now, out| shard.commit_offsets(9, &request, reply, now, out))
        .unwrap();
    groups.hosted().give_up(0);
    assert_eq!(commit.answer().await, Some(Err(GroupError::NotCoordinator)));
    assert_eq!(groups.shard(0).unwrap_err(), GroupError::NotCoordinator);
    log.permits.add_permits(10);
}

#[tokio::test]
async fn a_shard_that_serves_goes_on_under_a_newer_epoch() {
    let log = MemoryLog::new(1_000);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    groups.hosted().take(0, 0, Arc::new(Handle(Arc::clone(&log))));
    assert!(Arc::ptr_eq(&shard, &groups.shard(0).unwrap()));
    groups.hosted().take(0, 1, Arc::new(Handle(Arc::clone(&log))));
    assert!(Arc::ptr_eq(&shard, &groups.shard(0).unwrap()));
    groups.hosted().give_up(0);
    groups.hosted().take(0, 2, Arc::new(Handle(Arc::clone(&log))));
    assert!(!Arc::ptr_eq(&shard, &groups.shard(0).unwrap()));
    served(&groups).await;
}

#[tokio::test]
async fn records_whose_fate_is_not_known_are_looked_up_in_the_log() {
    let log = MemoryLog::new(10);
    let groups = groups_over(&log);
    let shard = served(&groups).await;
    commit(&groups, 5, "").await.unwrap();
    *log.refusal.lock() = Some(WriteFailure::NotLeader);
    let refused = commit(&groups, 6, "").await.unwrap_err();
    assert_eq!(refused, GroupError::NotCoordinator);
    assert_eq!(log.failures.load(Ordering::Relaxed), 1);
    assert!(shard.act(|_, _, _| ()).is_err(), "5 may be read by nobody now that 6 may stand");
    groups.hosted().take(0, 0, Arc::new(Handle(Arc::clone(&log))));
    assert_eq!(committed(&served(&groups).await), Some(6));
}

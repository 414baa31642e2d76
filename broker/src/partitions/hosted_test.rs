//! A leader and its follower over logs on disk, step by step, without a network between them.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use metrics::{Reading, Registry};
use protocol::ErrorCode;
use protocol::batch::BatchBuilder;
use replica::{
    Acks, Answer, Diverging, FetchRefused, Fetched, FollowerFetch, IsrAnswer, IsrChange,
    NotAppended, Origin, Recovery, Registration, Replicated,
};
use storage::{Log, LogConfig, OpenOptions};
use uuid::Uuid;

use super::hosted::{HostedPartition, ReplicaSettings};
use super::replica_context::ReplicaContext;
use super::stored_log::StoredLog;
use crate::partitions::disk_gate::DiskGate;
use crate::partitions::{PartitionKey, Watch};

const LEADER: i32 = 1;
const FOLLOWER: i32 = 2;
const ALL: Acks = Acks::All;

struct Replica {
    hosted: HostedPartition,
    context: Arc<ReplicaContext>,
    metrics: Registry,
    _directory: tempfile::TempDir,
}

fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(0);
    for value in values {
        builder.append(1000, None, Some(value.as_bytes()));
    }
    builder.build()
}

fn log(directory: &Path) -> StoredLog {
    let options = OpenOptions { clean_shutdown: true, now_ms: 1000, ..OpenOptions::default() };
    let path = directory.join("t-0");
    StoredLog::new(Log::open(&path, LogConfig::default(), options).unwrap())
}

/// A replica on broker `id`; both brokers are registered with the epoch of ten times their id.
fn replica(id: i32, min_in_sync: usize) -> Replica {
    let directory = tempfile::tempdir().unwrap();
    let (gate, metrics) = (Arc::new(DiskGate::new(8)), Registry::default());
    let context = Arc::new(ReplicaContext::new(id, 30_000, gate, &metrics));
    context.set_brokers(&image());
    let settings = ReplicaSettings {
        log: LogConfig::default(),
        min_in_sync,
        throttled_as_leader: false,
        throttled_as_follower: false,
    };
    let hosted = HostedPartition::new(
        super::Replica {
            topic: Arc::from("t"),
            topic_id: Uuid::from_u128(7),
            partition: 0,
            directory_id: Uuid::from_u128(1000),
        },
        log(directory.path()),
        0,
        settings,
        Arc::clone(&context),
    );
    Replica { hosted, context, metrics, _directory: directory }
}

fn image() -> raft::image::MetadataImage {
    use protocol::records::metadata::{MetadataRecord, RegisterBrokerRecord};
    let empty = raft::image::MetadataImage::default();
    let mut delta = raft::image::MetadataDelta::new(&empty);
    for broker_id in [LEADER, FOLLOWER] {
        let record = RegisterBrokerRecord {
            broker_id,
            broker_epoch: i64::from(broker_id) * 10,
            fenced: false,
            ..RegisterBrokerRecord::default()
        };
        delta.replay(&MetadataRecord::RegisterBroker(record)).unwrap();
    }
    delta.after().clone()
}

fn registration(leader: i32, leader_epoch: i32, isr: &[i32]) -> Registration {
    Registration {
        leader,
        leader_epoch,
        partition_epoch: leader_epoch,
        replicas: vec![LEADER, FOLLOWER],
        adding: Vec::new(),
        removing: Vec::new(),
        isr: isr.to_vec(),
        recovery: Recovery::Recovered,
    }
}

fn pair(isr: &[i32]) -> (Replica, Replica) {
    let (leader, follower) = (replica(LEADER, 1), replica(FOLLOWER, 1));
    leader.hosted.apply(&registration(LEADER, 3, isr)).unwrap();
    follower.hosted.apply(&registration(LEADER, 3, isr)).unwrap();
    (leader, follower)
}

fn asked(follower: &Replica) -> FollowerFetch {
    let position = follower.hosted.fetch_position().unwrap();
    FollowerFetch {
        replica_id: FOLLOWER,
        broker_epoch: 20,
        current_leader_epoch: position.leader_epoch,
        fetch_offset: position.fetch_offset,
        last_fetched_epoch: position.last_fetched_epoch,
        log_start_offset: position.log_start_offset,
    }
}

/// One fetch, answered and taken.
fn replicate(leader: &Replica, follower: &Replica) -> Replicated {
    let position = follower.hosted.fetch_position().unwrap();
    let grant = leader.hosted.follower_fetched(&asked(follower)).unwrap();
    if let Some(Diverging { epoch, end_offset }) = grant.diverging {
        let start = grant.bounds.log_start_offset;
        let parts = Diverging { epoch, end_offset };
        return follower.hosted.diverged(&position, parts, start).unwrap();
    }
    let end = grant.bounds.log_end_offset;
    let read = leader.hosted.reader().read(position.fetch_offset, 1 << 20, end, true).unwrap();
    let fetched = Fetched {
        records: Bytes::from(read.slices.concat()),
        high_watermark: leader.hosted.published().high_watermark(),
        log_start_offset: grant.bounds.log_start_offset,
    };
    follower.hosted.append_from_leader(&position, &fetched).unwrap()
}

fn ends(replica: &Replica) -> (i64, i64) {
    (replica.hosted.published().high_watermark(), replica.hosted.published().log_end_offset())
}

#[test]
fn acks_all_is_answered_when_the_follower_asks_for_what_comes_behind() {
    let (leader, follower) = pair(&[LEADER, FOLLOWER]);
    let appended = leader.hosted.append(&batch(&["a", "b"]), ALL, 1000, Origin::Client).unwrap();
    let mut waiting = appended.committed.expect("the follower has not got it yet").answer;
    assert_eq!(replicate(&leader, &follower), Replicated::Appended);
    assert!(waiting.try_recv().is_err());
    assert_eq!((ends(&leader), ends(&follower)), ((0, 2), (0, 2)));
    assert_eq!(replicate(&leader, &follower), Replicated::Nothing);
    assert_eq!(waiting.try_recv(), Ok(Answer::Committed));
    assert_eq!((ends(&leader), ends(&follower)), ((2, 2), (2, 2)));
}

#[test]
fn whoever_gave_up_waiting_is_forgotten_and_whoever_waits_is_told_of_an_election() {
    let (leader, _) = pair(&[LEADER, FOLLOWER]);
    let append = || leader.hosted.append(&batch(&["a"]), ALL, 1000, Origin::Client).unwrap();
    let (impatient, patient) = (append().committed.unwrap(), append().committed.unwrap());
    leader.hosted.forget(&impatient);
    leader.hosted.apply(&registration(FOLLOWER, 4, &[LEADER, FOLLOWER])).unwrap();
    let mut patient = patient.answer;
    assert_eq!(patient.try_recv(), Ok(Answer::NoLongerLeader));
    let mut impatient = impatient.answer;
    assert!(impatient.try_recv().is_err(), "nobody is there to tell");
    let refused = leader.hosted.append(&batch(&["a"]), ALL, 1000, Origin::Client);
    assert!(matches!(refused, Err(NotAppended::NotLeader)));
}

#[test]
fn a_follower_that_catches_up_is_proposed_and_the_answer_counts() {
    let (leader, follower) = pair(&[LEADER]);
    leader.hosted.append(&batch(&["a"]), Acks::Leader, 1000, Origin::Client).unwrap();
    let mut proposals = leader.context.take_proposals().unwrap();
    replicate(&leader, &follower);
    assert!(proposals.try_recv().is_err(), "it has not said that it has the record");
    replicate(&leader, &follower);
    let proposed = proposals.try_recv().unwrap();
    assert_eq!((proposed.partition, proposed.proposal.leader_epoch), (0, 3));
    assert_eq!(proposed.proposal.change, IsrChange::Expand(FOLLOWER));
    assert!(!leader.hosted.is_in_sync(FOLLOWER));
    let changed = IsrAnswer::Changed {
        leader_epoch: 3,
        partition_epoch: 4,
        isr: vec![LEADER, FOLLOWER],
        recovery: Recovery::Recovered,
    };
    leader.hosted.isr_answered(&proposed.proposal, &changed);
    assert!(leader.hosted.is_in_sync(FOLLOWER));
}

#[test]
fn a_log_that_parts_from_the_leaders_is_cut_where_they_part() {
    let (leader, follower) = pair(&[LEADER, FOLLOWER]);
    leader.hosted.append(&batch(&["a", "b"]), Acks::Leader, 1000, Origin::Client).unwrap();
    replicate(&leader, &follower);
    // Elected without the others' knowledge, the follower writes what nobody else has.
    follower.hosted.apply(&registration(FOLLOWER, 4, &[FOLLOWER])).unwrap();
    follower.hosted.append(&batch(&["x"]), Acks::Leader, 1000, Origin::Client).unwrap();
    leader.hosted.apply(&registration(LEADER, 5, &[LEADER])).unwrap();
    leader.hosted.append(&batch(&["c"]), Acks::Leader, 1000, Origin::Client).unwrap();
    follower.hosted.apply(&registration(LEADER, 5, &[LEADER])).unwrap();
    assert_eq!(replicate(&leader, &follower), Replicated::Truncated(2));
    assert_eq!(replicate(&leader, &follower), Replicated::Appended);
    let bytes = |replica: &Replica| {
        replica.hosted.reader().read(0, 1 << 20, i64::MAX, true).unwrap().slices.concat()
    };
    assert!(bytes(&leader) == bytes(&follower));
}

#[test]
fn a_fetch_under_a_former_leadership_is_refused() {
    let (leader, follower) = pair(&[LEADER, FOLLOWER]);
    let fetch = asked(&follower);
    leader.hosted.apply(&registration(LEADER, 4, &[LEADER, FOLLOWER])).unwrap();
    let refused = leader.hosted.follower_fetched(&fetch);
    assert_eq!(refused, Err(FetchRefused::FencedEpoch { asked: 3, current: 4 }));
}

#[test]
fn a_session_hears_of_appends_at_once_and_of_the_high_watermark_with_its_next_answer() {
    let (leader, follower) = pair(&[LEADER, FOLLOWER]);
    let watch = Arc::new(Watch::default());
    let key = PartitionKey { topic_id: Uuid::from_u128(7), topic: "t".into(), partition: 0 };
    leader.hosted.watch(watch.watcher(key.clone()));
    assert!(watch.take_changed().is_empty());
    leader.hosted.append(&batch(&["a"]), Acks::Leader, 1000, Origin::Client).unwrap();
    assert_eq!(watch.take_changed(), std::slice::from_ref(&key));
    replicate(&leader, &follower);
    assert!(watch.take_changed().is_empty());
    replicate(&leader, &follower);
    assert_eq!(watch.take_changed(), [key]);
}

#[test]
fn a_replica_that_goes_away_takes_and_fetches_nothing_more() {
    let (leader, follower) = pair(&[LEADER, FOLLOWER]);
    let append = leader.hosted.append(&batch(&["a"]), ALL, 1000, Origin::Client).unwrap();
    leader.hosted.give_up(ErrorCode::NotLeaderOrFollower);
    let mut waiting = append.committed.unwrap().answer;
    assert_eq!(waiting.try_recv(), Ok(Answer::NoLongerLeader));
    let refused = leader.hosted.append(&batch(&["a"]), ALL, 1000, Origin::Client);
    assert!(matches!(refused, Err(NotAppended::NotLeader)));
    follower.hosted.give_up(ErrorCode::NotLeaderOrFollower);
    assert_eq!(follower.hosted.fetch_position(), None);
}

/// What a replica's metrics count under this name.
fn counted(replica: &Replica, name: &str) -> u64 {
    let all = replica.metrics.read().into_iter();
    let mut found = all.filter(|(each, _)| each.to_string().ends_with(&format!("name={name}")));
    match found.next().map(|(_, reading)| reading) {
        Some(Reading::Count(count)) => count,
        Some(Reading::Distribution(read)) => read.count,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn appends_fetches_and_syncs_are_counted_where_they_are_done() {
    let (leader, follower) = pair(&[LEADER, FOLLOWER]);
    let records = batch(&["a", "b", "c"]);
    leader.hosted.append(&records, Acks::Leader, 0, Origin::Client).unwrap();
    leader.hosted.append(&batch(&["d"]), Acks::Leader, 0, Origin::Coordinator).unwrap();
    assert!(leader.hosted.append(&records.slice(..70), Acks::All, 0, Origin::Client).is_err());
    assert_eq!(counted(&leader, "TotalProduceRequestsPerSec"), 3);
    assert_eq!(counted(&leader, "MessagesInPerSec"), 4);
    let bytes = (records.len() + batch(&["d"]).len()) as u64;
    assert_eq!(counted(&leader, "BytesInPerSec"), bytes);
    assert_eq!(replicate(&leader, &follower), Replicated::Appended);
    assert_eq!(replicate(&leader, &follower), Replicated::Nothing);
    assert_eq!(counted(&follower, "ReplicationBytesInPerSec"), bytes);
    assert_eq!(counted(&follower, "BytesInPerSec"), 0);
    let begun = leader.hosted.with_replica_here(|replica| replica.log_mut().log.begin_flush(0));
    let flushed = leader.hosted.run_flush(begun.unwrap().unwrap());
    leader.hosted.with_replica_here(|replica| replica.log_mut().log.end_flush(flushed)).unwrap();
    assert_eq!(counted(&leader, "LogFlushRateAndTimeMs"), 1);
}

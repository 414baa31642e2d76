//! Share consumers (KIP-932): four of a group read a topic of eight partitions to its end, each
//! accepting with every ShareFetch what the one before had given it.
//!
//! 100-byte records in batches of 100; at most 500 records a fetch, a Java consumer's default. The
//! clock runs from the moment all four have their partitions until every record was accepted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use protocol::messages::share_fetch_request::{
    AcknowledgementBatch, FetchPartition, FetchTopic, ShareFetchRequest,
};
use protocol::messages::share_fetch_response::ShareFetchResponse;
use protocol::messages::{GroupId, ShareGroupHeartbeatRequest};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::BenchError;
use super::super::batches::{BatchShape, Codec, now_ms};
use super::super::groups;
use super::super::process::cpu_seconds;
use super::super::several::report::Figure;
use super::super::wire::{Connection, refuse_unless_zero, topic_name};
use super::topics::{self, text};
use super::{Place, START_LIMIT};

const TOPIC: &str = "queue";
const GROUP: &str = "workers";
const PARTITIONS: i32 = 8;
const CONSUMERS: usize = 4;
const BATCH_RECORDS: u32 = 100;
const SHARE_FETCH_VERSION: i16 = 2;
const SHARE_GROUP_HEARTBEAT_VERSION: i16 = 1;
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(5);
const ACCEPT: i8 = 1;
/// Coordinators that are being found or loaded.
const AGAIN: [i16; 3] = [14, 15, 16];
const LIMIT: Duration = Duration::from_secs(240);

pub fn measure(place: &Place) -> Result<Vec<Figure>, BenchError> {
    let records: u64 = place.amount(4_000_000, 400_000);
    let node = place.node(&[])?;
    let (server, _) = node.start(START_LIMIT)?;
    let topic = topics::create(node.address(), TOPIC, PARTITIONS, &[])?;
    let mut connection = Connection::open(node.address())?;
    groups::wait_for_coordinator(&mut connection)?;
    topics::set(&mut connection, topics::GROUP, GROUP, "share.auto.offset.reset", "earliest")?;
    fill(&mut connection, records)?;
    let all = connection.end_offsets(TOPIC, PARTITIONS)?.into_iter().sum::<i64>() as u64;
    let mut consumers = Vec::new();
    for index in 0..CONSUMERS {
        consumers.push(Consumer::open(node.address(), topic, index)?);
    }
    settle(&mut consumers)?;
    let before = cpu_seconds(server.pid())?;
    let began = Instant::now();
    let accepted = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let begin = |mut one: Consumer| {
            scope.spawn({
                let accepted = &accepted;
                move || one.work(accepted, all)
            })
        };
        let running: Vec<_> = consumers.into_iter().map(begin).collect();
        let died = || BenchError::Setup("a consumer died".into());
        let join = |one: std::thread::ScopedJoinHandle<'_, _>| one.join().map_err(|_| died())?;
        running.into_iter().try_for_each(join)
    })?;
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(server.pid())? - before;
    let accepted = accepted.into_inner();
    if accepted != all {
        return Err(BenchError::Setup(format!("{accepted} records accepted of {all}")));
    }
    Ok(vec![
        Figure::new("4 share consumers, 100-byte records", "records/s", 0, all as f64 / seconds),
        Figure::new("… CPU of a record", "µs", 2, cpu * 1e6 / all as f64),
    ])
}

fn fill(connection: &mut Connection, records: u64) -> Result<(), BenchError> {
    let shape = BatchShape { records: BATCH_RECORDS, value_bytes: 100, codec: Codec::None };
    for index in 0..records / u64::from(BATCH_RECORDS) {
        let partition = (index % PARTITIONS as u64) as i32;
        topics::produce(connection, TOPIC, partition, shape.build(now_ms(), index)?)?;
    }
    Ok(())
}

/// Heartbeats of all in turn until every partition has somebody; each has two then.
fn settle(consumers: &mut [Consumer]) -> Result<(), BenchError> {
    let began = Instant::now();
    loop {
        for consumer in &mut *consumers {
            consumer.beat()?;
        }
        let all: usize = consumers.iter().map(|one| one.assigned.len()).sum();
        if all == PARTITIONS as usize && consumers.iter().all(|one| !one.assigned.is_empty()) {
            return Ok(());
        }
        if began.elapsed() > LIMIT {
            return Err(BenchError::TooSlow("the assignment of a share group"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

struct Consumer {
    connection: Connection,
    topic: Uuid,
    member: StrBytes,
    member_epoch: i32,
    assigned: Vec<i32>,
    session_epoch: i32,
    /// What the last answer gave, partition by partition.
    acquired: BTreeMap<i32, Vec<(i64, i64)>>,
}

impl Consumer {
    fn open(address: SocketAddr, topic: Uuid, index: usize) -> Result<Self, BenchError> {
        Ok(Self {
            connection: Connection::open(address)?,
            topic,
            member: text(&Uuid::from_u128(1 + index as u128).to_string()),
            member_epoch: 0,
            assigned: Vec::new(),
            session_epoch: 0,
            acquired: BTreeMap::new(),
        })
    }

    fn beat(&mut self) -> Result<(), BenchError> {
        let is_new = self.member_epoch == 0;
        let request = ShareGroupHeartbeatRequest::default()
            .with_group_id(GroupId(text(GROUP)))
            .with_member_id(self.member.clone())
            .with_member_epoch(self.member_epoch)
            .with_subscribed_topic_names(is_new.then(|| vec![topic_name(TOPIC)]));
        let answer =
            self.connection.call("ShareGroupHeartbeat", SHARE_GROUP_HEARTBEAT_VERSION, &request)?;
        if AGAIN.contains(&answer.error_code) {
            return Ok(());
        }
        refuse_unless_zero("ShareGroupHeartbeat", answer.error_code)?;
        self.member_epoch = answer.member_epoch;
        if let Some(assignment) = answer.assignment {
            let topics = assignment.topic_partitions.into_iter();
            self.assigned = topics.flat_map(|topic| topic.partitions).collect();
        }
        Ok(())
    }

    /// Until all consumers together have accepted so many.
    fn work(&mut self, accepted: &AtomicU64, all: u64) -> Result<(), BenchError> {
        let began = Instant::now();
        let mut beaten = Instant::now();
        while accepted.load(Ordering::Relaxed) < all {
            let said: u64 = self
                .acquired
                .values()
                .flatten()
                .map(|(first, last)| (last - first + 1) as u64)
                .sum();
            let request = self.request();
            let answer = self.connection.call("ShareFetch", SHARE_FETCH_VERSION, &request)?;
            refuse_unless_zero("ShareFetch", answer.error_code)?;
            self.session_epoch += 1;
            self.take(answer)?;
            accepted.fetch_add(said, Ordering::Relaxed);
            if beaten.elapsed() > HEARTBEAT_INTERVAL {
                beaten = Instant::now();
                self.beat()?;
            }
            if began.elapsed() > LIMIT {
                return Err(BenchError::TooSlow("share consumers"));
            }
        }
        Ok(())
    }

    /// The first names the partitions of the session, the others only those with something to say.
    fn request(&mut self) -> ShareFetchRequest {
        let acquired = std::mem::take(&mut self.acquired);
        let accept = |(first_offset, last_offset): (i64, i64)| AcknowledgementBatch {
            first_offset,
            last_offset,
            acknowledge_types: vec![ACCEPT],
        };
        let mut partitions: Vec<FetchPartition> = acquired
            .into_iter()
            .map(|(partition_index, ranges)| FetchPartition {
                partition_index,
                acknowledgement_batches: ranges.into_iter().map(accept).collect(),
                ..Default::default()
            })
            .collect();
        if self.session_epoch == 0 {
            let of = |index: &i32| FetchPartition { partition_index: *index, ..Default::default() };
            partitions = self.assigned.iter().map(of).collect();
        }
        let topic = FetchTopic { topic_id: self.topic, partitions };
        ShareFetchRequest {
            group_id: Some(GroupId(text(GROUP))),
            member_id: Some(self.member.clone()),
            share_session_epoch: self.session_epoch,
            max_wait_ms: 500,
            min_bytes: 1,
            max_bytes: 50 << 20,
            max_records: 500,
            batch_size: 500,
            topics: if topic.partitions.is_empty() { Vec::new() } else { vec![topic] },
            ..Default::default()
        }
    }

    fn take(&mut self, answer: ShareFetchResponse) -> Result<(), BenchError> {
        for partition in answer.responses.into_iter().flat_map(|topic| topic.partitions) {
            refuse_unless_zero("ShareFetch", partition.error_code)?;
            refuse_unless_zero("ShareFetch: acknowledgement", partition.acknowledge_error_code)?;
            let ranges = partition.acquired_records.iter();
            let ranges: Vec<_> = ranges.map(|one| (one.first_offset, one.last_offset)).collect();
            if !ranges.is_empty() {
                self.acquired.insert(partition.partition_index, ranges);
            }
        }
        Ok(())
    }
}

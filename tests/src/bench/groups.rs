//! Consumer groups: requests that commit offsets, and how long a broker takes to know a great many
//! groups again after it was killed.
//!
//! Groups without members, as consumers with assigned partitions have them: one generation (-1), no
//! member id, one committed offset for each partition.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::messages::{
    FindCoordinatorRequest, GroupId, OffsetCommitRequest, OffsetFetchRequest, OffsetFetchResponse,
    offset_commit_request,
};
use protocol::wire::StrBytes;

use super::BenchError;
use super::frames::{Asked, Frame};
use super::produce::{Peer, ProduceRun};
use super::wire::{Connection, OFFSET_COMMIT_VERSION, encode, topic_name};

const FIND_COORDINATOR_VERSION: i16 = 3;
const OFFSET_FETCH_VERSION: i16 = 7;
pub const NOT_THERE_YET: [i16; 3] = [14, 15, 16];
/// So many groups lie in each of the fifty partitions of `__consumer_offsets`.
pub const LOOKED_FOR: usize = 600;

fn group_id(index: usize) -> GroupId {
    GroupId(StrBytes::from_string(format!("group-{index}")))
}

/// A commit of `partitions` by each of so many groups: the first of them at `offset`, each next one
/// further.
pub fn frames(
    topic: &str,
    partitions: i32,
    groups: usize,
    offset: i64,
) -> Result<Vec<Frame>, BenchError> {
    let partition = |index| offset_commit_request::OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: offset + i64::from(index),
        ..Default::default()
    };
    let topic = offset_commit_request::OffsetCommitRequestTopic {
        name: topic_name(topic),
        partitions: (0..partitions).map(partition).collect(),
        ..Default::default()
    };
    let frame = |group| {
        let request = OffsetCommitRequest {
            group_id: group_id(group),
            generation_id_or_member_epoch: -1,
            topics: vec![topic.clone()],
            ..Default::default()
        };
        let bytes = encode(0, OFFSET_COMMIT_VERSION, &request)?;
        let records = partitions as u64;
        Ok(Frame { asked: Asked::OffsetCommit, bytes, payload_bytes: 0, records })
    };
    (0..groups).map(frame).collect()
}

/// The first question for a coordinator creates `__consumer_offsets`, which takes its time.
pub fn wait_for_coordinator(connection: &mut Connection) -> Result<(), BenchError> {
    let began = Instant::now();
    let request = FindCoordinatorRequest::default().with_key(group_id(0).0);
    while connection.call("FindCoordinator", FIND_COORDINATOR_VERSION, &request)?.error_code != 0 {
        wait(began, "finding a coordinator")?;
    }
    wait_until_loaded(connection, began, LOOKED_FOR)
}

/// One commit of each of so many groups.
pub fn commit_each(address: SocketAddr, topic: &str, groups: usize) -> Result<(), BenchError> {
    let limit = Duration::from_secs(300);
    let (frames, requests) = (frames(topic, 1, groups, 0)?, groups as u64);
    let run = ProduceRun {
        address,
        peer: Peer::Kafka,
        frames,
        connections: 1,
        in_flight: 64,
        requests,
        limit,
    };
    run.run().map(drop)
}

/// What a group has committed, whichever topics.
pub fn committed(
    connection: &mut Connection,
    group: usize,
) -> Result<OffsetFetchResponse, BenchError> {
    let request =
        OffsetFetchRequest { group_id: group_id(group), topics: None, ..Default::default() };
    connection.call("OffsetFetch", OFFSET_FETCH_VERSION, &request)
}

/// Waits until the coordinator of each group answers what it committed, or that it has nothing.
pub fn wait_until_loaded(
    connection: &mut Connection,
    began: Instant,
    groups: usize,
) -> Result<(), BenchError> {
    for group in groups.saturating_sub(LOOKED_FOR)..groups {
        loop {
            match committed(connection, group)?.error_code {
                0 => break,
                code if NOT_THERE_YET.contains(&code) => wait(began, "loading of groups")?,
                code => return Err(BenchError::Refused { api: "OffsetFetch", code }),
            }
        }
    }
    Ok(())
}

/// Whether the last groups' offsets are there.
pub fn are_committed(connection: &mut Connection, groups: usize) -> Result<bool, BenchError> {
    for group in groups.saturating_sub(LOOKED_FOR)..groups {
        let answer = committed(connection, group)?;
        let mut offsets = answer.topics.iter().flat_map(|topic| &topic.partitions);
        if !offsets.any(|partition| partition.committed_offset == 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn wait(began: Instant, what: &'static str) -> Result<(), BenchError> {
    if began.elapsed() > Duration::from_secs(120) {
        return Err(BenchError::TooSlow(what));
    }
    std::thread::sleep(Duration::from_millis(1));
    Ok(())
}

//! Where the leader's logs begin and end, asked when it has nothing at a follower's position.
//!
//! Kafka: `RemoteLeaderEndPoint.fetchLatestOffset`, `fetchEarliestOffset`.

use std::collections::HashMap;
use std::time::Duration;

use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use protocol::wire::StrBytes;

use client::{Peer, PeerError};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// One partition to ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) leader_epoch: i32,
}

/// Where a log begins and ends, or the leader's error code.
pub(super) type Ends = Result<(i64, i64), i16>;

/// Asks for all of them at once.
pub(super) async fn ends(
    peer: &Peer,
    replica_id: i32,
    asked: &[Asked],
    timeout: Duration,
) -> Result<HashMap<(String, i32), Ends>, PeerError> {
    let latest = list(peer, replica_id, asked, LATEST, timeout).await?;
    let mut earliest = list(peer, replica_id, asked, EARLIEST, timeout).await?;
    let paired = latest.into_iter().filter_map(|(key, end)| {
        let start = earliest.remove(&key)?;
        Some((key, end.and_then(|end| start.map(|start| (start, end)))))
    });
    Ok(paired.collect())
}

async fn list(
    peer: &Peer,
    replica_id: i32,
    asked: &[Asked],
    timestamp: i64,
    timeout: Duration,
) -> Result<HashMap<(String, i32), Result<i64, i16>>, PeerError> {
    let mut topics: Vec<ListOffsetsTopic> = Vec::new();
    for Asked { topic, partition, leader_epoch } in asked {
        let partition = ListOffsetsPartition {
            partition_index: *partition,
            current_leader_epoch: *leader_epoch,
            timestamp,
        };
        match topics.iter_mut().find(|known| known.name.as_str() == topic) {
            Some(known) => known.partitions.push(partition),
            None => topics.push(ListOffsetsTopic {
                name: TopicName(StrBytes::from_string(topic.clone())),
                partitions: vec![partition],
            }),
        }
    }
    let request =
        ListOffsetsRequest { replica_id: BrokerId(replica_id), topics, ..Default::default() };
    let response = peer.request(request, timeout).await?;
    let answered = response.topics.into_iter().flat_map(|topic| {
        let name = topic.name.to_string();
        topic.partitions.into_iter().map(move |partition| {
            let found = match partition.error_code {
                0 => Ok(partition.offset),
                code => Err(code),
            };
            ((name.clone(), partition.partition_index), found)
        })
    });
    Ok(answered.collect())
}

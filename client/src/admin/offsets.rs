//! Offsets of partitions: the earliest, the latest, the first at or after a time.
//!
//! Answers to `listOffsets` (`ListOffsetsHandler`).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{BrokerId, ListOffsetsRequest, ListOffsetsResponse};

use super::keyed::{KeyedCall, Outcome, Results};
use super::located::{TopicPartition, partition_failed, topic_name};
use super::{Admin, AdminError};

/// NOT_LEADER_OR_FOLLOWER and LEADER_NOT_AVAILABLE
const MOVES: [i16; 2] = [6, 5];

/// Which offset of a partition is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    Latest,
    Earliest,
    /// That of the record with the greatest timestamp (KIP-734).
    MaxTimestamp,
    /// The first that is on the broker's own disks (KIP-405).
    EarliestLocal,
    /// The last that is in tiered storage (KIP-1005).
    LatestTiered,
    /// The first that tiered storage lacks (KIP-1023).
    EarliestPendingUpload,
    /// The first at or after this time, in milliseconds.
    Timestamp(i64),
}

impl OffsetSpec {
    /// As requests say it.
    pub fn timestamp(self) -> i64 {
        match self {
            Self::Latest => -1,
            Self::Earliest => -2,
            Self::MaxTimestamp => -3,
            Self::EarliestLocal => -4,
            Self::LatestTiered => -5,
            Self::EarliestPendingUpload => -6,
            Self::Timestamp(timestamp) => timestamp,
        }
    }

    /// The oldest version of ListOffsets that knows it.
    fn since(self) -> i16 {
        match self {
            Self::MaxTimestamp => 7,
            Self::EarliestLocal => 8,
            Self::LatestTiered => 9,
            Self::EarliestPendingUpload => 11,
            Self::Latest | Self::Earliest | Self::Timestamp(_) => 1,
        }
    }
}

/// What a leader says; the offset is -1 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedOffset {
    pub offset: i64,
    pub timestamp: i64,
    pub leader_epoch: Option<i32>,
}

struct ListOffsets(OffsetSpec);

impl KeyedCall for ListOffsets {
    type Key = TopicPartition;
    type Value = ListedOffset;
    type Request = ListOffsetsRequest;

    const NAMES: [&'static str; 2] = ["listOffsets(api=METADATA)", "listOffsets(api=LIST_OFFSETS)"];
    const TOLERATES_UNKNOWN: bool = false;

    fn versions(&self) -> RangeInclusive<i16> {
        self.0.since()..=i16::MAX
    }

    fn request(&self, keys: &[TopicPartition], timeout_ms: i32) -> ListOffsetsRequest {
        let partition = |index| ListOffsetsPartition {
            partition_index: index,
            timestamp: self.0.timestamp(),
            ..Default::default()
        };
        let topics = by_topic(keys).into_iter().map(|(topic, partitions)| ListOffsetsTopic {
            name: topic_name(topic),
            partitions: partitions.into_iter().map(partition).collect(),
        });
        ListOffsetsRequest {
            replica_id: BrokerId(-1),
            topics: topics.collect(),
            timeout_ms,
            ..Default::default()
        }
    }

    fn read(
        &self,
        _: i32,
        _: &[TopicPartition],
        answer: ListOffsetsResponse,
    ) -> Vec<(TopicPartition, Outcome<ListedOffset>)> {
        let mut read = Vec::new();
        for topic in &answer.topics {
            for partition in &topic.partitions {
                let (topic, partition_index) = (topic.name.to_string(), partition.partition_index);
                let outcome = match partition.error_code {
                    0 => Outcome::Done(Ok(ListedOffset {
                        offset: partition.offset,
                        timestamp: partition.timestamp,
                        leader_epoch: Some(partition.leader_epoch).filter(|epoch| *epoch >= 0),
                    })),
                    code => partition_failed(code, &MOVES),
                };
                read.push((TopicPartition { topic, partition: partition_index }, outcome));
            }
        }
        read
    }
}

/// The partitions of each topic.
pub(super) fn by_topic(keys: &[TopicPartition]) -> BTreeMap<&str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for key in keys {
        topics.entry(&key.topic).or_default().push(key.partition);
    }
    topics
}

impl Admin {
    /// The offset of each partition, or why it has none.
    pub async fn list_offsets(
        &mut self,
        partitions: &[TopicPartition],
        spec: OffsetSpec,
    ) -> Results<TopicPartition, ListedOffset> {
        self.ask_of_keys(&ListOffsets(spec), partitions).await
    }

    /// The same where the first failure, in the order of the partitions, fails the call.
    pub async fn list_all_offsets(
        &mut self,
        partitions: &[TopicPartition],
        spec: OffsetSpec,
    ) -> Result<Vec<(TopicPartition, ListedOffset)>, AdminError> {
        let mut listed = self.list_offsets(partitions, spec).await;
        let offsets = partitions.iter().filter_map(|partition| {
            let offset = listed.remove(partition)?;
            Some(offset.map(|offset| (partition.clone(), offset)))
        });
        offsets.collect()
    }
}

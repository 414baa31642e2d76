//! Records that go for good, up to an offset of each partition.
//!
//! Answers to `deleteRecords` (`DeleteRecordsHandler`).

use std::collections::{BTreeMap, HashMap};

use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};

use super::Admin;
use super::keyed::{KeyedCall, Outcome, Results};
use super::located::{TopicPartition, partition_failed, topic_name};

/// The codes of Java's `InvalidMetadataException`.
const MOVES: [i16; 13] = [3, 5, 6, 9, 13, 56, 72, 74, 80, 83, 84, 100, 103];

/// The first offset that stays, of each partition.
struct DeleteRecords<'a>(&'a HashMap<TopicPartition, i64>);

impl KeyedCall for DeleteRecords<'_> {
    type Key = TopicPartition;
    type Value = i64;
    type Request = DeleteRecordsRequest;

    const NAMES: [&'static str; 2] =
        ["deleteRecords(api=METADATA)", "deleteRecords(api=DELETE_RECORDS)"];

    fn request(&self, keys: &[TopicPartition], timeout_ms: i32) -> DeleteRecordsRequest {
        let mut topics: BTreeMap<&str, Vec<DeleteRecordsPartition>> = BTreeMap::new();
        for key in keys {
            let Some(offset) = self.0.get(key) else { continue };
            let partition = DeleteRecordsPartition::default()
                .with_partition_index(key.partition)
                .with_offset(*offset);
            topics.entry(&key.topic).or_default().push(partition);
        }
        let topics = topics.into_iter().map(|(topic, partitions)| {
            DeleteRecordsTopic::default().with_name(topic_name(topic)).with_partitions(partitions)
        });
        DeleteRecordsRequest::default().with_topics(topics.collect()).with_timeout_ms(timeout_ms)
    }

    fn read(
        &self,
        _: i32,
        _: &[TopicPartition],
        answer: DeleteRecordsResponse,
    ) -> Vec<(TopicPartition, Outcome<i64>)> {
        let mut read = Vec::new();
        for topic in &answer.topics {
            for partition in &topic.partitions {
                let key = TopicPartition {
                    topic: topic.name.to_string(),
                    partition: partition.partition_index,
                };
                let outcome = match partition.error_code {
                    0 => Outcome::Done(Ok(partition.low_watermark)),
                    code => partition_failed(code, &MOVES),
                };
                read.push((key, outcome));
            }
        }
        read
    }
}

impl Admin {
    /// Deletes what lies before the offset of each partition (-1: all); where its log begins then.
    pub async fn delete_records(
        &mut self,
        before: &HashMap<TopicPartition, i64>,
    ) -> Results<TopicPartition, i64> {
        let keys: Vec<TopicPartition> = before.keys().cloned().collect();
        self.ask_of_keys(&DeleteRecords(before), &keys).await
    }
}

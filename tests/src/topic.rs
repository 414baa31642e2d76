//! A topic's partitions spoken to over the wire: made, produced to, read whole.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use protocol::messages::{
    BrokerId, CreateTopicsRequest, FetchRequest, InitProducerIdRequest, ListOffsetsRequest,
    ProduceRequest, ProducerId, TopicName,
};
use protocol::wire::StrBytes;

use crate::records::values;
use crate::wire::Client;

/// What a Produce was answered for its one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Produced {
    pub error: i16,
    pub base_offset: i64,
}

/// The wall clock, in Kafka's milliseconds.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since.as_millis()).expect("a clock before the year 292 million")
}

/// A topic's name on the wire.
#[must_use]
pub fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

/// Creates a topic of one replica, and waits until its partitions have a leader that serves.
///
/// # Panics
/// When it is refused.
pub fn create(client: &mut Client, topic: &str, partitions: i32) {
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let response = client.call(7, &request).expect("CreateTopics is answered");
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    let of_topic = response.topics[0].name.to_string();
    for partition in 0..partitions {
        while end_offset(client, &of_topic, partition).is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Where a partition's log ends, when its leader serves.
///
/// # Panics
/// When ListOffsets is not answered.
pub fn end_offset(client: &mut Client, topic: &str, partition: i32) -> Option<i64> {
    let partition = ListOffsetsPartition {
        partition_index: partition,
        timestamp: -1,
        current_leader_epoch: -1,
    };
    let topic = ListOffsetsTopic { name: name(topic), partitions: vec![partition] };
    let request =
        ListOffsetsRequest { replica_id: BrokerId(-1), topics: vec![topic], ..Default::default() };
    let response = client.call(6, &request).expect("ListOffsets is answered");
    let answer = &response.topics[0].partitions[0];
    (answer.error_code == 0).then_some(answer.offset)
}

/// A Produce request for one partition.
#[must_use]
pub fn produce_request(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    let partition =
        PartitionProduceData::default().with_index(partition).with_records(Some(records));
    let topic =
        TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![partition]);
    ProduceRequest::default().with_acks(acks).with_timeout_ms(10_000).with_topic_data(vec![topic])
}

/// Sends records to one partition and reads the answer.
pub fn produce(
    client: &mut Client,
    topic: &str,
    partition: i32,
    acks: i16,
    records: Bytes,
) -> io::Result<Produced> {
    let response = client.call(9, &produce_request(topic, partition, acks, records))?;
    let answer = &response.responses[0].partition_responses[0];
    Ok(Produced { error: answer.error_code, base_offset: answer.base_offset })
}

/// Offset and value of every record of a partition, from its start.
///
/// # Panics
/// When a fetch fails.
#[must_use]
pub fn read_all(client: &mut Client, topic: &str, partition: i32) -> Vec<(i64, Bytes)> {
    let mut all: Vec<(i64, Bytes)> = Vec::new();
    loop {
        let next = all.last().map_or(0, |(offset, _)| offset + 1);
        let request = fetch_request(topic, partition, next);
        let response = client.call(12, &request).expect("Fetch is answered");
        let answer = &response.responses[0].partitions[0];
        assert_eq!(answer.error_code, 0, "{topic}-{partition} at {next}");
        let fetched = values(answer.records.clone().unwrap_or_default());
        if fetched.is_empty() {
            return all;
        }
        all.extend(fetched.into_iter().filter(|(offset, _)| *offset >= next));
    }
}

/// A Fetch of one partition without a session, answered at once.
#[must_use]
pub fn fetch_request(topic: &str, partition: i32, offset: i64) -> FetchRequest {
    let partition = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_current_leader_epoch(-1)
        .with_log_start_offset(-1)
        .with_partition_max_bytes(8 << 20);
    let topic = FetchTopic::default().with_topic(name(topic)).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(100)
        .with_min_bytes(1)
        .with_max_bytes(16 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic])
}

/// A new producer id and its epoch; asked again while the node says that it is loading.
pub fn init_producer_id(client: &mut Client) -> io::Result<(i64, i16)> {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    for _ in 0..100 {
        let response = client.call(4, &request)?;
        match response.error_code {
            0 => return Ok((response.producer_id.0, response.producer_epoch)),
            14..=16 => std::thread::sleep(Duration::from_millis(50)),
            other => return Err(io::Error::other(format!("InitProducerId: {other}"))),
        }
    }
    Err(io::Error::other("InitProducerId: still loading"))
}

//! Topics and settings that the loads need, and records in them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::produce_request::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::messages::{CreateTopicsRequest, IncrementalAlterConfigsResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::BenchError;
use super::super::start::write_one;
use super::super::wire::{Connection, PRODUCE_VERSION, refuse_unless_zero, topic_name};

/// Types of a resource that has configurations.
pub const TOPIC: i8 = 2;
pub const GROUP: i8 = 32;

pub fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// Creates a topic of one replica, and waits until each partition takes a record (it has one or
/// more then).
pub fn create(
    address: SocketAddr,
    name: &str,
    partitions: i32,
    settings: &[(&str, &str)],
) -> Result<Uuid, BenchError> {
    let mut connection = Connection::open(address)?;
    let settings = settings.iter().map(|(key, value)| {
        CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
    });
    let topic = CreatableTopic::default()
        .with_name(topic_name(name))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(settings.collect());
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(60_000);
    let answer = connection.call("CreateTopics", 7, &request)?;
    let created = answer.topics.first();
    refuse_unless_zero("CreateTopics", created.map_or(-1, |topic| topic.error_code))?;
    let began = Instant::now();
    let all: Vec<i32> = (0..partitions).collect();
    while write_one(&mut connection, name, &all)? < all.len() {
        if began.elapsed() > Duration::from_secs(120) {
            return Err(BenchError::TooSlow("electing leaders of a new topic"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(created.map_or(Uuid::nil(), |topic| topic.topic_id))
}

/// Sets one configuration of a topic or a group.
pub fn set(
    connection: &mut Connection,
    resource_type: i8,
    resource: &str,
    key: &str,
    value: &str,
) -> Result<(), BenchError> {
    let config = AlterableConfig::default().with_name(text(key)).with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(resource_type)
        .with_resource_name(text(resource))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let answer: IncrementalAlterConfigsResponse =
        connection.call("IncrementalAlterConfigs", 1, &request)?;
    let code = answer.responses.first().map_or(-1, |one| one.error_code);
    refuse_unless_zero("IncrementalAlterConfigs", code)
}

/// One batch to one partition, acknowledged by the leader.
pub fn produce(
    connection: &mut Connection,
    topic: &str,
    partition: i32,
    batch: Vec<u8>,
) -> Result<(), BenchError> {
    let partition = PartitionProduceData::default()
        .with_index(partition)
        .with_records(Some(Bytes::from(batch)));
    let topic = TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(vec![partition]);
    let request =
        ProduceRequest::default().with_acks(1).with_timeout_ms(30_000).with_topic_data(vec![topic]);
    let answer = connection.call("Produce", PRODUCE_VERSION, &request)?;
    let mut partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    let code = partitions.next().map_or(-1, |partition| partition.error_code);
    refuse_unless_zero("Produce", code)
}

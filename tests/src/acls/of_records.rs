//! Records written, read, found and deleted.

use protocol::batch::BatchBuilder;
use protocol::messages::*;
use uuid::Uuid;

use super::question::{Row, Sample, row, row_told, text};
use crate::topic::{fetch_request, name, produce_request};

pub(super) fn rows() -> Vec<Row> {
    [written(), read(), found()].into_iter().flatten().collect()
}

fn written() -> Vec<Row> {
    vec![
        row_told(
            "Produce",
            9,
            &["Write topic t"],
            move |_| produce_request("t", 0, 1, batch(false)),
            code,
        ),
        row_told(
            "Produce by id",
            13,
            &["Write topic t"],
            move |sample| {
                let mut request = produce_request("", 0, 1, batch(false));
                request.topic_data[0].topic_id = sample.topic_id;
                request
            },
            code,
        ),
        row_told(
            "Produce to a missing topic",
            9,
            &["Write topic none"],
            move |_| produce_request("none", 0, 1, batch(false)),
            code,
        ),
        row_told(
            "Produce of a transaction",
            11,
            &["Write transactional-id x", "Write topic t"],
            transactional,
            code,
        ),
    ]
}

fn read() -> Vec<Row> {
    vec![
        row_told("Fetch", 12, &["Read topic t"], |_| fetch_request("t", 0, 0), fetched),
        row_told(
            "Fetch of a missing topic",
            12,
            &["Read topic none"],
            |_| fetch_request("none", 0, 0),
            fetched,
        ),
        row_told("Fetch by id", 16, &["Read topic t"], |sample| by_id(sample.topic_id), fetched),
        row_told(
            "Fetch by an id of nobody",
            16,
            &["Read topic t"],
            |_| by_id(Uuid::from_u128(7)),
            fetched,
        ),
        row_told(
            "Fetch of a follower",
            12,
            &["ClusterAction cluster", "Read topic t"],
            |_| fetch_request("t", 0, 0).with_replica_id(BrokerId(9)),
            fetched,
        ),
        row_told(
            "Fetch of a follower by an id of nobody",
            16,
            &["ClusterAction cluster"],
            |_| {
                let state = fetch_request::ReplicaState::default().with_replica_id(BrokerId(9));
                by_id(Uuid::from_u128(7)).with_replica_state(state)
            },
            fetched,
        ),
    ]
}

fn found() -> Vec<Row> {
    vec![
        row_told(
            "ListOffsets",
            6,
            &["Describe topic t"],
            |_| {
                use list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
                let partition = ListOffsetsPartition {
                    partition_index: 0,
                    timestamp: -2,
                    current_leader_epoch: -1,
                };
                let topic = ListOffsetsTopic { name: name("t"), partitions: vec![partition] };
                ListOffsetsRequest {
                    replica_id: BrokerId(-1),
                    topics: vec![topic],
                    ..Default::default()
                }
            },
            |answer| format!("{:?}", answer.topics),
        ),
        row("OffsetForLeaderEpoch", 4, &["Describe topic t", "ClusterAction cluster"], |_| {
            use offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
            let partition = OffsetForLeaderPartition::default()
                .with_current_leader_epoch(-1)
                .with_leader_epoch(7);
            let topic = OffsetForLeaderTopic::default()
                .with_topic(name("t"))
                .with_partitions(vec![partition]);
            OffsetForLeaderEpochRequest::default()
                .with_replica_id(BrokerId(-2))
                .with_topics(vec![topic])
        }),
        row("DeleteRecords", 2, &["Delete topic t"], |_| {
            use delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
            let partition = DeleteRecordsPartition::default().with_offset(0);
            let topic =
                DeleteRecordsTopic::default().with_name(name("t")).with_partitions(vec![partition]);
            DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000)
        }),
        row_told(
            "DescribeProducers",
            0,
            &["Read topic t"],
            |_| {
                let asked = describe_producers_request::TopicRequest::default();
                let asked = asked.with_name(name("t")).with_partition_indexes(vec![0]);
                DescribeProducersRequest::default().with_topics(vec![asked])
            },
            |answer| {
                let partition = &answer.topics[0].partitions[0];
                format!("{} {:?}", partition.error_code, partition.error_message)
            },
        ),
    ]
}

fn batch(transactional: bool) -> bytes::Bytes {
    let batch = BatchBuilder::new(0);
    let mut batch = if transactional { batch.producer(1, 0, 0).transactional() } else { batch };
    batch.append(0, None, Some(b"value"));
    batch.build()
}

fn transactional(_: &Sample) -> ProduceRequest {
    let request = produce_request("t", 0, -1, batch(true));
    request.with_transactional_id(Some(TransactionalId(text("x"))))
}

fn code(answer: ProduceResponse) -> String {
    format!("{}", answer.responses[0].partition_responses[0].error_code)
}

fn fetched(answer: FetchResponse) -> String {
    format!("{}", answer.responses[0].partitions[0].error_code)
}

fn by_id(topic_id: Uuid) -> FetchRequest {
    let mut request = fetch_request("", 0, 0);
    request.topics[0].topic_id = topic_id;
    request
}

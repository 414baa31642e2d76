//! Requests that read and write partitions and ask where they are.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{
    Shape, array, boolean, int8, int16, int32, int32s, int64, records, request, string, structure,
    uuid,
};

#[rustfmt::skip]
pub(super) static PRODUCE: Shape = {
    use crate::messages::produce_request::*;
    request(3, 13, 9, &[
        string("TransactionalId").from(3).nullable(3),
        int16("Acks"),
        int32("TimeoutMs"),
        array("TopicData", size_of::<TopicProduceData>(), &[
            string("Name").to(12),
            uuid("TopicId").from(13),
            array("PartitionData", size_of::<PartitionProduceData>(), &[
                int32("Index"),
                records("Records").nullable(0),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static FETCH: Shape = {
    use crate::messages::fetch_request::*;
    request(4, 18, 12, &[
        string("ClusterId").from(12).nullable(12).tag(0),
        int32("ReplicaId").to(14),
        structure("ReplicaState", &[
            int32("ReplicaId").from(15),
            int64("ReplicaEpoch").from(15),
        ]).from(15).tag(1),
        int32("MaxWaitMs"),
        int32("MinBytes"),
        int32("MaxBytes").from(3),
        int8("IsolationLevel").from(4),
        int32("SessionId").from(7),
        int32("SessionEpoch").from(7),
        array("Topics", size_of::<FetchTopic>(), &[
            string("Topic").to(12),
            uuid("TopicId").from(13),
            array("Partitions", size_of::<FetchPartition>(), &[
                int32("Partition"),
                int32("CurrentLeaderEpoch").from(9),
                int64("FetchOffset"),
                int32("LastFetchedEpoch").from(12),
                int64("LogStartOffset").from(5),
                int32("PartitionMaxBytes"),
                uuid("ReplicaDirectoryId").from(17).tag(0),
                int64("HighWatermark").from(18).tag(1),
            ]),
        ]),
        array("ForgottenTopicsData", size_of::<ForgottenTopic>(), &[
            string("Topic").from(7).to(12),
            uuid("TopicId").from(13),
            int32s("Partitions").from(7),
        ]).from(7),
        string("RackId").from(11),
    ])
};

#[rustfmt::skip]
pub(super) static METADATA: Shape = {
    use crate::messages::metadata_request::*;
    request(0, 13, 9, &[
        array("Topics", size_of::<MetadataRequestTopic>(), &[
            uuid("TopicId").from(10),
            string("Name").nullable(10),
        ]).nullable(1),
        boolean("AllowAutoTopicCreation").from(4),
        boolean("IncludeClusterAuthorizedOperations").from(8).to(10),
        boolean("IncludeTopicAuthorizedOperations").from(8),
    ])
};

#[rustfmt::skip]
pub(super) static API_VERSIONS: Shape = request(0, 4, 3, &[
    string("ClientSoftwareName").from(3),
    string("ClientSoftwareVersion").from(3),
]);

#[rustfmt::skip]
pub(super) static DELETE_RECORDS: Shape = {
    use crate::messages::delete_records_request::*;
    request(0, 2, 2, &[
        array("Topics", size_of::<DeleteRecordsTopic>(), &[
            string("Name"),
            array("Partitions", size_of::<DeleteRecordsPartition>(), &[
                int32("PartitionIndex"),
                int64("Offset"),
            ]),
        ]),
        int32("TimeoutMs"),
    ])
};

#[rustfmt::skip]
pub(super) static OFFSET_FOR_LEADER_EPOCH: Shape = {
    use crate::messages::offset_for_leader_epoch_request::*;
    request(2, 4, 4, &[
        int32("ReplicaId").from(3),
        array("Topics", size_of::<OffsetForLeaderTopic>(), &[
            string("Topic"),
            array("Partitions", size_of::<OffsetForLeaderPartition>(), &[
                int32("Partition"),
                int32("CurrentLeaderEpoch").from(2),
                int32("LeaderEpoch"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_PRODUCERS: Shape = {
    use crate::messages::describe_producers_request::*;
    request(0, 0, 0, &[
        array("Topics", size_of::<TopicRequest>(), &[
            string("Name"),
            int32s("PartitionIndexes"),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_TOPIC_PARTITIONS: Shape = {
    use crate::messages::describe_topic_partitions_request::*;
    request(0, 0, 0, &[
        array("Topics", size_of::<TopicRequest>(), &[
            string("Name"),
        ]),
        int32("ResponsePartitionLimit"),
        structure("Cursor", &[
            string("TopicName"),
            int32("PartitionIndex"),
        ]).nullable(0),
    ])
};

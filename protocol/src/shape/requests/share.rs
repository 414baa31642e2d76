//! Requests of share groups and of their state.
//!
//! Field by field as Kafka 4.1's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{
    Shape, array, boolean, int8, int8s, int16, int32, int32s, int64, request, string, strings, uuid,
};

#[rustfmt::skip]
pub(super) static SHARE_GROUP_HEARTBEAT: Shape = request(1, 1, 0, &[
    string("GroupId"),
    string("MemberId"),
    int32("MemberEpoch"),
    string("RackId").nullable(0),
    strings("SubscribedTopicNames").nullable(0),
]);

#[rustfmt::skip]
pub(super) static SHARE_GROUP_DESCRIBE: Shape = request(1, 1, 0, &[
    strings("GroupIds"),
    boolean("IncludeAuthorizedOperations"),
]);

#[rustfmt::skip]
pub(super) static SHARE_FETCH: Shape = {
    use kafka_protocol::messages::share_fetch_request::*;
    request(1, 1, 0, &[
        string("GroupId").nullable(0),
        string("MemberId").nullable(0),
        int32("ShareSessionEpoch"),
        int32("MaxWaitMs"),
        int32("MinBytes"),
        int32("MaxBytes"),
        int32("MaxRecords").from(1),
        int32("BatchSize").from(1),
        array("Topics", size_of::<FetchTopic>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<FetchPartition>(), &[
                int32("PartitionIndex"),
                int32("PartitionMaxBytes").to(0),
                array("AcknowledgementBatches", size_of::<AcknowledgementBatch>(), &[
                    int64("FirstOffset"),
                    int64("LastOffset"),
                    int8s("AcknowledgeTypes"),
                ]),
            ]),
        ]),
        array("ForgottenTopicsData", size_of::<ForgottenTopic>(), &[
            uuid("TopicId"),
            int32s("Partitions"),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static SHARE_ACKNOWLEDGE: Shape = {
    use kafka_protocol::messages::share_acknowledge_request::*;
    request(1, 1, 0, &[
        string("GroupId").nullable(0),
        string("MemberId").nullable(0),
        int32("ShareSessionEpoch"),
        array("Topics", size_of::<AcknowledgeTopic>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<AcknowledgePartition>(), &[
                int32("PartitionIndex"),
                array("AcknowledgementBatches", size_of::<AcknowledgementBatch>(), &[
                    int64("FirstOffset"),
                    int64("LastOffset"),
                    int8s("AcknowledgeTypes"),
                ]),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static INITIALIZE_SHARE_GROUP_STATE: Shape = {
    use crate::messages::initialize_share_group_state_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<InitializeStateData>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("Partition"),
                int32("StateEpoch"),
                int64("StartOffset"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static READ_SHARE_GROUP_STATE: Shape = {
    use crate::messages::read_share_group_state_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<ReadStateData>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("Partition"),
                int32("LeaderEpoch"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static WRITE_SHARE_GROUP_STATE: Shape = {
    use crate::messages::write_share_group_state_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<WriteStateData>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("Partition"),
                int32("StateEpoch"),
                int32("LeaderEpoch"),
                int64("StartOffset"),
                array("StateBatches", size_of::<StateBatch>(), &[
                    int64("FirstOffset"),
                    int64("LastOffset"),
                    int8("DeliveryState"),
                    int16("DeliveryCount"),
                ]),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DELETE_SHARE_GROUP_STATE: Shape = {
    use crate::messages::delete_share_group_state_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<DeleteStateData>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("Partition"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static READ_SHARE_GROUP_STATE_SUMMARY: Shape = {
    use crate::messages::read_share_group_state_summary_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<ReadStateSummaryData>(), &[
            uuid("TopicId"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("Partition"),
                int32("LeaderEpoch"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_SHARE_GROUP_OFFSETS: Shape = {
    use crate::messages::describe_share_group_offsets_request::*;
    request(0, 0, 0, &[
        array("Groups", size_of::<DescribeShareGroupOffsetsRequestGroup>(), &[
            string("GroupId"),
            array("Topics", size_of::<DescribeShareGroupOffsetsRequestTopic>(), &[
                string("TopicName"),
                int32s("Partitions"),
            ]).nullable(0),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_SHARE_GROUP_OFFSETS: Shape = {
    use crate::messages::alter_share_group_offsets_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<AlterShareGroupOffsetsRequestTopic>(), &[
            string("TopicName"),
            array("Partitions", size_of::<AlterShareGroupOffsetsRequestPartition>(), &[
                int32("PartitionIndex"),
                int64("StartOffset"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DELETE_SHARE_GROUP_OFFSETS: Shape = {
    use crate::messages::delete_share_group_offsets_request::*;
    request(0, 0, 0, &[
        string("GroupId"),
        array("Topics", size_of::<DeleteShareGroupOffsetsRequestTopic>(), &[
            string("TopicName"),
        ]),
    ])
};

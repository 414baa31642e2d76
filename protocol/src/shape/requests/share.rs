//! Requests of share groups and of their state.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{Shape, array, boolean, int32, int64, request, string, strings, uuid};

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

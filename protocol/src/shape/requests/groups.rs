//! Requests of consumer groups and their offsets.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{
    NEVER, Shape, array, boolean, bytes, int8, int32, int32s, request, string, strings, uuid,
};

#[rustfmt::skip]
pub(super) static FIND_COORDINATOR: Shape = request(0, 6, 3, &[
    string("Key").to(3),
    int8("KeyType").from(1),
    strings("CoordinatorKeys").from(4),
]);

#[rustfmt::skip]
pub(super) static JOIN_GROUP: Shape = {
    use crate::messages::join_group_request::*;
    request(0, 9, 6, &[
        string("GroupId"),
        int32("SessionTimeoutMs"),
        int32("RebalanceTimeoutMs").from(1),
        string("MemberId"),
        string("GroupInstanceId").from(5).nullable(5),
        string("ProtocolType"),
        array("Protocols", size_of::<JoinGroupRequestProtocol>(), &[
            string("Name"),
            bytes("Metadata"),
        ]),
        string("Reason").from(8).nullable(8),
    ])
};

#[rustfmt::skip]
pub(super) static HEARTBEAT: Shape = request(0, 4, 4, &[
    string("GroupId"),
    int32("GenerationId"),
    string("MemberId"),
    string("GroupInstanceId").from(3).nullable(3),
]);

#[rustfmt::skip]
pub(super) static LEAVE_GROUP: Shape = {
    use crate::messages::leave_group_request::*;
    request(0, 5, 4, &[
        string("GroupId"),
        string("MemberId").to(2),
        array("Members", size_of::<MemberIdentity>(), &[
            string("MemberId").from(3),
            string("GroupInstanceId").from(3).nullable(3),
            string("Reason").from(5).nullable(5),
        ]).from(3),
    ])
};

#[rustfmt::skip]
pub(super) static SYNC_GROUP: Shape = {
    use crate::messages::sync_group_request::*;
    request(0, 5, 4, &[
        string("GroupId"),
        int32("GenerationId"),
        string("MemberId"),
        string("GroupInstanceId").from(3).nullable(3),
        string("ProtocolType").from(5).nullable(5),
        string("ProtocolName").from(5).nullable(5),
        array("Assignments", size_of::<SyncGroupRequestAssignment>(), &[
            string("MemberId"),
            bytes("Assignment"),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_GROUPS: Shape = request(0, 6, 5, &[
    strings("Groups"),
    boolean("IncludeAuthorizedOperations").from(3),
]);

#[rustfmt::skip]
pub(super) static LIST_GROUPS: Shape = request(0, 5, 3, &[
    strings("StatesFilter").from(4),
    strings("TypesFilter").from(5),
]);

#[rustfmt::skip]
pub(super) static DELETE_GROUPS: Shape = request(0, 2, 2, &[
    strings("GroupsNames"),
]);

#[rustfmt::skip]
pub(super) static OFFSET_DELETE: Shape = {
    use crate::messages::offset_delete_request::*;
    request(0, 0, NEVER, &[
        string("GroupId"),
        array("Topics", size_of::<OffsetDeleteRequestTopic>(), &[
            string("Name"),
            array("Partitions", size_of::<OffsetDeleteRequestPartition>(), &[
                int32("PartitionIndex"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static CONSUMER_GROUP_HEARTBEAT: Shape = {
    use crate::messages::consumer_group_heartbeat_request::*;
    request(0, 1, 0, &[
        string("GroupId"),
        string("MemberId"),
        int32("MemberEpoch"),
        string("InstanceId").nullable(0),
        string("RackId").nullable(0),
        int32("RebalanceTimeoutMs"),
        strings("SubscribedTopicNames").nullable(0),
        string("SubscribedTopicRegex").from(1).nullable(1),
        string("ServerAssignor").nullable(0),
        array("TopicPartitions", size_of::<TopicPartitions>(), &[
            uuid("TopicId"),
            int32s("Partitions"),
        ]).nullable(0),
    ])
};

#[rustfmt::skip]
pub(super) static CONSUMER_GROUP_DESCRIBE: Shape = request(0, 1, 0, &[
    strings("GroupIds"),
    boolean("IncludeAuthorizedOperations"),
]);

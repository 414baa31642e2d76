//! Requests of the controller quorum and of brokers to their controller.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{
    Shape, array, boolean, bytes, int8, int16, int32, int32s, int64, request, string, structure,
    uint16, uuid, uuids,
};

#[rustfmt::skip]
pub(super) static VOTE: Shape = {
    use crate::messages::vote_request::*;
    request(0, 2, 0, &[
        string("ClusterId").nullable(0),
        int32("VoterId").from(1),
        array("Topics", size_of::<TopicData>(), &[
            string("TopicName"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("PartitionIndex"),
                int32("ReplicaEpoch"),
                int32("ReplicaId"),
                uuid("ReplicaDirectoryId").from(1),
                uuid("VoterDirectoryId").from(1),
                int32("LastOffsetEpoch"),
                int64("LastOffset"),
                boolean("PreVote").from(2),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static BEGIN_QUORUM_EPOCH: Shape = {
    use crate::messages::begin_quorum_epoch_request::*;
    request(0, 1, 1, &[
        string("ClusterId").nullable(0),
        int32("VoterId").from(1),
        array("Topics", size_of::<TopicData>(), &[
            string("TopicName"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("PartitionIndex"),
                uuid("VoterDirectoryId").from(1),
                int32("LeaderId"),
                int32("LeaderEpoch"),
            ]),
        ]),
        array("LeaderEndpoints", size_of::<LeaderEndpoint>(), &[
            string("Name").from(1),
            string("Host").from(1),
            uint16("Port").from(1),
        ]).from(1),
    ])
};

#[rustfmt::skip]
pub(super) static END_QUORUM_EPOCH: Shape = {
    use crate::messages::end_quorum_epoch_request::*;
    request(0, 1, 1, &[
        string("ClusterId").nullable(0),
        array("Topics", size_of::<TopicData>(), &[
            string("TopicName"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("PartitionIndex"),
                int32("LeaderId"),
                int32("LeaderEpoch"),
                int32s("PreferredSuccessors").to(0),
                array("PreferredCandidates", size_of::<ReplicaInfo>(), &[
                    int32("CandidateId").from(1),
                    uuid("CandidateDirectoryId").from(1),
                ]).from(1),
            ]),
        ]),
        array("LeaderEndpoints", size_of::<LeaderEndpoint>(), &[
            string("Name").from(1),
            string("Host").from(1),
            uint16("Port").from(1),
        ]).from(1),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_QUORUM: Shape = {
    use crate::messages::describe_quorum_request::*;
    request(0, 2, 0, &[
        array("Topics", size_of::<TopicData>(), &[
            string("TopicName"),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("PartitionIndex"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_PARTITION: Shape = {
    use crate::messages::alter_partition_request::*;
    request(2, 3, 0, &[
        int32("BrokerId"),
        int64("BrokerEpoch"),
        array("Topics", size_of::<TopicData>(), &[
            uuid("TopicId").from(2),
            array("Partitions", size_of::<PartitionData>(), &[
                int32("PartitionIndex"),
                int32("LeaderEpoch"),
                int32s("NewIsr").to(2),
                array("NewIsrWithEpochs", size_of::<BrokerState>(), &[
                    int32("BrokerId").from(3),
                    int64("BrokerEpoch").from(3),
                ]).from(3),
                int8("LeaderRecoveryState").from(1),
                int32("PartitionEpoch"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static ENVELOPE: Shape = request(0, 0, 0, &[
    bytes("RequestData"),
    bytes("RequestPrincipal").nullable(0),
    bytes("ClientHostAddress"),
]);

#[rustfmt::skip]
pub(super) static FETCH_SNAPSHOT: Shape = {
    use crate::messages::fetch_snapshot_request::*;
    request(0, 1, 0, &[
        string("ClusterId").nullable(0).tag(0),
        int32("ReplicaId"),
        int32("MaxBytes"),
        array("Topics", size_of::<TopicSnapshot>(), &[
            string("Name"),
            array("Partitions", size_of::<PartitionSnapshot>(), &[
                int32("Partition"),
                int32("CurrentLeaderEpoch"),
                structure("SnapshotId", &[
                    int64("EndOffset"),
                    int32("Epoch"),
                ]),
                int64("Position"),
                uuid("ReplicaDirectoryId").from(1).tag(0),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static BROKER_REGISTRATION: Shape = {
    use crate::messages::broker_registration_request::*;
    request(0, 4, 0, &[
        int32("BrokerId"),
        string("ClusterId"),
        uuid("IncarnationId"),
        array("Listeners", size_of::<Listener>(), &[
            string("Name"),
            string("Host"),
            uint16("Port"),
            int16("SecurityProtocol"),
        ]),
        array("Features", size_of::<Feature>(), &[
            string("Name"),
            int16("MinSupportedVersion"),
            int16("MaxSupportedVersion"),
        ]),
        string("Rack").nullable(0),
        boolean("IsMigratingZkBroker").from(1),
        uuids("LogDirs").from(2),
        int64("PreviousBrokerEpoch").from(3),
    ])
};

#[rustfmt::skip]
pub(super) static CONTROLLER_REGISTRATION: Shape = {
    use crate::messages::controller_registration_request::*;
    request(0, 0, 0, &[
        int32("ControllerId"),
        uuid("IncarnationId"),
        boolean("ZkMigrationReady"),
        array("Listeners", size_of::<Listener>(), &[
            string("Name"),
            string("Host"),
            uint16("Port"),
            int16("SecurityProtocol"),
        ]),
        array("Features", size_of::<Feature>(), &[
            string("Name"),
            int16("MinSupportedVersion"),
            int16("MaxSupportedVersion"),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static ASSIGN_REPLICAS_TO_DIRS: Shape = {
    use crate::messages::assign_replicas_to_dirs_request::*;
    request(0, 0, 0, &[
        int32("BrokerId"),
        int64("BrokerEpoch"),
        array("Directories", size_of::<DirectoryData>(), &[
            uuid("Id"),
            array("Topics", size_of::<TopicData>(), &[
                uuid("TopicId"),
                array("Partitions", size_of::<PartitionData>(), &[
                    int32("PartitionIndex"),
                ]),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static REMOVE_RAFT_VOTER: Shape = request(0, 0, 0, &[
    string("ClusterId").nullable(0),
    int32("VoterId"),
    uuid("VoterDirectoryId"),
]);

#[rustfmt::skip]
pub(super) static UPDATE_RAFT_VOTER: Shape = {
    use crate::messages::update_raft_voter_request::*;
    request(0, 0, 0, &[
        string("ClusterId").nullable(0),
        int32("CurrentLeaderEpoch"),
        int32("VoterId"),
        uuid("VoterDirectoryId"),
        array("Listeners", size_of::<Listener>(), &[
            string("Name"),
            string("Host"),
            uint16("Port"),
        ]),
        structure("KRaftVersionFeature", &[
            int16("MinSupportedVersion"),
            int16("MaxSupportedVersion"),
        ]),
    ])
};

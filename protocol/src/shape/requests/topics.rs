//! Requests that change topics, replicas and configurations, or ask for them.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{
    Shape, array, boolean, bytes, float64, int8, int8s, int16, int32, int32s, request, string,
    strings, uuid,
};

#[rustfmt::skip]
pub(super) static CREATE_TOPICS: Shape = {
    use crate::messages::create_topics_request::*;
    request(2, 7, 5, &[
        array("Topics", size_of::<CreatableTopic>(), &[
            string("Name"),
            int32("NumPartitions"),
            int16("ReplicationFactor"),
            array("Assignments", size_of::<CreatableReplicaAssignment>(), &[
                int32("PartitionIndex"),
                int32s("BrokerIds"),
            ]),
            array("Configs", size_of::<CreatableTopicConfig>(), &[
                string("Name"),
                string("Value").nullable(0),
            ]),
        ]),
        int32("TimeoutMs"),
        boolean("ValidateOnly").from(1),
    ])
};

#[rustfmt::skip]
pub(super) static DELETE_TOPICS: Shape = {
    use crate::messages::delete_topics_request::*;
    request(1, 6, 4, &[
        array("Topics", size_of::<DeleteTopicState>(), &[
            string("Name").from(6).nullable(6),
            uuid("TopicId").from(6),
        ]).from(6),
        strings("TopicNames").to(5),
        int32("TimeoutMs"),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_CONFIGS: Shape = {
    use crate::messages::describe_configs_request::*;
    request(1, 4, 4, &[
        array("Resources", size_of::<DescribeConfigsResource>(), &[
            int8("ResourceType"),
            string("ResourceName"),
            strings("ConfigurationKeys").nullable(0),
        ]),
        boolean("IncludeSynonyms").from(1),
        boolean("IncludeDocumentation").from(3),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_CONFIGS: Shape = {
    use crate::messages::alter_configs_request::*;
    request(0, 2, 2, &[
        array("Resources", size_of::<AlterConfigsResource>(), &[
            int8("ResourceType"),
            string("ResourceName"),
            array("Configs", size_of::<AlterableConfig>(), &[
                string("Name"),
                string("Value").nullable(0),
            ]),
        ]),
        boolean("ValidateOnly"),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_REPLICA_LOG_DIRS: Shape = {
    use crate::messages::alter_replica_log_dirs_request::*;
    request(1, 2, 2, &[
        array("Dirs", size_of::<AlterReplicaLogDir>(), &[
            string("Path"),
            array("Topics", size_of::<AlterReplicaLogDirTopic>(), &[
                string("Name"),
                int32s("Partitions"),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static CREATE_PARTITIONS: Shape = {
    use crate::messages::create_partitions_request::*;
    request(0, 3, 2, &[
        array("Topics", size_of::<CreatePartitionsTopic>(), &[
            string("Name"),
            int32("Count"),
            array("Assignments", size_of::<CreatePartitionsAssignment>(), &[
                int32s("BrokerIds"),
            ]).nullable(0),
        ]),
        int32("TimeoutMs"),
        boolean("ValidateOnly"),
    ])
};

#[rustfmt::skip]
pub(super) static ELECT_LEADERS: Shape = {
    use crate::messages::elect_leaders_request::*;
    request(0, 2, 2, &[
        int8("ElectionType").from(1),
        array("TopicPartitions", size_of::<TopicPartitions>(), &[
            string("Topic"),
            int32s("Partitions"),
        ]).nullable(0),
        int32("TimeoutMs"),
    ])
};

#[rustfmt::skip]
pub(super) static INCREMENTAL_ALTER_CONFIGS: Shape = {
    use crate::messages::incremental_alter_configs_request::*;
    request(0, 1, 1, &[
        array("Resources", size_of::<AlterConfigsResource>(), &[
            int8("ResourceType"),
            string("ResourceName"),
            array("Configs", size_of::<AlterableConfig>(), &[
                string("Name"),
                int8("ConfigOperation"),
                string("Value").nullable(0),
            ]),
        ]),
        boolean("ValidateOnly"),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_PARTITION_REASSIGNMENTS: Shape = {
    use crate::messages::alter_partition_reassignments_request::*;
    request(0, 1, 0, &[
        int32("TimeoutMs"),
        boolean("AllowReplicationFactorChange").from(1),
        array("Topics", size_of::<ReassignableTopic>(), &[
            string("Name"),
            array("Partitions", size_of::<ReassignablePartition>(), &[
                int32("PartitionIndex"),
                int32s("Replicas").nullable(0),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static LIST_PARTITION_REASSIGNMENTS: Shape = {
    use crate::messages::list_partition_reassignments_request::*;
    request(0, 0, 0, &[
        int32("TimeoutMs"),
        array("Topics", size_of::<ListPartitionReassignmentsTopics>(), &[
            string("Name"),
            int32s("PartitionIndexes"),
        ]).nullable(0),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_CLIENT_QUOTAS: Shape = {
    use crate::messages::describe_client_quotas_request::*;
    request(0, 1, 1, &[
        array("Components", size_of::<ComponentData>(), &[
            string("EntityType"),
            int8("MatchType"),
            string("Match").nullable(0),
        ]),
        boolean("Strict"),
    ])
};

#[rustfmt::skip]
pub(super) static ALTER_CLIENT_QUOTAS: Shape = {
    use crate::messages::alter_client_quotas_request::*;
    request(0, 1, 1, &[
        array("Entries", size_of::<EntryData>(), &[
            array("Entity", size_of::<EntityData>(), &[
                string("EntityType"),
                string("EntityName").nullable(0),
            ]),
            array("Ops", size_of::<OpData>(), &[
                string("Key"),
                float64("Value"),
                boolean("Remove"),
            ]),
        ]),
        boolean("ValidateOnly"),
    ])
};

#[rustfmt::skip]
pub(super) static UPDATE_FEATURES: Shape = {
    use crate::messages::update_features_request::*;
    request(0, 2, 0, &[
        int32("TimeoutMs"),
        array("FeatureUpdates", size_of::<FeatureUpdateKey>(), &[
            string("Feature"),
            int16("MaxVersionLevel"),
            boolean("AllowDowngrade").to(0),
            int8("UpgradeType").from(1),
        ]),
        boolean("ValidateOnly").from(1),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_CLUSTER: Shape = request(0, 2, 0, &[
    boolean("IncludeClusterAuthorizedOperations"),
    int8("EndpointType").from(1),
    boolean("IncludeFencedBrokers").from(2),
]);

#[rustfmt::skip]
pub(super) static UNREGISTER_BROKER: Shape = request(0, 0, 0, &[
    int32("BrokerId"),
]);

#[rustfmt::skip]
pub(super) static GET_TELEMETRY_SUBSCRIPTIONS: Shape = request(0, 0, 0, &[
    uuid("ClientInstanceId"),
]);

#[rustfmt::skip]
pub(super) static PUSH_TELEMETRY: Shape = request(0, 0, 0, &[
    uuid("ClientInstanceId"),
    int32("SubscriptionId"),
    boolean("Terminating"),
    int8("CompressionType"),
    bytes("Metrics"),
]);

#[rustfmt::skip]
pub(super) static LIST_CONFIG_RESOURCES: Shape = request(0, 1, 0, &[
    int8s("ResourceTypes").from(1),
]);

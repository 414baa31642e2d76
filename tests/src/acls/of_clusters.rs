//! The cluster, who may do what in it, and what nodes ask its controller.

use protocol::messages::*;

use super::entry;
use super::question::{Row, row, row_told, text};
use crate::topic::name;

pub(super) fn rows() -> Vec<Row> {
    let of_controllers = at_controllers().into_iter().map(Row::on_controller);
    [nodes(), administration()].into_iter().flatten().chain(of_controllers).collect()
}

fn nodes() -> Vec<Row> {
    vec![
        row_told(
            "DescribeCluster",
            2,
            &["Describe cluster", "ClusterAction cluster"],
            |_| DescribeClusterRequest::default().with_include_cluster_authorized_operations(true),
            |answer| {
                format!(
                    "{} {} {}",
                    answer.error_code,
                    answer.brokers.len(),
                    answer.cluster_authorized_operations
                )
            },
        ),
        row_told(
            "DescribeLogDirs",
            4,
            &["Describe cluster"],
            |_| DescribeLogDirsRequest { topics: None },
            |answer| format!("{} {}", answer.error_code, answer.results.len()),
        ),
        row("AlterReplicaLogDirs", 2, &["Alter cluster"], |_| {
            use alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
            let topic =
                AlterReplicaLogDirTopic::default().with_name(name("none")).with_partitions(vec![0]);
            AlterReplicaLogDirsRequest::default().with_dirs(vec![
                AlterReplicaLogDir::default().with_path(text("/none")).with_topics(vec![topic]),
            ])
        }),
        row("ElectLeaders", 2, &["Alter cluster"], |_| {
            let asked = elect_leaders_request::TopicPartitions::default()
                .with_topic(name("none"))
                .with_partitions(vec![0]);
            ElectLeadersRequest::default().with_topic_partitions(Some(vec![asked]))
        }),
        row("AlterPartitionReassignments", 0, &["Alter cluster"], |_| {
            use alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
            let partition = ReassignablePartition::default().with_replicas(Some(vec![BrokerId(1)]));
            let topic = ReassignableTopic::default()
                .with_name(name("none"))
                .with_partitions(vec![partition]);
            AlterPartitionReassignmentsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(5_000)
        }),
        row("ListPartitionReassignments", 0, &["Describe cluster"], |_| {
            ListPartitionReassignmentsRequest::default()
        }),
        row_told(
            "DescribeQuorum",
            2,
            &["Describe cluster"],
            |_| {
                use describe_quorum_request::{PartitionData, TopicData};
                let topic = TopicData::default()
                    .with_topic_name(name("__cluster_metadata"))
                    .with_partitions(vec![PartitionData::default()]);
                DescribeQuorumRequest::default().with_topics(vec![topic])
            },
            |answer| format!("{} {}", answer.error_code, answer.topics.len()),
        ),
    ]
}

fn administration() -> Vec<Row> {
    vec![
        row("UpdateFeatures", 1, &["Alter cluster"], |_| {
            UpdateFeaturesRequest::default().with_timeout_ms(5_000).with_validate_only(true)
        }),
        row("UnregisterBroker", 0, &["Alter cluster"], |_| {
            UnregisterBrokerRequest::default().with_broker_id(BrokerId(77))
        }),
        row("DescribeAcls", 3, &["Describe cluster"], |_| {
            DescribeAclsRequest::default()
                .with_resource_type_filter(2)
                .with_resource_name_filter(Some(text("no such name")))
                .with_pattern_type_filter(3)
                .with_operation(1)
                .with_permission_type(1)
        }),
        row("CreateAcls", 3, &["Alter cluster"], |_| {
            CreateAclsRequest::default().with_creations(vec![
                entry("User:a", "*", "Read topic t").with_resource_name(text("")),
            ])
        }),
        row("DeleteAcls", 3, &["Alter cluster"], |_| {
            DeleteAclsRequest::default().with_filters(vec![
                super::any().with_resource_name_filter(Some(text("no such name"))),
            ])
        }),
        row("DescribeUserScramCredentials", 0, &["Describe cluster"], |_| {
            DescribeUserScramCredentialsRequest::default()
        }),
        row("DescribeClientQuotas", 1, &["DescribeConfigs cluster"], |_| {
            DescribeClientQuotasRequest::default()
        }),
        row("AlterClientQuotas", 1, &["AlterConfigs cluster"], |_| {
            use alter_client_quotas_request::{EntityData, EntryData};
            let nobody =
                EntityData::default().with_entity_type(text("user")).with_entity_name(None);
            let entry = EntryData::default().with_entity(vec![nobody]);
            AlterClientQuotasRequest::default().with_entries(vec![entry]).with_validate_only(true)
        }),
        row("ListConfigResources", 1, &["DescribeConfigs cluster"], |_| {
            ListConfigResourcesRequest::default().with_resource_types(vec![16])
        }),
    ]
}

fn at_controllers() -> Vec<Row> {
    vec![
        row("Envelope", 0, &["ClusterAction cluster"], |_| {
            EnvelopeRequest::default().with_client_host_address(vec![127, 0, 0, 1].into())
        }),
        row("AlterPartition", 3, &["ClusterAction cluster"], |_| {
            let topic = alter_partition_request::TopicData::default();
            AlterPartitionRequest::default().with_broker_id(BrokerId(77)).with_topics(vec![topic])
        }),
        row("BrokerHeartbeat", 1, &["ClusterAction cluster"], |_| BrokerHeartbeatRequest {
            broker_id: BrokerId(77),
            ..Default::default()
        }),
        row("AllocateProducerIds", 0, &["ClusterAction cluster"], |_| {
            AllocateProducerIdsRequest::default().with_broker_id(BrokerId(77))
        }),
        row("AssignReplicasToDirs", 0, &["ClusterAction cluster"], |_| {
            AssignReplicasToDirsRequest::default().with_broker_id(BrokerId(77))
        }),
        row("CreateAcls at a controller", 3, &["Alter cluster"], |_| {
            CreateAclsRequest::default().with_creations(vec![
                entry("User:a", "*", "Read topic t").with_resource_name(text("")),
            ])
        }),
        row_told(
            "DescribeCluster at a controller",
            2,
            &["Alter cluster"],
            |_| DescribeClusterRequest::default().with_endpoint_type(2),
            |answer| format!("{} {}", answer.error_code, answer.brokers.len()),
        ),
        row("Vote", 2, &["ClusterAction cluster"], |_| {
            VoteRequest::default().with_cluster_id(Some(text("another")))
        }),
    ]
}

//! The rows: what each API asks leave for, and what it answers where that is denied.

use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::batch::BatchBuilder;
use protocol::messages::*;
use uuid::Uuid;

use super::{Case, case};
use crate::requests::api_error::text;

/// What requests may need to know of the node.
pub(crate) struct Sample {
    /// Of the topic `t`.
    pub(crate) topic_id: Uuid,
}

pub(super) const TOPIC: i16 = ErrorCode::TopicAuthorizationFailed.code();
pub(super) const GROUP: i16 = ErrorCode::GroupAuthorizationFailed.code();
const INVALID_REQUEST: i16 = ErrorCode::InvalidRequest.code();
pub(super) const CLUSTER: i16 = ErrorCode::ClusterAuthorizationFailed.code();
pub(super) const TRANSACTIONAL_ID: i16 = ErrorCode::TransactionalIdAuthorizationFailed.code();

pub(super) fn topic() -> TopicName {
    TopicName(text("t"))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = records();
    cases.extend(topics());
    cases.extend(settings());
    cases.extend(cluster());
    cases.extend(security());
    cases
}

fn records() -> Vec<Case> {
    vec![
        produce(None).asks(&["Write topic t"]).gets(&[TOPIC]),
        produce(Some("x")).asks(&["Write transactional id x"]).gets(&[TRANSACTIONAL_ID]),
        fetch(-1).asks(&["Read topic t"]).gets(&[TOPIC]),
        fetch(2).asks(&["ClusterAction cluster"]).gets(&[TOPIC]),
        list_offsets().asks(&["Describe topic t"]).gets(&[TOPIC]),
        offset_for_leader_epoch()
            .asks(&["ClusterAction cluster", "Describe topic t"])
            .gets(&[TOPIC]),
        delete_records().asks(&["Delete topic t"]).gets(&[TOPIC]),
        describe_producers().asks(&["Read topic t"]).gets(&[TOPIC]),
        init_producer_id(None)
            .asks(&["IdempotentWrite cluster", "Write any topic"])
            .gets(&[CLUSTER]),
        init_producer_id(None)
            .granted(&["Write any topic"])
            .asks(&["IdempotentWrite cluster", "Write any topic"])
            .gets(&[0]),
        init_producer_id(Some("x")).asks(&["Write transactional id x"]).gets(&[TRANSACTIONAL_ID]),
    ]
}

fn produce(transactional_id: Option<&'static str>) -> Case {
    use produce_request::{PartitionProduceData, TopicProduceData};
    let request = move |version, sample: &Sample| {
        let mut batch = BatchBuilder::new(0);
        if transactional_id.is_some() {
            batch = batch.producer(1, 0, 0).transactional();
        }
        batch.append(0, None, Some(b"value"));
        let partition = PartitionProduceData::default().with_records(Some(batch.build()));
        let mut data = TopicProduceData::default().with_partition_data(vec![partition]);
        if version >= 13 {
            data.topic_id = sample.topic_id;
        } else {
            data.name = topic();
        }
        ProduceRequest::default()
            .with_acks(1)
            .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
            .with_topic_data(vec![data])
    };
    case(ApiKey::Produce, request, |_, response: ProduceResponse| {
        let partitions = response.responses.into_iter().flat_map(|t| t.partition_responses);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn fetch(replica_id: i32) -> Case {
    use fetch_request::{FetchPartition, FetchTopic, ReplicaState};
    let request = move |version, sample: &Sample| {
        let partition = FetchPartition::default().with_partition_max_bytes(1);
        let mut asked = FetchTopic::default().with_partitions(vec![partition]);
        if version >= 13 {
            asked.topic_id = sample.topic_id;
        } else {
            asked.topic = topic();
        }
        let request = FetchRequest::default().with_max_wait_ms(0).with_topics(vec![asked]);
        let replica_id = BrokerId(replica_id);
        if version >= 15 {
            request.with_replica_state(ReplicaState::default().with_replica_id(replica_id))
        } else {
            request.with_replica_id(replica_id)
        }
    };
    case(ApiKey::Fetch, request, |_, response: FetchResponse| {
        let partitions = response.responses.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn list_offsets() -> Case {
    use list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    let request = |_, _: &Sample| {
        let partition = ListOffsetsPartition { timestamp: -1, ..Default::default() };
        let asked = ListOffsetsTopic { name: topic(), partitions: vec![partition] };
        ListOffsetsRequest { replica_id: BrokerId(-1), topics: vec![asked], ..Default::default() }
    };
    case(ApiKey::ListOffsets, request, |_, response: ListOffsetsResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn offset_for_leader_epoch() -> Case {
    use offset_for_leader_epoch_request::{OffsetForLeaderPartition, OffsetForLeaderTopic};
    let request = |_, _: &Sample| {
        let asked = OffsetForLeaderTopic::default()
            .with_topic(topic())
            .with_partitions(vec![OffsetForLeaderPartition::default()]);
        OffsetForLeaderEpochRequest::default().with_topics(vec![asked])
    };
    case(ApiKey::OffsetForLeaderEpoch, request, |_, response: OffsetForLeaderEpochResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn delete_records() -> Case {
    use delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
    let request = |_, _: &Sample| {
        let asked = DeleteRecordsTopic::default()
            .with_name(topic())
            .with_partitions(vec![DeleteRecordsPartition::default()]);
        DeleteRecordsRequest::default().with_topics(vec![asked])
    };
    case(ApiKey::DeleteRecords, request, |_, response: DeleteRecordsResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn describe_producers() -> Case {
    use describe_producers_request::TopicRequest;
    let request = |_, _: &Sample| {
        let asked = TopicRequest::default().with_name(topic()).with_partition_indexes(vec![0]);
        DescribeProducersRequest::default().with_topics(vec![asked])
    };
    case(ApiKey::DescribeProducers, request, |_, response: DescribeProducersResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn init_producer_id(transactional_id: Option<&'static str>) -> Case {
    let request = move |_, _: &Sample| {
        InitProducerIdRequest::default()
            .with_transactional_id(transactional_id.map(|id| TransactionalId(text(id))))
            .with_transaction_timeout_ms(1_000)
    };
    case(ApiKey::InitProducerId, request, |_, response: InitProducerIdResponse| {
        vec![response.error_code]
    })
}

fn topics() -> Vec<Case> {
    vec![
        metadata().asks(&["Describe topic t"]).gets(&[TOPIC]),
        describe_topic_partitions().asks(&["Describe topic t"]).gets(&[TOPIC]),
        create_topics()
            .asks(&["Create cluster", "Create topic new", "DescribeConfigs topic new"])
            .gets(&[TOPIC]),
        delete_topics()
            .asks(&["Delete cluster", "Describe topic t", "Delete topic t"])
            .gets(&[TOPIC, TOPIC])
            .since(6),
        delete_topics_by_name()
            .asks(&["Delete cluster", "Describe topic t", "Delete topic t"])
            .gets(&[TOPIC]),
        create_partitions().asks(&["Alter topic t"]).gets(&[TOPIC]),
    ]
}

fn metadata() -> Case {
    use metadata_request::MetadataRequestTopic;
    let request = |_, _: &Sample| {
        let asked = MetadataRequestTopic::default().with_name(Some(topic()));
        MetadataRequest::default().with_topics(Some(vec![asked]))
    };
    case(ApiKey::Metadata, request, |_, response: MetadataResponse| {
        response.topics.iter().map(|topic| topic.error_code).collect()
    })
}

fn describe_topic_partitions() -> Case {
    use describe_topic_partitions_request::TopicRequest;
    let request = |_, _: &Sample| {
        DescribeTopicPartitionsRequest::default()
            .with_topics(vec![TopicRequest::default().with_name(topic())])
    };
    let codes = |_, response: DescribeTopicPartitionsResponse| {
        response.topics.iter().map(|topic| topic.error_code).collect()
    };
    case(ApiKey::DescribeTopicPartitions, request, codes)
}

fn create_topics() -> Case {
    use create_topics_request::CreatableTopic;
    let request = |_, _: &Sample| {
        let new = CreatableTopic::default()
            .with_name(TopicName(text("new")))
            .with_num_partitions(1)
            .with_replication_factor(1);
        CreateTopicsRequest::default().with_topics(vec![new]).with_timeout_ms(10_000)
    };
    case(ApiKey::CreateTopics, request, |_, response: CreateTopicsResponse| {
        response.topics.iter().map(|topic| topic.error_code).collect()
    })
}

/// By name and by id in one request.
fn delete_topics() -> Case {
    use delete_topics_request::DeleteTopicState;
    let request = |_, sample: &Sample| {
        let named = DeleteTopicState::default().with_name(Some(topic()));
        let by_id = DeleteTopicState::default().with_name(None).with_topic_id(sample.topic_id);
        DeleteTopicsRequest::default().with_topics(vec![named, by_id]).with_timeout_ms(10_000)
    };
    case(ApiKey::DeleteTopics, request, |_, response: DeleteTopicsResponse| {
        response.responses.iter().map(|topic| topic.error_code).collect()
    })
}

fn delete_topics_by_name() -> Case {
    use delete_topics_request::DeleteTopicState;
    let request = |version, _: &Sample| {
        let request = DeleteTopicsRequest::default().with_timeout_ms(10_000);
        if version >= 6 {
            request.with_topics(vec![DeleteTopicState::default().with_name(Some(topic()))])
        } else {
            request.with_topic_names(vec![topic()])
        }
    };
    case(ApiKey::DeleteTopics, request, |_, response: DeleteTopicsResponse| {
        response.responses.iter().map(|topic| topic.error_code).collect()
    })
}

fn create_partitions() -> Case {
    use create_partitions_request::CreatePartitionsTopic;
    let request = |_, _: &Sample| {
        let more = CreatePartitionsTopic::default().with_name(topic()).with_count(2);
        CreatePartitionsRequest::default().with_topics(vec![more]).with_timeout_ms(10_000)
    };
    case(ApiKey::CreatePartitions, request, |_, response: CreatePartitionsResponse| {
        response.results.iter().map(|topic| topic.error_code).collect()
    })
}

/// A topic, this broker, a group, a subscription of client metrics.
const RESOURCES: [(i8, &str); 4] = [(2, "t"), (4, "1"), (32, "g"), (16, "m")];

fn settings() -> Vec<Case> {
    vec![
        describe_configs()
            .asks(&[
                "DescribeConfigs topic t",
                "DescribeConfigs cluster",
                "DescribeConfigs group g",
                "DescribeConfigs cluster",
                "DescribeConfigs cluster",
            ])
            .gets(&[TOPIC, CLUSTER, GROUP, CLUSTER, CLUSTER]),
        incremental_alter_configs()
            .asks(&[
                "AlterConfigs topic t",
                "AlterConfigs cluster",
                "AlterConfigs group g",
                "AlterConfigs cluster",
                "AlterConfigs cluster",
            ])
            .gets(&[TOPIC, CLUSTER, GROUP, CLUSTER, CLUSTER]),
        incremental_alter_configs()
            .on_controller()
            .asks(&[
                "AlterConfigs topic t",
                "AlterConfigs cluster",
                "AlterConfigs group g",
                "AlterConfigs cluster",
                "ClusterAction cluster",
            ])
            .gets(&[TOPIC, CLUSTER, GROUP, CLUSTER, CLUSTER]),
        alter_configs()
            .asks(&[
                "AlterConfigs topic t",
                "AlterConfigs cluster",
                "AlterConfigs group g",
                "AlterConfigs cluster",
            ])
            .gets(&[TOPIC, CLUSTER, GROUP, CLUSTER]),
        list_config_resources().asks(&["DescribeConfigs cluster"]).gets(&[CLUSTER]),
        describe_client_quotas().asks(&["DescribeConfigs cluster"]).gets(&[CLUSTER]),
        alter_client_quotas().asks(&["AlterConfigs cluster"]).gets(&[CLUSTER]),
        alter_client_quotas().on_controller().asks(&["AlterConfigs cluster"]).gets(&[CLUSTER]),
    ]
}

/// This broker's loggers.
const LOGGERS: (i8, &str) = (8, "1");

fn describe_configs() -> Case {
    use describe_configs_request::DescribeConfigsResource;
    let request = |_, _: &Sample| {
        let resource = |(kind, name): (i8, &'static str)| {
            DescribeConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(text(name))
                .with_configuration_keys(None)
        };
        let resources = RESOURCES.into_iter().chain([LOGGERS]).map(resource);
        DescribeConfigsRequest::default().with_resources(resources.collect())
    };
    case(ApiKey::DescribeConfigs, request, |_, response: DescribeConfigsResponse| {
        response.results.iter().map(|resource| resource.error_code).collect()
    })
}

fn incremental_alter_configs() -> Case {
    use incremental_alter_configs_request::AlterConfigsResource;
    let request = |_, _: &Sample| {
        let resource = |(kind, name): (i8, &'static str)| {
            AlterConfigsResource::default().with_resource_type(kind).with_resource_name(text(name))
        };
        let resources = RESOURCES.into_iter().chain([LOGGERS]).map(resource);
        IncrementalAlterConfigsRequest::default().with_resources(resources.collect())
    };
    let codes = |_, response: IncrementalAlterConfigsResponse| {
        response.responses.iter().map(|resource| resource.error_code).collect()
    };
    case(ApiKey::IncrementalAlterConfigs, request, codes)
}

fn alter_configs() -> Case {
    use alter_configs_request::AlterConfigsResource;
    let request = |_, _: &Sample| {
        let resource = |(kind, name): (i8, &'static str)| {
            AlterConfigsResource::default().with_resource_type(kind).with_resource_name(text(name))
        };
        let resources = RESOURCES.into_iter().map(resource);
        AlterConfigsRequest::default().with_resources(resources.collect())
    };
    case(ApiKey::AlterConfigs, request, |_, response: AlterConfigsResponse| {
        response.responses.iter().map(|resource| resource.error_code).collect()
    })
}

fn list_config_resources() -> Case {
    let request = |_, _: &Sample| ListConfigResourcesRequest::default();
    case(ApiKey::ListConfigResources, request, |_, response: ListConfigResourcesResponse| {
        vec![response.error_code]
    })
}

fn describe_client_quotas() -> Case {
    let request = |_, _: &Sample| DescribeClientQuotasRequest::default();
    case(ApiKey::DescribeClientQuotas, request, |_, response: DescribeClientQuotasResponse| {
        vec![response.error_code]
    })
}

fn alter_client_quotas() -> Case {
    use alter_client_quotas_request::{EntityData, EntryData};
    let request = |_, _: &Sample| {
        let entity = EntityData::default().with_entity_type(text("user")).with_entity_name(None);
        let entry = EntryData::default().with_entity(vec![entity]);
        AlterClientQuotasRequest::default().with_entries(vec![entry])
    };
    case(ApiKey::AlterClientQuotas, request, |_, response: AlterClientQuotasResponse| {
        response.entries.iter().map(|entry| entry.error_code).collect()
    })
}

fn cluster() -> Vec<Case> {
    let describe_cluster = |endpoint_type| {
        let request = move |version, _: &Sample| {
            let request =
                DescribeClusterRequest::default().with_include_cluster_authorized_operations(true);
            if version >= 1 { request.with_endpoint_type(endpoint_type) } else { request }
        };
        // Brokers tell everybody who they are; only leave to describe the cluster is shown as none.
        case(ApiKey::DescribeCluster, request, |_, response: DescribeClusterResponse| {
            let operations = response.cluster_authorized_operations;
            vec![response.error_code, i16::from(operations == 0)]
        })
    };
    vec![
        case(
            ApiKey::ApiVersions,
            |version, _| {
                let request = ApiVersionsRequest::default();
                let name = text("test");
                if version < 3 {
                    return request;
                }
                request.with_client_software_name(name.clone()).with_client_software_version(name)
            },
            |_, response: ApiVersionsResponse| vec![response.error_code],
        )
        .gets(&[0]),
        case(
            ApiKey::GetTelemetrySubscriptions,
            |_, _| GetTelemetrySubscriptionsRequest::default(),
            |_, response: GetTelemetrySubscriptionsResponse| vec![response.error_code],
        )
        .gets(&[0]),
        case(
            ApiKey::PushTelemetry,
            |_, _| PushTelemetryRequest::default(),
            |_, response: PushTelemetryResponse| vec![response.error_code],
        )
        .gets(&[INVALID_REQUEST]),
        describe_cluster(1).asks(&["Describe cluster"]).gets(&[0, 1]),
        describe_cluster(2).on_controller().asks(&["Alter cluster"]).gets(&[CLUSTER, 0]).since(1),
        describe_log_dirs().asks(&["Describe cluster"]).gets(&[CLUSTER]),
        elect_leaders().asks(&["Alter cluster"]).gets(&[CLUSTER]),
        case(
            ApiKey::ListPartitionReassignments,
            |_, _| ListPartitionReassignmentsRequest::default(),
            |_, response: ListPartitionReassignmentsResponse| vec![response.error_code],
        )
        .asks(&["Describe cluster"])
        .gets(&[CLUSTER]),
        case(
            ApiKey::DescribeQuorum,
            |_, _| DescribeQuorumRequest::default(),
            |_, response: DescribeQuorumResponse| vec![response.error_code],
        )
        .asks(&["Describe cluster"])
        .gets(&[CLUSTER]),
        case(
            ApiKey::UpdateFeatures,
            |_, _| UpdateFeaturesRequest::default(),
            |_, response: UpdateFeaturesResponse| vec![response.error_code],
        )
        .asks(&["Alter cluster"])
        .gets(&[CLUSTER]),
    ]
}

fn security() -> Vec<Case> {
    vec![
        case(
            ApiKey::DescribeAcls,
            |_, _| {
                DescribeAclsRequest::default()
                    .with_resource_type_filter(1)
                    .with_pattern_type_filter(3)
                    .with_operation(1)
                    .with_permission_type(1)
            },
            |_, response: DescribeAclsResponse| vec![response.error_code],
        )
        .asks(&["Describe cluster"])
        .gets(&[CLUSTER]),
        create_acls().asks(&["Alter cluster"]).gets(&[CLUSTER]),
        delete_acls().asks(&["Alter cluster"]).gets(&[CLUSTER]),
        case(
            ApiKey::DescribeUserScramCredentials,
            |_, _| DescribeUserScramCredentialsRequest::default(),
            |_, response: DescribeUserScramCredentialsResponse| vec![response.error_code],
        )
        .asks(&["Describe cluster"])
        .gets(&[CLUSTER]),
        alter_user_scram_credentials().asks(&["Alter cluster"]).gets(&[CLUSTER, CLUSTER]),
        // Who comes without a name is asked nothing: `delegation_tokens` of tests has the rest.
        case(
            ApiKey::CreateDelegationToken,
            |_, _| CreateDelegationTokenRequest::default(),
            |_, response: CreateDelegationTokenResponse| vec![response.error_code],
        )
        .gets(&[TOKEN_REQUEST_NOT_ALLOWED]),
        case(
            ApiKey::RenewDelegationToken,
            |_, _| RenewDelegationTokenRequest::default(),
            |_, response: RenewDelegationTokenResponse| vec![response.error_code],
        )
        .gets(&[TOKEN_REQUEST_NOT_ALLOWED]),
        case(
            ApiKey::ExpireDelegationToken,
            |_, _| ExpireDelegationTokenRequest::default(),
            |_, response: ExpireDelegationTokenResponse| vec![response.error_code],
        )
        .gets(&[TOKEN_REQUEST_NOT_ALLOWED]),
        case(
            ApiKey::DescribeDelegationToken,
            |_, _| DescribeDelegationTokenRequest::default(),
            |_, response: DescribeDelegationTokenResponse| vec![response.error_code],
        )
        .gets(&[TOKEN_REQUEST_NOT_ALLOWED]),
        case(
            ApiKey::SaslHandshake,
            |_, _| SaslHandshakeRequest::default(),
            |_, response: SaslHandshakeResponse| vec![response.error_code],
        )
        .gets(&[ILLEGAL_SASL_STATE]),
        case(
            ApiKey::SaslAuthenticate,
            |_, _| SaslAuthenticateRequest::default(),
            |_, response: SaslAuthenticateResponse| vec![response.error_code],
        )
        .gets(&[ILLEGAL_SASL_STATE]),
    ]
}

/// To somebody who need not log in.
const ILLEGAL_SASL_STATE: i16 = 34;
const TOKEN_REQUEST_NOT_ALLOWED: i16 = 64;

fn alter_user_scram_credentials() -> Case {
    use alter_user_scram_credentials_request::{ScramCredentialDeletion, ScramCredentialUpsertion};
    let request = |_, _: &Sample| {
        AlterUserScramCredentialsRequest::default()
            .with_deletions(vec![ScramCredentialDeletion::default().with_name("a".into())])
            .with_upsertions(vec![ScramCredentialUpsertion::default().with_name("b".into())])
    };
    let codes = |_, response: AlterUserScramCredentialsResponse| {
        response.results.iter().map(|result| result.error_code).collect()
    };
    case(ApiKey::AlterUserScramCredentials, request, codes)
}

fn describe_log_dirs() -> Case {
    let request = |_, _: &Sample| DescribeLogDirsRequest { topics: None };
    case(ApiKey::DescribeLogDirs, request, |version, response: DescribeLogDirsResponse| {
        assert!(response.results.is_empty());
        // Before version 3 the answer has no place for a code and just tells nothing.
        vec![if version < 3 { CLUSTER } else { response.error_code }]
    })
}

fn create_acls() -> Case {
    use create_acls_request::AclCreation;
    let request = |_, _: &Sample| {
        let creation = AclCreation::default()
            .with_resource_type(2)
            .with_resource_pattern_type(3)
            .with_operation(3)
            .with_permission_type(3);
        CreateAclsRequest::default().with_creations(vec![creation])
    };
    case(ApiKey::CreateAcls, request, |_, response: CreateAclsResponse| {
        response.results.iter().map(|result| result.error_code).collect()
    })
}

fn delete_acls() -> Case {
    use delete_acls_request::DeleteAclsFilter;
    let request = |_, _: &Sample| {
        let filter = DeleteAclsFilter::default()
            .with_resource_type_filter(2)
            .with_pattern_type_filter(3)
            .with_operation(3)
            .with_permission_type(3);
        DeleteAclsRequest::default().with_filters(vec![filter])
    };
    case(ApiKey::DeleteAcls, request, |_, response: DeleteAclsResponse| {
        response.filter_results.iter().map(|result| result.error_code).collect()
    })
}

fn elect_leaders() -> Case {
    use elect_leaders_request::TopicPartitions;
    let request = |_, _: &Sample| {
        let asked = TopicPartitions::default().with_topic(topic()).with_partitions(vec![0]);
        ElectLeadersRequest::default().with_topic_partitions(Some(vec![asked]))
    };
    case(ApiKey::ElectLeaders, request, |version, response: ElectLeadersResponse| {
        let topics = response.replica_election_results.into_iter();
        let codes: Vec<i16> =
            topics.flat_map(|t| t.partition_result).map(|p| p.error_code).collect();
        assert_eq!(response.error_code, if version >= 1 { CLUSTER } else { 0 });
        codes
    })
}

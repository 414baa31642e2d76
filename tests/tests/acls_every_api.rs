//! Every API with and without each right that it asks for, beside stock Kafka 4.3.1: whole answers,
//! and the lines about denials in the log.
//!
//! Each line of the table is asked without rights, with each of them alone, and with all. Each
//! question has an asker of its own, so that all entries are made at once.

use std::fmt::Debug;
use std::net::Ipv4Addr;
use std::time::Duration;

use protocol::batch::BatchBuilder;
use protocol::messages::*;
use protocol::wire::{Request, StrBytes};
use tests::acls::{ANONYMOUS, AUTHORIZER, asker, create, entry, of_administrator};
use tests::cluster::view::until;
use tests::facts;
use tests::mask;
use tests::server::Server;
use tests::topic::{fetch_request, name, produce_request};
use tests::wire::Client;
use uuid::Uuid;

const ABOUT: &str = "Answers by the rights of who asks; `log`: the lines about denials.";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn transactional_id() -> TransactionalId {
    TransactionalId(text("x"))
}

/// What requests need to know of the node.
struct Sample {
    topic_id: Uuid,
    /// Tells names of one question from those of others.
    number: usize,
}

type Ask = Box<dyn Fn(&mut Client, &Sample) -> String>;

struct Row {
    what: &'static str,
    rights: &'static [&'static str],
    on_controller: bool,
    ask: Ask,
}

impl Row {
    fn on_controller(self) -> Self {
        Self { on_controller: true, ..self }
    }
}

/// A request whose answer is told by `told`.
fn row_told<R: Request>(
    what: &'static str,
    version: i16,
    rights: &'static [&'static str],
    request: impl Fn(&Sample) -> R + 'static,
    told: impl Fn(R::Response) -> String + 'static,
) -> Row {
    let ask =
        move |client: &mut Client, sample: &Sample| match client.call(version, &request(sample)) {
            Ok(answer) => told(answer),
            Err(error) => format!("{:?}", error.kind()),
        };
    Row { what, rights, on_controller: false, ask: Box::new(ask) }
}

/// A request whose whole answer is told.
fn row<R: Request>(
    what: &'static str,
    version: i16,
    rights: &'static [&'static str],
    request: impl Fn(&Sample) -> R + 'static,
) -> Row
where
    R::Response: Debug,
{
    row_told(what, version, rights, request, |answer| format!("{answer:?}"))
}

fn records() -> Vec<Row> {
    let batch = |transactional: bool| {
        let batch = BatchBuilder::new(0);
        let mut batch = if transactional { batch.producer(1, 0, 0).transactional() } else { batch };
        batch.append(0, None, Some(b"value"));
        batch.build()
    };
    let transactional = move |_: &Sample| {
        let request = produce_request("t", 0, -1, batch(true));
        request.with_transactional_id(Some(transactional_id()))
    };
    let code = |answer: ProduceResponse| {
        format!("{}", answer.responses[0].partition_responses[0].error_code)
    };
    let fetched =
        |answer: FetchResponse| format!("{}", answer.responses[0].partitions[0].error_code);
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

fn by_id(topic_id: Uuid) -> FetchRequest {
    let mut request = fetch_request("", 0, 0);
    request.topics[0].topic_id = topic_id;
    request
}

fn metadata(
    topics: Option<Vec<metadata_request::MetadataRequestTopic>>,
    creates: bool,
) -> MetadataRequest {
    MetadataRequest::default()
        .with_topics(topics)
        .with_allow_auto_topic_creation(creates)
        .with_include_topic_authorized_operations(true)
}

fn named(topic: &str) -> metadata_request::MetadataRequestTopic {
    metadata_request::MetadataRequestTopic::default().with_name(Some(name(topic)))
}

fn told_metadata(answer: MetadataResponse) -> String {
    let mut topics: Vec<String> = answer
        .topics
        .iter()
        // The coordinators' own topics come when they are needed.
        .filter(|topic| topic.name.as_ref().is_none_or(|name| !name.starts_with("__")))
        .map(|topic| {
            format!(
                "{} {:?} {} {} {}",
                topic.error_code,
                topic.name.as_ref().map(|name| name.as_str()),
                topic.topic_id.is_nil(),
                topic.partitions.len(),
                topic.topic_authorized_operations
            )
        })
        .collect();
    topics.sort();
    format!("{} {}", topics.join(" | "), answer.cluster_authorized_operations)
}

fn topics() -> Vec<Row> {
    let told = told_metadata;
    vec![
        row_told(
            "Metadata",
            12,
            &["Describe topic t", "Read topic t", "All topic t"],
            |_| metadata(Some(vec![named("t")]), false),
            told,
        ),
        row_told(
            "Metadata by id",
            12,
            &["Describe topic t"],
            |sample| {
                let asked = metadata_request::MetadataRequestTopic::default();
                metadata(Some(vec![asked.with_name(None).with_topic_id(sample.topic_id)]), false)
            },
            told,
        ),
        row_told(
            "Metadata by an id of nobody",
            12,
            &["Describe topic t"],
            |_| {
                let asked = metadata_request::MetadataRequestTopic::default();
                metadata(Some(vec![asked.with_name(None).with_topic_id(Uuid::from_u128(7))]), false)
            },
            told,
        ),
        row_told(
            "Metadata of all",
            12,
            &["Describe topic t", "Describe topic u"],
            |_| metadata(None, false),
            told,
        ),
        row_told(
            "Metadata of a missing topic",
            12,
            &["Describe topic none"],
            |_| metadata(Some(vec![named("none")]), false),
            told,
        ),
        // It is not created: no name.
        row_told(
            "Metadata that would create",
            12,
            &["Describe topic no+", "Create topic no+", "Create cluster"],
            |_| metadata(Some(vec![named("no name")]), true),
            told,
        ),
        row_told(
            "Metadata of the cluster",
            9,
            &["Describe cluster", "Alter cluster", "All cluster"],
            |_| metadata(Some(Vec::new()), false).with_include_cluster_authorized_operations(true),
            told,
        ),
        row_told(
            "DescribeTopicPartitions",
            0,
            &["Describe topic t"],
            |_| {
                let topic = |topic| {
                    describe_topic_partitions_request::TopicRequest::default()
                        .with_name(name(topic))
                };
                DescribeTopicPartitionsRequest::default()
                    .with_topics(vec![topic("t"), topic("none")])
            },
            |answer| {
                let each = answer.topics.iter();
                let told = each.map(|t| {
                    (
                        t.error_code,
                        &t.name,
                        t.topic_id.is_nil(),
                        t.partitions.len(),
                        t.topic_authorized_operations,
                    )
                });
                let mut told: Vec<String> = told.map(|told| format!("{told:?}")).collect();
                told.sort();
                told.join(" | ")
            },
        ),
        row_told(
            "DescribeTopicPartitions of all",
            0,
            &["Describe topic t"],
            |_| DescribeTopicPartitionsRequest::default(),
            |answer| {
                let each = answer.topics.iter().filter(|topic| {
                    topic.name.as_ref().is_some_and(|name| !name.starts_with("__"))
                });
                format!(
                    "{:?}",
                    each.map(|topic| (topic.error_code, &topic.name)).collect::<Vec<_>>()
                )
            },
        ),
        row_told(
            "CreateTopics",
            7,
            &["Create topic new", "Create cluster", "DescribeConfigs topic new"],
            |_| {
                let topic = create_topics_request::CreatableTopic::default().with_name(name("new"));
                let topic = topic.with_num_partitions(1).with_replication_factor(1);
                CreateTopicsRequest::default()
                    .with_topics(vec![topic])
                    .with_timeout_ms(5_000)
                    .with_validate_only(true)
            },
            |answer| {
                let topic = &answer.topics[0];
                let settings = topic.configs.as_ref().map(|settings| !settings.is_empty());
                format!(
                    "{} {:?} {} {:?}",
                    topic.error_code, topic.error_message, topic.topic_config_error_code, settings
                )
            },
        ),
        row(
            "DeleteTopics by name",
            6,
            &["Delete topic none", "Describe topic none", "Delete cluster"],
            |_| {
                let topic = delete_topics_request::DeleteTopicState::default()
                    .with_name(Some(name("none")));
                DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000)
            },
        ),
        row("DeleteTopics by name, of one that is there", 6, &["Describe topic t"], |_| {
            let topic =
                delete_topics_request::DeleteTopicState::default().with_name(Some(name("t")));
            DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000)
        }),
        row("DeleteTopics by id", 6, &["Describe topic t"], |sample| {
            let topic = delete_topics_request::DeleteTopicState::default().with_name(None);
            let topic = topic.with_topic_id(sample.topic_id);
            DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(5_000)
        }),
        row("CreatePartitions", 3, &["Alter topic t"], |_| {
            let more = create_partitions_request::CreatePartitionsTopic::default()
                .with_name(name("t"))
                .with_count(2);
            CreatePartitionsRequest::default()
                .with_topics(vec![more])
                .with_timeout_ms(5_000)
                .with_validate_only(true)
        }),
        row_told(
            "DescribeConfigs",
            4,
            &[
                "DescribeConfigs topic t",
                "AlterConfigs topic t",
                "DescribeConfigs cluster",
                "DescribeConfigs group g",
            ],
            |_| {
                let of = |kind, name: &str| {
                    let resource = describe_configs_request::DescribeConfigsResource::default();
                    resource
                        .with_resource_type(kind)
                        .with_resource_name(text(name))
                        .with_configuration_keys(None)
                };
                let all = [(2, "t"), (2, "none"), (4, "1"), (8, "1"), (16, "m"), (32, "g")];
                DescribeConfigsRequest::default()
                    .with_resources(all.map(|(kind, name)| of(kind, name)).into())
            },
            |answer| {
                let each = answer.results.iter();
                let told = each.map(|each| {
                    (
                        each.error_code,
                        &each.error_message,
                        each.resource_type,
                        &each.resource_name,
                        each.configs.is_empty(),
                    )
                });
                format!("{:?}", told.collect::<Vec<_>>())
            },
        ),
        row(
            "IncrementalAlterConfigs",
            1,
            &["AlterConfigs topic none", "AlterConfigs cluster", "AlterConfigs group g"],
            |_| {
                let of = |kind, name: &str| {
                    let resource =
                        incremental_alter_configs_request::AlterConfigsResource::default();
                    resource.with_resource_type(kind).with_resource_name(text(name))
                };
                let all = [(2, "none"), (32, "g"), (16, "m")];
                IncrementalAlterConfigsRequest::default()
                    .with_resources(all.map(|(kind, name)| of(kind, name)).into())
                    .with_validate_only(true)
            },
        ),
    ]
}

fn groups() -> Vec<Row> {
    vec![
        row_told(
            "FindCoordinator of a group",
            4,
            &["Describe group g", "Read group g"],
            |_| FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]),
            |answer| {
                format!(
                    "{:?}",
                    answer
                        .coordinators
                        .iter()
                        .map(|found| (found.error_code, found.node_id.0))
                        .collect::<Vec<_>>()
                )
            },
        ),
        row_told(
            "FindCoordinator of a transaction",
            4,
            &["Describe transactional-id x", "Write transactional-id x"],
            |_| {
                FindCoordinatorRequest::default()
                    .with_coordinator_keys(vec![text("x")])
                    .with_key_type(1)
            },
            |answer| {
                format!(
                    "{:?}",
                    answer
                        .coordinators
                        .iter()
                        .map(|found| (found.error_code, found.node_id.0))
                        .collect::<Vec<_>>()
                )
            },
        ),
        row("JoinGroup", 9, &["Read group g"], |_| {
            JoinGroupRequest::default().with_group_id(group())
        }),
        row("SyncGroup", 5, &["Read group g"], |_| {
            SyncGroupRequest::default()
                .with_group_id(group())
                .with_protocol_type(Some(text("p")))
                .with_protocol_name(Some(text("p")))
        }),
        row("Heartbeat", 4, &["Read group g"], |_| {
            HeartbeatRequest::default().with_group_id(group())
        }),
        row("LeaveGroup", 5, &["Read group g"], |_| {
            LeaveGroupRequest::default().with_group_id(group())
        }),
        row("DescribeGroups", 6, &["Describe group g", "All group g"], |_| {
            DescribeGroupsRequest::default()
                .with_groups(vec![group()])
                .with_include_authorized_operations(true)
        }),
        row(
            "ListGroups",
            5,
            &["Describe group g", "Describe group g+", "Describe cluster"],
            |_| ListGroupsRequest::default(),
        ),
        row("DeleteGroups", 2, &["Delete group none"], |_| {
            DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text("none"))])
        }),
        row("OffsetCommit", 9, &["Read group h", "Read topic t"], |_| {
            use offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
            let topic = |topic| OffsetCommitRequestTopic {
                name: name(topic),
                partitions: vec![OffsetCommitRequestPartition::default()],
                ..Default::default()
            };
            OffsetCommitRequest {
                group_id: GroupId(text("h")),
                generation_id_or_member_epoch: -1,
                topics: vec![topic("t"), topic("none")],
                ..Default::default()
            }
        }),
        row("OffsetFetch", 8, &["Describe group g", "Describe topic t"], |_| {
            use offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
            let topics = vec![OffsetFetchRequestTopics {
                name: name("t"),
                partition_indexes: vec![0],
                ..Default::default()
            }];
            let asked = OffsetFetchRequestGroup {
                group_id: group(),
                topics: Some(topics),
                ..Default::default()
            };
            OffsetFetchRequest { groups: vec![asked], ..Default::default() }
        }),
        row("OffsetFetch of all", 8, &["Describe group g", "Describe topic t"], |_| {
            let asked = offset_fetch_request::OffsetFetchRequestGroup {
                group_id: group(),
                topics: None,
                ..Default::default()
            };
            OffsetFetchRequest { groups: vec![asked], ..Default::default() }
        }),
        row("OffsetDelete", 0, &["Delete group g", "Read topic u"], |_| {
            use offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
            let topic = OffsetDeleteRequestTopic::default()
                .with_name(name("u"))
                .with_partitions(vec![OffsetDeleteRequestPartition::default()]);
            OffsetDeleteRequest::default().with_group_id(group()).with_topics(vec![topic])
        }),
        row_told(
            "ConsumerGroupHeartbeat",
            1,
            &["Read group c", "Describe topic t"],
            |sample| {
                ConsumerGroupHeartbeatRequest::default()
                    .with_group_id(GroupId(text("c")))
                    .with_member_id(text(&format!("m{}", sample.number)))
                    .with_rebalance_timeout_ms(60_000)
                    .with_subscribed_topic_names(Some(vec![name("t")]))
                    .with_topic_partitions(Some(Vec::new()))
            },
            |answer| format!("{} {:?}", answer.error_code, answer.error_message),
        ),
        row("ConsumerGroupDescribe", 1, &["Describe group none"], |_| {
            ConsumerGroupDescribeRequest::default()
                .with_group_ids(vec![GroupId(text("none"))])
                .with_include_authorized_operations(true)
        }),
        row("ShareGroupDescribe", 1, &["Describe group none"], |_| {
            ShareGroupDescribeRequest::default().with_group_ids(vec![GroupId(text("none"))])
        }),
        row("ShareFetch", 1, &["Read group s", "Read topic t"], |sample| {
            use share_fetch_request::{FetchPartition, FetchTopic};
            let partitions = vec![FetchPartition::default()];
            let topic = FetchTopic { topic_id: sample.topic_id, partitions };
            ShareFetchRequest {
                group_id: Some(GroupId(text("s"))),
                member_id: Some(text("m")),
                share_session_epoch: 5,
                topics: vec![topic],
                ..Default::default()
            }
        }),
    ]
}

fn transactions() -> Vec<Row> {
    vec![
        row_told(
            "InitProducerId",
            4,
            &["IdempotentWrite cluster", "Write topic any"],
            |_| {
                InitProducerIdRequest::default()
                    .with_transactional_id(None)
                    .with_producer_id(ProducerId(-1))
                    .with_producer_epoch(-1)
            },
            |answer| format!("{}", answer.error_code),
        ),
        row_told(
            "InitProducerId of a transaction",
            4,
            &["Write transactional-id y", "Describe transactional-id y"],
            |_| {
                InitProducerIdRequest::default()
                    .with_transactional_id(Some(TransactionalId(text("y"))))
                    .with_transaction_timeout_ms(60_000)
                    .with_producer_id(ProducerId(-1))
                    .with_producer_epoch(-1)
            },
            |answer| format!("{}", answer.error_code),
        ),
        row("AddPartitionsToTxn", 3, &["Write transactional-id x", "Write topic t"], |_| {
            let topic = |topic| {
                add_partitions_to_txn_request::AddPartitionsToTxnTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![0, 1])
            };
            AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(transactional_id())
                .with_v3_and_below_producer_id(ProducerId(77))
                .with_v3_and_below_topics(vec![topic("t")])
        }),
        row("AddPartitionsToTxn of brokers", 5, &["ClusterAction cluster"], |_| {
            let topic = add_partitions_to_txn_request::AddPartitionsToTxnTopic::default()
                .with_name(name("none"))
                .with_partitions(vec![0]);
            let transaction =
                add_partitions_to_txn_request::AddPartitionsToTxnTransaction::default()
                    .with_transactional_id(transactional_id())
                    .with_topics(vec![topic]);
            AddPartitionsToTxnRequest::default().with_transactions(vec![transaction])
        }),
        row("AddOffsetsToTxn", 4, &["Write transactional-id x", "Read group g"], |_| {
            AddOffsetsToTxnRequest::default()
                .with_transactional_id(transactional_id())
                .with_producer_id(ProducerId(77))
                .with_group_id(group())
        }),
        row("EndTxn", 4, &["Write transactional-id x"], |_| {
            EndTxnRequest::default()
                .with_transactional_id(transactional_id())
                .with_producer_id(ProducerId(77))
        }),
        row(
            "TxnOffsetCommit",
            3,
            &["Write transactional-id x", "Read group g", "Read topic none"],
            |_| {
                use txn_offset_commit_request::{
                    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
                };
                let topic = TxnOffsetCommitRequestTopic::default()
                    .with_name(name("none"))
                    .with_partitions(vec![TxnOffsetCommitRequestPartition::default()]);
                TxnOffsetCommitRequest::default()
                    .with_transactional_id(transactional_id())
                    .with_group_id(group())
                    .with_topics(vec![topic])
            },
        ),
        row("WriteTxnMarkers", 1, &["Alter cluster", "ClusterAction cluster"], |_| {
            use write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
            let topic = WritableTxnMarkerTopic { name: name("none"), partition_indexes: vec![0] };
            WriteTxnMarkersRequest {
                markers: vec![WritableTxnMarker { topics: vec![topic], ..Default::default() }],
            }
        }),
        row("DescribeTransactions", 0, &["Describe transactional-id none"], |_| {
            DescribeTransactionsRequest::default()
                .with_transactional_ids(vec![TransactionalId(text("none"))])
        }),
        row_told(
            "ListTransactions",
            1,
            &["Describe transactional-id x", "Describe cluster"],
            |_| ListTransactionsRequest::default(),
            |answer| {
                format!(
                    "{:?}",
                    answer
                        .transaction_states
                        .iter()
                        .map(|state| &state.transactional_id)
                        .collect::<Vec<_>>()
                )
            },
        ),
    ]
}

fn cluster() -> Vec<Row> {
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
                tests::acls::any().with_resource_name_filter(Some(text("no such name"))),
            ])
        }),
        row("DescribeUserScramCredentials", 0, &["Describe cluster"], |_| {
            DescribeUserScramCredentialsRequest::default()
        }),
        row("DescribeClientQuotas", 1, &["DescribeConfigs cluster"], |_| {
            DescribeClientQuotasRequest::default()
        }),
        row("ListConfigResources", 1, &["DescribeConfigs cluster"], |_| {
            ListConfigResourcesRequest::default().with_resource_types(vec![16])
        }),
    ]
}

fn of_controllers() -> Vec<Row> {
    let rows = vec![
        row("Envelope", 0, &["ClusterAction cluster"], |_| {
            EnvelopeRequest::default().with_client_host_address(vec![127, 0, 0, 1].into())
        }),
        row("AlterPartition", 3, &["ClusterAction cluster"], |_| {
            AlterPartitionRequest::default().with_broker_id(BrokerId(77))
        }),
        row("BrokerHeartbeat", 1, &["ClusterAction cluster"], |_| {
            BrokerHeartbeatRequest { broker_id: BrokerId(77), ..Default::default() }
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
    ];
    rows.into_iter().map(Row::on_controller).collect()
}

fn rows() -> Vec<Row> {
    let all = [records(), topics(), groups(), transactions(), cluster(), of_controllers()];
    all.into_iter().flatten().collect()
}

/// None, each alone, all.
fn choices(rights: &'static [&'static str]) -> Vec<Vec<&'static str>> {
    let mut choices = vec![Vec::new()];
    choices.extend(rights.iter().map(|right| vec![*right]));
    if rights.len() > 1 {
        choices.push(rights.to_vec());
    }
    choices
}

/// Two topics, a group with an offset of each, a transactional id.
fn furnish(administrator: &mut Client) -> Uuid {
    tests::topic::create(administrator, "t", 1);
    tests::topic::create(administrator, "u", 1);
    let commit = |topic| {
        use offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
        let partitions =
            vec![OffsetCommitRequestPartition { committed_offset: 7, ..Default::default() }];
        let topics =
            vec![OffsetCommitRequestTopic { name: name(topic), partitions, ..Default::default() }];
        OffsetCommitRequest {
            group_id: group(),
            generation_id_or_member_epoch: -1,
            topics,
            ..Default::default()
        }
    };
    for (key_type, key) in [(0, "g"), (1, "x")] {
        let key = FindCoordinatorRequest::default()
            .with_coordinator_keys(vec![text(key)])
            .with_key_type(key_type);
        until("a coordinator", Duration::from_secs(30), || {
            let answer = administrator.call(4, &key).expect("answered");
            (answer.coordinators[0].error_code == 0).then_some(())
        });
    }
    for topic in ["t", "u"] {
        until("an offset", Duration::from_secs(30), || {
            let answer = administrator.call(8, &commit(topic)).expect("answered");
            (answer.topics[0].partitions[0].error_code == 0).then_some(())
        });
    }
    let begin = InitProducerIdRequest::default()
        .with_transactional_id(Some(transactional_id()))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    until("a transactional id", Duration::from_secs(30), || {
        (administrator.call(4, &begin).expect("answered").error_code == 0).then_some(())
    });
    let all = MetadataRequest::default().with_topics(Some(vec![named("t")]));
    administrator.call(12, &all).expect("answered").topics[0].topic_id
}

/// An exception of stock's names its own objects; what counts is that it denies.
fn without_objects(told: &str) -> String {
    let Some((before, rest)) = told.split_once("Some(\"Request Request(") else {
        return told.to_owned();
    };
    let after = rest.split_once("permission.\")").map_or("", |(_, after)| after);
    format!("{before}None{}", without_objects(after))
}

#[test]
fn every_api_answers_by_rights_as_stock_does() {
    let server = Server::start(facts::kind(), &AUTHORIZER.map(str::to_owned));
    let mut administrator =
        Client::connect_from(Ipv4Addr::LOCALHOST, server.port).expect("accepted");
    let topic_id = furnish(&mut administrator);
    let rows = rows();
    let mut questions = Vec::new();
    let mut entries = of_administrator();
    for row in &rows {
        for rights in choices(row.rights) {
            let number = questions.len() + 1;
            let host = asker(number).to_string();
            entries.extend(rights.iter().map(|words| entry(ANONYMOUS, &host, words)));
            questions.push((number, row, rights));
        }
    }
    create(&mut administrator, entries);
    let mut found = Vec::new();
    for (number, row, rights) in &questions {
        let port = if row.on_controller { server.controller_port } else { server.port };
        let mut client = Client::connect_from(asker(*number), port).expect("accepted");
        let told = (row.ask)(&mut client, &Sample { topic_id, number: *number });
        let told = mask::usual(&without_objects(&told), &server);
        // A fact ends where a name's colon does.
        let told = told.replace(": ", "=");
        found.push((format!("{} with {rights:?}", row.what), told));
    }
    let output = server.output();
    for (number, row, rights) in &questions {
        let from = format!(" from host = {} on ", asker(*number));
        let line = |line: &str| {
            let line = line.split_once("Principal = ")?.1;
            let (before, after) = line.split_once(&from)?;
            let after = after.split(" (kafka.authorizer.logger)").next()?;
            Some(format!("{before} on {after}"))
        };
        let mut lines: Vec<String> = output.lines().filter_map(line).collect();
        lines.sort();
        found.push((format!("log: {} with {rights:?}", row.what), lines.join(" | ")));
    }
    facts::check("acls/every-api-4.3.1", ABOUT, &found);
}

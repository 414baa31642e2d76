//! Topics seen, made, changed and deleted, and their settings.

use protocol::messages::*;
use uuid::Uuid;

use super::question::{Row, row, row_told, text};
use crate::topic::name;

pub(super) fn rows() -> Vec<Row> {
    [metadata(), described(), changed(), settings()].into_iter().flatten().collect()
}

fn metadata() -> Vec<Row> {
    vec![
        row_told(
            "Metadata",
            12,
            &["Describe topic t", "Read topic t", "All topic t"],
            |_| about(Some(vec![named("t")]), false),
            told,
        ),
        row_told(
            "Metadata by id",
            12,
            &["Describe topic t"],
            |sample| {
                let asked = metadata_request::MetadataRequestTopic::default();
                about(Some(vec![asked.with_name(None).with_topic_id(sample.topic_id)]), false)
            },
            told,
        ),
        row_told(
            "Metadata by an id of nobody",
            12,
            &["Describe topic t"],
            |_| {
                let asked = metadata_request::MetadataRequestTopic::default();
                about(Some(vec![asked.with_name(None).with_topic_id(Uuid::from_u128(7))]), false)
            },
            told,
        ),
        row_told(
            "Metadata of all",
            12,
            &["Describe topic t", "Describe topic u"],
            |_| about(None, false),
            told,
        ),
        row_told(
            "Metadata of a missing topic",
            12,
            &["Describe topic none"],
            |_| about(Some(vec![named("none")]), false),
            told,
        ),
        row_told(
            "Metadata that would create",
            12,
            &["Describe topic no+", "Create topic no+", "Create cluster"],
            |_| about(Some(vec![named("no name")]), true),
            told,
        ),
        row_told(
            "Metadata of the cluster",
            9,
            &["Describe cluster", "Alter cluster", "All cluster"],
            |_| about(Some(Vec::new()), false).with_include_cluster_authorized_operations(true),
            told,
        ),
    ]
}

fn described() -> Vec<Row> {
    vec![
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
    ]
}

fn changed() -> Vec<Row> {
    vec![
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
    ]
}

fn settings() -> Vec<Row> {
    vec![
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

fn about(
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

fn told(answer: MetadataResponse) -> String {
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

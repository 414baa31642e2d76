//! Groups and their offsets.

use protocol::messages::*;

use super::question::{Row, row, row_told, text};
use crate::topic::name;

pub(super) fn rows() -> Vec<Row> {
    [coordinators(), classic(), offsets(), newer()].into_iter().flatten().collect()
}

fn coordinators() -> Vec<Row> {
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
    ]
}

fn classic() -> Vec<Row> {
    vec![
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
    ]
}

fn offsets() -> Vec<Row> {
    vec![
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
    ]
}

fn newer() -> Vec<Row> {
    vec![
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

fn group() -> GroupId {
    GroupId(text("g"))
}

//! The rows of groups and their offsets.

use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::messages::*;

use super::cases::{GROUP, Sample, TOPIC, TRANSACTIONAL_ID, topic};
use super::{Case, case};
use crate::requests::api_error::text;

const NOT_COORDINATOR: i16 = ErrorCode::NotCoordinator.code();

pub(super) fn group_cases() -> Vec<Case> {
    let mut cases = groups();
    cases.extend(consumer_groups());
    cases.extend(streams_groups());
    cases.extend(offsets());
    cases
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn groups() -> Vec<Case> {
    let read: &[&str] = &["Read group g"];
    vec![
        find_coordinator(0).asks(&["Describe group g"]).gets(&[GROUP]),
        find_coordinator(1)
            .asks(&["Describe transactional id g"])
            .gets(&[TRANSACTIONAL_ID])
            .since(1),
        case(
            ApiKey::JoinGroup,
            |_, _| JoinGroupRequest::default().with_group_id(group()),
            |_, response: JoinGroupResponse| vec![response.error_code],
        )
        .asks(read)
        .gets(&[GROUP]),
        case(
            ApiKey::SyncGroup,
            |version, _| {
                let protocol = (version >= 5).then(|| text("p"));
                SyncGroupRequest::default()
                    .with_group_id(group())
                    .with_protocol_type(protocol.clone())
                    .with_protocol_name(protocol)
            },
            |_, response: SyncGroupResponse| vec![response.error_code],
        )
        .asks(read)
        .gets(&[GROUP]),
        case(
            ApiKey::Heartbeat,
            |_, _| HeartbeatRequest::default().with_group_id(group()),
            |_, response: HeartbeatResponse| vec![response.error_code],
        )
        .asks(read)
        .gets(&[GROUP]),
        case(
            ApiKey::LeaveGroup,
            |_, _| LeaveGroupRequest::default().with_group_id(group()),
            |_, response: LeaveGroupResponse| vec![response.error_code],
        )
        .asks(read)
        .gets(&[GROUP]),
        case(
            ApiKey::DescribeGroups,
            |_, _| DescribeGroupsRequest::default().with_groups(vec![group()]),
            |_, response: DescribeGroupsResponse| {
                response.groups.iter().map(|group| group.error_code).collect()
            },
        )
        .asks(&["Describe group g"])
        .gets(&[GROUP]),
        // Who may see no group sees that there is none.
        case(
            ApiKey::ListGroups,
            |_, _| ListGroupsRequest::default(),
            |_, response: ListGroupsResponse| {
                vec![response.error_code, i16::from(response.groups.is_empty())]
            },
        )
        .asks(&["Describe cluster"])
        .gets(&[0, 1]),
        case(
            ApiKey::DeleteGroups,
            |_, _| DeleteGroupsRequest::default().with_groups_names(vec![group()]),
            |_, response: DeleteGroupsResponse| {
                response.results.iter().map(|group| group.error_code).collect()
            },
        )
        .asks(&["Delete group g"])
        .gets(&[GROUP]),
    ]
}

fn consumer_groups() -> Vec<Case> {
    let read: &[&str] = &["Read group g"];
    vec![
        consumer_group_heartbeat().asks(read).gets(&[GROUP]),
        consumer_group_heartbeat()
            .granted(read)
            .asks(&["Read group g", "Describe topic t"])
            .gets(&[TOPIC]),
        case(
            ApiKey::ConsumerGroupDescribe,
            |_, _| ConsumerGroupDescribeRequest::default().with_group_ids(vec![group()]),
            |_, response: ConsumerGroupDescribeResponse| {
                response.groups.iter().map(|group| group.error_code).collect()
            },
        )
        .asks(&["Describe group g"])
        .gets(&[GROUP]),
    ]
}

fn consumer_group_heartbeat() -> Case {
    case(
        ApiKey::ConsumerGroupHeartbeat,
        |_, _| {
            ConsumerGroupHeartbeatRequest::default()
                .with_group_id(group())
                .with_subscribed_topic_names(Some(vec![topic()]))
        },
        |_, response: ConsumerGroupHeartbeatResponse| vec![response.error_code],
    )
}

fn streams_groups() -> Vec<Case> {
    let read: &[&str] = &["Read group g"];
    vec![
        streams_group_heartbeat().asks(read).gets(&[GROUP]),
        streams_group_heartbeat()
            .granted(read)
            .asks(&["Read group g", "Describe topic t"])
            .gets(&[TOPIC]),
        case(
            ApiKey::StreamsGroupDescribe,
            |_, _| StreamsGroupDescribeRequest {
                group_ids: vec![group()],
                ..StreamsGroupDescribeRequest::default()
            },
            |_, response: StreamsGroupDescribeResponse| {
                response.groups.iter().map(|group| group.error_code).collect()
            },
        )
        .asks(&["Describe group g"])
        .gets(&[GROUP]),
    ]
}

fn streams_group_heartbeat() -> Case {
    use streams_group_heartbeat_request::{Subtopology, Topology};
    let request = |_, _: &Sample| {
        let part = Subtopology { source_topics: vec![topic()], ..Subtopology::default() };
        StreamsGroupHeartbeatRequest {
            group_id: group(),
            topology: Some(Topology { epoch: 0, subtopologies: vec![part] }),
            ..StreamsGroupHeartbeatRequest::default()
        }
    };
    case(ApiKey::StreamsGroupHeartbeat, request, |_, response: StreamsGroupHeartbeatResponse| {
        vec![response.error_code]
    })
}

fn find_coordinator(kind: i8) -> Case {
    let request = move |version, _: &Sample| {
        let request = FindCoordinatorRequest::default();
        let request = if version >= 4 {
            request.with_coordinator_keys(vec![text("g")])
        } else {
            request.with_key(text("g"))
        };
        if version >= 1 { request.with_key_type(kind) } else { request }
    };
    case(ApiKey::FindCoordinator, request, |version, response: FindCoordinatorResponse| {
        if version >= 4 {
            response.coordinators.iter().map(|coordinator| coordinator.error_code).collect()
        } else {
            vec![response.error_code]
        }
    })
}

fn offsets() -> Vec<Case> {
    vec![
        offset_commit().asks(&["Read group g"]).gets(&[GROUP]),
        offset_commit()
            .granted(&["Read group g"])
            .asks(&["Read group g", "Read topic t"])
            .gets(&[TOPIC]),
        txn_offset_commit().asks(&["Write transactional id x"]).gets(&[TRANSACTIONAL_ID]),
        txn_offset_commit()
            .granted(&["Write transactional id x"])
            .asks(&["Write transactional id x", "Read group g"])
            .gets(&[GROUP]),
        txn_offset_commit()
            .granted(&["Write transactional id x", "Read group g"])
            .asks(&["Write transactional id x", "Read group g", "Read topic t"])
            .gets(&[TOPIC]),
        offset_fetch().asks(&["Describe group g"]).gets(&[GROUP]),
        offset_delete().asks(&["Delete group g"]).gets(&[GROUP]),
        offset_delete()
            .granted(&["Delete group g"])
            .asks(&["Delete group g", "Read topic t"])
            // The group's coordinator has its say even where no topic is left to speak of.
            .gets(&[NOT_COORDINATOR]),
    ]
}

fn offset_commit() -> Case {
    use offset_commit_request::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
    let request = |_, sample: &Sample| {
        let asked = OffsetCommitRequestTopic {
            name: topic(),
            topic_id: sample.topic_id,
            partitions: vec![OffsetCommitRequestPartition::default()],
        };
        OffsetCommitRequest { group_id: group(), topics: vec![asked], ..Default::default() }
    };
    case(ApiKey::OffsetCommit, request, |_, response: OffsetCommitResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn txn_offset_commit() -> Case {
    use txn_offset_commit_request::{TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic};
    let request = |_, _: &Sample| {
        let asked = TxnOffsetCommitRequestTopic::default()
            .with_name(topic())
            .with_partitions(vec![TxnOffsetCommitRequestPartition::default()]);
        TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text("x")))
            .with_group_id(group())
            .with_topics(vec![asked])
    };
    case(ApiKey::TxnOffsetCommit, request, |_, response: TxnOffsetCommitResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    })
}

fn offset_fetch() -> Case {
    use offset_fetch_request::{
        OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
    };
    let request = |version, sample: &Sample| {
        if version >= 8 {
            let asked = OffsetFetchRequestTopics {
                name: topic(),
                topic_id: sample.topic_id,
                partition_indexes: vec![0],
            };
            let of_group = OffsetFetchRequestGroup {
                group_id: group(),
                topics: Some(vec![asked]),
                ..Default::default()
            };
            return OffsetFetchRequest { groups: vec![of_group], ..Default::default() };
        }
        let asked = OffsetFetchRequestTopic { name: topic(), partition_indexes: vec![0] };
        OffsetFetchRequest { group_id: group(), topics: Some(vec![asked]), ..Default::default() }
    };
    case(ApiKey::OffsetFetch, request, |version, response: OffsetFetchResponse| match version {
        8.. => response.groups.iter().map(|group| group.error_code).collect(),
        2.. => vec![response.error_code],
        _ => {
            let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
            partitions.map(|partition| partition.error_code).collect()
        }
    })
}

fn offset_delete() -> Case {
    use offset_delete_request::{OffsetDeleteRequestPartition, OffsetDeleteRequestTopic};
    let request = |_, _: &Sample| {
        let asked = OffsetDeleteRequestTopic::default()
            .with_name(topic())
            .with_partitions(vec![OffsetDeleteRequestPartition::default()]);
        OffsetDeleteRequest::default().with_group_id(group()).with_topics(vec![asked])
    };
    case(ApiKey::OffsetDelete, request, |_, response: OffsetDeleteResponse| {
        let partitions = response.topics.into_iter().flat_map(|topic| topic.partitions);
        let codes: Vec<i16> = partitions.map(|partition| partition.error_code).collect();
        if codes.is_empty() { vec![response.error_code] } else { codes }
    })
}

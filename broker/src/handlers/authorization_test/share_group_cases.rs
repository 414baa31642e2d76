//! The rows of share groups.

use protocol::api::ApiKey;
use protocol::messages::alter_share_group_offsets_request::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use protocol::messages::delete_share_group_offsets_request::DeleteShareGroupOffsetsRequestTopic;
use protocol::messages::describe_share_group_offsets_request::{
    DescribeShareGroupOffsetsRequestGroup, DescribeShareGroupOffsetsRequestTopic,
};
use protocol::messages::*;

use super::cases::{GROUP, TOPIC, topic};
use super::{Case, case};
use crate::requests::api_error::text;

pub(super) fn share_group_cases() -> Vec<Case> {
    let read: &[&str] = &["Read group g"];
    let describe: &[&str] = &["Describe group g"];
    vec![
        heartbeat().asks(read).gets(&[GROUP]),
        heartbeat().granted(read).asks(&["Read group g", "Describe topic t"]).gets(&[TOPIC]),
        case(
            ApiKey::ShareGroupDescribe,
            |_, _| ShareGroupDescribeRequest::default().with_group_ids(vec![group()]),
            |_, response: ShareGroupDescribeResponse| {
                response.groups.iter().map(|group| group.error_code).collect()
            },
        )
        .asks(describe)
        .gets(&[GROUP]),
        described().asks(describe).gets(&[GROUP]),
        described()
            .granted(describe)
            .asks(&["Describe group g", "Describe topic t"])
            .gets(&[0, TOPIC]),
        altered().asks(read).gets(&[GROUP]),
        deleted().asks(&["Delete group g"]).gets(&[GROUP]),
    ]
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn heartbeat() -> Case {
    case(
        ApiKey::ShareGroupHeartbeat,
        |_, _| {
            ShareGroupHeartbeatRequest::default()
                .with_group_id(group())
                .with_member_id(text("m"))
                .with_subscribed_topic_names(Some(vec![topic()]))
        },
        |_, response: ShareGroupHeartbeatResponse| vec![response.error_code],
    )
}

fn described() -> Case {
    case(
        ApiKey::DescribeShareGroupOffsets,
        |_, _| {
            let topic =
                DescribeShareGroupOffsetsRequestTopic { topic_name: topic(), partitions: vec![0] };
            let group = DescribeShareGroupOffsetsRequestGroup {
                group_id: group(),
                topics: Some(vec![topic]),
            };
            DescribeShareGroupOffsetsRequest { groups: vec![group] }
        },
        |_, response: DescribeShareGroupOffsetsResponse| {
            let mut codes = Vec::new();
            for group in response.groups {
                codes.push(group.error_code);
                let partitions = group.topics.iter().flat_map(|topic| &topic.partitions);
                codes.extend(partitions.map(|partition| partition.error_code));
            }
            codes
        },
    )
}

fn altered() -> Case {
    case(
        ApiKey::AlterShareGroupOffsets,
        |_, _| {
            let partition = AlterShareGroupOffsetsRequestPartition::default();
            let topic = AlterShareGroupOffsetsRequestTopic::default()
                .with_topic_name(topic())
                .with_partitions(vec![partition]);
            AlterShareGroupOffsetsRequest::default().with_group_id(group()).with_topics(vec![topic])
        },
        |_, response: AlterShareGroupOffsetsResponse| vec![response.error_code],
    )
}

fn deleted() -> Case {
    case(
        ApiKey::DeleteShareGroupOffsets,
        |_, _| {
            let topic = DeleteShareGroupOffsetsRequestTopic::default().with_topic_name(topic());
            DeleteShareGroupOffsetsRequest::default()
                .with_group_id(group())
                .with_topics(vec![topic])
        },
        |_, response: DeleteShareGroupOffsetsResponse| vec![response.error_code],
    )
}

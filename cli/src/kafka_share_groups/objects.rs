//! The rows of `--describe` as objects of JSON, which have all that `--verbose` adds.
//!
//! Pure. `tables` has the same rows as text.

use client::admin::{Node, ShareGroupDescription, ShareGroupMember, ShareOffset, TopicPartition};
use serde::Serialize;

use crate::group_command::objects::{CoordinatorObject, TopicPartitions, assignment};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OffsetObject<'a> {
    group_id: &'a str,
    topic: &'a str,
    partition: i32,
    leader_epoch: Option<i32>,
    start_offset: Option<i64>,
    lag: Option<i64>,
}

impl<'a> OffsetObject<'a> {
    pub(super) fn of(
        group: &'a str,
        (partition, offset): &'a (TopicPartition, Option<ShareOffset>),
    ) -> Self {
        Self {
            group_id: group,
            topic: &partition.topic,
            partition: partition.partition,
            leader_epoch: offset.and_then(|offset| offset.leader_epoch),
            start_offset: offset.map(|offset| offset.start),
            lag: offset.and_then(|offset| offset.lag),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberObject<'a> {
    group_id: &'a str,
    consumer_id: &'a str,
    host: &'a str,
    client_id: &'a str,
    partition_count: usize,
    member_epoch: i32,
    assignment: Vec<TopicPartitions<'a>>,
}

impl<'a> MemberObject<'a> {
    pub(super) fn of(group: &'a str, member: &'a ShareGroupMember) -> Self {
        Self {
            group_id: group,
            consumer_id: &member.member_id,
            host: &member.host,
            client_id: &member.client_id,
            partition_count: member.assigned.len(),
            member_epoch: member.epoch,
            assignment: assignment(&member.assigned),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateObject<'a> {
    group_id: &'a str,
    coordinator: CoordinatorObject<'a>,
    state: &'static str,
    group_epoch: i32,
    assignment_epoch: i32,
    member_count: usize,
}

impl<'a> StateObject<'a> {
    pub(super) fn of(group: &'a ShareGroupDescription, coordinator: Option<&'a Node>) -> Self {
        Self {
            group_id: &group.group,
            coordinator: CoordinatorObject::of_node(group.coordinator, coordinator),
            state: group.state.name(),
            group_epoch: group.group_epoch,
            assignment_epoch: group.assignment_epoch,
            member_count: group.members.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use client::admin::GroupState;

    use super::*;

    fn json(object: &impl Serialize) -> String {
        serde_json::to_string(object).unwrap()
    }

    fn partition(partition: i32) -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition }
    }

    #[test]
    fn what_is_not_known_of_a_partition_is_null() {
        let known = ShareOffset { start: 12, leader_epoch: Some(0), lag: Some(3) };
        let table = [
            (Some(known), r#""leaderEpoch":0,"startOffset":12,"lag":3}"#),
            (
                Some(ShareOffset { leader_epoch: None, lag: None, ..known }),
                r#""leaderEpoch":null,"startOffset":12,"lag":null}"#,
            ),
            (None, r#""leaderEpoch":null,"startOffset":null,"lag":null}"#),
        ];
        for (offset, end) in table {
            let expected = format!(r#"{{"groupId":"g","topic":"t","partition":1,{end}"#);
            assert_eq!(json(&OffsetObject::of("g", &(partition(1), offset))), expected);
        }
    }

    #[test]
    fn a_group_has_its_epochs_and_a_member_its_assignment() {
        let member = ShareGroupMember {
            member_id: "m".to_owned(),
            rack: None,
            client_id: "c".to_owned(),
            host: "/h".to_owned(),
            epoch: 3,
            assigned: vec![partition(10), partition(2)],
        };
        let expected = concat!(
            r#"{"groupId":"g","consumerId":"m","host":"/h","clientId":"c","partitionCount":2,"#,
            r#""memberEpoch":3,"assignment":[{"topic":"t","partitions":[2,10]}]}"#
        );
        assert_eq!(json(&MemberObject::of("g", &member)), expected);
        let group = ShareGroupDescription {
            group: "g".to_owned(),
            state: GroupState::Stable,
            coordinator: 1,
            group_epoch: 4,
            assignment_epoch: 3,
            members: vec![member],
        };
        let expected = concat!(
            r#"{"groupId":"g","coordinator":{"id":1,"host":null,"port":null},"state":"Stable","#,
            r#""groupEpoch":4,"assignmentEpoch":3,"memberCount":1}"#
        );
        assert_eq!(json(&StateObject::of(&group, None)), expected);
    }
}

//! The rows of `--describe` as objects of JSON, which have all that `--verbose` adds.
//!
//! Pure. `tables` has the same rows as text.

use serde::Serialize;

use super::tables::{MemberRow, OffsetRow, StateRow};
use crate::group_command::objects::{CoordinatorObject, TopicPartitions, assignment};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OffsetObject<'a> {
    group_id: &'a str,
    topic: &'a str,
    partition: i32,
    leader_epoch: Option<i32>,
    current_offset: Option<i64>,
    log_end_offset: Option<i64>,
    lag: Option<i64>,
    consumer_id: Option<&'a str>,
    host: Option<&'a str>,
    client_id: Option<&'a str>,
}

impl<'a> OffsetObject<'a> {
    pub(super) fn of(group: &'a str, row: &'a OffsetRow) -> Self {
        let member = |at: usize| row.member.as_ref()?.get(at).map(String::as_str);
        Self {
            group_id: group,
            topic: &row.partition.topic,
            partition: row.partition.partition,
            leader_epoch: row.epoch,
            current_offset: row.offset,
            log_end_offset: row.end,
            lag: row.lag,
            consumer_id: member(0),
            host: member(1),
            client_id: member(2),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberObject<'a> {
    group_id: &'a str,
    consumer_id: &'a str,
    group_instance_id: Option<&'a str>,
    host: &'a str,
    client_id: &'a str,
    partition_count: usize,
    current_epoch: Option<i32>,
    current_assignment: Vec<TopicPartitions<'a>>,
    target_epoch: Option<i32>,
    target_assignment: Option<Vec<TopicPartitions<'a>>>,
    upgraded: Option<bool>,
}

impl<'a> MemberObject<'a> {
    pub(super) fn of(group: &'a str, row: &MemberRow<'a>) -> Self {
        let member = row.member;
        let generation = member.generation.as_ref();
        Self {
            group_id: group,
            consumer_id: &member.member_id,
            group_instance_id: member.instance_id.as_deref(),
            host: &member.host,
            client_id: &member.client_id,
            partition_count: member.assigned.len(),
            current_epoch: generation.map(|generation| generation.epoch),
            current_assignment: assignment(&member.assigned),
            target_epoch: row.target_epoch,
            target_assignment: generation.map(|generation| assignment(&generation.target)),
            upgraded: generation.and_then(|generation| generation.is_upgraded),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateObject<'a> {
    group_id: &'a str,
    coordinator: CoordinatorObject<'a>,
    assignment_strategy: Option<&'a str>,
    state: &'static str,
    group_epoch: Option<i32>,
    target_assignment_epoch: Option<i32>,
    member_count: usize,
}

impl<'a> StateObject<'a> {
    pub(super) fn of(row: &'a StateRow) -> Self {
        Self {
            group_id: &row.group,
            coordinator: CoordinatorObject::of(row.coordinator, row.address.as_ref()),
            assignment_strategy: Some(row.strategy.as_str()).filter(|name| !name.is_empty()),
            state: row.state.name(),
            group_epoch: row.epochs.map(|(group, _)| group),
            target_assignment_epoch: row.epochs.map(|(_, target)| target),
            member_count: row.members,
        }
    }
}

#[cfg(test)]
mod tests {
    use client::admin::{GroupMember, GroupState, MemberGeneration, TopicPartition};

    use super::*;

    fn partition(partition: i32) -> TopicPartition {
        TopicPartition { topic: "t".to_owned(), partition }
    }

    fn json(object: &impl Serialize) -> String {
        serde_json::to_string(object).unwrap()
    }

    #[test]
    fn what_nobody_reads_has_no_consumer() {
        let row = OffsetRow {
            partition: partition(3),
            epoch: None,
            offset: Some(7),
            end: Some(9),
            lag: Some(2),
            member: None,
        };
        let expected = concat!(
            r#"{"groupId":"g","topic":"t","partition":3,"leaderEpoch":null,"currentOffset":7,"#,
            r#""logEndOffset":9,"lag":2,"consumerId":null,"host":null,"clientId":null}"#
        );
        assert_eq!(json(&OffsetObject::of("g", &row)), expected);
    }

    #[test]
    fn a_member_has_its_assignments_by_topic() {
        let generation =
            MemberGeneration { epoch: 4, target: vec![partition(0)], is_upgraded: None };
        let member = GroupMember {
            member_id: "m".to_owned(),
            instance_id: None,
            client_id: "c".to_owned(),
            rack: None,
            host: "/h".to_owned(),
            assigned: vec![partition(10), partition(2)],
            generation: Some(generation),
        };
        let row = MemberRow { member: &member, target_epoch: Some(5) };
        let expected = concat!(
            r#"{"groupId":"g","consumerId":"m","groupInstanceId":null,"host":"/h","clientId":"c","#,
            r#""partitionCount":2,"currentEpoch":4,"#,
            r#""currentAssignment":[{"topic":"t","partitions":[2,10]}],"targetEpoch":5,"#,
            r#""targetAssignment":[{"topic":"t","partitions":[0]}],"upgraded":null}"#
        );
        assert_eq!(json(&MemberObject::of("g", &row)), expected);
    }

    #[test]
    fn a_group_names_its_coordinator() {
        let row = StateRow {
            group: "g".to_owned(),
            coordinator: 1,
            address: Some(client::Address { host: "a".to_owned(), port: 9 }),
            strategy: String::new(),
            state: GroupState::Empty,
            epochs: None,
            members: 0,
        };
        let expected = concat!(
            r#"{"groupId":"g","coordinator":{"id":1,"host":"a","port":9},"#,
            r#""assignmentStrategy":null,"state":"Empty","groupEpoch":null,"#,
            r#""targetAssignmentEpoch":null,"memberCount":0}"#
        );
        assert_eq!(json(&StateObject::of(&row)), expected);
    }
}

//! The rows of `--describe` as objects of JSON, which have all that `--verbose` adds.
//!
//! Pure. `tables` has the same rows as text.

use client::admin::{
    Node, StreamsAssignment, StreamsGroupDescription, StreamsMember, StreamsTasks,
};
use serde::Serialize;

use super::tables::OffsetRow;
use crate::group_command::objects::CoordinatorObject;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OffsetObject<'a> {
    group_id: &'a str,
    topic: &'a str,
    partition: i32,
    current_offset: Option<i64>,
    leader_epoch: Option<i32>,
    log_end_offset: i64,
    offset_lag: i64,
}

impl<'a> OffsetObject<'a> {
    pub(super) fn of(group: &'a str, row: &'a OffsetRow) -> Self {
        Self {
            group_id: group,
            topic: &row.partition.topic,
            partition: row.partition.partition,
            current_offset: row.offset,
            leader_epoch: row.epoch,
            log_end_offset: row.end,
            offset_lag: row.lag,
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
    target_assignment_epoch: i32,
    member_count: usize,
}

impl<'a> StateObject<'a> {
    pub(super) fn of(group: &'a StreamsGroupDescription, coordinator: Option<&'a Node>) -> Self {
        Self {
            group_id: &group.group,
            coordinator: CoordinatorObject::of_node(group.coordinator, coordinator),
            state: group.state.name(),
            group_epoch: group.group_epoch,
            target_assignment_epoch: group.assignment_epoch,
            member_count: group.members.len(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tasks<'a> {
    subtopology_id: &'a str,
    partitions: &'a [i32],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment<'a> {
    active_tasks: Vec<Tasks<'a>>,
    standby_tasks: Vec<Tasks<'a>>,
    warmup_tasks: Vec<Tasks<'a>>,
}

impl<'a> Assignment<'a> {
    fn of(assignment: &'a StreamsAssignment) -> Self {
        let tasks = |tasks: &'a [StreamsTasks]| {
            let tasks = tasks.iter().map(|tasks| Tasks {
                subtopology_id: &tasks.subtopology,
                partitions: &tasks.partitions,
            });
            tasks.collect()
        };
        Self {
            active_tasks: tasks(&assignment.active),
            standby_tasks: tasks(&assignment.standby),
            warmup_tasks: tasks(&assignment.warmup),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MemberObject<'a> {
    group_id: &'a str,
    target_assignment_epoch: i32,
    topology_epoch: i32,
    member_id: &'a str,
    member_protocol: &'static str,
    member_epoch: i32,
    process_id: &'a str,
    client_id: &'a str,
    assignment: Assignment<'a>,
    target_assignment: Assignment<'a>,
}

impl<'a> MemberObject<'a> {
    pub(super) fn of(group: &'a StreamsGroupDescription, member: &'a StreamsMember) -> Self {
        Self {
            group_id: &group.group,
            target_assignment_epoch: group.assignment_epoch,
            topology_epoch: group.topology_epoch,
            member_id: &member.member_id,
            member_protocol: super::tables::protocol(member),
            member_epoch: member.epoch,
            process_id: &member.process_id,
            client_id: &member.client_id,
            assignment: Assignment::of(&member.assignment),
            target_assignment: Assignment::of(&member.target_assignment),
        }
    }
}

#[cfg(test)]
mod tests {
    use client::admin::{GroupState, TopicPartition};

    use super::*;

    fn json(object: &impl Serialize) -> String {
        serde_json::to_string(object).unwrap()
    }

    #[test]
    fn what_is_not_committed_is_null() {
        let partition = TopicPartition { topic: "t".to_owned(), partition: 1 };
        let row = OffsetRow { partition, offset: None, epoch: None, end: 9, lag: 4 };
        let expected = concat!(
            r#"{"groupId":"g","topic":"t","partition":1,"currentOffset":null,"leaderEpoch":null,"#,
            r#""logEndOffset":9,"offsetLag":4}"#
        );
        assert_eq!(json(&OffsetObject::of("g", &row)), expected);
    }

    #[test]
    fn a_member_has_its_tasks_by_their_kind() {
        let tasks = |id: &str, partitions: &[i32]| StreamsTasks {
            subtopology: id.to_owned(),
            partitions: partitions.to_vec(),
        };
        let member = StreamsMember {
            member_id: "m".to_owned(),
            epoch: 3,
            client_id: "c".to_owned(),
            client_host: "/h".to_owned(),
            process_id: "p".to_owned(),
            assignment: StreamsAssignment {
                active: vec![tasks("0", &[0, 1])],
                standby: vec![tasks("1", &[2])],
                warmup: Vec::new(),
            },
            target_assignment: StreamsAssignment::default(),
            is_classic: false,
        };
        let group = StreamsGroupDescription {
            group: "g".to_owned(),
            state: GroupState::NotReady,
            coordinator: 1,
            group_epoch: 4,
            assignment_epoch: 3,
            topology_epoch: 2,
            subtopologies: Vec::new(),
            members: vec![member],
        };
        let expected = concat!(
            r#"{"groupId":"g","targetAssignmentEpoch":3,"topologyEpoch":2,"memberId":"m","#,
            r#""memberProtocol":"streams","memberEpoch":3,"processId":"p","clientId":"c","#,
            r#""assignment":{"activeTasks":[{"subtopologyId":"0","partitions":[0,1]}],"#,
            r#""standbyTasks":[{"subtopologyId":"1","partitions":[2]}],"warmupTasks":[]},"#,
            r#""targetAssignment":{"activeTasks":[],"standbyTasks":[],"warmupTasks":[]}}"#
        );
        assert_eq!(json(&MemberObject::of(&group, &group.members[0])), expected);
        let expected = concat!(
            r#"{"groupId":"g","coordinator":{"id":1,"host":null,"port":null},"state":"NotReady","#,
            r#""groupEpoch":4,"targetAssignmentEpoch":3,"memberCount":1}"#
        );
        assert_eq!(json(&StateObject::of(&group, None)), expected);
    }
}

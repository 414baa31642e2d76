//! What a member says in a heartbeat, held against what is known of it and of its group. Answers to
//! the checks of `GroupMetadataManager.streamsGroupHeartbeat`.

use std::sync::Arc;

use protocol::records::group::GroupRecord;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::configured_topology::ConfiguredTopology;
use super::event::StreamsGroupEvent;
use super::group::StreamsGroup;
use super::member::Member;
use super::records;
use super::request::{StreamsHeartbeatRequest, TaskIds};
use super::status::StreamsStatus;
use super::tasks::{TaskAssignment, Tasks};
use super::topology::StreamsTopology;

/// The member, which one that joins may become; refused where its epoch is not the member's.
pub(super) fn known_or_new(
    group: &StreamsGroup,
    request: &StreamsHeartbeatRequest,
    out: &mut Outputs,
) -> Result<Member, GroupError> {
    let id = &request.member_id;
    if request.member_epoch == 0 {
        let (group_id, member) = (group.id.clone(), id.clone());
        out.log(LogEvent::Streams(StreamsGroupEvent::Joins { group: group_id, member }));
        let known = group.members.get(id).map(|known| Member::clone(known));
        return Ok(known.unwrap_or_else(|| Member::new(id.clone())));
    }
    let member = group.member(id)?;
    let (received, known) = (request.member_epoch, member.epoch);
    // The answer with the new epoch may have been lost.
    let missed_one = received == member.previous_epoch && has_no_more(request, member);
    if received == known || received < known && missed_one {
        return Ok(Member::clone(member));
    }
    let how = if received > known { "greater" } else { "smaller" };
    Err(GroupError::FencedMemberEpoch(format!(
        "The streams group member has a {how} member epoch ({received}) than the one known by the \
         group coordinator ({known}). The member must abandon all its partitions and rejoin."
    )))
}

/// Whether the member has told what it has, and that is no more than it was given.
fn has_no_more(request: &StreamsHeartbeatRequest, member: &Member) -> bool {
    let given = member.assigned.assignment();
    let kinds = [
        (&request.active_tasks, &given.active),
        (&request.standby_tasks, &given.standby),
        (&request.warmup_tasks, &given.warmup),
    ];
    kinds.into_iter().all(|(told, given)| {
        told.as_ref().is_some_and(|told| {
            told.iter().all(|tasks| {
                given.get(&tasks.subtopology).is_some_and(|given| {
                    tasks.partitions.iter().all(|partition| given.contains(partition))
                })
            })
        })
    })
}

/// The group's topology, which the first member brings; nobody can change it (4.3).
pub(super) fn topology(
    group: &StreamsGroup,
    request: &StreamsHeartbeatRequest,
    written: &mut Vec<GroupRecord>,
    out: &mut Outputs,
) -> Result<Arc<StreamsTopology>, GroupError> {
    let known = group.topology.as_ref();
    let Some(value) = &request.topology else {
        return known
            .cloned()
            .ok_or(GroupError::Unexpected("neither the group nor the request has a topology"));
    };
    let brought = StreamsTopology::new(value.clone())
        .ok_or(GroupError::Unexpected("a subtopology is there twice"))?;
    let event = |text| StreamsGroupEvent::Topology {
        group: group.id.clone(),
        member: request.member_id.clone(),
        text,
        epoch: brought.epoch,
    };
    match known {
        None => {
            out.log(LogEvent::Streams(event("Member initialized the topology with epoch")));
            written.push(records::topology(&group.id, value.clone()));
            Ok(Arc::new(brought))
        }
        Some(known) if known.epoch > brought.epoch => {
            out.log(LogEvent::Streams(event("Member joined with stale topology epoch")));
            Ok(Arc::clone(known))
        }
        Some(known) if **known == brought => Ok(Arc::clone(known)),
        Some(_) => Err(GroupError::InvalidRequest("Topology updates are not supported yet.")),
    }
}

pub(super) fn stale_topology(group: &StreamsGroup, member: &Member) -> Option<StreamsStatus> {
    let group = group.topology.as_ref()?.epoch;
    let member = member.topology_epoch;
    (member < group).then_some(StreamsStatus::StaleTopology { member, group })
}

/// A member cannot have tasks that are not there.
pub(super) fn refuse_unknown_tasks(
    configured: &ConfiguredTopology,
    request: &StreamsHeartbeatRequest,
) -> Result<(), GroupError> {
    let Some(subtopologies) = configured.ready() else { return Ok(()) };
    let told = [&request.active_tasks, &request.standby_tasks, &request.warmup_tasks];
    for tasks in told.into_iter().flatten().flatten() {
        let id = &tasks.subtopology;
        let Some(part) = subtopologies.get(id) else {
            let why = format!("Subtopology {id} does not exist in the topology.");
            return Err(GroupError::InvalidStreamsRequest(why));
        };
        let count = part.tasks;
        if let Some(task) = tasks.partitions.iter().find(|task| !(0..count).contains(*task)) {
            return Err(GroupError::InvalidStreamsRequest(format!(
                "Task {task} for subtopology {id} is invalid. Number of tasks for this \
                 subtopology: {count}"
            )));
        }
    }
    Ok(())
}

/// What the member says it has, if it says so of all kinds of tasks.
pub(super) fn owned(
    request: &StreamsHeartbeatRequest,
) -> Result<Option<TaskAssignment>, GroupError> {
    let (Some(active), Some(standby), Some(warmup)) =
        (&request.active_tasks, &request.standby_tasks, &request.warmup_tasks)
    else {
        return Ok(None);
    };
    let by_subtopology = |told: &[TaskIds]| {
        let tasks = told
            .iter()
            .map(|tasks| (tasks.subtopology.clone(), tasks.partitions.iter().copied().collect()));
        let tasks: Tasks = tasks.collect();
        if tasks.len() == told.len() {
            Ok(tasks)
        } else {
            Err(GroupError::Unexpected("a subtopology's tasks are there twice"))
        }
    };
    Ok(Some(TaskAssignment {
        active: by_subtopology(active)?,
        standby: by_subtopology(standby)?,
        warmup: by_subtopology(warmup)?,
    }))
}

//! StreamsGroupHeartbeat: a member joins, says what it runs and has, and is told what to have.
//!
//! One heartbeat is one write: who the member is, the topology if it is the first, the epoch of the
//! group if that changes, the new target if it is behind, and what the member has from here on.
//! Answers to `GroupMetadataManager.streamsGroupHeartbeat`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::modern::ClusterMetadata;
use super::super::settings::Caller;
use super::super::shard::{Group, GroupShard};
use super::configured_topology::{ConfiguredTopology, InternalTopic};
use super::endpoints::{EndpointPartitions, endpoints};
use super::event::StreamsGroupEvent;
use super::group::StreamsGroup;
use super::member::Member;
use super::reconciliation::Reconciliation;
use super::records;
use super::request::StreamsHeartbeatRequest;
use super::status::StreamsStatus;
use super::target_assignment::Assigning;
use super::tasks::TaskAssignment;
use super::topology::StreamsTopology;
use super::unwritten::Unwritten;
use crate::runtime::{Now, Reply};

/// The answer to a heartbeat, or why it was refused.
pub type StreamsHeartbeatAnswer = Result<Box<StreamsGroupHeartbeat>, GroupError>;

/// What a member is told.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StreamsGroupHeartbeat {
    pub member_id: StrBytes,
    pub member_epoch: i32,
    /// 0 for a member that leaves.
    pub heartbeat_interval_ms: i32,
    pub statuses: Vec<StreamsStatus>,
    /// None: it is what the member has been told before.
    pub tasks: Option<TaskAssignment>,
    pub endpoint_information_epoch: i32,
    /// None: the member knows them.
    pub endpoints: Option<Vec<EndpointPartitions>>,
    /// What is to be made before the group can begin.
    pub missing_topics: Vec<InternalTopic>,
}

/// What one heartbeat writes and answers.
type Beat = (Vec<GroupRecord>, StreamsGroupHeartbeat);

/// The topology with the topics that there are, and whether that is news.
struct Configured {
    topology: Arc<ConfiguredTopology>,
    metadata_hash: i64,
    /// What it depends on has changed since the last epoch.
    is_changed: bool,
}

impl GroupShard {
    /// StreamsGroupHeartbeat. `image` is the newest metadata.
    pub fn streams_group_heartbeat(
        &mut self,
        client: Caller<'_>,
        request: &StreamsHeartbeatRequest,
        image: &Arc<dyn ClusterMetadata>,
        reply: Reply<StreamsHeartbeatAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        self.catch_up(image);
        let id = &request.group_id;
        let beaten = if request.leaves() {
            self.leave_streams_group(request, out)
        } else {
            self.streams_beat(client, request, now, out)
        };
        let (written, answer) = match beaten {
            Ok((written, answer)) => (written, Ok(Box::new(answer))),
            Err(error) => return out.reply(reply, Err(error)),
        };
        if !written.is_empty() {
            out.write_and_reply(self, written, reply, answer);
        } else if self.groups.is_under_way(id) {
            // What the member is told must stand in the log: another coordinator has to know.
            out.reply_when_settled(reply, answer);
        } else {
            out.reply(reply, answer);
        }
    }

    fn leave_streams_group(
        &mut self,
        request: &StreamsHeartbeatRequest,
        out: &mut Outputs,
    ) -> Result<Beat, GroupError> {
        let written = self.leave_streams_by_heartbeat(request, out)?;
        let answer = StreamsGroupHeartbeat {
            member_id: request.member_id.clone(),
            member_epoch: request.member_epoch,
            ..StreamsGroupHeartbeat::default()
        };
        Ok((written, answer))
    }

    fn streams_beat(
        &mut self,
        client: Caller<'_>,
        request: &StreamsHeartbeatRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Beat, GroupError> {
        let (id, mut written, mut statuses) = (&request.group_id, Vec::new(), Vec::new());
        let (group, mut unwritten) = self.streams_group_to_join(request, &mut written, out)?;
        let member = known_or_new(&group, request, out)?;
        let mut updated = member.updated(request, client)?;
        let is_member_changed = updated != member;
        if is_member_changed {
            written.push(records::member(id, &updated));
        }
        let topology = topology(&group, request, &mut written, out)?;
        statuses.extend(stale_topology(&group, &updated));
        let configured = self.configure(&group, &topology, &mut unwritten, request, now, out)?;
        let validated = match configured.topology.ready() {
            Some(_) => topology.epoch,
            None => -1,
        };
        refuse_unknown_tasks(&configured.topology, request)?;
        let configs = self.streams_assignment_configs(id);
        let mut epoch = group.epoch;
        if is_member_changed
            || configured.is_changed
            || validated != group.validated_topology_epoch
            || configs != group.assignment_configs
        {
            epoch += 1;
            let hash = configured.metadata_hash;
            written.push(records::group_epoch(id, epoch, hash, validated, &configs));
            self.metadata.refreshed(id, epoch, now);
            out.log(LogEvent::Streams(StreamsGroupEvent::Bumped {
                group: id.clone(),
                member: updated.id.clone(),
                epoch,
                metadata_hash: hash,
                validated_topology_epoch: validated,
            }));
        }
        self.delay_streams_assignment(&group, now);
        let assigning = Assigning {
            group: &group,
            epoch,
            member: Some(&updated),
            configured: &configured.topology,
            configs: &configs,
        };
        let target =
            self.update_streams_target(&assigning, &mut statuses, &mut written, now, out)?;
        let owned = owned(request)?;
        if !updated.is_reconciled_to(target.epoch) {
            let reconciled = Reconciliation {
                group: &group,
                member: &updated,
                target_epoch: target.epoch,
                target: &target.assignment,
                owned: owned.as_ref(),
            }
            .step()?;
            if reconciled != updated {
                written.push(records::current_assignment(id, &reconciled));
                out.log(LogEvent::Streams(StreamsGroupEvent::reconciled(id, &reconciled)));
                self.time_streams_rebalance(id, &reconciled, now);
            }
            updated = reconciled;
        }
        self.restart_streams_session(id, &updated.id, now);
        if request.shutdown_application {
            request_shutdown(&mut unwritten, request, out);
        }
        let is_new = request.member_epoch == 0 || member.assigned != updated.assigned;
        if is_new && updated.user_endpoint.is_some() {
            unwritten.endpoint_epoch += 1;
        }
        statuses.extend(configured.topology.problem.clone());
        statuses.extend(unwritten.shutdown_requested_by.clone().map(StreamsStatus::ShutdownApplication));
        let image = self.metadata.image();
        let knows_endpoints = unwritten.endpoint_epoch == request.endpoint_information_epoch;
        let endpoints = (!knows_endpoints)
            .then(|| endpoints(&group, &updated, &configured.topology, &**image));
        let answer = StreamsGroupHeartbeat {
            member_id: updated.id.clone(),
            member_epoch: updated.epoch,
            heartbeat_interval_ms: self.streams_heartbeat_interval_ms(id),
            statuses,
            tasks: tasks_to_tell(&updated, is_new, owned.as_ref()),
            // That of a group that comes into being here is not kept.
            endpoint_information_epoch: match self.groups.latest(id) {
                Some(_) => unwritten.endpoint_epoch,
                None => 0,
            },
            endpoints,
            missing_topics: configured.topology.missing.clone(),
        };
        if let Some(Group::Streams(_)) = self.groups.latest(id) {
            self.streams.insert(id.clone(), unwritten);
        }
        Ok((written, answer))
    }

    /// The group, which somebody who joins makes; an empty classic one gives way to it.
    fn streams_group_to_join(
        &mut self,
        request: &StreamsHeartbeatRequest,
        written: &mut Vec<GroupRecord>,
        out: &mut Outputs,
    ) -> Result<(Arc<StreamsGroup>, Unwritten), GroupError> {
        let (id, joins) = (&request.group_id, request.member_epoch == 0);
        let new = || Arc::new(StreamsGroup::new(id.clone()));
        let mut unwritten = Unwritten::default();
        let group = match self.groups.latest(id) {
            Some(Group::Streams(group)) => {
                unwritten = self.streams.get(id).cloned().unwrap_or_default();
                Arc::clone(group)
            }
            None if joins => new(),
            None => return Err(GroupError::NoSuchStreamsGroup(id.clone())),
            Some(group @ Group::Classic(_)) if joins && group.is_empty() => {
                written.extend(self.group_tombstones(id));
                let group = id.clone();
                out.log(LogEvent::Streams(StreamsGroupEvent::ConvertedFromClassic { group }));
                new()
            }
            Some(_) => return Err(GroupError::NotAStreamsGroup(id.clone())),
        };
        let max = self.settings.streams.max_size;
        if joins && group.members.len() >= max {
            return Err(GroupError::StreamsGroupFull { max });
        }
        Ok((group, unwritten))
    }

    /// Looks at the topics again where something may have changed since the last time.
    fn configure(
        &mut self,
        group: &StreamsGroup,
        topology: &StreamsTopology,
        unwritten: &mut Unwritten,
        request: &StreamsHeartbeatRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Configured, GroupError> {
        if let Some(known) = &unwritten.configured
            && group.topology.is_some()
            && !self.metadata.is_expired(&group.id, group.epoch, now)
        {
            let (topology, metadata_hash) = (Arc::clone(known), group.metadata_hash);
            return Ok(Configured { topology, metadata_hash, is_changed: false });
        }
        let metadata_hash = self.metadata.hash_of_topics(topology.required_topics());
        let is_changed = metadata_hash != group.metadata_hash;
        let known = unwritten.configured.take();
        let known = known.filter(|_| group.topology.is_some() && !is_changed);
        let configured = match known {
            Some(known) => known,
            None => {
                let configured = ConfiguredTopology::new(topology, &**self.metadata.image())?;
                out.log(LogEvent::Streams(StreamsGroupEvent::Configured {
                    group: group.id.clone(),
                    member: request.member_id.clone(),
                    topology_epoch: configured.epoch,
                    problem: configured.problem.clone(),
                }));
                Arc::new(configured)
            }
        };
        unwritten.configured = Some(Arc::clone(&configured));
        Ok(Configured { topology: configured, metadata_hash, is_changed })
    }
}

/// The member, which one that joins may become; refused where its epoch is not the member's.
fn known_or_new(
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
fn topology(
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

fn stale_topology(group: &StreamsGroup, member: &Member) -> Option<StreamsStatus> {
    let group = group.topology.as_ref()?.epoch;
    let member = member.topology_epoch;
    (member < group).then_some(StreamsStatus::StaleTopology { member, group })
}

/// A member cannot have tasks that are not there.
fn refuse_unknown_tasks(
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
fn owned(request: &StreamsHeartbeatRequest) -> Result<Option<TaskAssignment>, GroupError> {
    let (Some(active), Some(standby), Some(warmup)) =
        (&request.active_tasks, &request.standby_tasks, &request.warmup_tasks)
    else {
        return Ok(None);
    };
    let by_subtopology = |told: &[super::request::TaskIds]| {
        let tasks = told.iter().map(|tasks| {
            (tasks.subtopology.clone(), tasks.partitions.iter().copied().collect())
        });
        let tasks: BTreeMap<_, _> = tasks.collect();
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

/// What a member is to have, when it does not know. Unlike Kafka: who says that it has something
/// else is told again, because the answer that told it may be lost (docs/decisions/0496).
fn tasks_to_tell(
    member: &Member,
    is_new: bool,
    owned: Option<&TaskAssignment>,
) -> Option<TaskAssignment> {
    let tasks = member.assigned.assignment();
    (is_new || owned.is_some_and(|owned| *owned != tasks)).then_some(tasks)
}

/// The first member that asks for it is named to all.
pub(super) fn request_shutdown(
    unwritten: &mut Unwritten,
    request: &StreamsHeartbeatRequest,
    out: &mut Outputs,
) {
    if unwritten.shutdown_requested_by.is_none() {
        unwritten.shutdown_requested_by = Some(request.member_id.clone());
        out.log(LogEvent::Streams(StreamsGroupEvent::ShutdownRequested {
            group: request.group_id.clone(),
            member: request.member_id.clone(),
        }));
    }
}

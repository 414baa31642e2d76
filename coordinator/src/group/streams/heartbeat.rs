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
use super::admission::{known_or_new, owned, refuse_unknown_tasks, stale_topology, topology};
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
        let updated = member.updated(request, client)?;
        if updated != member {
            written.push(records::member(id, &updated));
        }
        let topology = topology(&group, request, &mut written, out)?;
        statuses.extend(stale_topology(&group, &updated));
        let configured = self.configure(&group, &topology, &mut unwritten, request, now, out)?;
        refuse_unknown_tasks(&configured.topology, request)?;
        let configs = self.streams_assignment_configs(id);
        let is_changed = updated != member || configs != group.assignment_configs;
        let epoch = self
            .streams_epoch(&group, &updated, &configured, &configs, is_changed, now, out)
            .map_or(group.epoch, |(epoch, record)| {
                written.push(record);
                epoch
            });
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
        let reconciliation = Reconciliation {
            group: &group,
            member: &updated,
            target_epoch: target.epoch,
            target: &target.assignment,
            owned: owned.as_ref(),
        };
        let updated = self.reconcile_streams(&reconciliation, &mut written, now, out)?;
        self.restart_streams_session(id, &updated.id, now);
        if request.shutdown_application {
            request_shutdown(&mut unwritten, request, out);
        }
        let is_new = request.member_epoch == 0 || member.assigned != updated.assigned;
        if is_new && updated.user_endpoint.is_some() {
            unwritten.endpoint_epoch += 1;
        }
        statuses.extend(configured.topology.problem.clone());
        let ends = unwritten.shutdown_requested_by.clone();
        statuses.extend(ends.map(StreamsStatus::ShutdownApplication));
        let tasks = tasks_to_tell(&updated, is_new, owned.as_ref());
        let mut answer =
            self.streams_answer(request, &group, &updated, &configured.topology, &unwritten);
        (answer.statuses, answer.tasks) = (statuses, tasks);
        if let Some(Group::Streams(_)) = self.groups.latest(id) {
            self.streams.insert(id.clone(), unwritten);
        }
        Ok((written, answer))
    }

    /// The group's next epoch, where something that an assignment depends on has changed.
    #[expect(clippy::too_many_arguments, reason = "one step of a heartbeat, with all it is about")]
    fn streams_epoch(
        &mut self,
        group: &StreamsGroup,
        member: &Member,
        configured: &Configured,
        configs: &BTreeMap<StrBytes, StrBytes>,
        is_changed: bool,
        now: Now,
        out: &mut Outputs,
    ) -> Option<(i32, GroupRecord)> {
        let topology = &configured.topology;
        let validated = if topology.ready().is_some() { topology.epoch } else { -1 };
        let is_validated = validated == group.validated_topology_epoch;
        if is_validated && !is_changed && !configured.is_changed {
            return None;
        }
        let (epoch, metadata_hash) = (group.epoch + 1, configured.metadata_hash);
        self.metadata.refreshed(&group.id, epoch, now);
        out.log(LogEvent::Streams(StreamsGroupEvent::Bumped {
            group: group.id.clone(),
            member: member.id.clone(),
            epoch,
            metadata_hash,
            validated_topology_epoch: validated,
        }));
        Some((epoch, records::group_epoch(&group.id, epoch, metadata_hash, validated, configs)))
    }

    /// The member, a step nearer to its target if it is not there.
    fn reconcile_streams(
        &mut self,
        reconciliation: &Reconciliation<'_>,
        written: &mut Vec<GroupRecord>,
        now: Now,
        out: &mut Outputs,
    ) -> Result<Member, GroupError> {
        let (group, member) = (reconciliation.group, reconciliation.member);
        if member.is_reconciled_to(reconciliation.target_epoch) {
            return Ok(member.clone());
        }
        let reconciled = reconciliation.step()?;
        if reconciled != *member {
            written.push(records::current_assignment(&group.id, &reconciled));
            out.log(LogEvent::Streams(StreamsGroupEvent::reconciled(&group.id, &reconciled)));
            self.time_streams_rebalance(&group.id, &reconciled, now);
        }
        Ok(reconciled)
    }

    /// What a member is told, but for its tasks and what is the matter with the group.
    fn streams_answer(
        &self,
        request: &StreamsHeartbeatRequest,
        group: &StreamsGroup,
        member: &Member,
        configured: &ConfiguredTopology,
        unwritten: &Unwritten,
    ) -> StreamsGroupHeartbeat {
        let image = self.metadata.image();
        let knows_endpoints = unwritten.endpoint_epoch == request.endpoint_information_epoch;
        // That of a group that comes into being here is not kept.
        let is_known = self.groups.latest(&group.id).is_some();
        StreamsGroupHeartbeat {
            member_id: member.id.clone(),
            member_epoch: member.epoch,
            heartbeat_interval_ms: self.streams_heartbeat_interval_ms(&group.id),
            endpoint_information_epoch: if is_known { unwritten.endpoint_epoch } else { 0 },
            endpoints: (!knows_endpoints).then(|| endpoints(group, member, configured, &**image)),
            missing_topics: configured.missing.clone(),
            ..StreamsGroupHeartbeat::default()
        }
    }

    /// The group, which somebody who joins makes; an empty classic one gives way to it.
    fn streams_group_to_join(
        &self,
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
            && !self.metadata.is_expired_at(&group.id, group.epoch, now)
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

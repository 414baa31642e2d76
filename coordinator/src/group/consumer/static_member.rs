//! Who a heartbeat comes from: a member by its id, or a static one by its instance, which may have
//! come back under another id.
//!
//! A static member that leaves with epoch -2 keeps its place and its partitions for its session;
//! whoever comes with its instance id takes both. Answers to `getOrMaybeSubscribe…Member` and
//! `replaceMember`.

use std::sync::Arc;

use protocol::messages::ConsumerGroupHeartbeatRequest;
use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::event::{ConsumerGroupEvent, MemberProtocol};
use super::group::ConsumerGroup;
use super::member::{LEFT_FOR_NOW, Member, Owned};
use super::records;

/// A member as it stands before its heartbeat, and whom it replaces.
pub(super) struct Caller {
    pub(super) member: Arc<Member>,
    pub(super) replaced: Option<StrBytes>,
}

impl Caller {
    fn new(member: Arc<Member>) -> Self {
        Self { member, replaced: None }
    }
}

/// Who asks for a place in a group.
pub(super) struct Comer<'a> {
    pub(super) id: &'a StrBytes,
    pub(super) instance: Option<&'a StrBytes>,
    /// It takes a place that is not its yet.
    pub(super) joins: bool,
    pub(super) protocol: MemberProtocol,
}

/// Finds the member, or makes it where it joins.
pub(super) fn find_or_join(
    group: &ConsumerGroup,
    comer: &Comer<'_>,
    written: &mut Vec<GroupRecord>,
    out: &mut Outputs,
) -> Result<Caller, GroupError> {
    let Comer { id, instance, joins, protocol } = *comer;
    let known_or_new = || match group.members.get(id) {
        Some(member) => Arc::clone(member),
        None => Arc::new(Member::new(id.clone())),
    };
    let mut say_joins = || {
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Joins {
            group: group.id.clone(),
            member: id.clone(),
            instance: instance.cloned(),
            protocol,
        }));
    };
    let Some(instance) = instance else {
        if !joins {
            return Ok(Caller::new(Arc::clone(group.member(id)?)));
        }
        say_joins();
        return Ok(Caller::new(known_or_new()));
    };
    let existing = group.static_member(instance);
    if !joins {
        return Ok(Caller::new(Arc::clone(known_instance(existing, id, instance)?)));
    }
    let Some(existing) = existing else {
        say_joins();
        return Ok(Caller::new(known_or_new()));
    };
    // Unlike Kafka: who joins again under its own id never heard that it had joined, or begins
    // anew; it is nobody else (docs/decisions/0477).
    if protocol == MemberProtocol::Consumer && existing.classic.is_none() && existing.id == *id {
        say_joins();
        return Ok(Caller::new(Arc::clone(existing)));
    }
    // Among members of the consumer protocol an instance is taken only when it was let go.
    let is_of_consumers = protocol == MemberProtocol::Consumer && existing.classic.is_none();
    if is_of_consumers && existing.epoch != LEFT_FOR_NOW {
        return Err(GroupError::UnreleasedInstance {
            member: id.clone(),
            instance: instance.clone(),
            by: existing.id.clone(),
        });
    }
    let mut member = Member::clone(existing);
    member.id = id.clone();
    (member.epoch, member.previous_epoch) = (0, 0);
    written.extend(records::member_tombstones(&group.id, &existing.id));
    written.push(records::member(&group.id, &member));
    let target = group.target.get(&existing.id).cloned().unwrap_or_default();
    written.push(records::target(&group.id, id, &target));
    written.push(records::current_assignment(&group.id, &member));
    out.log(LogEvent::Consumer(ConsumerGroupEvent::StaticMemberReplaced {
        group: group.id.clone(),
        instance: instance.clone(),
        old: existing.id.clone(),
        new: id.clone(),
        protocol,
    }));
    Ok(Caller { member: Arc::new(member), replaced: Some(existing.id.clone()) })
}

/// The member of an instance, if it is the one that asks.
pub(super) fn known_instance<'a>(
    existing: Option<&'a Arc<Member>>,
    id: &StrBytes,
    instance: &StrBytes,
) -> Result<&'a Arc<Member>, GroupError> {
    let member = existing.ok_or_else(|| GroupError::UnknownInstance(instance.clone()))?;
    if member.id != *id {
        return Err(GroupError::StaticMemberFenced {
            member: id.clone(),
            instance: instance.clone(),
            by: member.id.clone(),
        });
    }
    Ok(member)
}

/// A member that is behind by one answer, which it may have missed, is let in; one that begins
/// anew always is.
pub(super) fn check_epoch(
    member: &Member,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(), GroupError> {
    let received = request.member_epoch;
    let owned = request.topic_partitions.as_deref();
    let why = if received == 0 || received == member.epoch {
        return Ok(());
    } else if received > member.epoch {
        "greater"
    } else if received == member.previous_epoch && is_subset(owned, &member.assigned) {
        return Ok(());
    } else {
        "smaller"
    };
    Err(GroupError::FencedMemberEpoch(format!(
        "The consumer group member has a {why} member epoch ({received}) than the one known by the \
         group coordinator ({}). The member must abandon all its partitions and rejoin.",
        member.epoch
    )))
}

fn is_subset(owned: Option<&[TopicPartitions]>, assigned: &Owned) -> bool {
    owned.is_some_and(|owned| {
        owned.iter().all(|topic| {
            assigned.get(&topic.topic_id).is_some_and(|assigned| {
                topic.partitions.iter().all(|partition| assigned.contains_key(partition))
            })
        })
    })
}

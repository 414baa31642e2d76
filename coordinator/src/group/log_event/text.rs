//! Notes as text: Kafka's own wording, line by line.

use std::fmt;

use protocol::wire::StrBytes;

use super::LogEvent;

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PreparingToRebalance { .. }
            | Self::Stabilized { .. }
            | Self::NowEmpty { .. }
            | Self::AssignmentReceived { .. }
            | Self::EmptyAssignments { .. }
            | Self::MembersDidNotRejoin { .. }
            | Self::MembersDidNotSync { .. }
            | Self::NoMemberRejoined { .. }
            | Self::LeaderReplaced { .. }
            | Self::LeaderDidNotJoin { .. } => self.fmt_rebalance(f),
            Self::MemberIdRequired { .. }
            | Self::DynamicMemberAdded { .. }
            | Self::PendingMemberJoins { .. }
            | Self::StaticMemberAdded { .. }
            | Self::StaticMemberReplaced { .. }
            | Self::StaticMemberWithoutRebalance
            | Self::UnexpectedRejoin { .. } => self.fmt_join(f),
            Self::MemberFenced { .. }
            | Self::MemberLeft { .. }
            | Self::MemberFailed { .. }
            | Self::PendingMemberExpired { .. } => self.fmt_departure(f),
            Self::Consumer(event) => event.fmt(f),
            Self::Share(event) => event.fmt(f),
            Self::Streams(event) => event.fmt(f),
            _ => self.fmt_group(f),
        }
    }
}

impl LogEvent {
    fn fmt_rebalance(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PreparingToRebalance { group, state, generation, reason } => write!(
                f,
                "Preparing to rebalance group {group} in state {state} with old generation \
                 {generation} (reason: {reason})."
            ),
            Self::Stabilized { group, generation, members } => write!(
                f,
                "Stabilized group {group} generation {generation} with {members} members."
            ),
            Self::NowEmpty { group, generation } => {
                write!(f, "Group {group} with generation {generation} is now empty.")
            }
            Self::AssignmentReceived { group, leader, generation, members, static_members } => {
                write!(
                    f,
                    "Assignment received from leader {leader} for group {group} for generation \
                     {generation}. The group has {members} members, {static_members} of which \
                     are static."
                )
            }
            Self::EmptyAssignments { group, members, generation } => write!(
                f,
                "Setting empty assignments for members {} of {group} for generation {generation}.",
                listed(members)
            ),
            Self::MembersDidNotRejoin { group, members } => write!(
                f,
                "Group {group} removed dynamic members who haven't joined: {}",
                listed(members)
            ),
            Self::MembersDidNotSync { group, members } => write!(
                f,
                "Group {group} removed members who haven't sent their sync requests: {}",
                listed(members)
            ),
            Self::NoMemberRejoined { group } => {
                write!(f, "Group {group} could not complete rebalance because no members rejoined.")
            }
            _ => self.fmt_leader(f),
        }
    }

    fn fmt_leader(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaderReplaced { old, old_instance, new } => write!(
                f,
                "Group leader [memberId: {old}, groupInstanceId: {}] failed to join before the \
                 rebalance timeout. Member {new} was elected as the new leader.",
                or_none(old_instance)
            ),
            Self::LeaderDidNotJoin { old, old_instance } => write!(
                f,
                "Group leader [memberId: {old}, groupInstanceId: {}] failed to join before the \
                 rebalance timeout and the group couldn't proceed to the next generation because \
                 no member joined.",
                or_none(old_instance)
            ),
            _ => Ok(()),
        }
    }

    fn fmt_join(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemberIdRequired { group, state, member } => write!(
                f,
                "Dynamic member with unknown member id joins group {group} in {state} state. \
                 Created a new member id {member} and requesting the member to rejoin with this id."
            ),
            Self::DynamicMemberAdded { group, state, member } => write!(
                f,
                "Dynamic member with unknown member id joins group {group} in state {state}. \
                 Created a new member id {member} and added the member to the group."
            ),
            Self::PendingMemberJoins { group, state, member } => write!(
                f,
                "Pending dynamic member with id {member} joins group {group} in {state} state. \
                 Adding to the group now."
            ),
            Self::StaticMemberAdded { group, state, member, instance } => write!(
                f,
                "Static member with groupInstanceId={instance} and unknown member id joins group \
                 {group} in {state} state. Created a new member id {member} for this member and \
                 added to the group."
            ),
            Self::StaticMemberReplaced { group, state, old, instance } => write!(
                f,
                "Static member with groupInstanceId={instance} and unknown member id joins group \
                 {group} in {state} state. Replacing previously mapped member {old} with this \
                 groupInstanceId."
            ),
            Self::StaticMemberWithoutRebalance => write!(
                f,
                "Static member which joins during Stable stage and doesn't affect the selected \
                 protocol will not trigger a rebalance."
            ),
            Self::UnexpectedRejoin { group, state, member } => write!(
                f,
                "Attempt to add rejoining member {member} of group {group} in unexpected group \
                 state {state}"
            ),
            _ => Ok(()),
        }
    }

    fn fmt_departure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemberFenced { member, instance, by, operation } => write!(
                f,
                "Request memberId={member} for static member with groupInstanceId={instance} is \
                 fenced by existing memberId={by} during operation {operation}"
            ),
            Self::MemberLeft { group, member, reason, pending } => write!(
                f,
                "[Group {group}] {} {member} has left group through explicit `LeaveGroup` \
                 request; client reason: {reason}",
                if *pending { "Pending member" } else { "Member" }
            ),
            Self::MemberFailed { group, member } => write!(
                f,
                "Member {member} in group {group} has failed, removing it from the group."
            ),
            Self::PendingMemberExpired { group, member } => write!(
                f,
                "Pending member {member} in group {group} has been removed after session timeout \
                 expiration."
            ),
            _ => Ok(()),
        }
    }

    fn fmt_group(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SimpleGroupCreated { group } => write!(
                f,
                "[GroupId {group}] Creating a simple consumer group via manual offset commit."
            ),
            Self::GroupsDeleted { groups, offsets } => write!(
                f,
                "The following groups were deleted: {}. A total of {offsets} offsets were removed.",
                joined(groups)
            ),
            Self::OffsetsExpired { offsets } => write!(f, "Expired {offsets} offsets."),
            Self::Loaded { group, members } => {
                write!(f, "Loaded classic group {group} with {members} members.")
            }
            Self::Unloading { group, generation } => {
                write!(f, "[GroupId={group}] Unloading group metadata for generation {generation}.")
            }
            Self::SubscriptionUnreadable { group, protocol } => write!(
                f,
                "Failed to parse Consumer Protocol consumer:{protocol} of group {group}. Consumer \
                 group coordinator is not aware of the subscribed topics."
            ),
            Self::WriteFailed { group, failure } => {
                write!(f, "Failed to write metadata for group {group}: {failure}")
            }
            Self::StaleTransactionalOffset { group, topic, partition } => write!(
                f,
                "Skipped the materialization of a transactional offset commit in group {group} \
                 with topic {topic}, partition {partition}: a later commit stands already."
            ),
            Self::ConvertedToClassic { group } => write!(
                f,
                "[GroupId {group}] Converted the empty consumer group to a classic group."
            ),
            Self::UnknownRecordType { record_type } => write!(
                f,
                "Unknown record type {record_type} while loading offsets and group metadata. \
                 Ignoring it. It could be a left over from an aborted upgrade."
            ),
            _ => Ok(()),
        }
    }
}

fn joined(names: &[StrBytes]) -> String {
    names.iter().map(StrBytes::as_str).collect::<Vec<_>>().join(", ")
}

/// As Java prints a collection.
pub(in super::super) fn listed(names: &[StrBytes]) -> String {
    format!("[{}]", joined(names))
}

fn or_none(name: &Option<StrBytes>) -> &str {
    name.as_deref().unwrap_or("None")
}

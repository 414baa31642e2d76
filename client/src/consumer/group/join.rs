//! Joining: JoinGroup, the leader's assignment, SyncGroup, again until there is a generation.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::protocol::messages::JoinGroupResponse;
use ::protocol::messages::join_group_request::{JoinGroupRequest, JoinGroupRequestProtocol};
use ::protocol::messages::sync_group_request::{SyncGroupRequest, SyncGroupRequestAssignment};

use super::super::ConsumerError;
use super::super::assignor::{Assignments, Assignor, Member};
use super::super::fetched::TopicPartition;
use super::protocol::{Reaction, assignment, read_assignment, read_subscription, subscription};
use super::{Group, Identity, Lost, text};

/// A generation that this consumer is a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Joined {
    pub(in super::super) partitions: Vec<TopicPartition>,
    /// How many partitions the leader knew of each topic; nothing for the other members.
    pub(in super::super) counts: Option<BTreeMap<String, i32>>,
}

/// What joins take longer than the slowest member may: Kafka's `JOIN_GROUP_TIMEOUT_LAPSE`.
const LAPSE: Duration = Duration::from_secs(5);
/// How long the leader waits for what it does not know of topics that others want.
const TOPICS_WAIT: Duration = Duration::from_secs(3);
const CONSUMER: &str = "consumer";

/// Joins until there is a generation.
pub(in super::super) async fn join(
    group: Arc<Group>,
    topics: Vec<String>,
) -> Result<Joined, ConsumerError> {
    loop {
        if let Some(joined) = attempt(&group, &topics).await? {
            return Ok(joined);
        }
    }
}

async fn attempt(group: &Group, topics: &[String]) -> Result<Option<Joined>, ConsumerError> {
    let settings = &group.settings;
    let metadata = subscription(topics);
    let protocols = settings.assignors.iter().map(|assignor| {
        JoinGroupRequestProtocol::default()
            .with_name(text(assignor.name()))
            .with_metadata(metadata.clone())
    });
    let millis = |duration| super::super::fetch::millis(duration);
    let request = JoinGroupRequest::default()
        .with_group_id(group.group_id())
        .with_session_timeout_ms(millis(settings.session_timeout))
        .with_rebalance_timeout_ms(millis(settings.max_poll_interval))
        .with_member_id(text(&group.identity().member_id))
        .with_group_instance_id(group.instance_id())
        .with_protocol_type(text(CONSUMER))
        .with_protocols(protocols.collect());
    let limit = settings.cluster.request_timeout.max(settings.max_poll_interval + LAPSE);
    let Ok(answer) = group.ask(5..=i16::MAX, request, limit).await? else { return Ok(None) };
    if !answer.member_id.is_empty() {
        let member_id = answer.member_id.to_string();
        group.set_identity(Identity { member_id, generation: answer.generation_id });
    }
    match group.react(answer.error_code).await {
        Reaction::Fine => {}
        Reaction::Fail => return Err(ConsumerError::of_group(answer.error_code, &group.id)),
        _ => return Ok(None),
    }
    let leads = answer.leader == answer.member_id;
    let (assignments, counts) = match leads && !answer.skip_assignment {
        true => {
            let (assignments, counts) = lead(group, &answer).await?;
            (assignments, Some(counts))
        }
        false => (Assignments::new(), None),
    };
    let synced = sync(group, &answer, &assignments).await?;
    Ok(synced.map(|partitions| Joined { partitions, counts }))
}

/// Assigns partitions to all members.
async fn lead(
    group: &Group,
    answer: &JoinGroupResponse,
) -> Result<(Assignments, BTreeMap<String, i32>), ConsumerError> {
    let name = answer.protocol_name.as_deref().unwrap_or_default();
    let assignor =
        Assignor::of_name(name).ok_or_else(|| ConsumerError::UnknownAssignor(name.to_owned()))?;
    let members: Vec<Member> = answer
        .members
        .iter()
        .map(|member| Member {
            id: member.member_id.to_string(),
            instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
            // A member whose bytes make no sense wants nothing.
            topics: read_subscription(&member.metadata).unwrap_or_default(),
        })
        .collect();
    let wanted: Vec<&String> = members.iter().flat_map(|member| &member.topics).collect();
    wanted.iter().for_each(|topic| group.cluster.add_topic(topic));
    let is_known = |view: &crate::metadata::ClusterView| {
        wanted.iter().all(|topic| view.topic(topic).is_some() || view.topic_error(topic).is_some())
    };
    group.cluster.wait_until(TOPICS_WAIT, is_known).await;
    let view = group.cluster.view();
    let counts: BTreeMap<String, i32> = wanted
        .iter()
        .filter_map(|topic| {
            let count = i32::try_from(view.topic(topic)?.partitions.len()).ok()?;
            Some(((*topic).clone(), count))
        })
        .collect();
    Ok((assignor.assign(members, &counts), counts))
}

/// The own partitions; nothing where the group has gone on without this generation.
async fn sync(
    group: &Group,
    joined: &JoinGroupResponse,
    assignments: &Assignments,
) -> Result<Option<Vec<TopicPartition>>, ConsumerError> {
    let given = assignments.iter().map(|(member, partitions)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(member))
            .with_assignment(assignment(partitions))
    });
    let request = SyncGroupRequest::default()
        .with_group_id(group.group_id())
        .with_generation_id(joined.generation_id)
        .with_member_id(joined.member_id.clone())
        .with_group_instance_id(group.instance_id())
        .with_protocol_type(Some(text(CONSUMER)))
        .with_protocol_name(joined.protocol_name.clone())
        .with_assignments(given.collect());
    let limit = group.settings.cluster.request_timeout.max(group.settings.max_poll_interval);
    let answer = match group.ask(5..=i16::MAX, request, limit).await? {
        Ok(answer) => answer,
        Err(Lost) => return Ok(None),
    };
    match group.react(answer.error_code).await {
        Reaction::Fine => {
            // An assignment that makes no sense is an empty one.
            Ok(Some(read_assignment(&answer.assignment).unwrap_or_default()))
        }
        Reaction::Fail => Err(ConsumerError::of_group(answer.error_code, &group.id)),
        _ => Ok(None),
    }
}

//! What is wrong with a ConsumerGroupHeartbeat whatever the shard's state. Answers to
//! `GroupCoordinatorService.throwIfConsumerGroupHeartbeatRequestIsInvalid`.

use protocol::messages::ConsumerGroupHeartbeatRequest;
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::super::modern::assignor::Assignor;
use super::member::{LEFT, LEFT_FOR_NOW};

/// From this version on clients make their member ids themselves (KIP-1082).
const CLIENT_MAKES_ID_SINCE: i16 = 1;

/// Refuses a request that no group can answer; `assignors` are those that may be asked for.
pub fn refuse_heartbeat(
    request: &ConsumerGroupHeartbeatRequest,
    api_version: i16,
    assignors: &[Assignor],
) -> Result<(), GroupError> {
    let epoch = request.member_epoch;
    let needs_id = api_version >= CLIENT_MAKES_ID_SINCE || epoch > 0 || epoch == LEFT;
    let is_blank = |text: &StrBytes| text.trim().is_empty();
    let is_given_blank = |text: &Option<StrBytes>| text.as_ref().is_some_and(is_blank);
    let rejoins = epoch == 0;
    let why = if needs_id && is_blank(&request.member_id) {
        "MemberId can't be empty."
    } else if is_blank(&request.group_id) {
        "GroupId can't be empty."
    } else if is_given_blank(&request.instance_id) {
        "InstanceId can't be empty."
    } else if is_given_blank(&request.rack_id) {
        "RackId can't be empty."
    } else if rejoins && request.rebalance_timeout_ms == -1 {
        "RebalanceTimeoutMs must be provided in first request."
    } else if rejoins && request.topic_partitions.as_ref().is_none_or(|owned| !owned.is_empty()) {
        "TopicPartitions must be empty when (re-)joining."
    } else if rejoins
        && request.subscribed_topic_names.is_none()
        && request.subscribed_topic_regex.is_none()
    {
        "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining."
    } else if epoch == LEFT_FOR_NOW && request.instance_id.is_none() {
        "InstanceId can't be null."
    } else if epoch < LEFT_FOR_NOW {
        "MemberEpoch is invalid."
    } else {
        return refuse_assignor(request, assignors);
    };
    Err(GroupError::InvalidRequest(why))
}

fn refuse_assignor(
    request: &ConsumerGroupHeartbeatRequest,
    assignors: &[Assignor],
) -> Result<(), GroupError> {
    let Some(name) = &request.server_assignor else { return Ok(()) };
    let names: Vec<&str> = assignors.iter().map(|assignor| assignor.name()).collect();
    if names.contains(&name.as_str()) {
        return Ok(());
    }
    Err(GroupError::UnsupportedAssignor(format!(
        "ServerAssignor {name} is not supported. Supported assignors: {}.",
        names.join(", ")
    )))
}

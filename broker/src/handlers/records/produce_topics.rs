//! The topics of a Produce request: by name or by id, and whether its sender may write to them.

use protocol::ErrorCode;
use protocol::produce::ProducedTopic;

use crate::replication::replica_manager::ReplicaManager;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

/// First version that carries topic ids, not names.
const FIRST_WITH_IDS: i16 = 13;

/// Empty for an id that nobody knows.
pub(super) fn name_of(
    replicas: &ReplicaManager,
    context: &RequestContext,
    topic: &ProducedTopic<'_>,
) -> String {
    match context.api_version >= FIRST_WITH_IDS {
        true => replicas.topic_name(topic.topic_id).map_or_else(String::new, |n| n.to_string()),
        false => topic.name.clone().into_owned(),
    }
}

/// `partitions`: how many are written to.
pub(super) fn refused_topic(
    context: &RequestContext,
    name: &str,
    partitions: usize,
) -> Option<ErrorCode> {
    if context.api_version >= FIRST_WITH_IDS && name.is_empty() {
        Some(ErrorCode::UnknownTopicId)
    } else if !context.authorize_all(Operation::Write, Resource::Topic(name), partitions) {
        Some(ErrorCode::TopicAuthorizationFailed)
    } else {
        None
    }
}

/// As [`refused_topic`], for who asks before the records are looked at: nothing is said of it.
pub(super) fn will_be_refused(context: &RequestContext, name: &str) -> bool {
    (context.api_version >= FIRST_WITH_IDS && name.is_empty())
        || !context.would_authorize(Operation::Write, Resource::Topic(name))
}

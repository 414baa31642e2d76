//! Descriptions of groups whose kind has a request of its own: which of them the sender may see.
//!
//! Those that are refused stand first, as in Kafka. A group with a topic that the sender may not
//! see is not shown at all. Kafka: `KafkaApis.handleConsumerGroupDescribe`,
//! `handleShareGroupDescribe` and `handleStreamsGroupDescribe`.

use protocol::ErrorCode;
use protocol::messages::GroupId;
use protocol::wire::StrBytes;

use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

/// A group as the answer to its kind's request describes it.
pub(crate) trait Described: Sized {
    /// Kafka's words to a sender who may not see one of its topics.
    const TOPICS_DENIED: &'static str;

    fn refused(id: GroupId, code: ErrorCode, why: Option<StrBytes>) -> Self;

    fn group_id(&self) -> &GroupId;

    fn is_refused(&self) -> bool;

    fn set_authorized_operations(&mut self, operations: i32);

    /// Whether it names such a topic.
    fn names(&self, is_such: &dyn Fn(&str) -> bool) -> bool;
}

/// What a request asks for.
pub(crate) struct Asked {
    pub(crate) ids: Vec<GroupId>,
    pub(crate) include_authorized_operations: bool,
    /// Whether the cluster has groups of this kind.
    pub(crate) is_served: bool,
}

/// Describes each group of which the sender may know.
pub(crate) fn described<G: Described>(
    context: &RequestContext,
    asked: Asked,
    describe: impl Fn(GroupId) -> G,
) -> Vec<G> {
    let mut denied = Vec::new();
    let mut described = Vec::with_capacity(asked.ids.len());
    for id in asked.ids {
        if !asked.is_served {
            described.push(G::refused(id, ErrorCode::UnsupportedVersion, None));
        } else if !context.authorize(Operation::Describe, Resource::Group(&id)) {
            denied.push(G::refused(id, ErrorCode::GroupAuthorizationFailed, None));
        } else {
            let mut group = describe(id);
            if asked.include_authorized_operations && !group.is_refused() {
                let operations = context.authorized_operations(Resource::Group(group.group_id()));
                group.set_authorized_operations(operations);
            }
            described.push(visible(context, group));
        }
    }
    denied.extend(described);
    denied
}

fn visible<G: Described>(context: &RequestContext, group: G) -> G {
    let is_denied = |topic: &str| !context.authorize(Operation::Describe, Resource::Topic(topic));
    if !group.names(&is_denied) {
        return group;
    }
    let why = StrBytes::from_static_str(G::TOPICS_DENIED);
    G::refused(group.group_id().clone(), ErrorCode::TopicAuthorizationFailed, Some(why))
}

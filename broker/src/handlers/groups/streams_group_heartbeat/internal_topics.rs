//! Internal topics that a streams group lacks: created in the name of the member that sends the
//! heartbeat, if it may; what stands in the way is told with what is missing.

use std::sync::Arc;
use std::time::Duration;

use coordinator::group::InternalTopic;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::streams_group_heartbeat_response::Status;
use protocol::messages::{StreamsGroupHeartbeatResponse, TopicName};
use protocol::wire::StrBytes;

use crate::metadata::auto_topics::AutoTopics;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

/// Kafka's status of a group that lacks internal topics.
const MISSING_INTERNAL_TOPICS: i8 = 3;
/// As many errors as are told.
const MOST_ERRORS: usize = 3;
/// What the cluster's default decides.
const DEFAULT_REPLICATION: i16 = -1;

/// Why topics that are missing stay so.
pub(super) enum Problem {
    Unauthorized(Vec<String>),
    /// Topics with what went wrong the last time.
    Failed(Vec<(String, String)>),
}

/// Starts to create topics; members ask again to see them.
pub(super) fn create(
    auto_topics: &Arc<AutoTopics>,
    context: &RequestContext,
    missing: Vec<InternalTopic>,
    heartbeat_interval_ms: i32,
) -> Option<Problem> {
    if !context.is_authorized(Operation::Create, Resource::Cluster) {
        let may = |name: &str| context.authorize(Operation::Create, Resource::Topic(name));
        let denied = missing.iter().filter(|topic| !may(&topic.name));
        let denied: Vec<String> = denied.map(|topic| topic.name.to_string()).collect();
        if !denied.is_empty() {
            return Some(Problem::Unauthorized(denied));
        }
    }
    let topics: Vec<CreatableTopic> = missing.into_iter().map(creatable).collect();
    let backoff = u64::try_from(heartbeat_interval_ms).unwrap_or(0) * 2;
    auto_topics.create_internal(context, topics.clone(), Duration::from_millis(backoff));
    let failed = auto_topics.creation_errors(&topics);
    (!failed.is_empty()).then_some(Problem::Failed(failed))
}

fn creatable(topic: InternalTopic) -> CreatableTopic {
    let configs = topic.configs.into_iter().map(|(name, value)| {
        CreatableTopicConfig::default().with_name(name).with_value(Some(value))
    });
    CreatableTopic::default()
        .with_name(TopicName(topic.name))
        .with_num_partitions(topic.partitions)
        .with_replication_factor(topic.replication_factor.unwrap_or(DEFAULT_REPLICATION))
        .with_configs(configs.collect())
}

/// Adds what stands in the way to what is told of missing topics.
pub(super) fn tell(response: &mut StreamsGroupHeartbeatResponse, problem: Option<Problem>) {
    let more = match problem {
        None => return,
        Some(Problem::Unauthorized(topics)) => {
            format!("Unauthorized to CREATE on topics {}.", topics.join(", "))
        }
        Some(Problem::Failed(failed)) => {
            let named = failed.iter().take(MOST_ERRORS);
            let named: Vec<String> =
                named.map(|(topic, error)| format!("{topic} ({error})")).collect();
            let named = named.join(", ");
            match failed.len().saturating_sub(MOST_ERRORS) {
                0 => format!("Creation failed: {named}."),
                others => format!("Creation failed: {named} and {others} more."),
            }
        }
    };
    let statuses = response.status.get_or_insert_default();
    let missing = statuses.iter_mut().find(|status| status.status_code == MISSING_INTERNAL_TOPICS);
    match missing {
        Some(status) => {
            let detail = format!("{}; {more}", status.status_detail);
            status.status_detail = StrBytes::from_string(detail);
        }
        None => statuses.push(Status {
            status_code: MISSING_INTERNAL_TOPICS,
            status_detail: StrBytes::from_string(more),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(problem: Problem) -> String {
        let status = Status {
            status_code: MISSING_INTERNAL_TOPICS,
            status_detail: StrBytes::from_static_str("Internal topics are missing: a"),
        };
        let mut response = StreamsGroupHeartbeatResponse {
            status: Some(vec![status]),
            ..StreamsGroupHeartbeatResponse::default()
        };
        tell(&mut response, Some(problem));
        response.status.unwrap()[0].status_detail.to_string()
    }

    #[test]
    fn what_stands_in_the_way_is_told_with_what_is_missing() {
        let denied = Problem::Unauthorized(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            told(denied),
            "Internal topics are missing: a; Unauthorized to CREATE on topics a, b."
        );
        let failed = ["a", "b", "c", "d"].map(|topic| (topic.to_owned(), "no room".to_owned()));
        assert_eq!(
            told(Problem::Failed(failed.to_vec())),
            "Internal topics are missing: a; Creation failed: a (no room), b (no room), c (no \
             room) and 1 more."
        );
    }
}

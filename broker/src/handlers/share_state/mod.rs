//! The state of share groups, which only brokers ask the share coordinator for (KIP-932).

use std::future::Future;

use uuid::Uuid;

use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

pub(crate) mod delete_share_group_state;
pub(crate) mod initialize_share_group_state;
pub(crate) mod read_share_group_state;
pub(crate) mod read_share_group_state_summary;
pub(crate) mod write_share_group_state;

/// What is asked of the partitions of each topic, or answered.
type ByTopic<T> = Vec<(Uuid, Vec<T>)>;

/// A broker may; whoever else may not is told so of each partition.
fn may(context: &RequestContext) -> bool {
    context.authorize(Operation::ClusterAction, Resource::Cluster)
}

/// Asks for every partition before the first is waited for.
async fn each<A, R, Asked: Future<Output = R>>(
    topics: ByTopic<A>,
    ask: impl Fn(Uuid, A) -> Asked,
) -> ByTopic<R> {
    let asked: ByTopic<Asked> = topics
        .into_iter()
        .map(|(topic_id, partitions)| {
            (topic_id, partitions.into_iter().map(|asked| ask(topic_id, asked)).collect())
        })
        .collect();
    let mut answered = Vec::with_capacity(asked.len());
    for (topic_id, partitions) in asked {
        let mut answers = Vec::with_capacity(partitions.len());
        for answer in partitions {
            answers.push(answer.await);
        }
        answered.push((topic_id, answers));
    }
    answered
}

/// A request without a group, without topics, or with a topic without partitions asks for nothing,
/// and is answered with nothing.
fn is_empty<A>(group_id: &str, topics: &ByTopic<A>) -> bool {
    let of_nothing = |(_, partitions): &(Uuid, Vec<A>)| partitions.is_empty();
    group_id.is_empty() || topics.iter().any(of_nothing)
}

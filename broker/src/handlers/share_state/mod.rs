//! The state of share groups, which only brokers ask the share coordinator for (KIP-932).
//!
//! A request names partitions by topic, and each is answered for itself. Who may not ask is told so
//! of each. Kafka: `ShareCoordinatorService`'s `initializeState`, `readState` and so on.

use coordinator::share::SharePartitionKey;
use protocol::ErrorCode;
use protocol::wire::StrBytes;
use uuid::Uuid;

use crate::coordinators::share::Pending;
use crate::requests::api_error::worded;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map::share::refusal;

pub(crate) mod delete_share_group_state;
pub(crate) mod initialize_share_group_state;
pub(crate) mod read_share_group_state;
pub(crate) mod read_share_group_state_summary;
pub(crate) mod write_share_group_state;

/// What is asked of the partitions of each topic, or answered.
type ByTopic<T> = Vec<(Uuid, Vec<T>)>;

/// What became of a partition: what was asked for, or the code and words of the refusal.
type Outcome<T> = Result<T, (i16, Option<StrBytes>)>;

/// What a request does to each partition that it names.
struct Asking<Asked, Told, Answered> {
    /// As Kafka's words for failures have it.
    operation: &'static str,
    partition: fn(&Asked) -> i32,
    /// Whether a topic without partitions is passed over; else the request asks for nothing.
    passes_over_empty: bool,
    /// The partition's index, and what became of it.
    answer: fn(i32, Outcome<Told>) -> Answered,
}

impl<Asked, Told, Answered> Asking<Asked, Told, Answered> {
    /// Asks for every partition before the first is waited for. Without a group nothing is asked
    /// for, and nothing answered.
    async fn ask(
        &self,
        context: &RequestContext,
        group_id: &StrBytes,
        mut topics: ByTopic<Asked>,
        ask: impl Fn(SharePartitionKey, Asked) -> Pending<Told>,
    ) -> ByTopic<Answered> {
        if !context.authorize(Operation::ClusterAction, Resource::Cluster) {
            return self.denied(&topics);
        }
        if self.passes_over_empty {
            topics.retain(|(_, partitions)| !partitions.is_empty());
        }
        if group_id.is_empty() || topics.iter().any(|(_, partitions)| partitions.is_empty()) {
            return Vec::new();
        }
        let mut pending: ByTopic<(i32, Pending<Told>)> = Vec::with_capacity(topics.len());
        for (topic_id, partitions) in topics {
            let of_partition = |asked: Asked| {
                let partition = (self.partition)(&asked);
                let key = SharePartitionKey { group_id: group_id.clone(), topic_id, partition };
                (partition, ask(key, asked))
            };
            pending.push((topic_id, partitions.into_iter().map(of_partition).collect()));
        }
        let mut answered = Vec::with_capacity(pending.len());
        for (topic_id, partitions) in pending {
            let mut answers = Vec::with_capacity(partitions.len());
            for (partition, told) in partitions {
                let outcome = told.await.map_err(|error| refusal(error, self.operation));
                answers.push((self.answer)(partition, outcome));
            }
            answered.push((topic_id, answers));
        }
        answered
    }

    fn denied(&self, topics: &ByTopic<Asked>) -> ByTopic<Answered> {
        let denied = worded(ErrorCode::ClusterAuthorizationFailed);
        let words = denied.message.map(StrBytes::from_string);
        let of_partition = |asked: &Asked| {
            (self.answer)((self.partition)(asked), Err((denied.code.code(), words.clone())))
        };
        let of_topic = |(topic_id, partitions): &(Uuid, Vec<Asked>)| {
            (*topic_id, partitions.iter().map(of_partition).collect())
        };
        topics.iter().map(of_topic).collect()
    }
}

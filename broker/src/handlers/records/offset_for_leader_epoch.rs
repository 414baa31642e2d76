//! OffsetForLeaderEpoch: where a leader's epoch ended, by which followers and consumers find out
//! that they hold records which nobody else has (KIP-101, KIP-320).
//!
//! Kafka: `ReplicaManager.lastOffsetForLeaderEpoch`. Brokers ask by cluster action, consumers by
//! leave to describe the topic.
//!
//! Unlike Kafka: a client that heard of a leader's epoch before the leader itself is answered when
//! this node has heard of it, too (docs/decisions/0340).

use protocol::ErrorCode;
use protocol::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};

use crate::replication::replica_manager::ReplicaManager;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: OffsetForLeaderEpochRequest,
) -> Result<OffsetForLeaderEpochResponse, CloseConnection> {
    let is_known = || {
        let mut asked = request
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(|asked| (topic.topic.as_str(), asked)));
        asked.all(|(topic, asked)| {
            let partition = replicas.partition(topic, asked.partition);
            let checked = partition
                .and_then(|partition| partition.check_leadership(asked.current_leader_epoch, true));
            checked != Err(ErrorCode::UnknownLeaderEpoch)
        })
    };
    replicas.metadata.suspects().until(is_known).await;
    let peer = context.is_authorized(Operation::ClusterAction, Resource::Cluster);
    let topics = request.topics.into_iter().map(|topic| {
        let allowed = peer || context.authorize(Operation::Describe, Resource::Topic(&topic.topic));
        let partitions = topic.partitions.iter().map(|asked| {
            let found = if allowed {
                end_offset(replicas, &topic.topic, asked)
            } else {
                Err(ErrorCode::TopicAuthorizationFailed)
            };
            answer(asked.partition, found)
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(partitions)
    });
    Ok(OffsetForLeaderEpochResponse::default().with_topics(topics.collect()))
}

/// The epoch and where it ended; nothing where the log does not go back that far.
fn end_offset(
    replicas: &ReplicaManager,
    topic: &str,
    asked: &OffsetForLeaderPartition,
) -> Result<Option<(i32, i64)>, ErrorCode> {
    let partition = replicas.partition(topic, asked.partition)?;
    partition.check_leadership(asked.current_leader_epoch, true)?;
    Ok(partition.end_offset_for_epoch(asked.leader_epoch))
}

fn answer(partition: i32, found: Result<Option<(i32, i64)>, ErrorCode>) -> EpochEndOffset {
    let response = EpochEndOffset::default().with_partition(partition);
    match found {
        Ok(None) => response,
        Ok(Some((epoch, offset))) => response.with_leader_epoch(epoch).with_end_offset(offset),
        Err(code) => response.with_error_code(code.code()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_that_is_not_known_has_no_end() {
        let unknown = answer(3, Ok(None));
        assert_eq!((unknown.partition, unknown.leader_epoch, unknown.end_offset), (3, -1, -1));
        let known = answer(3, Ok(Some((2, 70))));
        assert_eq!((known.error_code, known.leader_epoch, known.end_offset), (0, 2, 70));
    }
}

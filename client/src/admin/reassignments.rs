//! Partitions that move. Answers to `listPartitionReassignments` and `alterPartitionReassignments`
//! (KIP-455).

use std::collections::{BTreeMap, HashMap};

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use protocol::messages::{
    AlterPartitionReassignmentsRequest, BrokerId, ListPartitionReassignmentsRequest, TopicName,
};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    pub replicas: Vec<i32>,
    pub adding: Vec<i32>,
    pub removing: Vec<i32>,
}

/// What was refused, and why.
pub type RefusedReassignments = Vec<((String, i32), AdminError)>;

/// A partition and the replicas that it shall have; nothing to call a move off.
pub type NewReassignment = ((String, i32), Option<Vec<i32>>);

impl Admin {
    /// Has partitions move, or stop moving; those for which that is refused.
    pub async fn alter_reassignments(
        &mut self,
        reassignments: &[NewReassignment],
        allow_replication_factor_change: bool,
    ) -> Result<RefusedReassignments, AdminError> {
        let mut call = self.call("alterPartitionReassignments", CallTarget::Controller);
        let mut by_topic: BTreeMap<&str, Vec<ReassignablePartition>> = BTreeMap::new();
        for ((topic, partition), replicas) in reassignments {
            let replicas = replicas.as_ref().map(|ids| ids.iter().copied().map(BrokerId).collect());
            let partition = ReassignablePartition::default()
                .with_partition_index(*partition)
                .with_replicas(replicas);
            by_topic.entry(topic).or_default().push(partition);
        }
        let topics = by_topic.into_iter().map(|(name, partitions)| {
            ReassignableTopic::default()
                .with_name(TopicName(StrBytes::from_string(name.to_owned())))
                .with_partitions(partitions)
        });
        let topics: Vec<_> = topics.collect();
        let question = |timeout_ms| {
            AlterPartitionReassignmentsRequest::default()
                .with_timeout_ms(timeout_ms)
                .with_allow_replication_factor_change(allow_replication_factor_change)
                .with_topics(topics.clone())
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            match check(answer.error_code, answer.error_message.as_deref()) {
                Err(error) if error.code() == Some(41) => self.again(&mut call, error).await?,
                Err(error) => {
                    let all = reassignments.iter().map(|(key, _)| (key.clone(), error.clone()));
                    return Ok(all.collect());
                }
                Ok(()) => {
                    let results = answer.responses.iter().flat_map(|topic| {
                        topic.partitions.iter().filter_map(|result| {
                            let checked = check(result.error_code, result.error_message.as_deref());
                            Some(((topic.name.to_string(), result.partition_index), checked.err()?))
                        })
                    });
                    return Ok(results.collect());
                }
            }
        }
    }

    /// Those of the given partitions, or of all, that move at present.
    pub async fn list_reassignments(
        &mut self,
        topics: Option<&[(String, Vec<i32>)]>,
    ) -> Result<HashMap<(String, i32), Reassignment>, AdminError> {
        let mut call = self.call("listPartitionReassignments", CallTarget::Controller);
        let topic = |(name, partitions): &(String, Vec<i32>)| {
            ListPartitionReassignmentsTopics::default()
                .with_name(TopicName(StrBytes::from_string(name.clone())))
                .with_partition_indexes(partitions.clone())
        };
        let question = |timeout_ms| {
            ListPartitionReassignmentsRequest::default()
                .with_timeout_ms(timeout_ms)
                .with_topics(topics.map(|topics| topics.iter().map(topic).collect()))
        };
        loop {
            let answer = self.ask(&mut call, question).await?;
            match check(answer.error_code, answer.error_message.as_deref()) {
                Err(error) if error.code() == Some(41) => self.again(&mut call, error).await?,
                Err(error) => return Err(error),
                Ok(()) => {
                    let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0).collect();
                    let moving = answer.topics.iter().flat_map(|topic| {
                        topic.partitions.iter().map(|partition| {
                            let key = (topic.name.to_string(), partition.partition_index);
                            let moves = Reassignment {
                                replicas: ids(&partition.replicas),
                                adding: ids(&partition.adding_replicas),
                                removing: ids(&partition.removing_replicas),
                            };
                            (key, moves)
                        })
                    });
                    return Ok(moving.collect());
                }
            }
        }
    }
}

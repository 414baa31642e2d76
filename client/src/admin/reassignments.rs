//! Partitions that move. Answers to `listPartitionReassignments` (KIP-455).

use std::collections::HashMap;

use protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use protocol::messages::{BrokerId, ListPartitionReassignmentsRequest, TopicName};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    pub replicas: Vec<i32>,
    pub adding: Vec<i32>,
    pub removing: Vec<i32>,
}

impl Admin {
    /// Those of the given partitions that move at present.
    pub async fn list_reassignments(
        &mut self,
        topics: &[(String, Vec<i32>)],
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
                .with_topics(Some(topics.iter().map(topic).collect()))
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

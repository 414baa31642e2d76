//! Topics come, grow and go. The controller does it; who is not the controller any more says so,
//! and the call goes to the new one.

use protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::{
    BrokerId, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
};
use protocol::wire::StrBytes;

use super::{Admin, AdminError, CallTarget, check_representable, topic_name};
use crate::admin::error::check;

const NOT_CONTROLLER: i16 = 41;

/// A topic that shall be. Without a number the cluster's default counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    pub partitions: Option<i32>,
    pub replication_factor: Option<i16>,
    /// Replicas of each partition; where given, it says the numbers too.
    pub assignment: Vec<Vec<i32>>,
    pub configs: Vec<(String, String)>,
}

/// Code and words of one topic's result.
type Outcome = (i16, Option<StrBytes>);

impl Admin {
    pub async fn create_topic(&mut self, topic: &NewTopic) -> Result<(), AdminError> {
        check_representable(&topic.name)?;
        let mut call = self.call("createTopics", CallTarget::Controller);
        loop {
            let question = |timeout_ms| {
                CreateTopicsRequest::default()
                    .with_topics(vec![creatable(topic)])
                    .with_timeout_ms(timeout_ms)
            };
            let answer = self.ask(&mut call, question).await?;
            let outcomes = answer.topics.into_iter();
            match first_failure(outcomes.map(|topic| (topic.error_code, topic.error_message))) {
                Err(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                }
                done => return done,
            }
        }
    }

    /// Grows topics to a number of partitions, the new ones placed where `assignment` says.
    pub async fn create_partitions(
        &mut self,
        names: &[String],
        count: i32,
        assignments: &[Option<Vec<Vec<i32>>>],
    ) -> Result<(), AdminError> {
        let mut call = self.call("createPartitions", CallTarget::Controller);
        let topic = |(name, assignment): (&String, &Option<Vec<Vec<i32>>>)| {
            let placed = assignment.as_ref().map(|partitions| {
                let placed = partitions.iter().map(|replicas| {
                    CreatePartitionsAssignment::default().with_broker_ids(brokers(replicas))
                });
                placed.collect()
            });
            CreatePartitionsTopic::default()
                .with_name(topic_name(name))
                .with_count(count)
                .with_assignments(placed)
        };
        loop {
            let question = |timeout_ms| {
                CreatePartitionsRequest::default()
                    .with_topics(names.iter().zip(assignments).map(topic).collect())
                    .with_timeout_ms(timeout_ms)
            };
            let answer = self.ask(&mut call, question).await?;
            let outcomes = answer.results.into_iter();
            match first_failure(outcomes.map(|topic| (topic.error_code, topic.error_message))) {
                Err(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                }
                done => return done,
            }
        }
    }

    /// Deletes topics; the first that is refused fails the call.
    pub async fn delete_topics(&mut self, names: &[String]) -> Result<(), AdminError> {
        self.delete_each_topic(names).await?.into_iter().try_for_each(|(_, result)| result)
    }

    /// The same with the result of each, in the order of the answer.
    pub async fn delete_each_topic(
        &mut self,
        names: &[String],
    ) -> Result<Vec<(String, Result<(), AdminError>)>, AdminError> {
        let mut call = self.call("deleteTopics", CallTarget::Controller);
        let state = |name: &String| DeleteTopicState::default().with_name(Some(topic_name(name)));
        if names.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            let question = |timeout_ms| {
                DeleteTopicsRequest::default()
                    .with_topics(names.iter().map(state).collect())
                    .with_timeout_ms(timeout_ms)
            };
            let answer = self.ask(&mut call, question).await?;
            let results = answer.responses.iter().map(|topic| {
                let name = topic.name.as_ref().map(|name| name.to_string()).unwrap_or_default();
                (name, check(topic.error_code, topic.error_message.as_deref()))
            });
            let results: Vec<(String, Result<(), AdminError>)> = results.collect();
            let failure = results.iter().find_map(|(_, result)| result.clone().err());
            match failure {
                Some(error) if error.code() == Some(NOT_CONTROLLER) => {
                    self.again(&mut call, error).await?;
                }
                _ => return Ok(results),
            }
        }
    }
}

fn creatable(topic: &NewTopic) -> CreatableTopic {
    let placed = (0..).zip(&topic.assignment).map(|(index, replicas)| {
        CreatableReplicaAssignment::default()
            .with_partition_index(index)
            .with_broker_ids(brokers(replicas))
    });
    let configs = topic.configs.iter().map(|(name, value)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string(name.clone()))
            .with_value(Some(StrBytes::from_string(value.clone())))
    });
    let is_placed = !topic.assignment.is_empty();
    CreatableTopic::default()
        .with_name(topic_name(&topic.name))
        .with_num_partitions(topic.partitions.filter(|_| !is_placed).unwrap_or(-1))
        .with_replication_factor(topic.replication_factor.filter(|_| !is_placed).unwrap_or(-1))
        .with_assignments(placed.collect())
        .with_configs(configs.collect())
}

fn brokers(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn first_failure(outcomes: impl Iterator<Item = Outcome>) -> Result<(), AdminError> {
    outcomes.into_iter().try_for_each(|(code, message)| check(code, message.as_deref()))
}

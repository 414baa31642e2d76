//! What is asked of a cluster's controller while something else goes on: partitions moved,
//! preferred leaders elected, topics deleted.

use protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::elect_leaders_request::TopicPartitions;
use protocol::messages::{
    AlterPartitionReassignmentsRequest, BrokerId, DeleteTopicsRequest, ElectLeadersRequest,
};

use super::view::{View, ask};
use crate::topic::name;

const TIMEOUT_MS: i32 = 10_000;

impl View {
    /// Gives the first partition of a topic these replicas; broker `by` is asked.
    ///
    /// # Panics
    /// When it is refused.
    pub fn reassign(&self, by: i32, topic: &str, replicas: &[i32]) {
        let partition = ReassignablePartition::default()
            .with_partition_index(0)
            .with_replicas(Some(replicas.iter().map(|id| BrokerId(*id)).collect()));
        let asked =
            ReassignableTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
        let request = AlterPartitionReassignmentsRequest::default()
            .with_topics(vec![asked])
            .with_timeout_ms(TIMEOUT_MS);
        let answer = ask(self.broker(by).expect("it is up"), 0, &request).expect("an answer");
        assert_eq!(answer.error_code, 0, "{answer:?}");
    }

    /// Elects the preferred leader of a topic's first partition; broker `by` is asked.
    ///
    /// # Panics
    /// When it is refused.
    pub fn elect_preferred(&self, by: i32, topic: &str) {
        let asked = TopicPartitions::default().with_topic(name(topic)).with_partitions(vec![0]);
        let request = ElectLeadersRequest::default()
            .with_election_type(0)
            .with_topic_partitions(Some(vec![asked]))
            .with_timeout_ms(TIMEOUT_MS);
        let answer = ask(self.broker(by).expect("it is up"), 2, &request).expect("an answer");
        assert_eq!(answer.error_code, 0, "{answer:?}");
    }

    /// Deletes a topic; broker `by` is asked.
    ///
    /// # Panics
    /// When it is refused.
    pub fn delete(&self, by: i32, topic: &str) {
        let state = DeleteTopicState::default().with_name(Some(name(topic)));
        let request =
            DeleteTopicsRequest::default().with_topics(vec![state]).with_timeout_ms(TIMEOUT_MS);
        let answer = ask(self.broker(by).expect("it is up"), 6, &request).expect("an answer");
        assert_eq!(answer.responses[0].error_code, 0, "{answer:?}");
    }

    /// Elects the preferred leaders of all topics, and waits until those of one lead.
    pub fn prefer(&self, topic: &str, partitions: i32) {
        let request = ElectLeadersRequest::default()
            .with_election_type(0)
            .with_topic_partitions(None)
            .with_timeout_ms(TIMEOUT_MS);
        let (_, address) = self.brokers.first().expect("a broker");
        // Partitions that need none are told as failures.
        let _ = ask(address, 2, &request);
        for partition in 0..partitions {
            self.wait_for_partition(topic, partition, "led by its first replica", |one| {
                one.replicas.first() == Some(&one.leader)
            });
        }
    }
}

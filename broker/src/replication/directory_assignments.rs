//! Which replicas the controller has yet to be told the directory of (KIP-858).
//!
//! Kept true: one request is under way; of a replica the newest directory counts; what was not
//! taken is asked again until the replica is gone from here. What comes within the delay goes
//! together. Kafka: `AssignmentsManager`.

use std::collections::BTreeMap;

use protocol::messages::assign_replicas_to_dirs_request::{
    DirectoryData, PartitionData, TopicData,
};
use protocol::messages::{AssignReplicasToDirsRequest, AssignReplicasToDirsResponse, BrokerId};
use uuid::Uuid;

/// How long a replica waits for others to go with.
const DELAY_MS: i64 = 100;
/// The longest wait after requests that came to nothing.
const BACKOFF_MAX_MS: i64 = 10_000;
/// What one request may carry.
const BATCH_MAX: usize = 2250;

/// A partition's replica on this broker: the topic's id and the partition.
pub(super) type Replica = (Uuid, i32);

/// Replicas and the directories that they are in.
pub(super) type Batch = BTreeMap<Replica, Uuid>;

#[derive(Debug, Default)]
pub(super) struct Assignments {
    ready: Batch,
    in_flight: Batch,
    /// Requests in a row that came to nothing.
    failures: u32,
    due_ms: Option<i64>,
}

impl Assignments {
    /// The replica is in this directory, and the metadata does not say so.
    pub(super) fn note(&mut self, replica: Replica, directory: Uuid, now_ms: i64) {
        self.ready.insert(replica, directory);
        self.schedule(now_ms);
    }

    /// When to call [`Self::take`]; `None` while nothing is to be sent, or an answer is awaited.
    pub(super) fn due_ms(&self) -> Option<i64> {
        self.due_ms.filter(|_| self.in_flight.is_empty() && !self.ready.is_empty())
    }

    /// What to send now, without the replicas that `is_here` does not know any more.
    pub(super) fn take(&mut self, is_here: impl Fn(&Replica) -> bool) -> Option<&Batch> {
        self.due_ms = None;
        while self.in_flight.len() < BATCH_MAX {
            let Some((replica, directory)) = self.ready.pop_first() else { break };
            if is_here(&replica) {
                self.in_flight.insert(replica, directory);
            }
        }
        Some(&self.in_flight).filter(|batch| !batch.is_empty())
    }

    /// What was sent is answered as a whole, each replica for itself.
    pub(super) fn answered(&mut self, response: &AssignReplicasToDirsResponse, now_ms: i64) {
        self.failures = 0;
        for topic in response.directories.iter().flat_map(|directory| &directory.topics) {
            for partition in topic.partitions.iter().filter(|partition| partition.error_code == 0) {
                self.in_flight.remove(&(topic.topic_id, partition.partition_index));
            }
        }
        self.again(now_ms);
    }

    /// What was sent came to nothing.
    pub(super) fn unanswered(&mut self, now_ms: i64) {
        self.failures = self.failures.saturating_add(1);
        self.again(now_ms);
    }

    fn again(&mut self, now_ms: i64) {
        for (replica, directory) in std::mem::take(&mut self.in_flight) {
            self.ready.entry(replica).or_insert(directory);
        }
        if !self.ready.is_empty() {
            self.schedule(now_ms);
        }
    }

    fn schedule(&mut self, now_ms: i64) {
        let delay_ms = match self.failures {
            0 if self.ready.len() > BATCH_MAX && self.in_flight.is_empty() => 0,
            0 => DELAY_MS,
            failures => (DELAY_MS << failures.min(10)).min(BACKOFF_MAX_MS),
        };
        let due_ms = now_ms.saturating_add(delay_ms);
        self.due_ms = Some(self.due_ms.map_or(due_ms, |earlier| earlier.min(due_ms)));
    }
}

/// The request that tells the controller of them.
pub(super) fn request(
    broker_id: i32,
    broker_epoch: i64,
    batch: &Batch,
) -> AssignReplicasToDirsRequest {
    let mut by_directory: BTreeMap<Uuid, BTreeMap<Uuid, Vec<i32>>> = BTreeMap::new();
    for ((topic, partition), directory) in batch {
        let topics = by_directory.entry(*directory).or_default();
        topics.entry(*topic).or_default().push(*partition);
    }
    let of_topic = |(topic, partitions): (Uuid, Vec<i32>)| {
        let partition = |index| PartitionData::default().with_partition_index(index);
        TopicData::default()
            .with_topic_id(topic)
            .with_partitions(partitions.into_iter().map(partition).collect())
    };
    let directories = by_directory.into_iter().map(|(directory, topics)| {
        DirectoryData::default()
            .with_id(directory)
            .with_topics(topics.into_iter().map(of_topic).collect())
    });
    AssignReplicasToDirsRequest::default()
        .with_broker_id(BrokerId(broker_id))
        .with_broker_epoch(broker_epoch)
        .with_directories(directories.collect())
}

#[cfg(test)]
mod tests {
    use protocol::messages::assign_replicas_to_dirs_response as answer;

    use super::*;

    const T: Uuid = Uuid::from_u128(7001);
    const U: Uuid = Uuid::from_u128(7002);
    const A: Uuid = Uuid::from_u128(1001);
    const B: Uuid = Uuid::from_u128(1002);

    fn told(replicas: &[(Replica, i16)]) -> AssignReplicasToDirsResponse {
        let topic = |((topic, partition), error): &(Replica, i16)| {
            let partition = answer::PartitionData::default()
                .with_partition_index(*partition)
                .with_error_code(*error);
            answer::TopicData::default().with_topic_id(*topic).with_partitions(vec![partition])
        };
        let directory =
            answer::DirectoryData::default().with_topics(replicas.iter().map(topic).collect());
        AssignReplicasToDirsResponse::default().with_directories(vec![directory])
    }

    fn taken(assignments: &mut Assignments) -> Vec<(Replica, Uuid)> {
        let batch = assignments.take(|_| true);
        batch.map_or_else(Vec::new, |batch| batch.clone().into_iter().collect())
    }

    #[test]
    fn what_comes_within_the_delay_goes_together_and_once() {
        let mut assignments = Assignments::default();
        assert_eq!(assignments.due_ms(), None);
        assignments.note((T, 0), A, 5);
        assignments.note((T, 1), B, 50);
        assignments.note((T, 0), B, 60);
        assert_eq!(assignments.due_ms(), Some(105));
        assert_eq!(taken(&mut assignments), [((T, 0), B), ((T, 1), B)]);
        assert_eq!(assignments.due_ms(), None, "an answer is awaited");
        assignments.answered(&told(&[((T, 0), 0), ((T, 1), 0)]), 120);
        assert_eq!(assignments.due_ms(), None);
        assert_eq!(taken(&mut assignments), []);
    }

    #[test]
    fn what_was_refused_or_left_out_is_asked_again_but_for_newer_words() {
        let mut assignments = Assignments::default();
        for partition in 0..3 {
            assignments.note((T, partition), A, 0);
        }
        assert_eq!(taken(&mut assignments).len(), 3);
        assignments.note((T, 2), B, 110);
        assert_eq!(assignments.due_ms(), None);
        assignments.answered(&told(&[((T, 0), 0), ((T, 1), 3), ((U, 9), 0)]), 120);
        assert_eq!(assignments.due_ms(), Some(210));
        assert_eq!(taken(&mut assignments), [((T, 1), A), ((T, 2), B)]);
    }

    #[test]
    fn requests_that_come_to_nothing_wait_longer_each_time() {
        let mut assignments = Assignments::default();
        assignments.note((T, 0), A, 0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            assert_eq!(taken(&mut assignments).len(), 1);
            assignments.unanswered(1000);
            waits.push(assignments.due_ms().expect("it is asked again") - 1000);
        }
        assert_eq!(waits, [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]);
        assert_eq!(taken(&mut assignments).len(), 1);
        assignments.answered(&told(&[((T, 0), 0)]), 2000);
        assignments.note((T, 0), A, 3000);
        assert_eq!(assignments.due_ms(), Some(3100), "forgotten after one that was answered");
    }

    #[test]
    fn a_replica_that_is_gone_is_not_told_of_and_many_go_in_parts() {
        let mut assignments = Assignments::default();
        assignments.note((U, 0), A, 0);
        for partition in 0..2300 {
            assignments.note((T, partition), A, 0);
        }
        assert_eq!(assignments.due_ms(), Some(0), "more than one request's worth waits for none");
        let first = assignments.take(|replica| replica.0 == T).map(BTreeMap::len);
        assert_eq!(first, Some(2250));
        assignments.unanswered(0);
        assert!(assignments.take(|_| false).is_none());
    }

    #[test]
    fn a_request_names_directories_with_their_topics() {
        let batch = [((T, 0), A), ((T, 1), B), ((U, 0), B), ((T, 2), B)].into_iter().collect();
        let request = request(3, 44, &batch);
        assert_eq!((request.broker_id.0, request.broker_epoch), (3, 44));
        let named: Vec<_> = request
            .directories
            .iter()
            .flat_map(|directory| {
                directory.topics.iter().map(|topic| {
                    let partitions: Vec<i32> =
                        topic.partitions.iter().map(|p| p.partition_index).collect();
                    (directory.id, topic.topic_id, partitions)
                })
            })
            .collect();
        assert_eq!(named, [(A, T, vec![0]), (B, T, vec![1, 2]), (B, U, vec![0])]);
    }
}

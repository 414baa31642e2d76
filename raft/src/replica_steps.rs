//! What an image, or the change from one to the next, asks of one broker's replicas: which go,
//! which are to be opened and told their role, and which leaders are to be asked again.
//!
//! Kept true: every partition that differs from the image before is in one of the lists, whatever
//! differs; a replica that goes and comes back within one change stays. What could not be done is
//! the reconciliation's.
//! Answers to `TopicsDelta.localChanges` and `ReplicaManager.applyDelta`.

use std::sync::Arc;

use uuid::Uuid;

use crate::image::{Changes, MetadataImage, Partition, Topic};
use crate::planted::{Bug, is_planted};

/// A partition with a replica on this broker, as an image has it.
#[derive(Debug, Clone)]
pub struct Assigned {
    /// The whole topic, of the same image.
    pub topic: Arc<Topic>,
    /// Its number within the topic.
    pub partition: i32,
    /// Who has it, who leads, who is in sync.
    pub state: Arc<Partition>,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, Default)]
pub struct ReplicaSteps {
    /// Topics that are gone, and all that is here of them.
    pub deleted: Vec<Uuid>,
    /// Partitions that have no replica here any more, or never had.
    pub removed: Vec<(Uuid, i32)>,
    /// Partitions whose replica here is to be opened if it is not, told its role, and fetched from
    /// its leader if that is another broker.
    pub hosted: Vec<Assigned>,
    /// Brokers that are there, and may not have been, or not where they are.
    pub asked_again: Vec<i32>,
}

/// All of an image, for a broker that has nothing open.
pub fn first_steps(node_id: i32, image: &MetadataImage) -> Vec<Assigned> {
    let all = image.topics().iter().flat_map(|topic| {
        topic.partitions().map(|(partition, state)| Assigned {
            topic: Arc::clone(topic),
            partition,
            state: Arc::clone(state),
        })
    });
    all.filter(|assigned| assigned.state.replicas.contains(&node_id)).collect()
}

/// What changed from `before` to `after`, which `changes` names.
pub fn replica_steps(
    node_id: i32,
    before: &MetadataImage,
    after: &MetadataImage,
    changes: &Changes,
) -> ReplicaSteps {
    let mut steps = ReplicaSteps {
        deleted: changes.deleted_topics.keys().copied().collect(),
        ..ReplicaSteps::default()
    };
    for (id, change) in &changes.topics {
        let Some(topic) = after.topics().by_id(*id) else { continue };
        for partition in &change.partitions {
            let Some(state) = topic.partition(*partition) else { continue };
            if !state.replicas.contains(&node_id) {
                if !is_planted(Bug::KeepsWhatIsTaken) {
                    steps.removed.push((*id, *partition));
                }
                continue;
            }
            let was = before.topics().partition(*id, *partition);
            if was.is_some_and(|was| is_overlooked(was, state)) {
                continue;
            }
            let (topic, state) = (Arc::clone(topic), Arc::clone(state));
            steps.hosted.push(Assigned { topic, partition: *partition, state });
        }
    }
    let active = |id: &&i32| after.cluster().is_active(**id);
    steps.asked_again = changes.brokers.iter().filter(active).copied().collect();
    steps
}

/// What a broker could take for no change.
fn is_overlooked(was: &Partition, is: &Partition) -> bool {
    let stays = was.leader == is.leader && was.replicas == is.replicas;
    is_planted(Bug::OverlooksEpochs) && stays && was.isr == is.isr
        || is_planted(Bug::OverlooksInSyncSets) && stays && was.leader_epoch == is.leader_epoch
}

#[cfg(test)]
mod tests {
    use protocol::records::metadata::{
        MetadataRecord, PartitionChangeRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
    };

    use super::*;
    use crate::image::MetadataDelta;

    const TOPIC: Uuid = Uuid::from_u128(7);

    fn topic(name: &str, topic_id: Uuid) -> MetadataRecord {
        TopicRecord { name: name.to_owned().into(), topic_id, ..TopicRecord::default() }.into()
    }

    fn partition(topic_id: Uuid, partition_id: i32, replicas: &[i32]) -> MetadataRecord {
        let record = PartitionRecord {
            partition_id,
            topic_id,
            replicas: replicas.to_vec(),
            isr: replicas.to_vec(),
            leader: replicas[0],
            ..PartitionRecord::default()
        };
        record.into()
    }

    /// The steps of broker 1 from the replay of `before` to that of `records` on it.
    fn steps(before: &[MetadataRecord], records: &[MetadataRecord]) -> ReplicaSteps {
        let replayed = |image: &MetadataImage, records: &[MetadataRecord]| {
            let mut delta = MetadataDelta::new(image);
            records.iter().for_each(|record| delta.replay(record).expect("it fits"));
            (delta.after().clone(), delta.changes().clone())
        };
        let (before, _) = replayed(&MetadataImage::default(), before);
        let (after, changes) = replayed(&before, records);
        replica_steps(1, &before, &after, &changes)
    }

    fn hosted(steps: &ReplicaSteps) -> Vec<i32> {
        steps.hosted.iter().map(|assigned| assigned.partition).collect()
    }

    fn two() -> Vec<MetadataRecord> {
        vec![topic("t", TOPIC), partition(TOPIC, 0, &[1, 2]), partition(TOPIC, 1, &[2, 1])]
    }

    fn change(change: PartitionChangeRecord) -> MetadataRecord {
        PartitionChangeRecord { topic_id: TOPIC, partition_id: 0, ..change }.into()
    }

    #[test]
    fn what_is_new_here_is_hosted_and_what_is_others_is_not() {
        let mut records = two();
        records.push(partition(TOPIC, 2, &[2, 3]));
        let steps = steps(&[], &records);
        assert_eq!((hosted(&steps), steps.removed), (vec![0, 1], vec![(TOPIC, 2)]));
        let mut delta = MetadataDelta::new(&MetadataImage::default());
        records.iter().for_each(|record| delta.replay(record).expect("it fits"));
        let first = first_steps(1, delta.after());
        assert_eq!(first.iter().map(|assigned| assigned.partition).collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn whatever_differs_of_a_partition_it_is_told() {
        let table = [
            PartitionChangeRecord { leader: 2, ..PartitionChangeRecord::default() },
            PartitionChangeRecord { leader: 1, ..PartitionChangeRecord::default() },
            PartitionChangeRecord { isr: Some(vec![1]), ..PartitionChangeRecord::default() },
            PartitionChangeRecord {
                replicas: Some(vec![1, 2, 3]),
                adding_replicas: Some(vec![3]),
                directories: Some(vec![Uuid::nil(); 3]),
                ..PartitionChangeRecord::default()
            },
        ];
        for record in table {
            let steps = steps(&two(), &[change(record.clone())]);
            assert_eq!((hosted(&steps), steps.removed.len()), (vec![0], 0), "{record:?}");
        }
    }

    #[test]
    fn a_replica_that_is_taken_goes_and_one_that_comes_back_at_once_stays() {
        let to = |replicas: &[i32]| {
            let (replicas, isr) = (Some(replicas.to_vec()), Some(replicas.to_vec()));
            let leader = 2;
            change(PartitionChangeRecord { replicas, isr, leader, ..Default::default() })
        };
        let taken = steps(&two(), &[to(&[2, 3])]);
        assert_eq!((hosted(&taken), taken.removed), (vec![], vec![(TOPIC, 0)]));
        let back = steps(&two(), &[to(&[2, 3]), to(&[2, 1])]);
        assert_eq!((hosted(&back), back.removed), (vec![0], vec![]));
    }

    #[test]
    fn a_topic_made_again_under_its_name_goes_as_one_and_comes_as_another() {
        let again = Uuid::from_u128(8);
        let removal = RemoveTopicRecord { topic_id: TOPIC, ..RemoveTopicRecord::default() };
        let steps =
            steps(&two(), &[removal.into(), topic("t", again), partition(again, 0, &[1, 2])]);
        assert_eq!((steps.deleted.as_slice(), hosted(&steps)), ([TOPIC].as_slice(), vec![0]));
        assert_eq!(steps.hosted[0].topic.id, again);
    }
}

//! The simple assignor: partitions are shared out evenly, and where there are more members than
//! partitions, several members have the same.
//!
//! What members have they keep as far as that is even. Where all subscribe to the same topics, all
//! partitions are shared out together, else topic by topic; a partition has as many members then,
//! at most, as members come to each partition. Answers to `SimpleAssignor`,
//! `SimpleHomogeneousAssignmentBuilder` and `SimpleHeterogeneousAssignmentBuilder` of Kafka.

mod java_map;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;
use uuid::Uuid;

use self::java_map::{JavaHash, JavaMap, JavaSet};
use super::super::modern::{Assignment, hash_map_order, hash_set_order};

/// The assignor's name.
pub(super) const NAME: &str = "simple";

/// A member as the assignor sees it.
#[derive(Debug, Clone, Default)]
pub(super) struct ShareMemberSpec {
    /// In the order in which Kafka goes over them.
    pub(super) topics: Vec<Uuid>,
    /// What it was to have so far.
    pub(super) assigned: Assignment,
}

/// A group as the assignor sees it.
#[derive(Debug, Default)]
pub(super) struct ShareGroupSpec {
    /// In the order in which Kafka goes over them.
    pub(super) members: Vec<(StrBytes, ShareMemberSpec)>,
    /// Whether all subscribe to the same topics.
    pub(super) is_homogeneous: bool,
    /// Of topics that are there, those whose state is held.
    pub(super) assignable: Assignment,
}

/// Assignments by member; a member that is not there gets nothing. As in Kafka a topic may stand
/// in one without a partition.
pub(super) fn assign(group: &ShareGroupSpec) -> BTreeMap<StrBytes, Assignment> {
    let mut assigned: Vec<Assignment> =
        group.members.iter().map(|(_, member)| member.assigned.clone()).collect();
    if group.is_homogeneous {
        let topics = group.members.first().map_or(&[][..], |(_, member)| &member.topics);
        if topics.is_empty() {
            return BTreeMap::new();
        }
        assigned.iter_mut().for_each(|own| own.retain(|topic, _| topics.contains(topic)));
        let everyone: Vec<usize> = (0..assigned.len()).collect();
        let targets: Vec<Partition> =
            topics.iter().flat_map(|topic| targets(group, *topic, Partition::of_any)).collect();
        SharingOut::new(&everyone, targets.len()).run(&mut assigned, &targets, Partition::of_any);
    } else {
        let topics: BTreeSet<Uuid> =
            group.members.iter().flat_map(|(_, member)| member.topics.iter().copied()).collect();
        if topics.is_empty() {
            return BTreeMap::new();
        }
        for topic in topics {
            let members = group.members.iter().enumerate();
            let subscribers = members.filter(|(_, (_, member))| member.topics.contains(&topic));
            let subscribers: Vec<usize> = subscribers.map(|(index, _)| index).collect();
            let targets: Vec<Partition> = targets(group, topic, Partition::of_one).collect();
            // Others of the topic are left as they are.
            let mut of_topic: Vec<Assignment> = assigned
                .iter()
                .map(|own| own.get_key_value(&topic).map(|(id, of)| (*id, of.clone())))
                .map(|own| own.into_iter().collect())
                .collect();
            SharingOut::new(&subscribers, targets.len()).run(
                &mut of_topic,
                &targets,
                Partition::of_one,
            );
            for (own, of_topic) in assigned.iter_mut().zip(of_topic) {
                own.extend(of_topic);
            }
        }
    }
    group.members.iter().map(|(id, _)| id.clone()).zip(assigned).collect()
}

fn targets(
    group: &ShareGroupSpec,
    topic: Uuid,
    partition: fn(Uuid, i32) -> Partition,
) -> impl Iterator<Item = Partition> {
    let of_topic = group.assignable.get(&topic).into_iter().flatten();
    of_topic.map(move |number| partition(topic, *number))
}

/// A partition with the hash that it has where it is a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Partition {
    topic: Uuid,
    number: i32,
    hash: i32,
}

impl Partition {
    /// Among those of all topics: `TopicIdPartition`, a record.
    fn of_any(topic: Uuid, number: i32) -> Self {
        let hash = uuid_hash(topic).wrapping_mul(31).wrapping_add(number);
        Self { topic, number, hash }
    }

    /// Among those of one topic: its number.
    fn of_one(topic: Uuid, number: i32) -> Self {
        Self { topic, number, hash: number }
    }
}

impl JavaHash for Partition {
    fn java_hash(&self) -> i32 {
        self.hash
    }
}

/// `Uuid.hashCode`.
pub(super) fn uuid_hash(id: Uuid) -> i32 {
    let (high, low) = id.as_u64_pair();
    let both = high ^ low;
    ((both >> 32) as u32 ^ both as u32) as i32
}

/// Partitions, shared out among members, who go by their place in the group.
struct SharingOut {
    subscribers: Vec<usize>,
    /// How many members a partition has at most.
    sharing: usize,
    /// How many partitions a member is to have; none where it does not subscribe.
    wanted: BTreeMap<usize, usize>,
    members_of: JavaMap<Partition, JavaSet<usize>>,
    partitions_of: BTreeMap<usize, JavaSet<Partition>>,
}

impl SharingOut {
    fn new(subscribers: &[usize], partitions: usize) -> Self {
        let sharing = if partitions == 0 { 0 } else { subscribers.len().div_ceil(partitions) };
        let each = (sharing * partitions) as f64 / subscribers.len() as f64;
        let up_to = |place: usize| (each * place as f64).ceil() as usize;
        let wanted = subscribers.iter().enumerate();
        let wanted = wanted.map(|(place, member)| (*member, up_to(place + 1) - up_to(place)));
        Self {
            subscribers: subscribers.to_vec(),
            sharing,
            wanted: wanted.collect(),
            members_of: JavaMap::sized_for(partitions),
            partitions_of: BTreeMap::new(),
        }
    }

    fn run(
        mut self,
        assigned: &mut [Assignment],
        targets: &[Partition],
        partition: fn(Uuid, i32) -> Partition,
    ) {
        self.take_in(assigned, partition);
        self.revoke_from_overfilled_members(assigned);
        self.revoke_overshared_partitions(assigned);
        for target in targets {
            self.members_of.entry(*target);
        }
        self.assign_rest(assigned);
    }

    /// What members were to have so far.
    fn take_in(&mut self, assigned: &[Assignment], partition: fn(Uuid, i32) -> Partition) {
        for (member, own) in assigned.iter().enumerate() {
            for topic in hash_map_order(own.keys().copied().collect(), |id| uuid_hash(*id)) {
                let numbers = own[&topic].iter().copied().collect();
                for number in hash_set_order(numbers, |number| *number) {
                    let partition = partition(topic, number);
                    self.members_of.entry(partition).insert(member);
                    self.partitions_of.entry(member).or_default().insert(partition);
                }
            }
        }
    }

    fn wanted(&self, member: usize) -> usize {
        self.wanted.get(&member).copied().unwrap_or(0)
    }

    fn revoke_from_overfilled_members(&mut self, assigned: &mut [Assignment]) {
        for (member, partitions) in &mut self.partitions_of {
            let wanted = self.wanted.get(member).copied().unwrap_or(0);
            while partitions.len() > wanted {
                let Some(partition) = partitions.first() else { break };
                partitions.remove(&partition);
                if let Some(members) = self.members_of.value_mut(&partition) {
                    members.remove(member);
                }
                take_away(&mut assigned[*member], partition);
            }
        }
    }

    fn revoke_overshared_partitions(&mut self, assigned: &mut [Assignment]) {
        for (partition, members) in self.members_of.iter_mut() {
            for member in members.keys() {
                if members.len() <= self.sharing {
                    break;
                }
                if take_away(&mut assigned[member], *partition) {
                    members.remove(&member);
                    if let Some(partitions) = self.partitions_of.get_mut(&member) {
                        partitions.remove(partition);
                    }
                }
            }
        }
    }

    /// Members that have too little take turns, partition by partition.
    fn assign_rest(&mut self, assigned: &mut [Assignment]) {
        let has = |member: &usize| self.partitions_of.get(member).map_or(0, JavaSet::len);
        let unfilled = self.subscribers.iter().filter(|member| has(member) < self.wanted(**member));
        let mut unfilled: BTreeSet<usize> = unfilled.copied().collect();
        let (mut next, mut has_given) = (0, false);
        for (partition, members) in self.members_of.iter() {
            let mut lacking = self.sharing.saturating_sub(members.len());
            while lacking > 0 {
                let member = match unfilled.range(next..).next() {
                    Some(member) => *member,
                    None if !has_given => break,
                    // Around again. Unlike Kafka: where nobody is left, what was given stays given
                    // (docs/decisions/0485).
                    None => match unfilled.first() {
                        Some(first) => {
                            has_given = false;
                            *first
                        }
                        None => break,
                    },
                };
                next = member + 1;
                if members.contains(&member) {
                    continue;
                }
                assigned[member].entry(partition.topic).or_default().insert(partition.number);
                let own = self.partitions_of.entry(member).or_default();
                own.insert(*partition);
                (lacking, has_given) = (lacking - 1, true);
                if own.len() >= self.wanted.get(&member).copied().unwrap_or(0) {
                    unfilled.remove(&member);
                }
            }
            if unfilled.is_empty() {
                break;
            }
        }
    }
}

/// Whether it was there.
fn take_away(assigned: &mut Assignment, partition: Partition) -> bool {
    let of_topic = assigned.get_mut(&partition.topic);
    of_topic.is_some_and(|numbers| numbers.remove(&partition.number))
}

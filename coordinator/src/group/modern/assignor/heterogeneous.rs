//! Uniform, where members subscribe to different topics: what nobody has goes to the least loaded
//! of its topic's members, then partitions move from the most loaded to the least loaded, topic by
//! topic, until no move helps or enough rounds were made. Answers to
//! `UniformHeterogeneousAssignmentBuilder`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use uuid::Uuid;

use super::load::Load;
use super::{AssignorError, GroupAssignment, GroupSpec};

/// Rounds over all topics at most: with subscriptions that overlap it can take long until no move
/// helps, and each round about halves what is left to gain.
const ROUNDS: usize = 16;

/// Members are named by their place in the group.
struct Builder<'a> {
    group: &'a GroupSpec,
    subscribers: BTreeMap<Uuid, Vec<usize>>,
    owners: BTreeMap<Uuid, Vec<Option<usize>>>,
    /// How many partitions each member has.
    sizes: Vec<i64>,
}

pub(super) fn assign(group: &GroupSpec) -> Result<GroupAssignment, AssignorError> {
    let mut builder = Builder::new(group)?;
    if builder.subscribers.is_empty() {
        return Ok(GroupAssignment::new());
    }
    builder.keep_assigned();
    builder.assign_rest();
    builder.balance();
    Ok(builder.finish())
}

impl<'a> Builder<'a> {
    fn new(group: &'a GroupSpec) -> Result<Self, AssignorError> {
        let mut subscribers: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
        for (index, (_, member)) in group.members.iter().enumerate() {
            for topic in &member.topics {
                subscribers.entry(*topic).or_default().push(index);
            }
        }
        let mut owners = BTreeMap::new();
        for topic in subscribers.keys() {
            owners.insert(*topic, vec![None; group.partitions(*topic)? as usize]);
        }
        Ok(Self { group, subscribers, owners, sizes: vec![0; group.members.len()] })
    }

    /// What members have of topics that they subscribe to stays theirs.
    fn keep_assigned(&mut self) {
        for (index, (_, member)) in self.group.members.iter().enumerate() {
            let kept = member.assigned.iter().filter(|(topic, _)| member.topics.contains(topic));
            for (topic, partitions) in kept {
                self.sizes[index] += partitions.len() as i64;
                let Some(owners) = self.owners.get_mut(topic) else { continue };
                for partition in partitions {
                    if let Some(owner) = owners.get_mut(*partition as usize) {
                        *owner = Some(index);
                    }
                }
            }
        }
    }

    /// The more partitions for each of its members, the earlier a topic's turn.
    fn order(&self, left: &Uuid, right: &Uuid) -> Ordering {
        let of = |topic: &Uuid| {
            let partitions = self.owners[topic].len();
            (partitions as f64, self.subscribers[topic].len() as f64)
        };
        let ((left_partitions, left_members), (right_partitions, right_members)) =
            (of(left), of(right));
        (right_partitions / right_members)
            .total_cmp(&(left_partitions / left_members))
            .then(left_members.total_cmp(&right_members))
            .then_with(|| signed(left).cmp(&signed(right)))
    }

    fn sorted(&self, mut topics: Vec<Uuid>) -> Vec<Uuid> {
        topics.sort_by(|left, right| self.order(left, right));
        topics
    }

    fn assign_rest(&mut self) {
        let with_rest = self.owners.iter().filter(|(_, owners)| owners.contains(&None));
        let mut load = Load::default();
        for topic in self.sorted(with_rest.map(|(topic, _)| *topic).collect()) {
            load.begin(&self.subscribers[&topic], &self.sizes);
            for partition in 0..self.owners[&topic].len() {
                if self.owners[&topic][partition].is_none() {
                    let member = load.least(&self.sizes);
                    self.give(topic, partition, member);
                }
            }
        }
    }

    fn give(&mut self, topic: Uuid, partition: usize, member: usize) {
        let Some(owner) = self.owners.get_mut(&topic).and_then(|of| of.get_mut(partition)) else {
            return;
        };
        if let Some(before) = owner.replace(member) {
            self.sizes[before] -= 1;
        }
        self.sizes[member] += 1;
    }

    fn balance(&mut self) {
        let shared = self.subscribers.iter().filter(|(_, members)| members.len() > 1);
        let topics = self.sorted(shared.map(|(topic, _)| *topic).collect());
        let mut load = Load::default();
        // The topic in which something was moved last: a whole round without is the end.
        let mut last_moved = None;
        for _ in 0..ROUNDS {
            for (index, topic) in topics.iter().enumerate() {
                if last_moved == Some(index) {
                    return;
                }
                if self.balance_topic(*topic, &mut load) || last_moved.is_none() {
                    last_moved = Some(index);
                }
            }
        }
    }

    /// Moves partitions of one topic; whether any was.
    fn balance_topic(&mut self, topic: Uuid, load: &mut Load) -> bool {
        if load.begin(&self.subscribers[&topic], &self.sizes) <= 1 {
            return false;
        }
        let mut given: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (partition, owner) in self.owners[&topic].iter().enumerate() {
            if let Some(owner) = owner {
                given.entry(*owner).or_default().push(partition);
            }
        }
        let mut moved = false;
        while !load.is_balanced() {
            let partition = loop {
                let Some(most) = load.most(&self.sizes) else { return moved };
                match given.get_mut(&most).and_then(Vec::pop) {
                    Some(partition) => break partition,
                    None => load.exclude_most(),
                }
            };
            let least = load.least(&self.sizes);
            if load.is_balanced() {
                break;
            }
            self.give(topic, partition, least);
            moved = true;
        }
        moved
    }

    fn finish(self) -> GroupAssignment {
        let mut assignment: GroupAssignment =
            self.group.members.iter().map(|(id, _)| (id.clone(), BTreeMap::new())).collect();
        for (topic, owners) in &self.owners {
            for (partition, owner) in owners.iter().enumerate() {
                let Some((id, _)) = owner.and_then(|owner| self.group.members.get(owner)) else {
                    continue;
                };
                if let Some(assigned) = assignment.get_mut(id) {
                    assigned.entry(*topic).or_default().insert(partition as i32);
                }
            }
        }
        assignment
    }
}

/// Kafka compares ids as two signed numbers.
fn signed(id: &Uuid) -> (i64, i64) {
    let (high, low) = id.as_u64_pair();
    (high as i64, low as i64)
}

//! The sticky task assignor: who is to work on which tasks. Active tasks stay where they are as far
//! as nobody then has more than its share, else they go to who has kept their state as a standby,
//! else to the process with the least to do; standbys follow, never to a process that has the task.
//!
//! Kept true: every task is active at one member; a process has a task once. Answers to
//! `StickyTaskAssignor`, also in the order in which it goes over members, because who gets what
//! depends on it.

mod active;
mod priority_queue;
mod process;
mod standby;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use protocol::wire::StrBytes;

use super::super::modern::sized_hash_map_order;
use super::tasks::TaskAssignment;
use crate::java_hash;
use process::Process;

/// A partition of a subtopology. They stand in the order of subtopologies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Task {
    subtopology: StrBytes,
    partition: i32,
}

/// A subtopology as the assignor sees it.
#[derive(Debug, Clone)]
pub(super) struct Subtopology {
    pub(super) id: StrBytes,
    pub(super) tasks: i32,
    /// Whether standbys have anything to keep.
    pub(super) is_stateful: bool,
}

/// A member as the assignor sees it.
#[derive(Debug, Clone)]
pub(super) struct MemberSpec {
    pub(super) id: StrBytes,
    pub(super) process: StrBytes,
    /// What it was to have so far.
    pub(super) target: TaskAssignment,
}

/// A group as the assignor sees it.
#[derive(Debug)]
pub(super) struct GroupSpec {
    /// In the order in which Kafka goes over them.
    pub(super) members: Vec<MemberSpec>,
    /// By id.
    pub(super) subtopologies: Vec<Subtopology>,
    pub(super) standby_replicas: i32,
}

/// Why there is no assignment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AssignorError {
    #[error("No process available to assign active task {subtopology}_{partition}.")]
    NoProcess { subtopology: StrBytes, partition: i32 },
}

/// A member by its numbers: its process, and where it stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    process: usize,
    member: usize,
}

/// How much of something each member is to have at least, while some still have room for it.
#[derive(Debug)]
struct Quota {
    tasks: usize,
    members: usize,
    per_member: usize,
}

impl Quota {
    fn new(tasks: usize, members: usize) -> Self {
        Self { tasks, members, per_member: share(tasks, members) }
    }

    /// A member that has come to its share takes no part any more.
    fn reached(&mut self, tasks: usize) {
        if tasks == self.per_member {
            self.members = self.members.saturating_sub(1);
            self.tasks = self.tasks.saturating_sub(tasks);
            self.per_member = share(self.tasks, self.members);
        }
    }
}

/// Rounded up; nothing for nobody.
fn share(tasks: usize, members: usize) -> usize {
    if members == 0 { 0 } else { tasks.div_ceil(members) }
}

/// An assignment that is being made.
#[derive(Debug)]
struct Assigning {
    /// In the order in which Kafka goes over them.
    processes: Vec<Process>,
    was_active: BTreeMap<Task, Place>,
    was_standby: BTreeMap<Task, Vec<Place>>,
    active: Quota,
    all: Quota,
    standby_replicas: usize,
}

/// What each member is to have.
pub(super) fn assign(
    group: &GroupSpec,
) -> Result<BTreeMap<StrBytes, TaskAssignment>, AssignorError> {
    let mut assigning = Assigning::new(group);
    assigning.assign_active(tasks(group, |_| true))?;
    if assigning.standby_replicas > 0 {
        assigning.assign_standby(tasks(group, |part| part.is_stateful));
    }
    Ok(assigning.processes.into_iter().flat_map(Process::assignments).collect())
}

fn tasks(group: &GroupSpec, takes: impl Fn(&Subtopology) -> bool) -> Vec<Task> {
    let parts = group.subtopologies.iter().filter(|part| takes(part));
    let tasks = parts.flat_map(|part| {
        (0..part.tasks).map(|partition| Task { subtopology: part.id.clone(), partition })
    });
    tasks.collect()
}

impl Assigning {
    fn new(group: &GroupSpec) -> Self {
        let standby_replicas = usize::try_from(group.standby_replicas).unwrap_or(0);
        let count = |part: &Subtopology| usize::try_from(part.tasks).unwrap_or(0);
        let active: usize = group.subtopologies.iter().map(count).sum();
        let stateful = group.subtopologies.iter().filter(|part| part.is_stateful);
        let all = active + stateful.map(|part| count(part) * standby_replicas).sum::<usize>();
        let members = group.members.len();
        let mut assigning = Self {
            processes: processes(group),
            was_active: BTreeMap::new(),
            was_standby: BTreeMap::new(),
            active: Quota::new(active, members),
            all: Quota::new(all, members),
            standby_replicas,
        };
        for member in &group.members {
            let Some(place) = assigning.place_of(member) else { continue };
            for (subtopology, partitions) in &member.target.active {
                for partition in partitions {
                    let task = Task { subtopology: subtopology.clone(), partition: *partition };
                    assigning.was_active.insert(task, place);
                }
            }
            for (subtopology, partitions) in &member.target.standby {
                for partition in partitions {
                    let task = Task { subtopology: subtopology.clone(), partition: *partition };
                    assigning.was_standby.entry(task).or_default().push(place);
                }
            }
        }
        assigning
    }

    fn place_of(&self, member: &MemberSpec) -> Option<Place> {
        let process = self.processes.iter().position(|process| process.id == member.process)?;
        let member = self.processes[process].position(&member.id)?;
        Some(Place { process, member })
    }

    fn tasks_of(&self, at: Place) -> usize {
        self.processes[at.process].tasks_of(at.member)
    }

    /// Of the members that had a standby of a task, the one with the least to do, whose process
    /// does not have `task`. As in Kafka, that is asked of the first one's process at the end.
    fn least_loaded(&self, members: &[Place], task: Option<&Task>) -> Option<Place> {
        let (mut candidate, others) = members.split_first().map(|(first, rest)| (*first, rest))?;
        let first = &self.processes[candidate.process];
        let mut load = first.load();
        let mut tasks = self.tasks_of(candidate);
        let lacks = |process: &Process| task.is_none_or(|task| !process.has(task));
        for other in others {
            let process = &self.processes[other.process];
            if process.load() < load && lacks(process) && self.tasks_of(*other) < tasks {
                load = process.load();
                tasks = self.tasks_of(*other);
                candidate = *other;
            }
        }
        lacks(first).then_some(candidate)
    }
}

/// Each with its members, in the order of a map that Java makes for as many as there are members.
fn processes(group: &GroupSpec) -> Vec<Process> {
    let mut processes: Vec<Process> = Vec::new();
    for member in &group.members {
        match processes.iter_mut().find(|process| process.id == member.process) {
            Some(process) => process.add_member(member.id.clone()),
            None => {
                let mut process = Process::new(member.process.clone());
                process.add_member(member.id.clone());
                processes.push(process);
            }
        }
    }
    let room = group.members.len();
    sized_hash_map_order(processes, room, |process| java_hash(&process.id))
}

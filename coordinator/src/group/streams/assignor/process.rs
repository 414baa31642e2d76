//! An instance of the application with its members, and what they are to have. Answers to
//! `ProcessState`.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::super::super::modern::hash_map_order;
use super::super::tasks::{TaskAssignment, Tasks};
use super::Task;
use super::priority_queue::PriorityQueue;
use crate::java_hash;

#[derive(Debug)]
struct Member {
    id: StrBytes,
    active: Vec<Task>,
    standby: Vec<Task>,
}

#[derive(Debug)]
pub(super) struct Process {
    pub(super) id: StrBytes,
    members: Vec<Member>,
    tasks: BTreeSet<Task>,
    /// How often a task was given, whatever it was.
    count: usize,
    /// Members by what they had when they came in, until one is given a task by name.
    by_load: Option<PriorityQueue<(usize, usize)>>,
}

/// By the number of tasks alone.
fn less((left, _): (usize, usize), (right, _): (usize, usize)) -> bool {
    left < right
}

impl Process {
    pub(super) fn new(id: StrBytes) -> Self {
        Self { id, members: Vec::new(), tasks: BTreeSet::new(), count: 0, by_load: None }
    }

    pub(super) fn add_member(&mut self, id: StrBytes) {
        self.members.push(Member { id, active: Vec::new(), standby: Vec::new() });
    }

    pub(super) fn position(&self, member: &StrBytes) -> Option<usize> {
        self.members.iter().position(|known| known.id == *member)
    }

    /// Tasks for each member.
    pub(super) fn load(&self) -> f64 {
        self.count as f64 / self.members.len() as f64
    }

    pub(super) fn has(&self, task: &Task) -> bool {
        self.tasks.contains(task)
    }

    pub(super) fn tasks_of(&self, member: usize) -> usize {
        self.members[member].active.len() + self.members[member].standby.len()
    }

    /// Gives a task to a member; how many it then has.
    pub(super) fn give(&mut self, member: usize, task: &Task, is_active: bool) -> usize {
        self.by_load = None;
        self.give_any(member, task, is_active)
    }

    /// The same for the member with the fewest tasks.
    pub(super) fn give_to_least_loaded(&mut self, task: &Task, is_active: bool) -> usize {
        if self.members.len() == 1 {
            return self.give_any(0, task, is_active);
        }
        let mut queue = self.by_load.take().unwrap_or_else(|| {
            let order = hash_map_order((0..self.members.len()).collect(), |member: &usize| {
                java_hash(&self.members[*member].id)
            });
            let members = order.into_iter().map(|member| (self.tasks_of(member), member));
            PriorityQueue::of(members, less)
        });
        let Some((_, member)) = queue.pop(less) else { return 0 };
        let tasks = self.give_any(member, task, is_active);
        queue.push((tasks, member), less);
        self.by_load = Some(queue);
        tasks
    }

    fn give_any(&mut self, member: usize, task: &Task, is_active: bool) -> usize {
        self.count += 1;
        self.tasks.insert(task.clone());
        let of = &mut self.members[member];
        let into = if is_active { &mut of.active } else { &mut of.standby };
        into.push(task.clone());
        self.tasks_of(member)
    }

    /// What each member is to have.
    pub(super) fn assignments(self) -> impl Iterator<Item = (StrBytes, TaskAssignment)> {
        self.members.into_iter().map(|member| {
            let assignment = TaskAssignment {
                active: by_subtopology(member.active),
                standby: by_subtopology(member.standby),
                warmup: Tasks::new(),
            };
            (member.id, assignment)
        })
    }
}

fn by_subtopology(tasks: Vec<Task>) -> Tasks {
    let mut of = Tasks::new();
    for Task { subtopology, partition } in tasks {
        of.entry(subtopology).or_default().insert(partition);
    }
    of
}

//! Active tasks: where they were, where a standby of them was, then by load. Answers to
//! `StickyTaskAssignor.assignActive`.

use super::priority_queue::PriorityQueue;
use super::{Assigning, AssignorError, Place, Task};

impl Assigning {
    pub(super) fn assign_active(&mut self, mut tasks: Vec<Task>) -> Result<(), AssignorError> {
        // Partitions of one number together: they were probably shared out by ranges.
        tasks.sort_by(|left, right| {
            (left.partition, &left.subtopology).cmp(&(right.partition, &right.subtopology))
        });
        tasks.retain(|task| {
            let before = self.was_active.get(task).copied();
            !self.keep(task, before)
        });
        tasks.retain(|task| {
            let standbys = self.was_standby.get(task);
            let before = standbys.and_then(|members| self.least_loaded(members, None));
            !self.keep(task, before)
        });
        // By subtopology, which makes ranges of those that nobody had.
        tasks.sort();
        self.spread(&tasks)
    }

    /// Gives a task to a member that has room; whether it has.
    fn keep(&mut self, task: &Task, member: Option<Place>) -> bool {
        let Some(at) = member.filter(|at| self.tasks_of(*at) < self.active.per_member) else {
            return false;
        };
        let has = self.processes[at.process].give(at.member, task, true);
        self.active.reached(has);
        self.all.reached(has);
        true
    }

    fn spread(&mut self, tasks: &[Task]) -> Result<(), AssignorError> {
        let mut queue = self.by_load();
        for task in tasks {
            let processes = &mut self.processes;
            let less = |left: usize, right: usize| processes[left].load() < processes[right].load();
            let Some(process) = queue.pop(less) else {
                let Task { subtopology, partition } = task.clone();
                return Err(AssignorError::NoProcess { subtopology, partition });
            };
            let has = processes[process].give_to_least_loaded(task, true);
            let less = |left: usize, right: usize| processes[left].load() < processes[right].load();
            queue.push(process, less);
            self.active.reached(has);
            self.all.reached(has);
        }
        Ok(())
    }

    /// The processes, those with the least load first.
    pub(super) fn by_load(&self) -> PriorityQueue<usize> {
        let processes = &self.processes;
        PriorityQueue::of(0..processes.len(), |left, right| {
            processes[left].load() < processes[right].load()
        })
    }
}

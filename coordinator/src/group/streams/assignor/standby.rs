//! Standbys: at who had the task, else by load, and never where the task is already. What has no
//! room is left out. Answers to `StickyTaskAssignor.assignStandby`.

use super::priority_queue::PriorityQueue;
use super::{Assigning, Place, Task};

impl Assigning {
    pub(super) fn assign_standby(&mut self, mut tasks: Vec<Task>) {
        tasks.sort_by(|left, right| {
            (right.partition, &right.subtopology).cmp(&(left.partition, &left.subtopology))
        });
        let mut left_over: Vec<(Task, usize)> = Vec::new();
        for task in tasks {
            let kept = (0..self.standby_replicas).take_while(|_| self.keep_standby(&task)).count();
            if kept < self.standby_replicas {
                left_over.push((task, self.standby_replicas - kept));
            }
        }
        left_over.sort_by(|(left, _), (right, _)| right.cmp(left));
        let mut queue = self.by_load();
        for (task, replicas) in left_over {
            for _ in 0..replicas {
                if !self.place_standby(&mut queue, &task) {
                    break;
                }
            }
        }
    }

    /// Gives a standby to who had the task before, active or not; whether one has room.
    fn keep_standby(&mut self, task: &Task) -> bool {
        let was_active = self.was_active.get(task).copied();
        let was_active = was_active.filter(|at| !self.processes[at.process].has(task));
        if let Some(at) = was_active.filter(|at| self.has_room(*at)) {
            self.give_standby(at, task);
            return true;
        }
        let members = self.was_standby.get(task);
        let was_standby = members.and_then(|members| self.least_loaded(members, Some(task)));
        match was_standby.filter(|at| self.has_room(*at)) {
            Some(at) => {
                self.give_standby(at, task);
                true
            }
            None => false,
        }
    }

    fn has_room(&self, at: Place) -> bool {
        self.tasks_of(at) < self.all.per_member
    }

    fn give_standby(&mut self, at: Place, task: &Task) {
        let has = self.processes[at.process].give(at.member, task, false);
        self.all.reached(has);
    }

    /// To the process with the least load of those that do not have the task; whether there is one.
    fn place_standby(&mut self, queue: &mut PriorityQueue<usize>, task: &Task) -> bool {
        let mut passed = Vec::new();
        let mut is_placed = false;
        loop {
            let processes = &self.processes;
            let less = |left: usize, right: usize| processes[left].load() < processes[right].load();
            let Some(process) = queue.pop(less) else { break };
            passed.push(process);
            if !self.processes[process].has(task) {
                let has = self.processes[process].give_to_least_loaded(task, false);
                self.all.reached(has);
                is_placed = true;
            }
            if is_placed || queue.is_empty() {
                break;
            }
        }
        // The last one that was taken out goes back first, as Kafka's recursion has it.
        let processes = &self.processes;
        for process in passed.into_iter().rev() {
            let less = |left: usize, right: usize| processes[left].load() < processes[right].load();
            queue.push(process, less);
        }
        is_placed
    }
}

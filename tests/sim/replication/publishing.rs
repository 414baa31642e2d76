//! What a broker makes of the metadata: a change is applied once, by the steps that
//! `raft::replica_steps` names, as in the product's publisher; what differs afterwards is done
//! again from time to time, as `replica::reconcile` says.

use raft::image::{DIRECTORY_LOST, Partition as Registered};
use raft::replica_steps::{Assigned as Ours, first_steps, replica_steps};
use replica::{Assigned, Presence, Step};

use super::broker::{Out, SimBroker};
use super::message::{Body, CONTROLLER};

impl SimBroker {
    /// Whether the metadata knows this process.
    fn is_registered(&self) -> bool {
        let own = self.image.cluster().broker(self.id);
        self.epoch >= 0 && own.is_some_and(|own| own.broker_epoch == self.epoch)
    }

    /// Does what the replayed metadata asks, once; at first, when it knows this process, all of it.
    pub(crate) fn publish(&mut self, now_us: i64, out: &mut Out) {
        let replayed = self.replayed.take();
        if !self.begun {
            if !self.is_registered() {
                return;
            }
            self.begun = true;
            let ours = first_steps(self.id, &self.image);
            let is_ours = |id: &usize| ours.iter().any(|ours| ours.partition as usize == *id);
            // As strays are put aside.
            self.disk.retain(|id, _| is_ours(id));
            self.host_all(ours, now_us, out);
        } else if let Some((before, changes)) = replayed {
            let steps = replica_steps(self.id, &before, &self.image, &changes);
            for (_, partition) in steps.removed {
                self.forget(partition as usize, out);
            }
            self.host_all(steps.hosted, now_us, out);
            for leader in steps.asked_again {
                self.retry_fetches_from(leader, now_us, out);
            }
        } else {
            return;
        }
        let Some(topic) = self.image.topics().by_name("t").filter(|_| !self.disk_failed) else {
            return;
        };
        let partitions = topic.partitions().map(|(id, state)| (id as usize, state));
        let could = partitions.filter(|(id, _)| !self.undone.contains(id));
        self.published = could.map(|(id, state)| (id, self.step_of(id, state))).collect();
    }

    fn host_all(&mut self, assigned: Vec<Ours>, now_us: i64, out: &mut Out) {
        for Ours { partition, state, .. } in assigned {
            let done = self.host(partition as usize, &state, now_us, out);
            self.counters.exhausted += u64::from(!done);
        }
    }

    /// What is to be done so that a partition is as the metadata says.
    fn step_of(&self, id: usize, state: &Registered) -> Step {
        let assigned = state.replicas.contains(&self.id).then_some(Assigned {
            leader: state.leader,
            leader_epoch: state.leader_epoch,
            partition_epoch: state.partition_epoch,
            in_sync: state.isr.contains(&self.id),
            can_leave: state
                .isr
                .iter()
                .any(|id| *id != self.id && state.directory(*id) != Some(DIRECTORY_LOST)),
            eligible: state.elr.contains(&self.id),
        });
        let present = self.hosted.get(&id).map_or(Presence::Absent, |hosted| {
            let fetched_from = self.fetcher_table.of(&id);
            Presence::Open(hosted.replica.standing(fetched_from, hosted.damaged))
        });
        replica::reconcile(self.id, assigned.as_ref(), &present)
    }

    /// Does again what is not as the metadata says.
    pub(crate) fn reconcile(&mut self, now_us: i64, out: &mut Out) {
        let topic = self.image.topics().by_name("t").filter(|_| self.begun).cloned();
        let Some(topic) = topic else { return };
        for (id, state) in topic.partitions() {
            let id = id as usize;
            let step = self.step_of(id, state);
            let may_be_elected = state.isr.contains(&self.id) || state.elr.contains(&self.id);
            let is_sound = self.hosted.get(&id).is_some_and(|hosted| hosted.damaged.is_none());
            // As the host, which says it until it is answered.
            if is_sound || step == Step::Keep && may_be_elected {
                self.locate_if_lost(id, state, out);
            }
            match step {
                Step::Open | Step::Apply => {
                    self.counters.reconciled += u64::from(self.host(id, state, now_us, out));
                }
                Step::Fetch => self.follow(id, state.leader, now_us, out),
                Step::Unfollow => self.unfollow(id),
                Step::Remove => self.forget(id, out),
                Step::LeaveInSync => self.locate(id, true, out),
                Step::Refill => {
                    // What was damaged is kept beside, where nobody looks.
                    self.forget(id, out);
                    self.disk.remove(&id);
                    self.counters.refilled += u64::from(self.host(id, state, now_us, out));
                }
                Step::Nothing | Step::Wait | Step::Keep => {}
            }
        }
    }

    /// Unlike the metadata says, the log is not lost.
    pub(crate) fn locate_if_lost(&self, partition: usize, state: &Registered, out: &mut Out) {
        if state.directory(self.id) == Some(DIRECTORY_LOST) {
            self.locate(partition, false, out);
        }
    }

    fn locate(&self, partition: usize, lost: bool, out: &mut Out) {
        let epoch = self.epoch;
        out.sent.push((CONTROLLER, 0, Body::Located { epoch, partition, lost }));
    }
}

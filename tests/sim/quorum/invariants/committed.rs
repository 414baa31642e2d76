//! What is committed is the same everywhere and stays: one list of batches for the whole run, a
//! majority has them on its disks, every later leader has them all, high watermarks never fall, and
//! no client's answer is taken back (invariant 3).

use std::collections::BTreeMap;

use raft::image::MetadataImage;
use raft::quorum::ReplicaKey;

use super::{Machines, Violation};
use crate::quorum::counters::Counters;
use crate::quorum::disk::{Files, view};
use crate::quorum::node::Machine;

const NAME: &str = "committed records stay";

/// Something a client waits for.
struct Promise {
    id: i32,
    life: u64,
    epoch: i32,
    offset: i64,
}

#[derive(Default)]
pub(super) struct Committed {
    /// All that was ever committed.
    log: Files,
    high_watermarks: BTreeMap<i32, i64>,
    promises: Vec<Promise>,
}

impl Committed {
    pub(super) fn log(&self) -> &Files {
        &self.log
    }

    pub(super) fn end(&self) -> i64 {
        self.log.end_offset()
    }

    /// A node that starts does not know its high watermark.
    pub(super) fn started(&mut self, id: i32) {
        self.high_watermarks.remove(&id);
        self.promises.retain(|promise| promise.id != id);
    }

    pub(super) fn check(
        &mut self,
        machines: &Machines,
        machine: &Machine,
        counters: &mut Counters,
    ) -> Result<(), Violation> {
        let Some(node) = &machine.node else { return Ok(()) };
        let disk = machine.disk.borrow();
        let known = self.high_watermarks.get(&machine.id).copied();
        let Some(reached) = node.quorum().high_watermark() else {
            return match known {
                None => Ok(()),
                Some(_) => Err(Violation::new(NAME, "a high watermark is forgotten")),
            };
        };
        let end = disk.live.end_offset();
        let before = known.unwrap_or(0);
        if reached < before || reached > end {
            let found = format!(
                "node {}: high watermark {reached} after {before}, the log ends at {end}",
                machine.id
            );
            return Err(Violation::new(NAME, found));
        }
        if known == Some(reached) {
            return Ok(());
        }
        self.high_watermarks.insert(machine.id, reached);
        counters.commits += 1;
        self.compare(machine.id, &disk.live, before, reached)?;
        counters.committed = counters.committed.max(self.end().unsigned_abs());
        if node.quorum().is_leader() {
            counters.majorities += 1;
            self.has_majority(machines, machine.id, reached)?;
            self.is_of_its_epoch(&disk.live, reached, node.quorum().epoch())?;
        }
        Ok(())
    }

    /// Between two offsets a node's log is the one committed.
    fn compare(&mut self, id: i32, log: &Files, from: i64, to: i64) -> Result<(), Violation> {
        for batch in log.from(from) {
            let (base, next) = (view(batch).base_offset(), view(batch).next_offset());
            if next > to {
                break;
            }
            if base == self.log.end_offset() {
                self.log.batches.push(batch.clone());
            } else if self.log.ending_at(next) != Some(batch) {
                let epoch = view(batch).partition_leader_epoch();
                let known = self.log.ending_at(next).map(|b| view(b).partition_leader_epoch());
                let found = format!(
                    "node {id} has offsets {base} to {next} of epoch {epoch} committed, others \
                     have them of epoch {known:?}"
                );
                return Err(Violation::new(NAME, found));
            }
        }
        Ok(())
    }

    fn has_majority(&self, machines: &Machines, id: i32, end: i64) -> Result<(), Violation> {
        let wanted = self.log.ending_at(end);
        let voters = machines[&id].node.as_ref().map(|node| &node.quorum().kraft().voters);
        let holds = |voter: &ReplicaKey| {
            let machine = &machines[&voter.id];
            let own = ReplicaKey { id: machine.id, directory_id: machine.directory };
            let disk = machine.disk.borrow();
            // A disk that was thrown away had what its last request said.
            !voter.covers(own)
                || (disk.durable.start_offset >= end || disk.durable.ending_at(end) == wanted)
        };
        let holding = voters.map_or(0, |voters| voters.keys().filter(holds).count());
        let majority = voters.map_or(0, |voters| voters.len() / 2 + 1);
        if wanted.is_some() && holding >= majority {
            return Ok(());
        }
        let found =
            format!("leader {id} of {voters:?} commits up to {end}, {holding} disk(s) have that");
        Err(Violation::new(NAME, found))
    }

    fn is_of_its_epoch(&self, log: &Files, end: i64, epoch: i32) -> Result<(), Violation> {
        let last = log.ending_at(end).map(|batch| view(batch).partition_leader_epoch());
        if last == Some(epoch) {
            return Ok(());
        }
        let found = format!("a leader of epoch {epoch} commits by a record of epoch {last:?}");
        Err(Violation::new(NAME, found))
    }

    /// Who was elected has everything, but for what later leaders have committed meanwhile: it may
    /// have stood still since.
    pub(super) fn check_leader(
        &self,
        machines: &Machines,
        machine: &Machine,
        epoch: i32,
    ) -> Result<(), Violation> {
        let disk = machines[&machine.id].disk.borrow();
        let log = &disk.live;
        let wanted = self.log.from(log.start_offset);
        let before = wanted.partition_point(|b| view(b).partition_leader_epoch() <= epoch);
        if log.batches.starts_with(&wanted[..before]) {
            return Ok(());
        }
        let found = format!("node {} leads without all that is committed", machine.id);
        Err(Violation::new(NAME, found))
    }

    pub(super) fn promised(&mut self, machine: &Machine, offset: i64) {
        let Some(node) = &machine.node else { return };
        let epoch = node.quorum().epoch();
        let (id, life) = (machine.id, machine.life);
        self.promises.push(Promise { id, life, epoch, offset });
    }

    /// Clients whose offset is in an image of the node that promised are answered.
    pub(super) fn published(
        &mut self,
        machine: &Machine,
        image: &MetadataImage,
    ) -> Result<(), Violation> {
        let Some(node) = &machine.node else { return Ok(()) };
        let epoch = node.quorum().epoch();
        let reached = image.provenance().last_contained_offset;
        // Who lost the lead answers nobody.
        self.promises.retain(|promise| promise.id != machine.id || promise.epoch == epoch);
        let own = |promise: &mut Promise| promise.id == machine.id && promise.offset <= reached;
        for Promise { life, offset, .. } in self.promises.extract_if(.., own) {
            let disk = machine.disk.borrow();
            let batch = disk.live.from(offset).first();
            let kept = batch.map(|batch| view(batch).partition_leader_epoch());
            if life != machine.life || kept.is_some_and(|kept| kept > epoch) {
                let found = format!("node {} answers for offset {offset} of {kept:?}", machine.id);
                return Err(Violation::new(NAME, found));
            }
        }
        Ok(())
    }
}

//! What goes wrong, drawn by chance: machines, links, disks, clocks, and wrong guesses.

use raft::quorum::Event;

use super::disk::VoteFault;
use super::invariants::Violation;
use super::network::Network;
use super::world::World;

/// Pauses between two faults.
const PAUSE_MS: u64 = 1_500;

const HOUR_MS: i64 = 3_600_000;

impl World {
    pub(crate) fn fault_pause_ms(&mut self) -> i64 {
        50 + self.draws.below(PAUSE_MS) as i64
    }

    /// One thing goes wrong, or right again.
    pub(crate) fn fault(&mut self) -> Result<(), Violation> {
        self.counters.faults += 1;
        let ids: Vec<i32> = self.machines.keys().copied().collect();
        let pick = self.draws.below(ids.len() as u64) as usize;
        let id = ids[pick];
        match self.draws.below(27) {
            0 | 1 => self.crash_and_restart(id),
            2 => {
                if let Some(leader) = self.leader() {
                    self.crash_and_restart(leader);
                }
            }
            3 => ids.iter().for_each(|id| self.crash_and_restart(*id)),
            4 => self.network.isolate(id, &ids),
            5 => {
                if let Some(leader) = self.leader() {
                    self.network.isolate(leader, &ids);
                }
            }
            6 => {
                let at = 1 + self.draws.below(ids.len() as u64 - 1) as usize;
                let mut mixed = ids.clone();
                self.draws.shuffle(&mut mixed);
                let (left, right) = mixed.split_at(at);
                self.network.split(left, right);
            }
            7 => {
                let other = ids[self.draws.below(ids.len() as u64) as usize];
                self.network.cut(id, other);
            }
            8 => self.network.lost = self.draws.below(300),
            9 => self.network.doubled = self.draws.below(300),
            10 => self.network.delay_ms = 1 + self.draws.below(800),
            11 => {
                let sync_ms = 1 + self.draws.below(1_500);
                self.machine(id).sync_ms = sync_ms;
            }
            12 => {
                let hours = self.draws.below(5) as i64 - 2;
                self.machine(id).wall_offset_ms = hours * HOUR_MS;
            }
            13 => {
                let gone = ids[self.draws.below(ids.len() as u64) as usize];
                self.evidence(id, gone, 0);
            }
            14 => return self.stop(id),
            15 | 16 => self.vote_fault(id, VoteFault::Slow),
            17 => {
                let saved = self.draws.below(2) == 0;
                self.vote_fault(id, VoteFault::Fails(saved));
            }
            _ => self.network = Network::calm(),
        }
        Ok(())
    }

    pub(crate) fn crash_and_restart(&mut self, id: i32) {
        let noticed = self.draws.below(2) == 0;
        self.crash(id, noticed);
        let after_ms = 1 + self.draws.below(2_500) as i64;
        self.start_after(id, after_ms);
    }

    pub(crate) fn vote_fault(&mut self, id: i32, fault: VoteFault) {
        self.machine(id).disk.borrow_mut().vote_fault = Some(fault);
    }

    /// A node takes its leave; it is gone some time later, done or not.
    pub(crate) fn stop(&mut self, id: i32) -> Result<(), Violation> {
        if self.busy_until(id).is_some() {
            return Ok(());
        }
        if self.leader() == Some(id) {
            self.counters.handovers += 1;
        }
        self.machine(id).stopping = true;
        self.event(id, Event::ShutdownRequested)
    }

    /// Who takes its leave and may go, goes.
    pub(crate) fn let_go(&mut self) {
        let leaving = self.machines.values().filter(|machine| {
            machine.stopping && machine.node.as_ref().is_some_and(|node| node.may_stop())
        });
        for id in leaving.map(|machine| machine.id).collect::<Vec<_>>() {
            self.crash_and_restart(id);
        }
    }

    pub(crate) fn machine(&mut self, id: i32) -> &mut super::node::Machine {
        self.machines.get_mut(&id).expect("a machine of this world")
    }

    /// Everything that was wrong is over.
    pub(crate) fn repair(&mut self) {
        self.network = Network::calm();
        for machine in self.machines.values_mut() {
            machine.sync_ms = 4;
            machine.wall_offset_ms = 0;
            machine.stalled_until_ms = 0;
            machine.disk.borrow_mut().vote_fault = None;
        }
        for id in self.machines.keys().copied().collect::<Vec<_>>() {
            let machine = self.machine(id);
            if std::mem::take(&mut machine.stopping) {
                self.crash(id, true);
            }
            self.start_after(id, 1);
        }
    }
}

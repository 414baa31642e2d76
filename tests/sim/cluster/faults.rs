//! What goes wrong with the controllers, drawn by chance: machines, vote files, links, clocks.

use crate::quorum::disk::VoteFault;
use crate::quorum::network::Network;
use crate::replication::message::NodeId;

use super::controllers::SimControllers;

/// The longest pause between two faults.
const PAUSE_MS: u64 = 5_000;
const HOUR_MS: i64 = 3_600_000;

impl SimControllers {
    pub(super) fn pause_ms(&mut self) -> i64 {
        50 + self.quorum.draws.below(PAUSE_MS) as i64
    }

    fn below(&mut self, bound: u64) -> i64 {
        self.quorum.draws.below(bound) as i64
    }

    /// One thing goes wrong, or right again.
    pub(super) fn strike(&mut self) {
        self.quorum.counters.faults += 1;
        let voters = self.voters();
        let id = voters[self.below(3) as usize];
        let leader = self.quorum.leader().unwrap_or(id);
        match self.below(28) {
            0 => self.quorum.crash_and_restart(id),
            1..=3 => self.quorum.crash_and_restart(leader),
            4 => voters.iter().for_each(|id| self.quorum.crash_and_restart(*id)),
            5..=7 => self.pause(leader),
            8 => self.pause(id),
            // It leads on for as long as it does not know.
            9..=12 => self.isolate(leader, &voters),
            13 => {
                let brokers = self.brokers();
                let all: Vec<NodeId> = voters.iter().copied().chain(brokers).collect();
                self.isolate(leader, &all);
            }
            14 => {
                for broker in self.brokers() {
                    if self.below(2) == 0 {
                        self.quorum.network.cut(broker, leader);
                    }
                }
            }
            15 => self.quorum.network.lost = self.quorum.draws.below(200),
            16 => self.quorum.network.doubled = self.quorum.draws.below(300),
            17 => self.quorum.network.delay_ms = 1 + self.quorum.draws.below(600),
            18 | 19 => {
                let sync_ms = 1 + self.quorum.draws.below(1_500);
                self.quorum.machine(id).sync_ms = sync_ms;
            }
            20 => {
                let hours = self.below(5) - 2;
                self.quorum.machine(id).wall_offset_ms = hours * HOUR_MS;
            }
            21 | 22 => {
                for id in voters {
                    self.quorum.vote_fault(id, VoteFault::Slow);
                }
                self.quorum.crash_and_restart(leader);
            }
            23 => {
                let saved = self.below(2) == 0;
                self.quorum.vote_fault(id, VoteFault::Fails(saved));
            }
            24 => {
                let stopped = self.quorum.stop(id);
                self.keep(stopped);
            }
            _ => self.calm(),
        }
        self.follow();
    }

    fn brokers(&self) -> Vec<NodeId> {
        self.quorum.machines.values().filter(|m| !m.voter).map(|m| m.id).collect()
    }

    fn isolate(&mut self, id: NodeId, from: &[NodeId]) {
        let others: Vec<NodeId> = from.iter().copied().filter(|other| *other != id).collect();
        self.quorum.network.isolate(id, &others);
    }

    fn pause(&mut self, id: NodeId) {
        self.counters.paused += 1;
        let span_ms = 100 + self.below(8_000);
        self.quorum.stall(id, self.quorum.now_ms + span_ms);
    }

    /// Links and disks of the controllers are well again, but for what the brokers' world cut.
    fn calm(&mut self) {
        self.quorum.network = Network::calm();
        for (from, to) in &self.down {
            self.quorum.network.cut(*from, *to);
        }
        for id in self.voters() {
            self.quorum.machine(id).sync_ms = 4;
        }
    }
}

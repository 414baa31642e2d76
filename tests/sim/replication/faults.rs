//! What goes wrong, and how it ends: each fault has a limited time, and then everything heals.

use super::broker::Out;
use super::message::{Body, CONTROLLER, NodeId};
use super::plan::Mode;
use super::requests::ControllerCall;
use super::world::{Event, World};

impl World {
    /// The next fault of the plan.
    pub(crate) fn strike(&mut self) {
        let pause_us = 1_000 * (1 + self.draws.below(2 * self.plan.fault_every_ms) as i64);
        self.after_us(pause_us, Event::Fault);
        if self.healed {
            // Wall clocks are nothing that the cluster may depend on, healthy or not.
            self.jump_clock();
            return;
        }
        self.counters.faults += 1;
        let id = 1 + self.draws.below(self.plan.brokers as u64) as NodeId;
        match self.draws.below(20) {
            0..=2 => self.kill(id, false),
            3 | 4 => self.kill(id, true),
            5 | 6 => self.kill_waited_for(),
            7 => self.broker(id).stopping = true,
            8 | 9 => self.freeze(id),
            10 | 11 => self.part(id),
            12 => self.disturb_network(),
            13 => self.controller_leaves(),
            14 => self.call_controller(&ControllerCall::BrokerGone(id), 0),
            15 => self.exhaust(id),
            16 => self.candidate_fault_due = true,
            17 => self.rot(id),
            18 => self.fill(id),
            _ => match self.draws.below(3) {
                0 => self.jump_clock(),
                _ => self.reassign(),
            },
        }
    }

    fn span_us(&mut self, most_ms: u64) -> i64 {
        1_000 * (100 + self.draws.below(most_ms) as i64)
    }

    /// Kills the process; with `power` the machine goes down, and what was not synced may be lost.
    fn kill(&mut self, id: NodeId, power: bool) {
        let down_us = self.span_us(12_000);
        // Somebody may see the connection closed at once.
        let seen = self.draws.below(2) == 0;
        self.kill_for(id, power, down_us, seen);
    }

    fn kill_for(&mut self, id: NodeId, power: bool, down_us: i64, seen: bool) {
        let covered = self.plan.mode == Mode::LossesCovered;
        let one_too_many = self.unclean.iter().any(|other| *other != id);
        if !self.broker(id).up || covered && one_too_many {
            return;
        }
        self.end_process(id, power, down_us, seen);
    }

    fn end_process(&mut self, id: NodeId, power: bool, down_us: i64, seen: bool) {
        self.unclean.insert(id);
        let power = power && self.plan.mode != Mode::NothingLost;
        let waited_for = !self.broker(id).waiting.is_empty();
        self.counters.leader_crashes_with_waiters += u64::from(waited_for);
        let mut draws = self.draws.clone();
        let mut kept = |unsynced: i64| draws.below(unsynced as u64 + 1) as i64;
        let broker = self.broker(id);
        broker.stop(power.then_some(&mut kept));
        broker.previous_epoch = -1;
        broker.crashed |= power;
        self.controller.broker_ends(id);
        self.draws = draws;
        self.draws.next_u64();
        if power {
            self.checks.lost_power(id, &self.brokers[id as usize - 1]);
        }
        self.after_us(down_us, Event::Start(id));
        if seen {
            self.after_us(20_000, Event::ClosedConnection(id));
        }
    }

    /// Kills a leader whose clients wait for acknowledgements.
    fn kill_waited_for(&mut self) {
        let waited_for = self.brokers.iter().filter(|broker| !broker.waiting.is_empty());
        let ids: Vec<NodeId> = waited_for.map(|broker| broker.id).collect();
        if !ids.is_empty() {
            let id = ids[self.draws.below(ids.len() as u64) as usize];
            let power = self.draws.below(3) == 0;
            self.kill(id, power);
        }
    }

    /// Takes the power of a replica for which its leader is about to ask the controller to take it
    /// into the in-sync set. The request gets through only when the replica is back without what
    /// made it eligible, under another broker epoch (KIP-903).
    pub(crate) fn kill_candidate(&mut self, leader: NodeId, asked: &Body) {
        let Body::Alter { proposals, .. } = asked else { return };
        let candidate = proposals.iter().find_map(|(partition, proposal)| {
            let state = self.controller.committed().partition(*partition)?;
            let mut members = proposal.isr.iter();
            // The leader is its own only member until it hears that it was fenced.
            let joins = |id: i32| id != leader && !state.isr.contains(&id);
            members.find(|member| joins(member.id)).map(|member| member.id)
        });
        let Some(id) = candidate else { return };
        self.candidate_fault_due = false;
        let cut_us = self.span_us(2_000);
        for node in self.controller.nodes() {
            self.cut_for(leader, node, cut_us);
        }
        let down_us = self.span_us(400);
        self.kill_for(id, true, down_us, true);
    }

    pub(crate) fn stop_in_peace(&mut self, id: NodeId) {
        let broker = self.broker(id);
        broker.sync();
        let epoch = broker.epoch;
        let mut out = Out::default();
        broker.give_up_all(&mut out);
        self.carry(id, out);
        let broker = self.broker(id);
        broker.stop(None);
        broker.previous_epoch = epoch;
        self.controller.broker_ends(id);
        let down_us = self.span_us(5_000);
        self.after_us(down_us, Event::Start(id));
    }

    pub(crate) fn start(&mut self, id: NodeId) {
        self.processes += 1;
        let process = self.processes;
        let broker = self.broker(id);
        if !broker.up {
            broker.up = true;
            broker.process = process;
            self.controller.broker_starts(id);
            self.wind_up(id);
        }
    }

    fn freeze(&mut self, id: NodeId) {
        let span_us = self.span_us(16_000);
        let until_us = self.now_us + span_us;
        let broker = self.broker(id);
        broker.frozen_until_us = broker.frozen_until_us.max(until_us);
        self.controller.broker_freezes(id, until_us);
    }

    /// A record on a broker's disk cannot be read any more, and a reader finds that out at once.
    fn rot(&mut self, id: NodeId) {
        let partition = self.draws.below(self.plan.partitions as u64) as usize;
        let draw = self.draws.next_u64();
        let broker = self.broker(id);
        let Some(log) = broker.log_mut(partition).filter(|log| log.end() > log.start()) else {
            return;
        };
        log.rotten = Some(log.start() + (draw % (log.end() - log.start()) as u64) as i64);
        broker.meet_damage(partition);
    }

    /// There is no room on a broker's disk for a while.
    fn fill(&mut self, id: NodeId) {
        if self.plan.mode == Mode::LossesCovered {
            // Whoever ends for want of room is one more that has to make good.
            return;
        }
        let span_us = self.span_us(5_000);
        let until_us = self.now_us + span_us;
        self.broker(id).full_until_us = until_us;
    }

    /// The only log directory has failed: the process ends as it is, and comes back.
    pub(crate) fn disk_fails(&mut self, id: NodeId) {
        self.counters.full += 1;
        let down_us = self.span_us(4_000);
        self.end_process(id, false, down_us, true);
    }

    /// Takes all descriptors of a broker.
    fn exhaust(&mut self, id: NodeId) {
        let span_us = self.span_us(8_000);
        let until_us = self.now_us + span_us;
        self.broker(id).exhausted_until_us = until_us;
    }

    /// Cuts a broker off from one other, from the controller, or from all, one way or both.
    fn part(&mut self, id: NodeId) {
        let controllers = self.controller.nodes();
        let brokers = (1..=self.plan.brokers).filter(|other| *other != id);
        let others: Vec<NodeId> = controllers.iter().copied().chain(brokers).collect();
        let some = match self.draws.below(4) {
            0 => others,
            1 => controllers,
            _ => vec![others[self.draws.below(others.len() as u64) as usize]],
        };
        let ways = self.draws.below(3);
        for other in some {
            let links = [(id, other), (other, id)];
            let cut = links.iter().enumerate().filter(|(way, _)| ways == 2 || ways == *way as u64);
            let cut: Vec<(NodeId, NodeId)> = cut.map(|(_, link)| *link).collect();
            for (from, to) in cut {
                let span_us = self.span_us(14_000);
                self.cut_for(from, to, span_us);
            }
        }
    }

    fn cut_for(&mut self, from: NodeId, to: NodeId, span_us: i64) {
        self.network.cut.insert((from, to));
        self.controller.cut(from, to);
        self.after_us(span_us, Event::LinkUp(from, to));
    }

    pub(crate) fn mend(&mut self, from: NodeId, to: NodeId) {
        self.network.cut.remove(&(from, to));
        self.controller.mend(from, to);
    }

    pub(crate) fn heal_network(&mut self) {
        let cut = std::mem::take(&mut self.network.cut);
        cut.into_iter().for_each(|(from, to)| self.controller.mend(from, to));
        self.network.heal();
    }

    fn disturb_network(&mut self) {
        self.network.lost = 50 + self.draws.below(250);
        self.network.duplicated = 50 + self.draws.below(250);
        self.network.delay_max_us = 50_000 + self.draws.below(1_500_000);
        let span_us = self.span_us(6_000);
        self.after_us(span_us, Event::NetworkCalm);
    }

    pub(crate) fn calm_network(&mut self) {
        let quiet = if self.healed { 0 } else { 1 };
        self.network.lost = quiet * self.plan.lost;
        self.network.duplicated = quiet * self.plan.duplicated;
        self.network.delay_max_us = self.plan.delay_max_us;
    }

    fn controller_leaves(&mut self) {
        if let Some(span_us) = self.controller.fault(&mut self.draws) {
            self.after_us(span_us, Event::ControllerBack);
        }
    }

    pub(crate) fn controller_back(&mut self) {
        self.controller.recover(&mut self.draws, self.now_us);
    }

    fn jump_clock(&mut self) {
        if !self.plan.clocks_jump {
            return;
        }
        let jump_ms = self.draws.below(7_200_000) as i64 - 3_600_000;
        match self.draws.below(self.plan.brokers as u64 + 1) as NodeId {
            CONTROLLER => self.controller.jump_clock(jump_ms),
            id => self.broker(id).clock.wall_error_ms = jump_ms,
        }
    }

    fn reassign(&mut self) {
        let partition = self.draws.below(self.plan.partitions as u64) as usize;
        let mut ids: Vec<NodeId> = (1..=self.plan.brokers).collect();
        self.draws.shuffle(&mut ids);
        ids.truncate(self.plan.replication_factor);
        if self.controller.committed().partition(partition).is_some() {
            self.call_controller(&ControllerCall::Reassign { partition, replicas: ids }, 0);
        }
    }

    /// A broker that is back in every in-sync set has made good what its crash cost.
    pub(crate) fn forgive(&mut self) {
        if self.unclean.is_empty() {
            return;
        }
        let known = self.controller.committed();
        let states: Vec<_> = (0..self.plan.partitions).filter_map(|p| known.partition(p)).collect();
        let brokers = &self.brokers;
        self.unclean.retain(|id| {
            let broker = &brokers[*id as usize - 1];
            let back = states.iter().all(|s| !s.replicas.contains(id) || s.isr.contains(id));
            !broker.up || broker.epoch < 0 || !back
        });
    }

    /// No more faults but one: everything is up, and can reach everything but for two brokers that
    /// do not reach each other. The rest has to go on without one of them.
    pub(crate) fn heal(&mut self) {
        self.healed = true;
        self.candidate_fault_due = false;
        self.heal_network();
        self.calm_network();
        let one = 1 + self.draws.below(self.plan.brokers as u64) as NodeId;
        let other = one % self.plan.brokers + 1;
        self.network.cut.extend([(one, other), (other, one)]);
        self.controller_back();
        self.controller.heal();
        for id in 1..=self.plan.brokers {
            self.broker(id).frozen_until_us = 0;
            self.broker(id).exhausted_until_us = 0;
            self.broker(id).full_until_us = 0;
            let (now_us, mut out) = (self.now_us, Out::default());
            self.broker(id).read_again(now_us, &mut out);
            self.carry(id, out);
            self.start(id);
        }
        self.checks.healed(self.now_us, &self.producers);
    }
}

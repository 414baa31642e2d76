//! Three controllers, as their hosts drive them: requests are put to the node they reach, answers
//! wait in `raft::pending`, and what brokers hear of the metadata is what their own nodes read.
//!
//! What is committed is taken from the quorum's log as any node first said so, batch by batch.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use raft::draws::Draws;
use raft::image::{LoadError, MetadataImage, MetadataLoader, Provenance};
use raft::node::NotActive;
use raft::pending::{Due, Pending};
use raft::quorum::{EntryRecord, decode};

use super::Counters;
use crate::quorum::counters::Counters as OfQuorum;
use crate::quorum::disk::view;
use crate::quorum::invariants::Violation;
use crate::quorum::world::{Heard, World as Quorum};
use crate::replication::Counters as OfBrokers;
use crate::replication::controller::{Batch, Committed, Controllers, Said};
use crate::replication::message::{Body, Message, NodeId};
use crate::replication::plan::Plan;
use crate::replication::requests::{ControllerCall, Served, settings};

/// The nodes that vote.
const VOTERS: [NodeId; 3] = [11, 12, 13];
/// What the quorum's clock shows when the brokers' shows nothing.
const START_MS: i64 = 1_000;
/// How long all nodes have to be alike when nobody asks for anything any more.
const SETTLING_MS: i64 = 5_000;

pub(super) type Counted = Rc<RefCell<(Counters, OfQuorum)>>;

/// An answer that waits.
#[derive(Debug)]
struct Answer {
    to: NodeId,
    process: u64,
    body: Option<Body>,
    /// What the broker hears when this controller leads no more.
    refusal: Option<Body>,
    /// Where a change of in-sync sets ends in the log, and of which epoch it is.
    alters: Option<(i64, i32)>,
}

pub(crate) struct SimControllers {
    pub(super) quorum: Quorum,
    plan: Plan,
    committed: Committed,
    loader: MetadataLoader,
    served: BTreeMap<NodeId, Served>,
    pending: BTreeMap<NodeId, Pending<Answer>>,
    /// Changes of in-sync sets of which nobody knew at a failover whether they are committed.
    in_doubt: Vec<(i64, i32)>,
    /// The links between brokers and controllers that are down.
    pub(super) down: BTreeSet<(NodeId, NodeId)>,
    pub(super) next_fault_ms: Option<i64>,
    said: Vec<Said>,
    found: Option<String>,
    two_active: bool,
    last_active: Option<NodeId>,
    of_brokers: OfBrokers,
    pub(super) counters: Counters,
    counted: Counted,
}

fn ms_of(now_us: i64) -> i64 {
    START_MS + now_us / 1_000
}

fn us_of(ms: i64) -> i64 {
    (ms - START_MS) * 1_000
}

impl SimControllers {
    pub(super) fn new(plan: Plan, seed: u64, counted: Counted, told: bool) -> Self {
        let brokers: Vec<NodeId> = (1..=plan.brokers).collect();
        let mut quorum = Quorum::of(seed, &VOTERS, &brokers, seed % 2 == 1);
        quorum.stop_proposing();
        quorum.controller = settings(&plan);
        quorum.heard = Some(Vec::new());
        quorum.told = told;
        for machine in quorum.machines.values_mut() {
            machine.pace = 800 + quorum.draws.below(401) as i64;
        }
        Self {
            quorum,
            plan,
            committed: Committed::default(),
            loader: MetadataLoader::new(MetadataImage::default()),
            served: BTreeMap::new(),
            pending: BTreeMap::new(),
            in_doubt: Vec::new(),
            down: BTreeSet::new(),
            next_fault_ms: Some(START_MS + 4_000),
            said: Vec::new(),
            found: None,
            two_active: false,
            last_active: None,
            of_brokers: OfBrokers::default(),
            counters: Counters::default(),
            counted,
        }
    }

    fn is_voter(id: NodeId) -> bool {
        VOTERS.contains(&id)
    }

    pub(super) fn voters(&self) -> [NodeId; 3] {
        VOTERS
    }

    fn is_active(&self, id: NodeId) -> bool {
        let node = self.quorum.machines[&id].node.as_ref();
        node.is_some_and(|node| node.controller().is_active())
    }

    fn active(&self) -> impl Iterator<Item = NodeId> {
        VOTERS.into_iter().filter(|id| self.is_active(*id))
    }

    pub(super) fn keep(&mut self, result: Result<(), Violation>) {
        if let Err(Violation { invariant, found }) = result {
            self.found.get_or_insert_with(|| format!("{invariant}: {found}"));
        }
    }

    /// Time is the brokers' world's.
    fn catch_up(&mut self, now_us: i64) {
        self.quorum.now_ms = self.quorum.now_ms.max(ms_of(now_us));
    }

    /// What came of what just happened to the nodes.
    pub(super) fn follow(&mut self) {
        let heard = self.quorum.heard.as_mut().map(std::mem::take).unwrap_or_default();
        if let Err(error) = self.learn() {
            self.found.get_or_insert_with(|| error.to_string());
        }
        for heard in heard {
            match heard {
                Heard::Published { id, image } if !Self::is_voter(id) => {
                    self.check_read(id, &image);
                    self.said.push(Said::Read { broker: id, image });
                }
                Heard::Published { .. } => {}
                Heard::BecameInactive { id } => {
                    let renounced = self.pending.get_mut(&id).map(Pending::renounce);
                    for answer in renounced.unwrap_or_default() {
                        self.doubt(&answer);
                        self.say(id, answer.to, answer.process, answer.refusal);
                    }
                }
                Heard::Ended { id } => {
                    self.served.remove(&id).into_iter().for_each(|served| {
                        self.of_brokers += served.counters;
                    });
                    let ended = self.pending.remove(&id).map(|mut pending| pending.end());
                    ended.unwrap_or_default().iter().for_each(|answer| self.doubt(answer));
                }
            }
        }
        self.give_due();
        self.watch();
    }

    /// Nobody sees more than is committed, or other metadata than was committed.
    fn check_read(&mut self, broker: NodeId, image: &MetadataImage) {
        let offset = image.provenance().last_contained_offset;
        self.counters.images += 1;
        if self.committed.at(offset).is_none_or(|batch| batch.image != *image) {
            let end = self.committed.log.last().map(|batch| batch.offset);
            self.found.get_or_insert_with(|| {
                format!("broker {broker} reads metadata of {offset}, committed is {end:?}")
            });
        }
    }

    /// Its controller is gone, or leads no more.
    fn doubt(&mut self, answer: &Answer) {
        self.counters.withheld += 1;
        let end = self.committed.log.last().map_or(-1, |batch| batch.offset);
        if let Some((offset, epoch)) = answer.alters.filter(|(offset, _)| *offset > end) {
            self.counters.uncommitted += 1;
            self.in_doubt.push((offset, epoch));
        }
    }

    /// What is committed by now.
    fn learn(&mut self) -> Result<(), LoadError> {
        let known = self.committed.log.len();
        let new = self.quorum.invariants.committed().batches[known..].to_vec();
        for bytes in new {
            let entries = decode(&bytes).expect("what is committed can be read");
            let (offset, epoch) = (view(&bytes).next_offset() - 1, entries[0].epoch);
            let mut records = Vec::new();
            for entry in entries {
                let provenance = Provenance {
                    last_contained_offset: entry.offset,
                    last_contained_epoch: entry.epoch,
                    last_contained_timestamp: entry.timestamp,
                };
                match entry.record {
                    EntryRecord::Metadata(record) => {
                        self.loader.replay(&record, provenance)?;
                        records.push(record);
                    }
                    EntryRecord::Control(_) => self.loader.skip_to(provenance),
                }
            }
            self.loader.take();
            let image = self.loader.image().clone();
            self.committed.push(Batch { records, offset, image });
            for (_, of) in self.in_doubt.extract_if(.., |(at, _)| *at <= offset) {
                let survived = of == epoch;
                self.counters.uncommitted_survived += u64::from(survived);
                self.counters.uncommitted_lost += u64::from(!survived);
            }
        }
        Ok(())
    }

    fn give_due(&mut self) {
        for id in VOTERS {
            if self.quorum.busy_until(id).is_some() {
                continue;
            }
            let Some(node) = &self.quorum.machines[&id].node else { continue };
            let Some(pending) = self.pending.get_mut(&id) else { continue };
            let due: Vec<Answer> = std::iter::from_fn(|| pending.take_due(node)).collect();
            for Answer { to, process, body, .. } in due {
                self.say(id, to, process, body);
            }
        }
    }

    fn say(&mut self, from: NodeId, to: NodeId, process: u64, body: Option<Body>) {
        if let Some(body) = body.filter(|_| self.quorum.network.carries(from, to)) {
            self.said.push(Said::Answer { from, to, process, body });
        }
    }

    /// Who thinks that it is the active controller.
    fn watch(&mut self) {
        let active: Vec<NodeId> = self.active().collect();
        let two = active.len() > 1;
        self.counters.two_active += u64::from(two && !self.two_active);
        self.two_active = two;
        let newest = active.iter().copied().max_by_key(|id| {
            let node = self.quorum.machines[id].node.as_ref();
            node.map(|node| node.quorum().epoch())
        });
        if let Some(newest) = newest {
            self.counters.failovers += u64::from(self.last_active.is_some_and(|l| l != newest));
            self.last_active = Some(newest);
        }
    }

    /// Puts a request to the controller that it reached.
    fn put(&mut self, id: NodeId, message: &Message) -> Result<(), Violation> {
        let (to, process) = (message.from, message.sender);
        let served = self.served.entry(id).or_default();
        if !served.is_awaited(to, process, &message.body) {
            return Ok(());
        }
        let machine = &self.quorum.machines[&id];
        let kraft_version = machine.node.as_ref().map_or(0, |n| n.quorum().kraft().version);
        let mut asked = Err(NotActive);
        let mut end_before = 0;
        let body = &message.body;
        self.quorum.act(id, |node, now| {
            let mut outputs = Vec::new();
            end_before = raft::quorum::Log::log_end_offset(node.quorum().log());
            let ask = |controller: &mut _, now: &_| {
                served.put((to, process), body, controller, kraft_version, now)
            };
            let called = node.call(ask, now, &mut outputs)?;
            asked = called.map(|(body, offset)| (body, offset, node.quorum().epoch()));
            Ok(outputs)
        })?;
        let refusal = refusal(body);
        match asked {
            Ok((answer, offset, epoch)) => {
                let alters = matches!(body, Body::Alter { .. }) && offset >= end_before;
                let alters = alters.then_some((offset, epoch));
                let answer = Answer { to, process, body: answer, refusal, alters };
                self.pending.entry(id).or_default().wait(Due::Committed, offset, answer);
                self.counters.asked_one_of_two += u64::from(self.two_active);
            }
            Err(NotActive) => {
                self.counters.not_active += 1;
                self.say(id, to, process, refusal);
            }
        }
        Ok(())
    }
}

/// NOT_CONTROLLER, as the broker takes it.
fn refusal(body: &Body) -> Option<Body> {
    match body {
        Body::Register { .. } => Some(Body::Registered { epoch: None }),
        Body::Heartbeat { .. } => Some(Body::Heard { may_go: false }),
        Body::Alter { number, .. } => {
            let result = Err(protocol::ErrorCode::NotController);
            Some(Body::Altered { number: *number, result })
        }
        _ => None,
    }
}

impl Drop for SimControllers {
    fn drop(&mut self) {
        *self.counted.borrow_mut() = (self.counters, self.quorum.all_counters());
    }
}

impl Controllers for SimControllers {
    fn committed(&self) -> &Committed {
        &self.committed
    }

    fn counters(&self) -> OfBrokers {
        let mut all = self.committed.counters;
        all += self.of_brokers;
        self.served.values().for_each(|served| all += served.counters);
        all
    }

    fn nodes(&self) -> Vec<NodeId> {
        VOTERS.to_vec()
    }

    fn active_for(&self, broker: NodeId) -> Option<(NodeId, u64)> {
        let node = self.quorum.machines[&broker].node.as_ref()?;
        let leader = node.quorum().leader_id()?;
        Some((leader, self.quorum.machines[&leader].life))
    }

    fn is_polled(&self) -> bool {
        false
    }

    fn receive(&mut self, message: &Message, now_us: i64) -> Result<(), i64> {
        self.catch_up(now_us);
        let id = message.to;
        if let Some(until) = self.quorum.busy_until(id) {
            return Err(us_of(until));
        }
        let machine = &self.quorum.machines[&id];
        // Its connection was to a process that has ended.
        let gone = machine.life != message.addressee || machine.node.is_none();
        if gone || !self.quorum.network.carries(message.from, id) {
            self.counters.nobody += 1;
            return Ok(());
        }
        let put = self.put(id, message);
        self.keep(put);
        self.follow();
        Ok(())
    }

    fn call_controller(&mut self, call: &ControllerCall, now_us: i64, _: u128) {
        self.catch_up(now_us);
        for id in self.active().collect::<Vec<_>>() {
            let plan = self.plan.clone();
            let mut begun = false;
            let done = self.quorum.act(id, |node, now| {
                let mut outputs = Vec::new();
                let ask = |controller: &mut _, now: &_| {
                    let result = call.put(&plan, controller, now);
                    begun = !result.records.is_empty();
                    result
                };
                // Nobody waits for the answer.
                let _ = node.call(ask, now, &mut outputs)?;
                Ok(outputs)
            });
            let reassigns = begun && matches!(call, ControllerCall::Reassign { .. });
            self.of_brokers.reassignments += u64::from(reassigns);
            self.keep(done);
            self.follow();
        }
    }

    fn tick(&mut self, now_us: i64) {
        self.catch_up(now_us);
        self.quorum.let_go();
        self.follow();
    }

    /// Controllers have faults of their own, at times of their own.
    fn fault(&mut self, _: &mut Draws) -> Option<i64> {
        self.strike();
        None
    }

    fn recover(&mut self, _: &mut Draws, _: i64) {}

    fn jump_clock(&mut self, jump_ms: i64) {
        let id = VOTERS[self.quorum.draws.below(3) as usize];
        self.quorum.machine(id).wall_offset_ms = jump_ms;
    }

    fn next_us(&self) -> Option<i64> {
        let next = self.quorum.next_ms().into_iter().chain(self.next_fault_ms).min();
        next.map(us_of)
    }

    fn step(&mut self) {
        let next = self.quorum.next_ms();
        match self.next_fault_ms {
            Some(at) if next.is_none_or(|next| next >= at) => {
                self.quorum.now_ms = self.quorum.now_ms.max(at);
                self.next_fault_ms = Some(self.quorum.now_ms + self.pause_ms());
                self.strike();
            }
            _ => {
                let stepped = self.quorum.step();
                self.keep(stepped);
                self.follow();
            }
        }
    }

    fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    fn is_wrong(&self) -> bool {
        self.found.is_some()
    }

    fn take_violation(&mut self) -> Option<String> {
        self.found.take()
    }

    fn broker_starts(&mut self, id: NodeId) {
        self.quorum.crash(id, true);
        self.quorum.start_after(id, 1);
        self.follow();
    }

    fn broker_ends(&mut self, id: NodeId) {
        self.quorum.crash(id, true);
        self.follow();
    }

    fn broker_freezes(&mut self, id: NodeId, until_us: i64) {
        self.quorum.stall(id, ms_of(until_us));
    }

    fn cut(&mut self, from: NodeId, to: NodeId) {
        if Self::is_voter(from) || Self::is_voter(to) {
            self.down.insert((from, to));
            self.quorum.network.cut(from, to);
        }
    }

    fn mend(&mut self, from: NodeId, to: NodeId) {
        if self.down.remove(&(from, to)) {
            self.quorum.network.mend(from, to);
        }
    }

    fn heal(&mut self) {
        self.next_fault_ms = None;
        self.down.clear();
        self.quorum.repair();
        self.follow();
    }

    fn at_the_end(&mut self) -> Result<(), String> {
        let until = self.quorum.now_ms + SETTLING_MS;
        loop {
            let ran = crate::quorum::run_for(&mut self.quorum, 7);
            self.keep(ran);
            self.follow();
            if let Some(found) = self.found.take() {
                return Err(found);
            }
            let healed = self.quorum.healed();
            if healed.is_ok() {
                self.counters.healed += 1;
                return Ok(());
            }
            if self.quorum.now_ms > until {
                self.keep(healed);
                return self.found.take().map_or(Ok(()), Err);
            }
        }
    }

    fn trace(&self) -> u64 {
        self.quorum.trace.value()
    }
}

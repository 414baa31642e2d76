//! The world of one seed. Time goes in steps of five milliseconds; whatever chance there is comes
//! from the seed.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use raft::draws::Draws;
use raft::lifecycle::LifecycleAsk;

use super::broker::{Fate, SimBroker};
use super::controller::{Answer, SimController};

const STEP_MS: i64 = 5;
const BROKERS: i32 = 3;
/// Faults go on until then.
const CHAOS_MS: i64 = 30_000;
const END_MS: i64 = 45_000;
/// A broker that wanted to stop at most this long before the end need not have stopped.
const LEAVING_MS: i64 = 8_000;

enum Message {
    Ask { from: i32, process: u64, number: u64, offset: i64, ask: LifecycleAsk },
    Answer { to: i32, process: u64, number: u64, answer: Answer },
}

/// How often what the simulation is for has happened.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) kills: u64,
    pub(crate) left_by_consent: u64,
    pub(crate) left_without: u64,
    pub(crate) unregistered: u64,
    pub(crate) heartbeats_refused: u64,
    /// Looks at an unfenced broker, whether it is ready.
    pub(crate) unfenced: u64,
    /// Brokers that served at the end.
    pub(crate) serving: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.left_by_consent += other.left_by_consent;
        self.left_without += other.left_without;
        self.unregistered += other.unregistered;
        self.heartbeats_refused += other.heartbeats_refused;
        self.unfenced += other.unfenced;
        self.serving += other.serving;
    }
}

struct World {
    draws: Draws,
    now_ms: i64,
    controller: SimController,
    brokers: Vec<SimBroker>,
    /// When a broker that is down starts again.
    starts: BTreeMap<i32, i64>,
    messages: BTreeMap<(i64, u64), Message>,
    sent: u64,
    /// Until then a broker and the controller do not reach each other.
    cut_until_ms: [i64; BROKERS as usize + 1],
    processes: u64,
    fault_ms: i64,
    counters: Counters,
}

/// Runs one seed: what happened in it, or what went wrong.
pub(crate) fn run(seed: u64) -> Result<Counters, String> {
    let mut world = World::new(seed);
    while world.now_ms < END_MS {
        world.now_ms += STEP_MS;
        world.step();
        let looked = world.nobody_is_unfenced_who_is_not_ready();
        world.counters.unfenced += looked.map_err(|what| format!("seed {seed}: {what}"))?;
    }
    let served = world.everybody_serves().map_err(|what| format!("seed {seed}: {what}"))?;
    world.counters.serving += served;
    Ok(world.counters)
}

impl World {
    fn new(seed: u64) -> Self {
        let mut draws = Draws::new(u128::from(seed) << 64 | 0x11fe);
        let session_timeout_ms = 2_000 + draws.below(4_000) as i64;
        let brokers = (1..=BROKERS)
            .map(|id| SimBroker::new(id, id as u64, draws.below(400) as i64))
            .collect();
        Self {
            draws,
            now_ms: 0,
            controller: SimController::new(session_timeout_ms),
            brokers,
            starts: BTreeMap::new(),
            messages: BTreeMap::new(),
            sent: 0,
            cut_until_ms: [0; BROKERS as usize + 1],
            processes: 100,
            fault_ms: 2_000,
            counters: Counters::default(),
        }
    }

    fn step(&mut self) {
        if self.now_ms >= self.fault_ms && self.now_ms < CHAOS_MS {
            self.fault_ms = self.now_ms + 100 + self.draws.below(1_500) as i64;
            self.strike();
        }
        while let Some(entry) = self.messages.first_entry()
            && entry.key().0 <= self.now_ms
        {
            let message = entry.remove();
            self.deliver(message);
        }
        if self.now_ms % 100 == 0 {
            self.controller.tick(self.now_ms);
        }
        for at in 0..self.brokers.len() {
            self.step_broker(at);
        }
    }

    fn step_broker(&mut self, at: usize) {
        let broker = &mut self.brokers[at];
        let id = broker.id;
        if !broker.up {
            if self.starts.get(&id).is_some_and(|start_ms| *start_ms <= self.now_ms) {
                self.processes += 1;
                let recovery_ms = self.draws.below(400) as i64;
                self.brokers[at] = SimBroker::new(id, self.processes, recovery_ms);
            }
            return;
        }
        if broker.frozen_until_ms > self.now_ms {
            return;
        }
        let is_cut = self.cut_until_ms[id as usize] > self.now_ms;
        if self.now_ms % 40 == 0
            && !is_cut
            && let Some((offset, image)) = self.controller.log.get(broker.have)
        {
            broker.apply(*offset, image);
        }
        let (process, (fate, due)) = (broker.process, broker.step(self.now_ms));
        if let Some((number, offset, ask)) = due {
            self.send(id, || Message::Ask { from: id, process, number, offset, ask });
        }
        self.meet(at, fate);
    }

    /// To or from a broker.
    fn send(&mut self, id: i32, message: impl Fn() -> Message) {
        let is_calm = self.now_ms >= CHAOS_MS;
        let is_lost = self.cut_until_ms[id as usize] > self.now_ms || self.draws.below(100) < 5;
        if is_lost && !is_calm {
            return;
        }
        let copies = if self.draws.below(100) < 5 { 2 } else { 1 };
        for _ in 0..copies {
            let slow = self.draws.below(10) == 0 && !is_calm;
            let delay_ms = 1 + self.draws.below(if slow { 1_500 } else { 20 }) as i64;
            self.sent += 1;
            self.messages.insert((self.now_ms + delay_ms, self.sent), message());
        }
    }

    fn deliver(&mut self, message: Message) {
        match message {
            Message::Ask { from, process, number, offset, ask } => {
                // What a dead process said does not outlive its connection for long.
                if self.brokers[from as usize - 1].process == process {
                    let now_ms = self.now_ms;
                    let answer = self.controller.answer((from, process), ask, offset, now_ms);
                    self.send(from, || Message::Answer { to: from, process, number, answer });
                }
            }
            Message::Answer { to, process, number, answer } => {
                let at = to as usize - 1;
                let broker = &mut self.brokers[at];
                if broker.up && broker.process == process {
                    let fate = broker.answered(number, answer, self.now_ms);
                    self.counters.heartbeats_refused += std::mem::take(&mut broker.refused);
                    self.meet(at, fate);
                }
            }
        }
    }

    fn meet(&mut self, at: usize, fate: Fate) {
        let Fate::Leaves { by_consent } = fate else { return };
        self.counters.left_by_consent += u64::from(by_consent);
        self.counters.left_without += u64::from(!by_consent);
        self.end(at);
    }

    fn end(&mut self, at: usize) {
        self.brokers[at].up = false;
        let start_ms = self.now_ms + 100 + self.draws.below(3_000) as i64;
        self.starts.insert(self.brokers[at].id, start_ms);
    }

    fn strike(&mut self) {
        let at = self.draws.below(BROKERS as u64) as usize;
        let id = self.brokers[at].id;
        let until_ms = self.now_ms + 200 + self.draws.below(6_000) as i64;
        match self.draws.below(9) {
            0 if self.brokers[at].up => {
                self.counters.kills += 1;
                self.end(at);
            }
            1 | 2 => self.leave(at),
            3 => {
                self.leave(at);
                self.unregister(id);
            }
            4 => self.brokers[at].frozen_until_ms = until_ms,
            5 => self.cut_until_ms[id as usize] = until_ms,
            6 => self.controller.gone(id),
            7 => self.unregister(id),
            _ => self.controller.replace(self.now_ms),
        }
    }

    fn leave(&mut self, at: usize) {
        if self.brokers[at].up && self.brokers[at].frozen_until_ms <= self.now_ms {
            let fate = self.brokers[at].leave(self.now_ms);
            self.meet(at, fate);
        }
    }

    fn unregister(&mut self, id: i32) {
        self.counters.unregistered +=
            u64::from(self.controller.image().cluster().broker(id).is_some());
        self.controller.unregister(id);
    }

    fn nobody_is_unfenced_who_is_not_ready(&self) -> Result<u64, String> {
        let mut looked = 0;
        for registered in self.controller.image().cluster().brokers().filter(|b| !b.fenced) {
            let broker = &self.brokers[registered.broker_id as usize - 1];
            if !broker.up || broker.life.epoch() != Some(registered.broker_epoch) {
                continue;
            }
            looked += 1;
            if !broker.is_ready {
                return Err(format!("broker {} is unfenced and not ready", broker.id));
            }
        }
        Ok(looked)
    }

    fn everybody_serves(&self) -> Result<u64, String> {
        for broker in &self.brokers {
            if let Some(since_ms) = broker.leaving_since_ms.filter(|_| broker.up)
                && since_ms < self.now_ms - LEAVING_MS
            {
                return Err(format!("broker {} wants to stop since {since_ms} ms", broker.id));
            }
            let registered = self.controller.image().cluster().broker(broker.id);
            let epoch = registered.filter(|b| !b.fenced).map(|b| b.broker_epoch);
            if !broker.up || !broker.is_serving || epoch != broker.life.epoch() {
                return Err(format!("broker {} does not serve: {:?}", broker.id, broker.life));
            }
        }
        Ok(self.brokers.len() as u64)
    }
}

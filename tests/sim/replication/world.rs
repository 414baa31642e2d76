//! The world of one seed: a queue of events, the nodes, the network, and those who watch.
//!
//! One thread, one source of chance, events in the order of their time: the same seed gives the
//! same run. After every event every invariant is looked at; the first one that fails ends the run.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use protocol::records::metadata::MetadataRecord;
use raft::draws::Draws;
use raft::image::MetadataImage;
use replica::{Answer, Token};

use super::broker::{HEARTBEAT_MS, METADATA_POLL_MS, Out, RECONCILE_MS, RETENTION_MS, SimBroker};
use super::checks::Checks;
use super::clients::Producer;
use super::clock::Clock;
use super::controller::{Controllers, Said, SimController};
use super::counters::Counters;
use super::message::{Body, CLIENTS, CONTROLLER, Message, NodeId};
use super::network::Network;
use super::plan::Plan;
use super::requests::{ControllerCall, incarnation_of};
use super::service::Service;

/// What a broker does by itself.
#[derive(Debug, Clone, Copy, Hash, PartialEq, Eq)]
pub(crate) enum Timer {
    Heartbeat,
    Metadata,
    Tick,
    Sync,
    Reconcile,
    Retention,
    /// From this leader.
    Fetch(NodeId),
}

#[derive(Debug)]
pub(crate) enum Event {
    Deliver(Message),
    Broker {
        id: NodeId,
        process: u64,
        timer: Timer,
    },
    ControllerTick,
    /// What a service put off; it knows by the number what.
    Service(u64),
    Client(usize),
    Consumer,
    Deletion,
    Fault,
    LinkUp(NodeId, NodeId),
    NetworkCalm,
    ControllerBack,
    ClosedConnection(NodeId),
    DiskFails(NodeId),
    Start(NodeId),
    /// All faults stop but one: two brokers do not reach each other.
    Heal,
    /// Everything has come to terms with that.
    Settled,
    /// They do again.
    HealAll,
    LastRecords,
}

pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) draws: Draws,
    pub(crate) now_us: i64,
    queue: BTreeMap<(i64, u64), Event>,
    queued: u64,
    pub(crate) network: Network,
    pub(crate) controller: Box<dyn Controllers>,
    pub(super) service: Option<Box<dyn Service>>,
    /// Of the service's appends: whose they were, and what became of them.
    pub(super) answered: Vec<(NodeId, Token, Answer)>,
    pub(crate) brokers: Vec<SimBroker>,
    pub(crate) producers: Vec<Producer>,
    pub(crate) checks: Checks,
    pub(crate) counters: Counters,
    pub(crate) healed: bool,
    /// Stopped without peace, and not back in every in-sync set yet.
    pub(crate) unclean: BTreeSet<NodeId>,
    pub(crate) processes: u64,
    /// The next replica that its leader takes for caught up loses power.
    pub(crate) candidate_fault_due: bool,
    trace: DefaultHasher,
    /// Whether every event is printed.
    pub(crate) told: bool,
}

impl World {
    /// With one reliable controller.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, |plan, seed, clock| {
            Box::new(SimController::new(plan, clock, u128::from(seed)))
        })
    }

    pub(crate) fn with(
        seed: u64,
        controllers: impl FnOnce(&Plan, u64, Clock) -> Box<dyn Controllers>,
    ) -> Self {
        let mut draws = Draws::new(u128::from(seed) << 64 | 0x5eed);
        let plan = Plan::new(seed, &mut draws);
        let acks = [-1, -1, 1, 0];
        let producers = (0..plan.partitions * acks.len())
            .map(|index| Producer::new(index, index / acks.len(), acks[index % acks.len()]))
            .collect();
        Self::of((seed, plan, draws), producers, None, controllers)
    }

    pub(super) fn of(
        (seed, plan, mut draws): (u64, Plan, Draws),
        producers: Vec<Producer>,
        service: Option<Box<dyn Service>>,
        controllers: impl FnOnce(&Plan, u64, Clock) -> Box<dyn Controllers>,
    ) -> Self {
        let clock = |draws: &mut Draws| {
            let rate = 800 + draws.below(401) as i64;
            Clock::new(rate, draws.below(1_000_000) as i64)
        };
        let controller_clock = clock(&mut draws);
        let controller = controllers(&plan, seed, controller_clock);
        let brokers =
            (1..=plan.brokers).map(|id| SimBroker::new(id, clock(&mut draws), &plan)).collect();
        let network = Network {
            lost: plan.lost,
            duplicated: plan.duplicated,
            delay_max_us: plan.delay_max_us,
            cut: BTreeSet::new(),
        };
        let mut world = Self {
            checks: Checks::new(&plan),
            processes: 100,
            candidate_fault_due: false,
            draws,
            now_us: 0,
            queue: BTreeMap::new(),
            queued: 0,
            network,
            controller,
            service,
            answered: Vec::new(),
            brokers,
            producers,
            counters: Counters::default(),
            healed: false,
            unclean: BTreeSet::new(),
            trace: DefaultHasher::new(),
            told: false,
            plan,
        };
        world.begin();
        world.serve(|service, world| service.begin(world));
        world
    }

    fn begin(&mut self) {
        for id in 1..=self.plan.brokers {
            self.wind_up(id);
        }
        self.after_us(1_000, Event::ControllerTick);
        for client in 0..self.producers.len() {
            self.after_us(2_000_000 + client as i64 * 1_000, Event::Client(client));
        }
        if self.service.is_none() {
            self.after_us(2_000_000, Event::Consumer);
        }
        self.after_us(4_000_000, Event::Fault);
        self.after_us(6_000_000, Event::Deletion);
        let heal_us = 4_000_000 + self.plan.chaos_ms * 1_000;
        self.after_us(heal_us, Event::Heal);
        for (percent, event) in
            [(50, Event::Settled), (70, Event::HealAll), (80, Event::LastRecords)]
        {
            self.after_us(heal_us + self.plan.heal_ms * 10 * percent, event);
        }
    }

    /// When the run is over.
    fn end_us(&self) -> i64 {
        4_000_000 + (self.plan.chaos_ms + self.plan.heal_ms) * 1_000
    }

    /// Lives through it all. What went wrong, if anything.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        while let Some((at_us, own)) = self.next() {
            if at_us > self.end_us() {
                break;
            }
            self.now_us = at_us;
            self.counters.events += 1;
            match own.then(|| self.queue.pop_first()).flatten() {
                Some((_, event)) => {
                    self.note(&event);
                    self.happen(event);
                }
                None => self.controller.step(),
            }
            let theirs = self.listen();
            self.tell_service()?;
            if own || theirs {
                self.look()?;
            }
        }
        self.serve(|service, world| service.at_the_end(world)).unwrap_or(Ok(()))?;
        let committed = self.controller.committed();
        self.checks.at_the_end(&self.plan, &self.brokers, committed, &self.producers)?;
        self.controller.at_the_end()
    }

    /// When the next thing happens, and whether in this queue rather than among the controllers.
    fn next(&self) -> Option<(i64, bool)> {
        let own = self.queue.keys().next().map(|(at_us, _)| (*at_us, true));
        let theirs = self.controller.next_us().map(|at_us| (at_us.max(self.now_us), false));
        match (own, theirs) {
            (Some(own), Some(theirs)) => Some(if theirs.0 < own.0 { theirs } else { own }),
            (own, theirs) => own.or(theirs),
        }
    }

    /// Looks at everything that must hold.
    fn look(&mut self) -> Result<(), String> {
        let committed = self.controller.committed();
        for batch in &committed.log[self.checks.seen()..] {
            for record in &batch.records {
                let MetadataRecord::RegisterBroker(registered) = record else { continue };
                let broker = &mut self.brokers[registered.broker_id as usize - 1];
                broker.crashed &= registered.incarnation_id != incarnation_of(broker.process);
            }
            if self.told {
                let topic = batch.image.topics().by_name("t");
                let states: Vec<_> = topic.iter().flat_map(|topic| topic.partitions()).collect();
                println!("{:>12.6} controller: {states:?}", self.now_us as f64 / 1e6);
            }
        }
        if let Some(what) = self.controller.take_violation() {
            return Err(what);
        }
        self.checks.after_event(&self.plan, &mut self.brokers, self.controller.committed())?;
        self.forgive();
        Ok(())
    }

    /// What the controllers say is on its way, or there; whether there is anything to look at.
    fn listen(&mut self) -> bool {
        let said = self.controller.take_said();
        let news = !said.is_empty()
            || self.controller.committed().log.len() != self.checks.seen()
            || self.controller.is_wrong();
        for said in said {
            match said {
                Said::Answer { from, to, process, body } => self.send(from, to, process, body),
                Said::Read { broker, image } => self.read_by(broker, image),
            }
        }
        news
    }

    /// A broker's own node has read the metadata.
    fn read_by(&mut self, id: NodeId, image: MetadataImage) {
        let broker = &mut self.brokers[id as usize - 1];
        if !broker.up {
            return;
        }
        let mut out = Out::default();
        broker.offset = image.provenance().last_contained_offset;
        broker.image = image;
        self.checks.replayed(broker, self.controller.committed());
        broker.publish(self.now_us, &mut out);
        self.carry(id, out);
    }

    fn note(&mut self, event: &Event) {
        if self.told {
            println!("{:>12.6} {event:?}", self.now_us as f64 / 1e6);
        }
        self.now_us.hash(&mut self.trace);
        std::mem::discriminant(event).hash(&mut self.trace);
        if let Event::Deliver(message) = event {
            (message.from, message.to).hash(&mut self.trace);
            std::mem::discriminant(&message.body).hash(&mut self.trace);
        }
    }

    /// The same for every run of the seed.
    pub(crate) fn trace(&self) -> u64 {
        let mut trace = self.trace.clone();
        for broker in &self.brokers {
            for partition in 0..self.plan.partitions {
                let Some(log) = broker.log(partition) else { continue };
                log.start().hash(&mut trace);
                log.entries().for_each(|(_, entry)| entry.value.hash(&mut trace));
            }
        }
        self.controller.trace().hash(&mut trace);
        trace.finish()
    }

    /// Who is what, for those who look for the cause of a violation.
    pub(crate) fn portrait(&self) -> String {
        let mut lines = Vec::new();
        for partition in 0..self.plan.partitions {
            let state = self.controller.committed().partition(partition);
            lines.push(format!("controller: {state:?}"));
            for broker in &self.brokers {
                let (id, up, epoch) = (broker.id, broker.up, broker.epoch);
                let hosted = broker.hosted.get(&partition);
                let replica = hosted.map(|hosted| {
                    let replica = &hosted.replica;
                    let marks = (replica.high_watermark(), replica.log().end());
                    (replica.leader_epoch(), replica.partition_epoch(), marks, replica.role())
                });
                lines.push(format!("{id}: up {up}, epoch {epoch}, {replica:?}"));
            }
        }
        lines.join("\n")
    }

    pub(crate) fn all_counters(&self) -> Counters {
        let mut all = self.counters;
        all.simulated_ms = self.now_us as u64 / 1_000;
        all += self.controller.counters();
        all += self.checks.counters();
        self.brokers.iter().for_each(|broker| all += broker.counters);
        all
    }

    pub(crate) fn after_us(&mut self, delay_us: i64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now_us + delay_us.max(0), self.queued), event);
    }

    pub(crate) fn broker(&mut self, id: NodeId) -> &mut SimBroker {
        &mut self.brokers[id as usize - 1]
    }

    /// A process has just started: its timers run.
    pub(crate) fn wind_up(&mut self, id: NodeId) {
        for timer in [Timer::Heartbeat, Timer::Metadata, Timer::Tick, Timer::Sync] {
            if timer == Timer::Metadata && !self.controller.is_polled() {
                continue;
            }
            self.wind(id, timer, 1 + self.plan.brokers as i64);
        }
        self.wind(id, Timer::Reconcile, RECONCILE_MS);
        if self.plan.retained.is_some() {
            self.wind(id, Timer::Retention, RETENTION_MS);
        }
    }

    fn wind(&mut self, id: NodeId, timer: Timer, own_ms: i64) {
        let broker = &self.brokers[id as usize - 1];
        let (process, delay_us) = (broker.process, broker.clock.true_us(own_ms));
        self.after_us(delay_us, Event::Broker { id, process, timer });
    }

    pub(crate) fn send(&mut self, from: NodeId, to: NodeId, addressee: u64, body: Body) {
        let of_broker = usize::try_from(from - 1).ok().and_then(|at| self.brokers.get(at));
        let sender = of_broker.map_or(0, |broker| broker.process);
        let message = Message { from, to, sender, addressee, body };
        // What clients say comes once: a repeated record would be another one.
        let copies = if from == CLIENTS || to == CLIENTS { 1 } else { usize::MAX };
        let arrivals = self.network.arrivals(from, to, &mut self.draws);
        for delay_us in arrivals.into_iter().take(copies) {
            self.after_us(delay_us, Event::Deliver(message.clone()));
        }
    }

    pub(crate) fn carry(&mut self, from: NodeId, out: Out) {
        for (to, addressee, body) in out.sent {
            if self.candidate_fault_due {
                self.kill_candidate(from, &body);
            }
            let reached = match to {
                CONTROLLER => self.controller.active_for(from),
                _ => Some((to, addressee)),
            };
            if let Some((to, addressee)) = reached {
                self.send(from, to, addressee, body);
            }
        }
        self.answered.extend(out.answered.into_iter().map(|(token, answer)| (from, token, answer)));
        self.checks.acknowledged.extend(out.acknowledged);
        self.checks.deleted.extend(out.deleted);
        for (leader, own_ms) in out.fetch_again {
            self.wind(from, Timer::Fetch(leader), own_ms);
        }
        if from > 0 && self.broker(from).disk_failed {
            // What it did before that is looked at first.
            self.after_us(0, Event::DiskFails(from));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver(message) => self.deliver(message),
            Event::Broker { id, process, timer } => self.broker_timer(id, process, timer),
            Event::ControllerTick => {
                self.controller.tick(self.now_us);
                self.create_topic();
                self.checks.tick(self.now_us, self.controller.committed());
                self.after_us(100_000, Event::ControllerTick);
            }
            Event::Service(number) => {
                self.serve(|service, world| service.happen(world, number));
            }
            Event::Client(client) => self.client_turn(client),
            Event::Consumer => {
                let partition = self.draws.below(self.plan.partitions as u64) as usize;
                let at = self.draws.below(self.brokers.len() as u64) as usize;
                let draw = self.draws.next_u64();
                self.checks.consumer_reads(&self.brokers[at], partition, draw);
                self.after_us(60_000, Event::Consumer);
            }
            Event::Deletion => {
                let over = self.producers.iter().all(|producer| producer.done);
                if let Some(every_ms) = self.plan.delete_every_ms.filter(|_| !over) {
                    self.delete_some();
                    let pause_us = 1_000 * (1 + self.draws.below(2 * every_ms) as i64);
                    self.after_us(pause_us, Event::Deletion);
                }
            }
            Event::Fault => self.strike(),
            Event::LinkUp(from, to) => {
                self.mend(from, to);
            }
            Event::NetworkCalm => self.calm_network(),
            Event::ControllerBack => self.controller_back(),
            Event::ClosedConnection(id) => self.call_controller(&ControllerCall::BrokerGone(id), 0),
            Event::DiskFails(id) => {
                if self.broker(id).disk_failed {
                    self.disk_fails(id);
                }
            }
            Event::Start(id) => self.start(id),
            Event::Heal => self.heal(),
            Event::Settled => self.checks.settled(&self.producers),
            Event::HealAll => {
                self.heal_network();
                self.checks.served_without(&self.producers);
            }
            Event::LastRecords => self.producers.iter_mut().for_each(|p| p.done = true),
        }
    }

    fn create_topic(&mut self) {
        let known = self.controller.committed();
        let ready = (1..=self.plan.brokers).all(|id| known.image().cluster().is_active(id));
        if ready && known.partition(0).is_none() {
            let seed = u128::from(self.draws.next_u64());
            self.call_controller(&ControllerCall::CreateTopic, seed);
        }
    }

    pub(crate) fn call_controller(&mut self, call: &ControllerCall, seed: u128) {
        self.controller.call_controller(call, self.now_us, seed);
    }

    fn deliver(&mut self, message: Message) {
        match message.to {
            to if self.is_controller(to) => self.deliver_to_controller(message),
            CLIENTS => {
                if let Body::Produced { client, request, produced } = message.body {
                    self.producers[client].answered(request, produced);
                } else if let Body::OfService(number) = message.body {
                    self.serve(|service, world| service.receive(world, &message, number));
                }
            }
            id => {
                let now_us = self.now_us;
                let broker = self.broker(id);
                let wrong = message.addressee != 0 && message.addressee != broker.process;
                if !broker.up || wrong {
                    return;
                }
                if broker.frozen_until_us > now_us {
                    let later = broker.frozen_until_us - now_us;
                    self.after_us(later, Event::Deliver(message));
                    return;
                }
                self.deliver_to_broker(id, message);
            }
        }
    }

    fn deliver_to_broker(&mut self, id: NodeId, message: Message) {
        let now_us = self.now_us;
        if let Body::OfService(number) = message.body {
            self.serve(|service, world| service.receive(world, &message, number));
            return;
        }
        let mut out = Out::default();
        let broker = &mut self.brokers[id as usize - 1];
        match message.body {
            Body::Records { from, batches } => {
                if broker.replay(from, &batches) {
                    self.checks.replayed(broker, self.controller.committed());
                    broker.publish(now_us, &mut out);
                }
            }
            Body::Heard { may_go } => {
                if may_go && broker.stopping {
                    self.stop_in_peace(id);
                    return;
                }
            }
            _ => broker.receive(message, now_us, &mut out),
        }
        self.carry(id, out);
    }

    fn is_controller(&self, id: NodeId) -> bool {
        id == CONTROLLER || id > self.plan.brokers
    }

    fn deliver_to_controller(&mut self, message: Message) {
        // What a dead process said last does not outlive its connection for so long that its
        // successor comes first; a broker registers once and would never notice.
        let registers = matches!(message.body, Body::Register { .. });
        if registers && self.broker(message.from).process != message.sender {
            return;
        }
        if let Err(again_us) = self.controller.receive(&message, self.now_us) {
            self.after_us(again_us - self.now_us, Event::Deliver(message));
        }
    }

    fn broker_timer(&mut self, id: NodeId, process: u64, timer: Timer) {
        let now_us = self.now_us;
        let broker = &mut self.brokers[id as usize - 1];
        if !broker.up || broker.process != process {
            return;
        }
        if broker.frozen_until_us > now_us {
            let later = broker.frozen_until_us - now_us;
            self.after_us(later, Event::Broker { id, process, timer });
            return;
        }
        let mut out = Out::default();
        let again_ms = match timer {
            Timer::Heartbeat => {
                let body = match broker.epoch {
                    -1 => Body::Register { previous_epoch: broker.previous_epoch },
                    epoch => Body::Heartbeat {
                        epoch,
                        offset: broker.offset,
                        wants_to_go: broker.stopping,
                    },
                };
                out.sent.push((CONTROLLER, 0, body));
                Some(if broker.epoch == -1 { HEARTBEAT_MS / 2 } else { HEARTBEAT_MS })
            }
            Timer::Metadata => {
                out.sent.push((CONTROLLER, 0, Body::Metadata { have: broker.have }));
                Some(METADATA_POLL_MS)
            }
            Timer::Tick => {
                broker.tick(now_us, &mut out);
                Some(self.plan.lag_time_max_ms / 4)
            }
            Timer::Reconcile => {
                broker.reconcile(now_us, &mut out);
                Some(RECONCILE_MS)
            }
            Timer::Retention => {
                if let Some(retained) = self.plan.retained {
                    broker.delete_by_size(retained, now_us);
                }
                Some(RETENTION_MS)
            }
            Timer::Sync => {
                broker.sync();
                Some(2_000 + self.draws.below(8_000) as i64)
            }
            Timer::Fetch(leader) => {
                broker.fetch(leader, now_us, &mut out);
                None
            }
        };
        self.carry(id, out);
        if let Some(own_ms) = again_ms {
            self.wind(id, timer, own_ms);
        }
    }
}

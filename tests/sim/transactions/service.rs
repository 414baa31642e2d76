//! The service as the world below sees it: its clients' turns, its messages, its timers, and who
//! watches.

use std::cell::RefCell;
use std::rc::Rc;

use coordinator::transaction::TransactionVersion;
use raft::draws::Draws;
use replica::{Answer, Token};

use super::clients::Client;
use super::counters::Counters;
use super::endings::{copies_are_exact, transactions_are_whole};
use super::history::History;
use super::messages::{Attempt, Refusal, Reply, Request, Said};
use super::node::{Node, Waiter};
use super::shard_host::Stage;
use super::shared::{GROUP, INPUT, Kind, OFFSETS, OTHER, OUTPUT, Shared, TRANSACTIONS, text};
use super::views::Views;
use crate::replication::broker::Out;
use crate::replication::message::{Body, CLIENTS, Message, NodeId};
use crate::replication::service::Service;
use crate::replication::world::{Event, World};

const TICK_US: i64 = 40_000;
const READ_US: i64 = 150_000;

/// What was put off.
#[derive(Debug, Clone)]
enum Due {
    Turn(usize),
    Tick(NodeId),
    Read,
    /// A message that was held.
    Release(Attempt, Request),
    /// Clients begin nothing more.
    Stop,
}

/// What is counted, for whoever has the world.
pub(crate) type Tally = Rc<RefCell<Counters>>;

pub(crate) struct Transactions {
    shared: Shared,
    nodes: Vec<Node>,
    clients: Vec<Client>,
    history: History,
    views: Views,
    draws: Draws,
    messages: Vec<Said>,
    dues: Vec<Due>,
    tally: Tally,
    told: bool,
}

fn kinds(draws: &mut Draws) -> (TransactionVersion, Vec<Kind>) {
    let cluster = match draws.below(6) {
        0 => TransactionVersion::V0,
        1 => TransactionVersion::V1,
        _ => TransactionVersion::V2,
    };
    let mut kind = |transactional_id, copies| {
        let is_new = cluster == TransactionVersion::V2 && draws.below(3) != 0;
        let version = if is_new { TransactionVersion::V2 } else { TransactionVersion::V0 };
        Kind { transactional_id, version, copies }
    };
    let (first, other, copy) = (kind("a", false), kind("b", false), kind("copy", true));
    (cluster, vec![first, other, copy, first, copy])
}

/// Whether a broker takes itself for the leader of a partition that is led otherwise by now.
fn is_replaced(world: &World, id: NodeId) -> bool {
    let broker = &world.brokers[id as usize - 1];
    let committed = world.controller.committed();
    broker.hosted.iter().filter(|(_, hosted)| hosted.replica.leads()).any(|(partition, hosted)| {
        let state = committed.partition(*partition);
        let epoch = hosted.replica.leader_epoch();
        state.is_none_or(|state| state.leader != id || state.leader_epoch != epoch)
    })
}

impl Transactions {
    pub(crate) fn new(seed: u64, told: bool) -> (Self, Tally) {
        let mut draws = Draws::new(u128::from(seed) << 64 | 0x7a5);
        let (version, kinds) = kinds(&mut draws);
        let clients = kinds.iter().enumerate().map(|(index, kind)| {
            // The first instance of each id begins at once, a second one later.
            let is_first = index < 3;
            let late_us = if is_first { 0 } else { draws.below(20_000_000) as i64 };
            Client::new(index, *kind, 3_000_000 + late_us)
        });
        let tally = Tally::default();
        let service = Self {
            clients: clients.collect(),
            shared: Shared::new(version, kinds),
            nodes: Vec::new(),
            history: History::default(),
            views: Views::default(),
            draws,
            messages: Vec::new(),
            dues: Vec::new(),
            tally: Rc::clone(&tally),
            told,
        };
        (service, tally)
    }

    fn put_off(&mut self, world: &mut World, delay_us: i64, due: Due) {
        self.dues.push(due);
        world.after_us(delay_us, Event::Service(self.dues.len() as u64 - 1));
    }

    fn send(&mut self, world: &mut World, (from, to, process): (NodeId, NodeId, u64), said: Said) {
        let mut tally = self.tally.borrow_mut();
        tally.verified += u64::from(matches!(said, Said::Verify { .. }));
        tally.markers += u64::from(matches!(said, Said::Marked { result: Ok(()), .. }));
        drop(tally);
        let said = match said {
            Said::Answered(attempt, Err(Refusal::Fenced)) if is_replaced(world, from) => {
                Said::Answered(attempt, Err(Refusal::Lost))
            }
            // As Kafka's, a coordinator that has not heard yet that it was replaced shows offsets
            // of before. A group's member comes to it by its successor, which has its generation.
            Said::Answered(attempt, Ok(Reply::Offset(_))) if is_replaced(world, from) => {
                Said::Answered(attempt, Err(Refusal::Again))
            }
            Said::Verified { question, result: Err(Refusal::Fenced) }
                if is_replaced(world, from) =>
            {
                Said::Verified { question, result: Err(Refusal::Lost) }
            }
            other => other,
        };
        self.messages.push(said);
        world.send(from, to, process, Body::OfService(self.messages.len() as u64 - 1));
    }

    /// Lets a broker's node do something, and sends what it says.
    fn act(&mut self, world: &mut World, id: NodeId, act: impl FnOnce(&mut Node, &mut Stage<'_>)) {
        let now_us = world.now_us;
        let at = id as usize - 1;
        let broker = &mut world.brokers[at];
        let node = &mut self.nodes[at];
        if node.process != broker.process || !broker.up {
            let loads = node.loads;
            *node = Node { process: broker.process, loads, ..Node::default() };
        }
        if !broker.up {
            return;
        }
        let (out, said) = (Out::default(), Vec::new());
        let mut stage = Stage { broker, shared: &mut self.shared, now_us, out, said };
        act(node, &mut stage);
        let Stage { out, said, .. } = stage;
        world.carry(id, out);
        for (to, process, said) in said {
            self.send(world, (id, to, process), said);
        }
    }

    /// Whom some broker takes for the leader that a request is for; that may be long over.
    fn destination(&mut self, world: &World, request: &Request) -> Option<NodeId> {
        let partition = match request {
            Request::Init | Request::Add { .. } | Request::End { .. } => TRANSACTIONS,
            Request::CommitOffset { .. } | Request::FetchOffset => OFFSETS,
            Request::Write { partition, .. } => *partition,
        };
        let told = &world.brokers[self.draws.below(world.brokers.len() as u64) as usize];
        let topic = told.image.topics().by_name("t").filter(|_| told.up)?;
        let leader = topic.partition(partition as i32)?.leader;
        Some(leader).filter(|leader| *leader > 0)
    }

    fn turn(&mut self, world: &mut World, index: usize) {
        let from = self.draws.below(world.brokers.len() as u64) as usize;
        let views = &mut self.views;
        let reader = &world.brokers[from];
        let input = |position| views.input_from(reader, position);
        let (history, draws) = (&mut self.history, &mut self.draws);
        let asked = self.clients[index].turn(history, draws, world.now_us, input);
        if let Some((attempt, request)) = asked {
            self.maybe_hold(world, attempt, &request);
            if let Some(leader) = self.destination(world, &request) {
                self.send(world, (CLIENTS, leader, 0), Said::Asked(attempt, request));
            }
        }
        let pause_us = 10_000 + self.draws.below(60_000) as i64;
        self.put_off(world, pause_us, Due::Turn(index));
    }

    /// Some messages come once more, long after. The protocol without epochs of their own for
    /// transactions promises nothing for what it was not made for (KIP-890).
    fn maybe_hold(&mut self, world: &mut World, attempt: Attempt, request: &Request) {
        let is_new = self.shared.kinds[attempt.client].version == TransactionVersion::V2;
        let may_be_held = match request {
            Request::Write { .. } => true,
            Request::CommitOffset { .. } | Request::End { .. } => is_new,
            Request::Init | Request::Add { .. } | Request::FetchOffset => false,
        };
        if may_be_held && !world.healed && self.draws.below(8) == 0 {
            let most_us = if self.draws.below(2) == 0 { 800_000 } else { 6_000_000 };
            let delay_us = 100_000 + self.draws.below(most_us) as i64;
            self.put_off(world, delay_us, Due::Release(attempt, request.clone()));
        }
    }

    fn read(&mut self, world: &World) -> Result<(), String> {
        let at = self.draws.below(world.brokers.len() as u64) as usize;
        let partition = [INPUT, OTHER, OUTPUT][self.draws.below(3) as usize];
        let committed_end = world.checks.committed_end(partition);
        self.views.read(&world.brokers[at], (partition, committed_end), &self.history)
    }

    fn asked(&mut self, world: &mut World, to: NodeId, attempt: Attempt, request: Request) {
        let client = &self.clients[attempt.client];
        let is_closed = client.connection != attempt.connection;
        if is_closed && client.kind.version != TransactionVersion::V2 {
            return;
        }
        if request == Request::Init {
            self.history.initializes(client.kind.transactional_id, world.now_us);
        }
        self.act(world, to, |node, stage| node.asked(attempt, request, stage));
    }

    /// What the group's coordinator says of the copy job's offset.
    fn offset(&self) -> Result<Option<i64>, String> {
        let mut serving = self.nodes.iter().filter_map(|node| node.groups.as_ref());
        let host = serving.rfind(|host| host.serves()).ok_or("nobody serves the group")?;
        let topics = [(text("t"), vec![INPUT as i32])];
        let fetched = host.shard().fetch_offsets(&text(GROUP), None, &topics, true);
        match fetched.as_deref() {
            Ok([topic]) => match &topic.partitions[0].offset {
                Ok(offset) => Ok(offset.as_ref().map(|offset| offset.offset)),
                Err(error) => Err(format!("a transaction holds the group's offset: {error}")),
            },
            _ => Ok(None),
        }
    }

    fn count(&self) {
        let mut tally = self.tally.borrow_mut();
        tally.loads = self.nodes.iter().map(|node| node.loads).sum();
        tally.lives = self.clients.iter().map(|client| client.lives).sum();
        tally.fenced = self.history.fenced;
        tally.reads = self.views.reads;
        tally.hidden = self.views.hidden;
        tally.held_back = self.views.held_back;
        for transaction in &self.history.transactions {
            tally.begun += 1;
            let is_old = self.shared.kinds.iter().any(|kind| {
                kind.transactional_id == transaction.transactional_id
                    && kind.version != TransactionVersion::V2
            });
            tally.old_protocol += u64::from(is_old);
            match transaction.told {
                Some(true) => {
                    tally.committed += 1;
                    tally.offsets += u64::from(transaction.offset.is_some());
                }
                Some(false) => tally.aborted += 1,
                None => tally.unknown += 1,
            }
        }
    }
}

impl Service for Transactions {
    fn begin(&mut self, world: &mut World) {
        self.nodes = world.brokers.iter().map(|_| Node::default()).collect();
        for id in 1..=world.plan.brokers {
            self.put_off(world, i64::from(id) * 1_000, Due::Tick(id));
        }
        for index in 0..self.clients.len() {
            self.put_off(world, 2_000_000, Due::Turn(index));
        }
        self.put_off(world, 2_000_000, Due::Read);
        let heal_us = 4_000_000 + world.plan.chaos_ms * 1_000;
        self.put_off(world, heal_us + world.plan.heal_ms * 600, Due::Stop);
    }

    fn happen(&mut self, world: &mut World, number: u64) {
        match self.dues[number as usize].clone() {
            Due::Turn(index) => self.turn(world, index),
            Due::Tick(id) => {
                let frozen_us = world.brokers[id as usize - 1].frozen_until_us - world.now_us;
                if frozen_us <= 0 {
                    self.act(world, id, |node, stage| {
                        node.follow_leaders(stage);
                        node.tick(stage);
                    });
                }
                world.after_us(frozen_us.max(TICK_US), Event::Service(number));
            }
            Due::Read => {
                if let Err(what) = self.read(world) {
                    self.history.violate(what);
                }
                world.after_us(READ_US, Event::Service(number));
            }
            Due::Release(attempt, request) => {
                self.tally.borrow_mut().released += 1;
                if let Some(leader) = self.destination(world, &request) {
                    self.send(world, (CLIENTS, leader, 0), Said::Asked(attempt, request));
                }
            }
            Due::Stop => self.clients.iter_mut().for_each(|client| client.is_done = true),
        }
    }

    fn receive(&mut self, world: &mut World, message: &Message, number: u64) {
        let said = self.messages[number as usize].clone();
        if self.told {
            println!("             {} to {}: {said:?}", message.from, message.to);
        }
        let (from, to, process) = (message.from, message.to, message.sender);
        match said {
            Said::Asked(attempt, request) => self.asked(world, to, attempt, request),
            Said::Answered(attempt, result) => {
                let (history, draws) = (&mut self.history, &mut self.draws);
                let client = &mut self.clients[attempt.client];
                client.answered(attempt, result, history, draws, world.now_us);
            }
            Said::Verify { question, client, who, partition } => {
                let waiter = Waiter::Leader { to: from, process, question };
                self.act(world, to, |node, stage| {
                    node.asked_to_verify(waiter, (client, who, partition), stage);
                });
            }
            Said::Verified { question, result } => {
                self.act(world, to, |node, stage| node.verified(question, result, stage));
            }
            Said::Mark { number, coordinator_epoch, markers, partition } => {
                let waiter = Waiter::Coordinator { to: from, process, number };
                self.act(world, to, |node, stage| {
                    node.mark(waiter, (&markers, coordinator_epoch), partition, stage);
                });
            }
            Said::Marked { number, result } => {
                self.act(world, to, |node, stage| node.marked(number, result, stage));
            }
        }
    }

    fn answered(&mut self, world: &mut World, broker: NodeId, token: Token, answer: Answer) {
        self.act(world, broker, |node, stage| node.answered(token, answer, stage));
    }

    fn after_event(&mut self, world: &mut World) -> Result<(), String> {
        for id in 1..=world.plan.brokers {
            let (node, broker) = (&self.nodes[id as usize - 1], &world.brokers[id as usize - 1]);
            if node.process == broker.process && node.is_at_odds(broker) {
                self.act(world, id, |node, stage| node.follow_leaders(stage));
            }
        }
        match self.history.violation.take() {
            Some(what) => Err(what),
            None => Ok(()),
        }
    }

    fn at_the_end(&mut self, world: &mut World) -> Result<(), String> {
        self.count();
        for client in &self.clients {
            if !client.is_at_rest() {
                return Err(format!("a client never ended: {client:?}"));
            }
        }
        for broker in &world.brokers {
            for partition in [INPUT, OTHER, OUTPUT] {
                let committed_end = world.checks.committed_end(partition);
                self.views.read(broker, (partition, committed_end), &self.history)?;
                let Some(hosted) = broker.hosted.get(&partition) else { continue };
                let bounds = hosted.replica.bounds();
                if bounds.last_stable_offset != bounds.log_end_offset {
                    return Err(format!("partition {partition} hangs: {bounds:?}"));
                }
            }
        }
        let whole = transactions_are_whole(&self.views, &self.history)?;
        let copies = copies_are_exact(&self.views, &self.history, self.offset()?)?;
        let mut tally = self.tally.borrow_mut();
        (tally.whole, tally.copies) = (whole, copies);
        Ok(())
    }
}

//! Several machines, a network and a clock in one thread: everything that happens has a place in
//! one queue, and every draw comes out of one seed.

use std::collections::BTreeMap;

use protocol::records::metadata::{ConfigRecord, MetadataRecord};
use raft::controller::{ControllerResult, ControllerSettings};
use raft::draws::Draws;
use raft::image::MetadataImage;
use raft::node::{NodeError, NodeOutput, SnapshotJob};
use raft::quorum::{Event, PeerRequest, PeerResponse, RequestFailure};

use super::counters::Counters;
use super::invariants::{Invariants, Violation};
use super::membership::Membership;
use super::network::Network;
use super::node::{Machine, SimNode, controller_settings, port, settings};
use super::trace::Trace;

/// What lies ahead.
#[derive(Debug)]
enum Ahead {
    Request {
        from: i32,
        life: u64,
        request_id: u64,
        to: i32,
        request: PeerRequest,
    },
    Response {
        from: i32,
        to: i32,
        life: u64,
        request_id: u64,
        response: PeerResponse,
    },
    Failure {
        to: i32,
        life: u64,
        request_id: u64,
    },
    Evidence {
        to: i32,
        life: u64,
        gone: i32,
    },
    Synced {
        id: i32,
        life: u64,
        up_to: u64,
        generation: u64,
    },
    Tick {
        id: i32,
        life: u64,
    },
    SnapshotWritten {
        id: i32,
        life: u64,
        job: SnapshotJob,
    },
    /// A vote is on the disk at last: what the step that chose it leads to.
    VoteSaved {
        id: i32,
        life: u64,
        outputs: Vec<NodeOutput>,
    },
    PowerLoss {
        id: i32,
        life: u64,
    },
    Proposal,
    Start {
        id: i32,
    },
}

/// What the hosts of the nodes do besides, in a world that has more than the quorum.
#[derive(Debug)]
pub(crate) enum Heard {
    Published {
        id: i32,
        image: MetadataImage,
    },
    BecameInactive {
        id: i32,
    },
    /// Its process has ended.
    Ended {
        id: i32,
    },
}

/// A request that waits for its answer.
pub(crate) struct Asked {
    pub(crate) by: i32,
    life: u64,
    request_id: u64,
    of: i32,
    /// The candidate that asked for a vote that counts.
    pub(crate) candidate: Option<i32>,
}

pub(crate) struct World {
    pub(crate) draws: Draws,
    pub(crate) now_ms: i64,
    pub(crate) machines: BTreeMap<i32, Machine>,
    pub(crate) voters: Vec<i32>,
    formatted: bool,
    pub(crate) controller: ControllerSettings,
    pub(crate) network: Network,
    queue: BTreeMap<(i64, u64), Ahead>,
    queued: u64,
    asked: BTreeMap<u64, Asked>,
    last_token: u64,
    proposals: u64,
    quiet: bool,
    /// Kept only where somebody listens.
    pub(crate) heard: Option<Vec<Heard>>,
    /// Whether every event is printed.
    pub(crate) told: bool,
    pub(crate) counters: Counters,
    pub(crate) trace: Trace,
    pub(crate) invariants: Invariants,
    /// Where the voters change.
    pub(crate) membership: Option<Membership>,
}

/// How the clients' pauses between two proposals go.
const PROPOSAL_MS: u64 = 120;
/// How long a slow disk takes for a vote at most.
const SLOW_VOTE_MS: u64 = 1_200;

impl World {
    pub(crate) fn new(seed: u64, voters: i32, observers: i32, formatted: bool) -> Self {
        let voters: Vec<i32> = (1..=voters).collect();
        let end = voters.len() as i32 + 1;
        let observers: Vec<i32> = (end..end + observers).collect();
        Self::of(seed, &voters, &observers, formatted)
    }

    pub(crate) fn of(seed: u64, voters: &[i32], observers: &[i32], formatted: bool) -> Self {
        let votes = voters.iter().map(|id| (*id, Machine::new(*id, true)));
        let only_read = observers.iter().map(|id| (*id, Machine::new(*id, false)));
        let mut world = Self {
            draws: Draws::new(u128::from(seed)),
            now_ms: 1_000,
            machines: votes.chain(only_read).collect(),
            invariants: Invariants::new(),
            voters: voters.to_vec(),
            formatted,
            controller: controller_settings(),
            network: Network::calm(),
            queue: BTreeMap::new(),
            queued: 0,
            asked: BTreeMap::new(),
            last_token: 0,
            proposals: 0,
            quiet: false,
            heard: None,
            told: false,
            counters: Counters::default(),
            trace: Trace::START,
            membership: None,
        };
        for id in world.machines.keys().copied().collect::<Vec<_>>() {
            if formatted && world.machines[&id].voter {
                world.format(id);
            }
            let after_ms = world.draws.below(300) as i64;
            world.put(after_ms, Ahead::Start { id });
        }
        world.put(400, Ahead::Proposal);
        world
    }

    fn put(&mut self, after_ms: i64, ahead: Ahead) {
        self.queued += 1;
        self.queue.insert((self.now_ms + after_ms.max(0), self.queued), ahead);
    }

    pub(crate) fn all_counters(&self) -> Counters {
        let mut counters = self.counters;
        for machine in self.machines.values() {
            let disk = machine.disk.borrow();
            counters.divergence_truncations += disk.truncations;
            counters.snapshot_installs += disk.installs;
            counters.torn_votes += disk.torn_votes;
        }
        counters
    }

    /// When the next thing happens.
    pub(crate) fn next_ms(&self) -> Option<i64> {
        self.queue.keys().next().map(|(at, _)| *at)
    }

    /// Lets the next thing happen.
    pub(crate) fn step(&mut self) -> Result<(), Violation> {
        let Some(((at, _), ahead)) = self.queue.pop_first() else {
            return Ok(());
        };
        self.now_ms = self.now_ms.max(at);
        self.counters.events += 1;
        if self.told {
            let text: String = format!("{ahead:?}").chars().take(900).collect();
            println!("{} {text}", self.now_ms);
        }
        if let Some(stalled) = self.stalled_until(&ahead) {
            self.put(stalled - self.now_ms, ahead);
            return Ok(());
        }
        match ahead {
            Ahead::Request { from, life, request_id, to, request } => {
                self.request(from, life, request_id, to, request)
            }
            Ahead::Response { from, to, life, request_id, response } => {
                if !self.lives(to, life) || !self.network.carries(from, to) {
                    return Ok(());
                }
                self.event(to, Event::Responded { request_id, response })
            }
            Ahead::Failure { to, life, request_id } if self.lives(to, life) => {
                let failure = RequestFailure::Disconnected;
                self.event(to, Event::RequestFailed { request_id, failure })
            }
            Ahead::Evidence { to, life, gone } if self.lives(to, life) => {
                self.event(to, Event::PeerGone { id: gone })
            }
            Ahead::Synced { id, life, up_to, generation } if self.lives(id, life) => {
                let end_offset = self.machines[&id].disk.borrow_mut().sync(up_to);
                self.event(id, Event::LogSynced { end_offset, generation })
            }
            Ahead::Tick { id, life } if self.lives(id, life) => {
                if let Some(machine) = self.machines.get_mut(&id) {
                    machine.tick_at = None;
                }
                self.act(id, |node, now| node.tick(now))
            }
            Ahead::SnapshotWritten { id, life, job } if self.lives(id, life) => {
                self.snapshot_written(id, &job)
            }
            Ahead::VoteSaved { id, life, outputs } if self.lives(id, life) => {
                self.machines[&id].disk.borrow_mut().votes_are_saved();
                self.conclude(id, outputs)
            }
            Ahead::PowerLoss { id, life } if self.lives(id, life) => {
                self.crash_and_restart(id);
                Ok(())
            }
            Ahead::Proposal => self.propose_all(),
            Ahead::Start { id } => self.start(id),
            _ => Ok(()),
        }
    }

    /// Until when whom it is for does nothing.
    fn stalled_until(&self, ahead: &Ahead) -> Option<i64> {
        let (id, ends_wait) = match ahead {
            Ahead::VoteSaved { id, .. } => (*id, true),
            Ahead::Request { to: id, .. }
            | Ahead::Response { to: id, .. }
            | Ahead::Failure { to: id, .. }
            | Ahead::Evidence { to: id, .. }
            | Ahead::Synced { id, .. }
            | Ahead::Tick { id, .. }
            | Ahead::SnapshotWritten { id, .. } => (*id, false),
            Ahead::PowerLoss { .. } | Ahead::Proposal | Ahead::Start { .. } => return None,
        };
        let machine = self.machines.get(&id).filter(|machine| machine.node.is_some())?;
        let saves = !ends_wait && machine.is_saving();
        let until = machine.stalled_until_ms.max(self.now_ms + i64::from(saves));
        (until > self.now_ms).then_some(until)
    }

    /// Until when a node cannot be asked anything.
    pub(crate) fn busy_until(&self, id: i32) -> Option<i64> {
        self.stalled_until(&Ahead::Tick { id, life: 0 })
    }

    /// A process does nothing until then.
    pub(crate) fn stall(&mut self, id: i32, until_ms: i64) {
        if let Some(machine) = self.machines.get_mut(&id) {
            machine.stalled_until_ms = machine.stalled_until_ms.max(until_ms);
        }
    }

    fn lives(&self, id: i32, life: u64) -> bool {
        let machine = self.machines.get(&id);
        machine.is_some_and(|machine| machine.life == life && machine.node.is_some())
    }

    fn request(
        &mut self,
        from: i32,
        life: u64,
        request_id: u64,
        to: i32,
        request: PeerRequest,
    ) -> Result<(), Violation> {
        if self.machines[&to].node.is_none() {
            // Nobody listens: the connection is refused.
            if self.network.carries(to, from) {
                self.put(1, Ahead::Failure { to: from, life, request_id });
            }
            return Ok(());
        }
        if matches!(request, PeerRequest::ApiVersions(_)) {
            let response = super::membership::versions();
            self.put(1, Ahead::Response { from: to, to: from, life, request_id, response });
            return Ok(());
        }
        self.change_asked_by_node(&request);
        let token = self.next_token();
        let candidate = match &request {
            PeerRequest::Vote(vote) => {
                let partition = &vote.topics[0].partitions[0];
                (!partition.pre_vote).then_some(partition.replica_id.0)
            }
            _ => None,
        };
        self.asked.insert(token, Asked { by: from, life, request_id, of: to, candidate });
        self.event(to, Event::Requested { token, version: 17, request })
    }

    pub(crate) fn next_token(&mut self) -> u64 {
        self.last_token += 1;
        self.last_token
    }

    pub(crate) fn event(&mut self, id: i32, event: Event) -> Result<(), Violation> {
        self.act(id, |node, now| node.step(event, now))
    }

    /// Lets a node do something, carries out what it asks for, and looks at what has become.
    pub(crate) fn act(
        &mut self,
        id: i32,
        action: impl FnOnce(
            &mut SimNode,
            &raft::controller::ControllerNow,
        ) -> Result<Vec<NodeOutput>, NodeError>,
    ) -> Result<(), Violation> {
        if self.busy_until(id).is_some() {
            return Ok(());
        }
        let Some(machine) = self.machines.get_mut(&id) else { return Ok(()) };
        let now = machine.now(self.now_ms, &mut self.draws);
        let Some(node) = &mut machine.node else { return Ok(()) };
        let outputs = match action(node, &now) {
            Ok(outputs) => outputs,
            // As the host, which ends with a vote that is not saved.
            Err(_) if machine.disk.borrow().vote_failed => {
                self.counters.failed_votes += 1;
                self.crash_and_restart(id);
                return Ok(());
            }
            Err(error) => {
                return Err(Violation::new("a node ends", format!("node {id}: {error}")));
            }
        };
        if !machine.is_saving() {
            return self.conclude(id, outputs);
        }
        let life = machine.life;
        let span_ms = 1 + self.draws.below(SLOW_VOTE_MS) as i64;
        self.counters.slow_votes += 1;
        self.stall(id, self.now_ms + span_ms);
        self.put(span_ms, Ahead::VoteSaved { id, life, outputs });
        if self.draws.below(4) == 0 {
            let after_ms = self.draws.below(span_ms.unsigned_abs()) as i64;
            self.put(after_ms, Ahead::PowerLoss { id, life });
        }
        Ok(())
    }

    /// What a step of a node leads to, and what has become.
    fn conclude(&mut self, id: i32, outputs: Vec<NodeOutput>) -> Result<(), Violation> {
        for output in outputs {
            self.carry_out(id, output)?;
        }
        self.schedule_tick(id);
        let machine = &self.machines[&id];
        self.invariants.after_event(&self.machines, machine, &mut self.counters)?;
        if let Some(node) = &machine.node {
            let quorum = node.quorum();
            let (epoch, leads) = (quorum.epoch().into(), quorum.is_leader().into());
            let end = raft::quorum::Log::log_end_offset(quorum.log());
            let high_watermark = quorum.high_watermark().unwrap_or(-1);
            if self.told {
                println!("   node {id}: epoch {epoch}, leads {leads}, {end}, {high_watermark}");
            }
            self.trace.note(&[self.now_ms, id.into(), epoch, leads, end, high_watermark]);
        }
        Ok(())
    }

    fn schedule_tick(&mut self, id: i32) {
        let Some(machine) = self.machines.get_mut(&id) else { return };
        let Some(node) = &machine.node else { return };
        let due = machine.true_ms(node.next_tick_ms()).max(self.now_ms + 1);
        if machine.tick_at.is_some_and(|at| at <= due) {
            return;
        }
        machine.tick_at = Some(due);
        let life = machine.life;
        self.put(due - self.now_ms, Ahead::Tick { id, life });
    }

    fn carry_out(&mut self, id: i32, output: NodeOutput) -> Result<(), Violation> {
        let machine = &self.machines[&id];
        let life = machine.life;
        match output {
            NodeOutput::SyncLog { generation } => {
                let up_to = machine.disk.borrow().written();
                let after_ms = self.draws.below(machine.sync_ms + 1) as i64;
                self.put(after_ms, Ahead::Synced { id, life, up_to, generation });
            }
            NodeOutput::Send { request_id, to, request } => {
                self.invariants.request_leaves(machine, &request)?;
                self.counters.requests += 1;
                let receiver = i32::from(to.port) - i32::from(port(0));
                for after_ms in self.network.arrivals(id, receiver, &mut self.draws) {
                    let request = request.clone();
                    let ahead =
                        Ahead::Request { from: id, life, request_id, to: receiver, request };
                    self.put(after_ms, ahead);
                }
            }
            NodeOutput::Answer { token, response } => {
                let Some(asked) = self.asked.remove(&token) else {
                    return self.change_answered(id, token, &response);
                };
                self.invariants.answer_leaves(machine, &asked, &response)?;
                self.counters.answers += 1;
                let Asked { by, life, request_id, .. } = asked;
                for after_ms in self.network.arrivals(id, by, &mut self.draws) {
                    let response = response.clone();
                    let ahead = Ahead::Response { from: id, to: by, life, request_id, response };
                    self.put(after_ms, ahead);
                }
            }
            NodeOutput::BecameActive { epoch, .. } => {
                self.counters.elections += 1;
                self.invariants.became_active(&self.machines, machine, epoch)?;
                self.counters.leaders += 1;
            }
            NodeOutput::Publish { image, .. } => {
                self.invariants.published(machine, &image, &mut self.counters)?;
                self.hear(Heard::Published { id, image });
            }
            NodeOutput::TakeSnapshot(job) => {
                let after_ms = self.draws.below(60) as i64;
                self.put(after_ms, Ahead::SnapshotWritten { id, life, job });
            }
            NodeOutput::BecameInactive { .. } => self.hear(Heard::BecameInactive { id }),
            NodeOutput::LeaderChanged { .. } => {}
        }
        Ok(())
    }

    fn hear(&mut self, heard: Heard) {
        if let Some(known) = &mut self.heard {
            known.push(heard);
        }
    }

    fn snapshot_written(&mut self, id: i32, job: &SnapshotJob) -> Result<(), Violation> {
        let content = job.content(0).map_err(|error| Violation::new("a snapshot", error))?;
        let content: bytes::Bytes = content.concat().into();
        self.invariants.snapshot_taken(job.id, &content)?;
        self.counters.snapshots += 1;
        self.machines[&id].disk.borrow_mut().add_snapshot(job.id, content);
        let clean = self.draws.below(2) == 0;
        self.act(id, |node, now| {
            node.snapshot_frozen();
            if clean {
                node.clean(now);
            }
            Ok(Vec::new())
        })
    }

    /// From now on no client asks for anything.
    pub(crate) fn stop_proposing(&mut self) {
        self.quiet = true;
    }

    /// Clients reach whoever thinks that it leads.
    fn propose_all(&mut self) -> Result<(), Violation> {
        if self.quiet {
            return Ok(());
        }
        let after_ms = self.draws.below(PROPOSAL_MS) as i64 + 1;
        self.put(after_ms, Ahead::Proposal);
        for id in self.machines.keys().copied().collect::<Vec<_>>() {
            self.propose(id)?;
        }
        Ok(())
    }

    /// Says nothing where the node is not active.
    pub(crate) fn propose(&mut self, id: i32) -> Result<(), Violation> {
        self.proposals += 1;
        let count = 1 + self.draws.below(3);
        let record = |part: u64| -> MetadataRecord {
            ConfigRecord {
                resource_type: 2,
                resource_name: format!("topic-{}", (self.proposals + part) % 13).into(),
                name: "key".into(),
                value: Some(format!("value-{}-{part}", self.proposals).into()),
                ..Default::default()
            }
            .into()
        };
        let records: Vec<MetadataRecord> = (0..count).map(record).collect();
        let mut due = None;
        self.act(id, |node, now| {
            let mut outputs = Vec::new();
            let ask = |_: &mut _, _: &_| ControllerResult::of(records, ());
            due = node.call(ask, now, &mut outputs)?.ok().map(|((), offset)| offset);
            Ok(outputs)
        })?;
        if let Some(offset) = due {
            self.invariants.promised(&self.machines[&id], offset);
        }
        Ok(())
    }

    fn start(&mut self, id: i32) -> Result<(), Violation> {
        let mut settings = settings(id, &self.voters, self.formatted, &self.controller);
        if let Some(membership) = &self.membership {
            settings.quorum.observers_sync = true;
            settings.quorum.auto_join = membership.auto_join;
            settings.quorum.bootstrap_servers = super::node::servers(self.machines.keys());
        }
        let Some(machine) = self.machines.get_mut(&id).filter(|m| m.node.is_none()) else {
            return Ok(());
        };
        settings.quorum.own.directory_id = machine.directory;
        machine
            .open(settings, self.now_ms, &mut self.draws)
            .map_err(|error| Violation::new("a node does not start", error))?;
        self.invariants.started(&self.machines[&id]);
        self.act(id, |node, now| node.start(now))
    }

    pub(crate) fn start_after(&mut self, id: i32, after_ms: i64) {
        self.put(after_ms, Ahead::Start { id });
    }

    /// The machine goes down; others may notice.
    pub(crate) fn crash(&mut self, id: i32, noticed: bool) {
        let Some(machine) = self.machines.get_mut(&id) else { return };
        if machine.node.take().is_none() {
            return;
        }
        self.counters.crashes += 1;
        machine.stalled_until_ms = 0;
        machine.disk.borrow_mut().crash(&mut self.draws);
        self.hear(Heard::Ended { id });
        self.asked.retain(|_, asked| asked.by != id);
        let broken = self.asked.extract_if(.., |_, asked| asked.of == id);
        let broken: Vec<Asked> = broken.map(|(_, asked)| asked).collect();
        if !noticed {
            return;
        }
        for Asked { by, life, request_id, .. } in broken {
            self.put(1, Ahead::Failure { to: by, life, request_id });
        }
        for to in self.machines.keys().copied().collect::<Vec<_>>() {
            let after_ms = 1 + self.draws.below(5) as i64;
            self.evidence(to, id, after_ms);
        }
    }

    /// Somebody thinks that a node is gone, rightly or not.
    pub(crate) fn evidence(&mut self, to: i32, gone: i32, after_ms: i64) {
        let life = self.machines[&to].life;
        self.put(after_ms, Ahead::Evidence { to, life, gone });
    }

    /// The node that leads the latest epoch.
    pub(crate) fn leader(&self) -> Option<i32> {
        let nodes =
            self.machines.values().filter_map(|machine| Some((machine, machine.node.as_ref()?)));
        let leading = nodes.filter(|(_, node)| node.quorum().is_leader());
        leading.max_by_key(|(_, node)| node.quorum().epoch()).map(|(machine, _)| machine.id)
    }

    pub(crate) fn healed(&self) -> Result<(), Violation> {
        self.invariants.healed(&self.machines)
    }
}

//! The quorum's thread: takes commands, steps the node, carries out what it asks for.
//!
//! Kept true: commands are handled one at a time in their order; all that wait are handled before
//! the disk is asked once to sync; an answer is given when its offset is applied by this node. What
//! is asked of the active controller for this node itself is in `membership`, what tells that
//! another node is gone in `evidence`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use raft::controller::{Controller, ControllerNow, ControllerResult};
use raft::evidence::Evidence;
use raft::image::{MetadataDelta, MetadataImage};
use raft::node::{Node, NodeError, NodeOutput, SnapshotJob};
use raft::pending::Pending;
use raft::quorum::{Event, PeerResponse};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, oneshot};

use super::changes::{Acknowledgement, Change};
use super::clock;
use super::command::{Call, Command, Due};
use super::error::fatal;
use super::exhaustion::outwait;
use super::handover::Handover;
use super::lines;
use super::membership::Membership;
use super::metadata_log::MetadataLog;
use super::network::Network;
use super::shared::Shared;
use super::signs::Probes;
use super::snapshot_files::SnapshotFiles;
use super::vote_file::VoteFile;
use crate::clock::{monotonic_ms, wall_ms};
use crate::metadata::controller_channel::ActiveController;
use crate::requests::controller_error::ControllerError;
use client::Address;

/// How many commands are handled before the disk is asked and time is looked at.
const COMMANDS_PER_ROUND: usize = 256;
/// How long a node that stops may hand over its leadership. Kafka: `RAFT_SHUTDOWN_TIMEOUT`.
const HANDOVER: Duration = Duration::from_secs(5);

pub(super) type Answer = Box<dyn FnOnce(Result<(), ControllerError>, &mut Membership) + Send>;

pub(super) struct Host {
    pub(super) node: Node<MetadataLog, VoteFile>,
    files: Arc<Mutex<SnapshotFiles>>,
    writer: Option<JoinHandle<()>>,
    /// Of the newest snapshot; it may have ended.
    snapshot_writer: Option<JoinHandle<()>>,
    pub(super) commands: UnboundedSender<Command>,
    changes: UnboundedSender<Change>,
    pub(super) shared: Arc<Shared>,
    pub(super) membership: Membership,
    network: Network,
    pub(super) evidence: Evidence,
    pub(super) looks: Probes,
    /// Other nodes' requests by their token.
    asked: HashMap<u64, oneshot::Sender<PeerResponse>>,
    last_token: u64,
    pending: Pending<Answer>,
    handover: Handover<Change>,
    /// The newest sync that is wanted.
    sync_wanted: Option<u64>,
}

/// What a host is made of.
pub(super) struct Parts {
    pub(super) node: Node<MetadataLog, VoteFile>,
    pub(super) files: Arc<Mutex<SnapshotFiles>>,
    pub(super) writer: JoinHandle<()>,
    pub(super) commands: UnboundedSender<Command>,
    pub(super) changes: UnboundedSender<Change>,
    pub(super) shared: Arc<Shared>,
    pub(super) membership: Membership,
    pub(super) network: Network,
    pub(super) evidence: Evidence,
}

impl Host {
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { node, files, writer, commands, changes, shared, .. } = parts;
        Self {
            node,
            files,
            writer: Some(writer),
            snapshot_writer: None,
            commands,
            changes,
            shared,
            membership: parts.membership,
            network: parts.network,
            evidence: parts.evidence,
            looks: Probes::default(),
            asked: HashMap::new(),
            last_token: 0,
            pending: Pending::default(),
            handover: Handover::new(),
            sync_wanted: None,
        }
    }

    pub(super) async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        self.know_brokers(&self.shared.image.load_full());
        let started = self.node.start(&clock::now());
        self.carry_out(started);
        // Who was followed before the last stop is known without a change.
        let quorum = self.node.quorum();
        if let Some(leader) = quorum.leader_id()
            && self.shared.leader_id.load(Ordering::Acquire) != leader
        {
            self.leader_changed(quorum.epoch(), Some(leader));
        }
        let ends = tell_ends(self.membership.heartbeats_end(), self.commands.clone());
        let ends = tokio::spawn(ends);
        while self.round(&mut commands).await {}
        ends.abort();
        self.hand_over(&mut commands).await;
        self.close();
    }

    /// Handles what waits; says whether to go on.
    async fn round(&mut self, commands: &mut UnboundedReceiver<Command>) -> bool {
        if self.until_next_tick().is_zero() {
            self.tick();
        }
        self.request_sync();
        let Ok(first) = tokio::time::timeout(self.until_next_tick(), commands.recv()).await else {
            return true;
        };
        let mut next = first;
        for _ in 0..COMMANDS_PER_ROUND {
            let Some(command) = next else { break };
            if !self.handle(command) {
                return false;
            }
            next = commands.try_recv().ok();
        }
        next.is_none_or(|command| self.handle(command))
    }

    fn request_sync(&mut self) {
        if let Some(generation) = self.sync_wanted.take() {
            self.node.log_mut().request_sync(generation);
        }
    }

    fn until_next_tick(&self) -> Duration {
        let mut next = self.node.next_tick_ms().min(self.membership.next_ms());
        if self.membership.controller.is_some() {
            next = next.min(self.evidence.next_ms());
        }
        let wait = next.saturating_sub(monotonic_ms()).clamp(0, 60_000);
        Duration::from_millis(u64::try_from(wait).unwrap_or(0))
    }

    fn tick(&mut self) {
        self.tell_controller();
        let actions = self.evidence.time_passed(monotonic_ms());
        self.look(actions);
        let ticked = self.node.tick(&clock::now());
        if let Some((broker, epoch)) = self.node.take_expired() {
            lines::session_over(self.membership.node_id, broker, epoch);
        }
        self.carry_out(ticked);
    }

    /// Says whether to go on.
    fn handle(&mut self, command: Command) -> bool {
        match command {
            Command::Call(call) => self.call(call),
            Command::DescribeQuorum { request, answer } => {
                // Who asked may be gone.
                let _ = answer.send(self.node.describe_quorum(&request, &clock::now()));
            }
            Command::Asked { version, request, answer } => {
                self.last_token += 1;
                let token = self.last_token;
                self.asked.insert(token, answer);
                self.step(Event::Requested { token, version, request });
            }
            Command::Quorum(event) => self.step(event),
            Command::Applied { offset } => self.applied(offset),
            Command::SnapshotWritten(entry) => {
                self.files.lock().add(entry);
                self.node.snapshot_frozen();
            }
            Command::Registered(answer) => self.registered(answer),
            Command::ControllerRegistered(answer) => self.controller_registered(answer),
            Command::Heard(answer) => self.heard(answer),
            Command::ConnectionEnded => {
                self.membership.lifecycle.connection_ended(monotonic_ms());
            }
            Command::Sign(sign) => self.sign(sign),
            Command::DirectoryFailed { directory_id } => {
                let now_ms = monotonic_ms();
                self.membership.lifecycle.directory_failed(directory_id, now_ms);
            }
            Command::DirectoriesCordoned { directory_ids } => {
                self.membership.lifecycle.directories_cordoned(directory_ids);
            }
            Command::Serve { answer } => self.membership.lifecycle.serve(answer),
            Command::ControlledShutdown { answer } => {
                self.membership.lifecycle.leave(answer, monotonic_ms());
            }
            Command::Stop => return false,
        }
        true
    }

    pub(super) fn step(&mut self, event: Event) {
        let stepped = self.node.step(event, &clock::now());
        self.carry_out(stepped);
    }

    /// Puts a call to the controller; its answer is given when it is due.
    fn call(&mut self, mut call: Box<dyn Call>) {
        let due = call.due();
        match self.ask(|controller, now| call.put(controller, now)) {
            Ok(((), offset)) => {
                self.wait_for(due, offset, Box::new(move |outcome, _| call.answer(outcome)));
            }
            Err(error) => call.answer(Err(error)),
        }
    }

    pub(super) fn ask<R>(
        &mut self,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R>,
    ) -> Result<(R, i64), ControllerError> {
        let mut outputs = Vec::new();
        let called = self.node.call(ask, &clock::now(), &mut outputs);
        let called = called.unwrap_or_else(|error| fatal(&error));
        self.carry_out(Ok(outputs));
        called.map_err(|_| ControllerError::NotActive)
    }

    pub(super) fn wait_for(&mut self, due: Due, offset: i64, answer: Answer) {
        self.pending.wait(due, offset, answer);
        self.give_due();
    }

    fn give_due(&mut self) {
        while let Some(answer) = self.pending.take_due(&self.node) {
            answer(Ok(()), &mut self.membership);
        }
    }

    /// Whom this node's controller may have to miss.
    fn know_brokers(&mut self, image: &MetadataImage) {
        if self.membership.controller.is_some() {
            let actions = self.evidence.registered(image.cluster(), monotonic_ms());
            self.look(actions);
        }
    }

    fn applied(&mut self, offset: i64) {
        self.pending.applied(offset);
        self.give_due();
        self.membership.lifecycle.applied();
    }

    fn carry_out(&mut self, outputs: Result<Vec<NodeOutput>, NodeError>) {
        for output in outputs.unwrap_or_else(|error| fatal(&error)) {
            match output {
                NodeOutput::SyncLog { generation } => self.sync_wanted = Some(generation),
                NodeOutput::Send { request_id, to, request } => {
                    self.network.send(request_id, to, request);
                }
                NodeOutput::Answer { token, response } => {
                    if let Some(answer) = self.asked.remove(&token) {
                        // Who asked may be gone.
                        let _ = answer.send(response);
                    }
                }
                NodeOutput::LeaderChanged { epoch, leader_id } => {
                    self.leader_changed(epoch, leader_id);
                }
                NodeOutput::BecameActive { epoch, next_offset } => {
                    self.became_active(epoch, next_offset);
                }
                NodeOutput::BecameInactive { epoch } => self.became_inactive(epoch),
                NodeOutput::Publish { image, delta } => self.publish(image, *delta),
                NodeOutput::TakeSnapshot(job) => self.take_snapshot(job),
            }
        }
        self.shared.has_place.store(self.node.quorum().has_place(), Ordering::Release);
        self.give_due();
    }

    fn leader_changed(&mut self, epoch: i32, leader_id: Option<i32>) {
        let node_id = self.membership.node_id;
        if self.membership.controller.is_some() {
            lines::leader_is(node_id, epoch, leader_id);
        } else {
            let known = leader_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
            tracing::info!(
                target: "org.apache.kafka.raft.QuorumState",
                "[RaftManager id={node_id}] The leader of epoch {epoch} is {known}"
            );
        }
        self.shared.leader_id.store(leader_id.unwrap_or(-1), Ordering::Release);
        self.shared.kraft_version.store(self.node.quorum().kraft().version, Ordering::Release);
        let address = self.node.quorum().leader_address();
        let active = leader_id.zip(address).map(|(id, (host, port))| ActiveController {
            id,
            epoch,
            address: Address { host, port },
        });
        if let Some(active) = active.as_ref().filter(|_| self.membership.is_of_zookeeper_era) {
            say_new_controller(node_id, active);
        }
        self.shared.active.send_replace(active);
        self.membership.lifecycle.ask_at_once();
        self.membership.controller_due_now();
    }

    fn became_active(&mut self, epoch: i32, next: i64) {
        let id = self.membership.node_id;
        tracing::info!(
            target: "org.apache.kafka.controller.QuorumController",
            "[QuorumController id={id}] Becoming the active controller at epoch {epoch}, \
             next write offset {next}."
        );
        self.shared.is_active.store(true, Ordering::Release);
        self.membership.lifecycle.ask_at_once();
        self.membership.controller_due_now();
        let actions = self.evidence.became_active(monotonic_ms());
        self.look(actions);
        self.release();
    }

    fn became_inactive(&mut self, epoch: i32) {
        let id = self.membership.node_id;
        tracing::info!(
            target: "org.apache.kafka.controller.QuorumController",
            "[QuorumController id={id}] Renouncing the leadership at epoch {epoch}."
        );
        self.shared.is_active.store(false, Ordering::Release);
        let actions = self.evidence.became_inactive();
        self.look(actions);
        let unanswered = self.pending.renounce();
        self.fail(unanswered, ControllerError::NotActive);
    }

    fn publish(&mut self, image: MetadataImage, delta: MetadataDelta) {
        let offset = image.provenance().last_contained_offset;
        let image = Arc::new(image);
        self.shared.image.store(Arc::clone(&image));
        self.shared.kraft_version.store(self.node.quorum().kraft().version, Ordering::Release);
        let changes = delta.changes().clone();
        let id = self.membership.node_id;
        if self.membership.controller.is_some() {
            lines::replayed(id, delta.before(), &image, &changes);
        }
        if self.node.controller().is_active() {
            lines::decided(id, delta.before(), &image, &changes);
        }
        if !changes.brokers.is_empty() {
            self.know_brokers(&image);
        }
        self.noticed(&image, &changes, offset);
        let applied = Acknowledgement::new(offset, self.commands.clone());
        self.handover.offer(Change { image, changes, applied });
        self.release();
        if self.handover.held().is_some() {
            // What the controller waits to hear of is how far this node has come.
            self.membership.lifecycle.applied();
        }
    }

    /// Hands over what the broker may apply. The first image is the one it has caught up with: it
    /// takes for a stray what an older one does not name.
    pub(super) fn release(&mut self) {
        let has_caught_up = self.membership.lifecycle.has_caught_up()
            || self.node.controller().is_active()
            || self.pending.applied_offset() >= 0;
        let Some(change) = self.handover.take(has_caught_up) else { return };
        let offset = change.image.provenance().last_contained_offset;
        if self.changes.send(change).is_err() {
            self.applied(offset);
        }
    }

    /// How far this node has come in the metadata.
    pub(super) fn metadata_offset(&self) -> i64 {
        match self.handover.held() {
            Some(held) => held.image.provenance().last_contained_offset,
            None => self.pending.applied_offset(),
        }
    }

    fn take_snapshot(&mut self, job: SnapshotJob) {
        let commands = self.commands.clone();
        let place = self.files.lock().place();
        let write = move || {
            let content = job.content(wall_ms()).unwrap_or_else(|error| fatal(&error));
            let (id, taken_ms) = (job.id, job.timestamp_ms);
            let written = outwait(|| place.write(id, taken_ms, &content));
            let entry = written.unwrap_or_else(|error| fatal(&error));
            // A quorum that has stopped finds the file at its next start.
            let _ = commands.send(Command::SnapshotWritten(entry));
        };
        let thread = std::thread::Builder::new().name("gregor-snapshot".to_owned()).spawn(write);
        match thread {
            Ok(thread) => self.snapshot_writer = Some(thread),
            Err(error) => {
                // The next snapshot may have more luck; the log has everything.
                tracing::warn!(
                    target: "org.apache.kafka.image.publisher.SnapshotGenerator",
                    "No thread for a snapshot: {error}"
                );
                self.node.snapshot_frozen();
            }
        }
    }

    fn fail(&mut self, unanswered: Vec<Answer>, error: ControllerError) {
        for answer in unanswered {
            answer(Err(error), &mut self.membership);
        }
    }

    /// A leader that stops tells the others before it goes.
    async fn hand_over(&mut self, commands: &mut UnboundedReceiver<Command>) {
        let stopped = self.node.stop(&clock::now());
        self.carry_out(stopped);
        let unanswered = self.pending.end();
        self.fail(unanswered, ControllerError::Stopping);
        let rounds = async { while !self.node.may_stop() && self.round(commands).await {} };
        // Whoever does not answer will find out.
        let _ = tokio::time::timeout(HANDOVER, rounds).await;
    }

    fn close(&mut self) {
        let unanswered = self.pending.end();
        self.fail(unanswered, ControllerError::Stopping);
        self.node.log_mut().close();
        // A snapshot under way is finished: whoever stops the quorum may take its directory away.
        for thread in [self.writer.take(), self.snapshot_writer.take()].into_iter().flatten() {
            // Its panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

/// A broker that lives says so when the connection by which it did has ended.
async fn tell_ends(ended: Arc<Notify>, commands: UnboundedSender<Command>) {
    loop {
        ended.notified().await;
        if commands.send(Command::ConnectionEnded).is_err() {
            return;
        }
    }
}

/// The line of a broker with a ZooKeeper, which had one channel for each purpose.
fn say_new_controller(node_id: i32, active: &ActiveController) {
    let ActiveController { id, address, .. } = active;
    for purpose in ["alter-partition", "forwarding"] {
        tracing::info!(
            target: "kafka.server.NodeToControllerRequestThread",
            "[zk-broker-{node_id}-to-controller-{purpose}-channel-manager]: Recorded new ZK \
             controller, from now on will use node {address} (id: {id} rack: null)"
        );
    }
}

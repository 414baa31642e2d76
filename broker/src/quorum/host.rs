//! The quorum's thread: takes commands, steps the node, carries out what it asks for.
//!
//! Kept true: commands are handled one at a time in their order; all that wait are handled before
//! the disk is asked once to sync; an answer is given when its offset is applied by the broker, or,
//! on a node without that role, committed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use raft::controller::{Controller, ControllerNow, ControllerResult};
use raft::image::{MetadataDelta, MetadataImage};
use raft::node::{Node, NodeError, NodeOutput, SnapshotJob};
use raft::quorum::SnapshotEntry;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::changes::{Acknowledgement, Change};
use super::lifecycle::{Lifecycle, Moved};
use super::metadata_log::MetadataLog;
use super::snapshot_files::{self, SnapshotFiles};
use super::vote_file::VoteFile;
use super::{ControllerError, Shared, clock, fatal};

/// How many commands are handled before the disk is asked and time is looked at.
const COMMANDS_PER_ROUND: usize = 256;
/// The version of BrokerRegistration that our own registration is.
const OWN_REGISTRATION: i16 = 4;

type Ask = Box<dyn FnOnce(&mut Host) + Send>;
type Answer = Box<dyn FnOnce(Result<(), ControllerError>, &mut Lifecycle) + Send>;

/// What the quorum's thread is told.
pub(super) enum Command {
    Call(Ask),
    DescribeQuorum {
        request: DescribeQuorumRequest,
        answer: oneshot::Sender<DescribeQuorumResponse>,
    },
    /// The disk has everything below.
    Synced {
        end_offset: i64,
    },
    /// The broker has applied everything up to this offset.
    Applied {
        offset: i64,
    },
    SnapshotWritten(SnapshotEntry),
    Serve {
        answer: oneshot::Sender<()>,
    },
    ControlledShutdown {
        answer: oneshot::Sender<()>,
    },
    Stop,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Call(_) => "Call",
            Self::DescribeQuorum { .. } => "DescribeQuorum",
            Self::Synced { .. } => "Synced",
            Self::Applied { .. } => "Applied",
            Self::SnapshotWritten(_) => "SnapshotWritten",
            Self::Serve { .. } => "Serve",
            Self::ControlledShutdown { .. } => "ControlledShutdown",
            Self::Stop => "Stop",
        })
    }
}

pub(super) struct Host {
    node: Node<MetadataLog, VoteFile>,
    files: Arc<Mutex<SnapshotFiles>>,
    writer: Option<JoinHandle<()>>,
    /// Of the newest snapshot; it may have ended.
    snapshot_writer: Option<JoinHandle<()>>,
    commands: UnboundedSender<Command>,
    /// To the broker; `None` on a node without that role.
    changes: Option<UnboundedSender<Change>>,
    shared: Arc<Shared>,
    lifecycle: Lifecycle,
    /// Answers by the offset they wait for, which only grows.
    waiting: VecDeque<(i64, Answer)>,
    applied_offset: i64,
    sync_wanted: bool,
}

impl Host {
    pub(super) fn new(
        node: Node<MetadataLog, VoteFile>,
        files: Arc<Mutex<SnapshotFiles>>,
        writer: JoinHandle<()>,
        commands: UnboundedSender<Command>,
        changes: Option<UnboundedSender<Change>>,
        shared: Arc<Shared>,
        lifecycle: Lifecycle,
    ) -> Self {
        Self {
            node,
            files,
            writer: Some(writer),
            snapshot_writer: None,
            commands,
            changes,
            shared,
            lifecycle,
            waiting: VecDeque::new(),
            applied_offset: -1,
            sync_wanted: false,
        }
    }

    pub(super) async fn run(mut self, mut commands: UnboundedReceiver<Command>) {
        let started = self.node.start(&clock::now());
        self.carry_out(started);
        // The registrations that becoming active asks for share the first sync.
        while let Ok(command) = commands.try_recv() {
            if !self.handle(command) {
                return;
            }
        }
        loop {
            if self.until_next_tick().is_zero() {
                self.tick();
            }
            if std::mem::take(&mut self.sync_wanted) {
                self.node.log_mut().request_sync();
            }
            let Ok(first) = tokio::time::timeout(self.until_next_tick(), commands.recv()).await
            else {
                continue;
            };
            let Some(first) = first else { return };
            let mut next = Some(first);
            for _ in 0..COMMANDS_PER_ROUND {
                let Some(command) = next else { break };
                if !self.handle(command) {
                    return;
                }
                next = commands.try_recv().ok();
            }
            if let Some(command) = next
                && !self.handle(command)
            {
                return;
            }
        }
    }

    fn until_next_tick(&self) -> Duration {
        let next = self.node.next_tick_ms().min(self.lifecycle.next_heartbeat_ms());
        let wait = next.saturating_sub(clock::monotonic_ms()).clamp(0, 60_000);
        Duration::from_millis(u64::try_from(wait).unwrap_or(0))
    }

    fn tick(&mut self) {
        let now = clock::now();
        if now.monotonic_ms >= self.lifecycle.next_heartbeat_ms() {
            self.heartbeat();
        }
        let ticked = self.node.tick(&now);
        self.carry_out(ticked);
    }

    /// Says whether to go on.
    fn handle(&mut self, command: Command) -> bool {
        match command {
            Command::Call(ask) => ask(self),
            Command::DescribeQuorum { request, answer } => {
                // Who asked may be gone.
                let _ = answer.send(self.node.describe_quorum(&request, &clock::now()));
            }
            Command::Synced { end_offset } => {
                let committed = self.node.log_synced(end_offset, &clock::now());
                self.carry_out(committed);
            }
            Command::Applied { offset } => self.applied(offset),
            Command::SnapshotWritten(entry) => {
                self.files.lock().add(entry);
                self.node.snapshot_frozen();
            }
            Command::Serve { answer } => {
                self.lifecycle.serve(answer);
                self.heartbeat();
            }
            Command::ControlledShutdown { answer } => {
                if self.lifecycle.leave(answer) {
                    self.heartbeat();
                }
            }
            Command::Stop => {
                self.stop();
                return false;
            }
        }
        true
    }

    /// Puts `ask` to the controller; `answer` is given when it is due.
    pub(super) fn answer<R: Send + 'static>(
        &mut self,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R>,
        answer: oneshot::Sender<Result<R, ControllerError>>,
    ) {
        match self.ask(ask) {
            Ok((response, offset)) => self.wait_for(
                offset,
                Box::new(move |outcome, _| {
                    // Who asked may have given up waiting.
                    let _ = answer.send(outcome.map(|()| response));
                }),
            ),
            Err(error) => {
                let _ = answer.send(Err(error));
            }
        }
    }

    fn ask<R>(
        &mut self,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R>,
    ) -> Result<(R, i64), ControllerError> {
        let mut outputs = Vec::new();
        let called = self.node.call(ask, &clock::now(), &mut outputs);
        let called = called.unwrap_or_else(|error| fatal(&error));
        self.carry_out(Ok(outputs));
        called.map_err(|_| ControllerError::NotActive)
    }

    fn wait_for(&mut self, offset: i64, answer: Answer) {
        if offset <= self.applied_offset {
            answer(Ok(()), &mut self.lifecycle);
        } else {
            self.waiting.push_back((offset, answer));
        }
    }

    fn applied(&mut self, offset: i64) {
        self.applied_offset = self.applied_offset.max(offset);
        while let Some((due, _)) = self.waiting.front()
            && *due <= self.applied_offset
            && let Some((_, answer)) = self.waiting.pop_front()
        {
            answer(Ok(()), &mut self.lifecycle);
        }
        if self.lifecycle.is_pressing() {
            self.heartbeat();
        }
    }

    fn carry_out(&mut self, outputs: Result<Vec<NodeOutput>, NodeError>) {
        for output in outputs.unwrap_or_else(|error| fatal(&error)) {
            match output {
                NodeOutput::SyncLog => self.sync_wanted = true,
                NodeOutput::BecameActive { epoch, next_offset } => {
                    self.became_active(epoch, next_offset);
                }
                NodeOutput::BecameInactive { .. } => {
                    self.shared.leader_id.store(-1, Ordering::Release);
                    self.fail_waiting(ControllerError::NotActive);
                }
                NodeOutput::Publish { image, delta } => self.publish(image, *delta),
                NodeOutput::TakeSnapshot(job) => self.take_snapshot(job),
            }
        }
    }

    fn became_active(&self, epoch: i32, next: i64) {
        let id = self.lifecycle.node_id;
        tracing::info!(
            target: "org.apache.kafka.controller.QuorumController",
            "[QuorumController id={id}] Becoming the active controller at epoch {epoch}, \
             next write offset {next}."
        );
        self.shared.leader_id.store(id, Ordering::Release);
        self.shared.kraft_version.store(self.node.quorum().kraft().version, Ordering::Release);
        // The bootstrap records are on their way when the outputs behind this one are carried out,
        // and the registrations must come behind them: a command to ourselves comes after both.
        let _ = self.commands.send(Command::Call(Box::new(Self::register)));
    }

    fn register(&mut self) {
        let request = self.lifecycle.controller_registration.clone();
        // Without an answer this node is no controller any more; the next one is told again.
        let Ok((response, _)) = self.ask(|controller, _| controller.register_controller(&request))
        else {
            return;
        };
        if response.error_code != 0 {
            let reason = response.error_message.unwrap_or_default();
            tracing::warn!(
                target: "kafka.server.ControllerRegistrationManager",
                "The controller is not registered: {}",
                reason.as_str()
            );
        }
        self.register_broker();
    }

    fn register_broker(&mut self) {
        let Some(request) = self.lifecycle.registration.clone() else { return };
        let kraft_version = self.node.quorum().kraft().version;
        let asked = self.ask(|controller, now| {
            // Its former self held the lock of the directory that this process holds now.
            controller.session_ended(request.broker_id.0);
            controller.register_broker(&request, OWN_REGISTRATION, kraft_version, now)
        });
        let Ok((response, _)) = asked else { return };
        if response.error_code != 0 {
            let code = protocol::ErrorCode::try_from_code(response.error_code);
            fatal(&format!("the controller refuses to register this broker: {code:?}"));
        }
        self.shared.broker_epoch.store(response.broker_epoch, Ordering::Release);
        self.lifecycle.registered(response.broker_epoch, clock::monotonic_ms());
    }

    fn heartbeat(&mut self) {
        let now_ms = clock::monotonic_ms();
        let Some(request) = self.lifecycle.heartbeat(self.applied_offset, now_ms) else { return };
        let asked = self.ask(|controller, now| controller.heartbeat(&request, now));
        let Ok((response, offset)) = asked else { return };
        match self.lifecycle.answered(&response) {
            Moved::Nowhere => {}
            Moved::Unfenced => {
                self.wait_for(offset, Box::new(|_, lifecycle| lifecycle.unfenced()));
            }
            Moved::MayStop => {
                self.wait_for(offset, Box::new(|_, lifecycle| lifecycle.may_stop()));
            }
            Moved::Forgotten => self.register_broker(),
        }
    }

    fn publish(&mut self, image: MetadataImage, delta: MetadataDelta) {
        let offset = image.provenance().last_contained_offset;
        let image = Arc::new(image);
        self.shared.image.store(Arc::clone(&image));
        let changes = delta.changes().clone();
        let applied = Acknowledgement::new(offset, self.commands.clone());
        let change = Change { image, changes, applied };
        let told = self.changes.as_ref().is_some_and(|broker| broker.send(change).is_ok());
        if !told {
            self.applied(offset);
        }
    }

    fn take_snapshot(&mut self, job: SnapshotJob) {
        let commands = self.commands.clone();
        let directory = self.files.lock().directory();
        let write = move || {
            let content = job.content(clock::wall_ms()).unwrap_or_else(|error| fatal(&error));
            let written = snapshot_files::write(&directory, job.id, job.timestamp_ms, &content);
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

    fn fail_waiting(&mut self, error: ControllerError) {
        for (_, answer) in std::mem::take(&mut self.waiting) {
            answer(Err(error), &mut self.lifecycle);
        }
    }

    fn stop(&mut self) {
        let stopped = self.node.stop(&clock::now());
        self.carry_out(stopped);
        self.fail_waiting(ControllerError::Stopping);
        self.node.log_mut().close();
        // A snapshot under way is finished: whoever stops the quorum may take its directory away.
        for thread in [self.writer.take(), self.snapshot_writer.take()].into_iter().flatten() {
            // Its panic was printed when it happened.
            let _ = thread.join();
        }
    }
}

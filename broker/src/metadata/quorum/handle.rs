//! The way to the quorum's thread: what it published is read, everything else is a command.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI16, AtomicI32, AtomicI64, Ordering};

use arc_swap::ArcSwap;
use config::BrokerConfig;
use parking_lot::Mutex;
use protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use protocol::records::metadata::UserScramCredentialRecord;
use raft::controller::{Controller, ControllerNow, ControllerResult};
use raft::evidence::Evidence;
use raft::image::MetadataImage;
use raft::node::Node;
use raft::quorum::{Event, PeerRequest, PeerResponse};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{oneshot, watch};
use uuid::Uuid;

use super::bootstrap::{read_bootstrap, scram_credentials};
use super::changes::Changes;
use super::command::{Command, Due, call};
use super::error::QuorumStartError;
use super::host::{self, Host};
use super::membership::Membership;
use super::metadata_dir::MetadataDir;
use super::metadata_log::{OpenedLog, Segments};
use super::network::Network;
use super::shared::Shared;
use super::signs::{HeartbeatConnections, Sign};
use super::timeouts::{heartbeat_timeout, ms};
use super::vote_file::VoteFile;
use super::{clock, identity};
use crate::log_dirs::LogDirs;
use crate::metadata::controller_channel::{ActiveController, ControllerChannel};
use crate::metadata::dynamic_config::ConfigTables;
use crate::requests::controller_error::ControllerError;
use client::PeerSettings;

/// The way to the quorum's thread.
#[derive(Debug)]
pub(crate) struct QuorumHandle {
    pub(super) commands: UnboundedSender<Command>,
    pub(super) shared: Arc<Shared>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl QuorumHandle {
    /// Replays what the log dir holds and starts the quorum; it elects itself and registers this
    /// node without being asked.
    pub(crate) fn start(
        config: &BrokerConfig,
        log_dirs: &LogDirs,
    ) -> Result<(Self, Changes), QuorumStartError> {
        Self::start_in(config, MetadataDir::of(log_dirs))
    }

    pub(super) fn start_in(
        config: &BrokerConfig,
        dir: MetadataDir,
    ) -> Result<(Self, Changes), QuorumStartError> {
        let segments = Segments {
            bytes: config.metadata_log_segment_bytes,
            ms: config.metadata_log_segment_ms,
        };
        let opened = OpenedLog::open(&dir, segments)?;
        let bootstrap = read_bootstrap(&dir.path)?;
        let first_users = scram_credentials(&bootstrap);
        // Bound: what waits for an answer, which is one request of each connection and of each
        // other node, and what the disk and this node's own tasks report, one each at a time.
        let (commands, receiver) = unbounded_channel();
        let synced = commands.clone();
        let report = move |end_offset, generation| {
            // A quorum that has stopped needs no reports.
            let _ = synced.send(Command::Quorum(Event::LogSynced { end_offset, generation }));
        };
        let (log, writer) = opened.run(report)?;
        let files = log.snapshot_files();
        let node = Node::open(
            identity::node_settings(config, &dir),
            Arc::new(ConfigTables::new(config.clone())),
            bootstrap,
            log,
            VoteFile::new(&dir.partition_path(), dir.disk.clone()),
            &clock::now(),
        )?;
        let shared = Arc::new(Shared {
            image: ArcSwap::from_pointee(node.image().clone()),
            first_users,
            leader_id: AtomicI32::new(-1),
            is_active: AtomicBool::new(false),
            has_place: AtomicBool::new(false),
            kraft_version: AtomicI16::new(node.quorum().kraft().version),
            broker_epoch: AtomicI64::new(-1),
            active: watch::Sender::new(None),
            heartbeats: HeartbeatConnections::default(),
        });
        // Bound: what the controller commits while this broker applies one change; images share all
        // that did not change between them.
        let (changes, changed) = unbounded_channel();
        let parts = host::Parts {
            node,
            files,
            writer,
            commands: commands.clone(),
            changes,
            shared: Arc::clone(&shared),
            membership: Membership::new(config, &dir, to_controller(config, &shared)),
            network: Network::new(
                config.node_id,
                ms(i64::from(config.controller_quorum_request_timeout_ms)),
                config.sasl.controllers.clone(),
                commands.clone(),
            ),
            evidence: Evidence::new(
                config.node_id,
                config.listener_of_brokers().map(str::to_owned),
            ),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("gregor-quorum".to_owned())
            .spawn(move || runtime.block_on(Host::new(parts).run(receiver)))?;
        let thread = Mutex::new(Some(thread));
        Ok((Self { commands, shared, thread }, Changes::new(changed)))
    }

    /// The newest committed image; what the broker has applied may be older.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.shared.image.load_full()
    }

    /// What is kept of a user's password: as committed, or as the cluster is to begin.
    ///
    /// Unlike Kafka: voters log in at one another by SCRAM before there is any record
    /// (docs/decisions/0523).
    pub(crate) fn scram_credential(
        &self,
        mechanism: i8,
        user: &str,
    ) -> Option<UserScramCredentialRecord> {
        let image = self.image();
        if image.is_empty() {
            let is_own = |first: &&UserScramCredentialRecord| {
                first.mechanism == mechanism && first.name.as_str() == user
            };
            return self.shared.first_users.iter().find(is_own).cloned();
        }
        image.scram().find(mechanism, user).cloned()
    }

    /// The node that leads the quorum; -1 when none is known.
    pub(crate) fn leader_id(&self) -> i32 {
        self.shared.leader_id.load(Ordering::Acquire)
    }

    /// Whether the controller of this node is the active one, as far as is known here.
    pub(crate) fn is_active(&self) -> bool {
        self.shared.is_active.load(Ordering::Acquire)
    }

    /// Whether this node leads or follows in the quorum, rather than looks for a leader.
    pub(crate) fn has_place(&self) -> bool {
        self.shared.has_place.load(Ordering::Acquire)
    }

    /// The active controller, each time that there is another or none.
    pub(crate) fn active_controller(&self) -> watch::Receiver<Option<ActiveController>> {
        self.shared.active.subscribe()
    }

    pub(crate) fn kraft_version(&self) -> i16 {
        self.shared.kraft_version.load(Ordering::Acquire)
    }

    /// The epoch of this broker's registration; -1 before it.
    pub(crate) fn broker_epoch(&self) -> i64 {
        self.shared.broker_epoch.load(Ordering::Acquire)
    }

    /// Asks the active controller; resolves when what it wrote, and what stood before it, is
    /// committed and applied by this broker.
    pub(crate) async fn submit<R: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
    ) -> Result<R, ControllerError> {
        self.submit_due(Due::Applied, ask).await
    }

    /// As [`Self::submit`], where committed may be enough.
    pub(crate) async fn submit_due<R: Send + 'static>(
        &self,
        due: Due,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
    ) -> Result<R, ControllerError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Call(call(due, ask, answer)))?;
        answered.await.unwrap_or(Err(ControllerError::Stopping))
    }

    pub(crate) async fn describe_quorum(
        &self,
        request: DescribeQuorumRequest,
    ) -> Result<DescribeQuorumResponse, ControllerError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::DescribeQuorum { request, answer })?;
        answered.await.map_err(|_| ControllerError::Stopping)
    }

    /// Has the quorum answer another node; resolves when there is something to say, which may be
    /// as long as a fetch waits.
    pub(crate) async fn answer_peer(
        &self,
        version: i16,
        request: PeerRequest,
    ) -> Result<PeerResponse, ControllerError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Asked { version, request, answer })?;
        answered.await.map_err(|_| ControllerError::Stopping)
    }

    /// A heartbeat of this broker came by this connection.
    pub(crate) fn heard_of(&self, broker_id: i32, epoch: i64, connection_id: u64) {
        self.shared.heartbeats.heard(connection_id, broker_id);
        // A quorum that has stopped misses nobody.
        let _ = self.command(Command::Sign(Sign::Heard { broker_id, epoch, connection_id }));
    }

    /// A connection to this node ended, whosever it was: the broker whose heartbeats came by it.
    pub(crate) fn connection_ended(&self, connection_id: u64) -> Option<i32> {
        let broker_id = self.shared.heartbeats.ended(connection_id)?;
        // A quorum that has stopped looks for nobody.
        let _ = self.command(Command::Sign(Sign::HeartbeatsEnded { broker_id, connection_id }));
        Some(broker_id)
    }

    /// This broker is ready for clients; resolves when it is unfenced.
    pub(crate) async fn serve(&self) -> Result<(), QuorumStartError> {
        let (answer, answered) = oneshot::channel();
        self.command(Command::Serve { answer }).map_err(|_| QuorumStartError::Ended)?;
        answered.await.map_err(|_| QuorumStartError::Ended)
    }

    /// A log directory has failed, which the controller must hear of.
    pub(crate) fn directory_failed(&self, directory_id: Uuid) {
        // A node that stops gives up its leaderships anyway.
        let _ = self.command(Command::DirectoryFailed { directory_id });
    }

    /// These log directories get no new replicas, which the controller must hear of.
    pub(crate) fn directories_cordoned(&self, directory_ids: Vec<Uuid>) {
        // A node that stops gets no new replicas anyway.
        let _ = self.command(Command::DirectoriesCordoned { directory_ids });
    }

    /// Gives up leaderships and takes leave; resolves when this broker may stop.
    pub(crate) async fn controlled_shutdown(&self) {
        let (answer, answered) = oneshot::channel();
        if self.command(Command::ControlledShutdown { answer }).is_ok() {
            // A quorum that ended meanwhile has nothing to give up.
            let _ = answered.await;
        }
    }

    /// Ends the quorum's part of this node and closes its log.
    pub(crate) async fn stop(&self) {
        if self.command(Command::Stop).is_err() {
            return;
        }
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // Its panic was printed when it happened.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }

    fn command(&self, command: Command) -> Result<(), ControllerError> {
        self.commands.send(command).map_err(|_| ControllerError::Stopping)
    }
}

/// The way to the active controller for this node's own life in the cluster, a connection of its
/// own: when it ends the controller knows that this broker may be gone.
fn to_controller(config: &BrokerConfig, shared: &Shared) -> ControllerChannel {
    let id = config.node_id;
    let prefix = format!("[NodeToControllerChannelManager id={id} name=heartbeat] ");
    let mut settings =
        PeerSettings::new(id.to_string(), prefix).logging_in(config.sasl.controllers.clone());
    settings.connect_timeout = settings.connect_timeout.min(heartbeat_timeout(config));
    let timeout = ms(i64::from(config.controller_socket_timeout_ms));
    ControllerChannel::new(shared.active.subscribe(), settings, timeout)
}

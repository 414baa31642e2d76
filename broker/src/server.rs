//! The order in which a node starts and stops.
//!
//! ```text
//! start: directory (lock, meta.properties) -> quorum (replayed) -> logs (recovered) -> connections
//!        -> registered and unfenced -> "started"
//! stop:  no new connections -> controlled shutdown -> connections -> groups -> logs -> marker
//! ```
//! Kafka: `KafkaRaftServer`, `BrokerServer`, `ControllerServer`; the log lines that people and
//! tools wait for are theirs.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use storage::StorageError;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::authorizer::AllowAll;
use crate::auto_topics::AutoTopics;
use crate::broker::{Broker, Parts, now_ms};
use crate::disk_gate::{self, DiskGate};
use crate::fetch_session::FetchSessions;
use crate::groups::{self, Groups};
use crate::log_dir::HostedLogDir;
use crate::maintenance::Maintenance;
use crate::net::buffers::Buffers;
use crate::net::connection;
use crate::net::limits::{Limits, UnknownHost};
use crate::net::listener::{self, Bound, Endpoint, SocketBuffers};
use crate::net::registry::{Registry, Seat};
use crate::partitions::Partitions;
use crate::producer_ids::ProducerIds;
use crate::publisher::Publisher;
use crate::quorum::QuorumHandle;

/// How long connections may take to end when the node stops.
const CONNECTIONS_GRACE: Duration = Duration::from_secs(2);

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("{0}")]
    Config(#[from] config::ConfigError),
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}")]
    LogDir(#[from] crate::log_dir::LogDirError),
    #[error("{0}")]
    Quorum(#[from] crate::quorum::QuorumStartError),
    #[error("Socket server failed to bind to {address}: {reason}.")]
    Bind { address: String, reason: String },
    #[error(
        "process.roles: a node is broker and controller in one so far; set \
         process.roles=broker,controller"
    )]
    SingleRole,
    #[error("{0}")]
    Limits(#[from] UnknownHost),
    #[error(
        "Shutting down because we were unable to register with the controller quorum in {0} ms \
         (initial.broker.registration.timeout.ms)"
    )]
    NotRegistered(i32),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Where a node keeps its data, formatted already, and how it is configured.
pub(crate) async fn run(config: BrokerConfig) -> Result<(), StartError> {
    let mut stop = stop_signals()?;
    let started = Node::start(config).await?;
    stop.recv().await;
    started.stop().await;
    Ok(())
}

/// A node that runs.
pub(crate) struct Node {
    pub(crate) broker: Arc<Broker>,
    maintenance: Maintenance,
    accepting: Vec<JoinHandle<()>>,
    publishing: JoinHandle<()>,
    stopping: watch::Sender<bool>,
}

/// Resolves once for Ctrl-C or SIGTERM.
struct StopSignals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl StopSignals {
    async fn recv(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn stop_signals() -> Result<StopSignals, StartError> {
    Ok(StopSignals {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
    })
}

impl Node {
    pub(crate) async fn start(config: BrokerConfig) -> Result<Self, StartError> {
        let node_id = config.node_id;
        tracing::info!(
            target: "kafka.server.KafkaRaftServer",
            "[KafkaRaftServer nodeId={node_id}] Starting Gregor {}",
            env!("CARGO_PKG_VERSION"),
        );
        let roles = config.process_roles;
        if !(roles.broker && roles.controller) {
            return Err(StartError::SingleRole);
        }
        // What can be refused is refused before the directory is touched; others can connect when
        // everything they may ask for is there.
        let limits = Limits::of(&config)?;
        let bound = bind_all(&config).await?;
        let log_dir = Arc::new(HostedLogDir::open(&config, now_ms())?);
        let (quorum, mut changes) = QuorumHandle::start(&config, &log_dir)?;
        let quorum = Arc::new(quorum);
        let gate = Arc::new(DiskGate::new(disk_gate::inline_writes_max()));
        gate.watch(tokio::runtime::Handle::current())?;
        let parts = parts(&config, quorum, log_dir, gate, Registry::new(limits));
        let broker = Arc::new(Broker::new(config.clone(), parts));
        let publisher = Publisher::new(Arc::clone(&broker));
        let first = changes.first().await?;
        publisher.begin(first.image).await?;
        // Listening before the broker registers: whoever hears of it can connect.
        let listeners = listen_all(bound)?;
        let (stopping, stopped) = watch::channel(false);
        let accepting = listeners
            .into_iter()
            .map(|(name, listener)| accept(&broker, &stopped, name, listener))
            .collect();
        let publishing = tokio::spawn(publish(publisher, changes));
        serve(&broker).await?;
        let maintenance = Maintenance::start(&broker);
        say_started(&config);
        Ok(Self { broker, maintenance, accepting, publishing, stopping })
    }

    pub(crate) async fn stop(self) {
        let node_id = self.broker.node_id();
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={node_id}] Transition from STARTED to SHUTTING_DOWN",
        );
        self.accepting.iter().for_each(JoinHandle::abort);
        self.broker.quorum().controlled_shutdown().await;
        // Nobody waits for a receiver that is gone.
        let _ = self.stopping.send(true);
        let all_gone = async {
            while self.broker.parts.registry.open_count() > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // Whoever still waits for something is cut off.
        let _ = tokio::time::timeout(CONNECTIONS_GRACE, all_gone).await;
        self.broker.groups().shut_down();
        drop(self.maintenance);
        self.publishing.abort();
        let broker_epoch = self.broker.quorum().broker_epoch();
        let logs = Arc::clone(&self.broker);
        let closed =
            file_work(move || logs.parts.log_dir.close(&logs.partitions().all(), logs.now_ms()))
                .await;
        self.broker.quorum().stop().await;
        let dir = Arc::clone(&self.broker.parts.log_dir);
        let ended = match closed {
            Ok(()) => file_work(move || dir.mark_clean(broker_epoch)).await,
            failed => failed,
        };
        if let Err(error) = ended {
            tracing::error!(target: "kafka.log.LogManager", "Not stopped cleanly: {error}");
        }
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={node_id}] shut down completed",
        );
    }
}

/// Runs work on files on a blocking thread; one that panics has said so.
async fn file_work(
    work: impl FnOnce() -> Result<(), StorageError> + Send + 'static,
) -> Result<(), StorageError> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Ok(()))
}

fn parts(
    config: &BrokerConfig,
    quorum: Arc<QuorumHandle>,
    log_dir: Arc<HostedLogDir>,
    gate: Arc<DiskGate>,
    registry: Arc<Registry>,
) -> Parts {
    let slots = usize::try_from(config.max_incremental_fetch_session_cache_slots).unwrap_or(0);
    Parts {
        cluster_id: log_dir.cluster_id().to_owned(),
        quorum,
        log_dir,
        partitions: Partitions::default(),
        fetch_sessions: FetchSessions::new(slots),
        buffers: Arc::new(Buffers::new(frame_budget(config))),
        registry,
        authorizer: Arc::new(AllowAll),
        gate,
        auto_topics: AutoTopics::default(),
        groups: Groups::new(config.node_id, groups::Limits::of(config)),
        producer_ids: ProducerIds::default(),
    }
}

/// queued.max.request.bytes, or a quarter of the machine's memory (docs/decisions/0002).
fn frame_budget(config: &BrokerConfig) -> usize {
    let largest_frame = usize::try_from(config.socket_request_max_bytes).unwrap_or(0);
    let budget = match usize::try_from(config.queued_max_request_bytes) {
        Ok(bytes) if bytes > 0 => bytes,
        _ => usize::try_from(rustix::system::sysinfo().totalram / 4).unwrap_or(usize::MAX / 4),
    };
    budget.max(largest_frame)
}

/// Takes every address that the configuration names; nobody can connect yet.
async fn bind_all(config: &BrokerConfig) -> Result<Vec<(Arc<str>, Bound)>, StartError> {
    let buffer = |name: &str, bytes: i32| {
        // Unlike Kafka: only a size that was asked for is one (docs/decisions/0080).
        let is_given = config.static_properties().contains(name);
        usize::try_from(bytes).ok().filter(|_| is_given)
    };
    let buffers = SocketBuffers {
        send: buffer("socket.send.buffer.bytes", config.socket_send_buffer_bytes),
        receive: buffer("socket.receive.buffer.bytes", config.socket_receive_buffer_bytes),
    };
    let mut all = Vec::new();
    for endpoint in config.listeners.iter().chain(&config.controller_listeners) {
        let asked = Endpoint {
            host: endpoint.host.clone().unwrap_or_default(),
            port: endpoint.port,
            backlog: config.socket_listen_backlog_size,
            buffers,
        };
        let bound = listener::bind(asked).await.map_err(|error| not_bound(endpoint, &error))?;
        all.push((Arc::from(endpoint.listener.as_str()), bound));
    }
    Ok(all)
}

/// Kafka's words, which do not name the number of the system's error.
fn not_bound(endpoint: &config::Endpoint, error: &std::io::Error) -> StartError {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default().to_owned();
    let host = endpoint.host.as_deref().unwrap_or("0.0.0.0");
    StartError::Bind { address: format!("{host}:{}", endpoint.port), reason }
}

fn listen_all(bound: Vec<(Arc<str>, Bound)>) -> Result<Vec<(Arc<str>, TcpListener)>, StartError> {
    let listen = |(name, bound): (Arc<str>, Bound)| {
        let address = bound.to_string();
        let listener = bound.listen().map_err(|error| {
            let reason = error.to_string();
            StartError::Bind { address: address.clone(), reason }
        })?;
        tracing::info!(
            target: "kafka.network.DataPlaneAcceptor",
            "Awaiting socket connections on {address}.",
        );
        Ok((name, listener))
    };
    bound.into_iter().map(listen).collect()
}

/// Waits until the controller has unfenced this broker. Being registered takes no longer than
/// initial.broker.registration.timeout.ms, or the start has failed.
async fn serve(broker: &Broker) -> Result<(), StartError> {
    let allowed_ms = broker.config().initial_broker_registration_timeout_ms;
    let allowed = Duration::from_millis(u64::try_from(allowed_ms).unwrap_or(0));
    let served = broker.quorum().serve();
    tokio::pin!(served);
    match tokio::time::timeout(allowed, &mut served).await {
        Ok(served) => Ok(served?),
        Err(_) if broker.quorum().broker_epoch() < 0 => Err(StartError::NotRegistered(allowed_ms)),
        Err(_) => Ok(served.await?),
    }
}

fn accept(
    broker: &Arc<Broker>,
    stopped: &watch::Receiver<bool>,
    name: Arc<str>,
    listener: TcpListener,
) -> JoinHandle<()> {
    let (broker, stop) = (Arc::clone(broker), stopped.clone());
    let (registry, named) = (Arc::clone(&broker.parts.registry), Arc::clone(&name));
    let start = move |stream: TcpStream, peer: SocketAddr, seat: Seat| {
        let served = connection::serve(
            Arc::clone(&broker),
            stream,
            peer,
            Arc::clone(&name),
            seat,
            stop.clone(),
        );
        tokio::spawn(served);
    };
    tokio::spawn(listener::accept(named, listener, registry, stopped.clone(), start))
}

/// Applies the metadata log to this broker for as long as there is one.
async fn publish(publisher: Publisher, mut changes: crate::quorum::Changes) {
    while let Some(change) = changes.next().await {
        if let Err(error) = publisher.apply(change.image, &change.changes).await {
            crate::log_dir::failed(&error);
        }
        change.applied.send();
    }
}

/// The lines that people, scripts and test containers wait for.
fn say_started(config: &BrokerConfig) {
    let id = config.node_id;
    tracing::info!(
        target: "kafka.server.BrokerServer",
        "[BrokerServer id={id}] Transition from STARTING to STARTED",
    );
    tracing::info!(
        target: "kafka.server.KafkaRaftServer",
        "[KafkaRaftServer nodeId={id}] Kafka Server started",
    );
    tracing::info!(target: "kafka.server.KafkaServer", "[KafkaServer id={id}] started");
}

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
use crate::disk_gate::DiskGate;
use crate::fetch_session::FetchSessions;
use crate::groups::{self, Groups};
use crate::log_dir::HostedLogDir;
use crate::maintenance::Maintenance;
use crate::net::buffers::Buffers;
use crate::net::connection;
use crate::net::listener::{self, Endpoint};
use crate::net::registry::{Limits, Registry, Seat};
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
    #[error("Socket server failed to bind to {address}: {source}")]
    Bind { address: String, source: std::io::Error },
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
struct Node {
    broker: Arc<Broker>,
    registry: Arc<Registry>,
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
    async fn start(config: BrokerConfig) -> Result<Self, StartError> {
        let node_id = config.node_id;
        tracing::info!(
            target: "kafka.server.KafkaRaftServer",
            "[KafkaRaftServer nodeId={node_id}] Starting Gregor {}",
            env!("CARGO_PKG_VERSION"),
        );
        let log_dir = Arc::new(HostedLogDir::open(&config, now_ms())?);
        let (quorum, mut changes) = QuorumHandle::start(&config, &log_dir)?;
        let quorum = Arc::new(quorum);
        let gate = Arc::new(DiskGate::new(processors()));
        let broker = Arc::new(Broker::new(config.clone(), parts(&config, quorum, log_dir, gate)));
        let publisher = Publisher::new(Arc::clone(&broker));
        let first = changes.first().await?;
        publisher.begin(first.image).await?;
        // Bound before the broker registers: whoever hears of it can connect.
        let listeners = bind_all(&config).await?;
        let registry = Registry::new(limits(&config));
        let (stopping, stopped) = watch::channel(false);
        let accepting = listeners
            .into_iter()
            .map(|(name, listener)| accept(&broker, &registry, &stopped, name, listener))
            .collect();
        let publishing = tokio::spawn(publish(publisher, changes));
        broker.quorum().serve().await?;
        let maintenance = Maintenance::start(&broker, &registry);
        say_started(&config);
        Ok(Self { broker, registry, maintenance, accepting, publishing, stopping })
    }

    async fn stop(self) {
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
            while self.registry.open_count() > 0 {
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

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

fn parts(
    config: &BrokerConfig,
    quorum: Arc<QuorumHandle>,
    log_dir: Arc<HostedLogDir>,
    gate: Arc<DiskGate>,
) -> Parts {
    let slots = usize::try_from(config.max_incremental_fetch_session_cache_slots).unwrap_or(0);
    Parts {
        cluster_id: log_dir.cluster_id().to_owned(),
        quorum,
        log_dir,
        partitions: Partitions::default(),
        fetch_sessions: FetchSessions::new(slots),
        buffers: Arc::new(Buffers::new(frame_budget(config))),
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

fn limits(config: &BrokerConfig) -> Limits {
    let count = |value: i32| usize::try_from(value).unwrap_or(usize::MAX);
    let idle_ms = u64::try_from(config.connections_max_idle_ms).ok().filter(|ms| *ms > 0);
    Limits {
        connections_max: count(config.max_connections),
        connections_per_ip_max: count(config.max_connections_per_ip),
        idle_max: idle_ms.map(Duration::from_millis),
    }
}

async fn bind_all(config: &BrokerConfig) -> Result<Vec<(Arc<str>, TcpListener)>, StartError> {
    let mut bound = Vec::new();
    for endpoint in config.listeners.iter().chain(&config.controller_listeners) {
        let asked = Endpoint {
            host: endpoint.host.clone().unwrap_or_default(),
            port: endpoint.port,
            backlog: config.socket_listen_backlog_size,
        };
        let listener = listener::bind(&asked)
            .await
            .map_err(|source| StartError::Bind { address: endpoint.to_string(), source })?;
        tracing::info!(
            target: "kafka.network.DataPlaneAcceptor",
            "Awaiting socket connections on {}:{}.",
            if asked.host.is_empty() { "0.0.0.0" } else { &asked.host }, endpoint.port,
        );
        bound.push((Arc::from(endpoint.listener.as_str()), listener));
    }
    Ok(bound)
}

fn accept(
    broker: &Arc<Broker>,
    registry: &Arc<Registry>,
    stopped: &watch::Receiver<bool>,
    name: Arc<str>,
    listener: TcpListener,
) -> JoinHandle<()> {
    let (broker, stop) = (Arc::clone(broker), stopped.clone());
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
    tokio::spawn(listener::accept(listener, Arc::clone(registry), stopped.clone(), start))
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

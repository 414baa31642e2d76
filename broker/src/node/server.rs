//! The order in which a node starts and stops.
//!
//! ```text
//! start: directory (lock, meta.properties) -> quorum (replayed) -> controllers' connections
//!        -> caught up -> logs (recovered) -> clients' connections -> unfenced -> "started"
//! stop:  no new connections -> controlled shutdown -> connections -> shards -> logs, leadership
//!        of the quorum -> controllers' connections -> marker
//! ```
//! A node that is only a controller has no clients and no logs of partitions, and is started as
//! soon as others can connect.
//!
//! Kafka: `KafkaRaftServer`, `BrokerServer`, `ControllerServer`; the log lines that people and
//! tools wait for are theirs.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use storage::{Disk, StorageError};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{EnterGuard, Runtime};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::blocking::blocking;
use crate::broker::Broker;
use crate::client_metrics::ClientMetrics;
use crate::clock::wall_ms;
use crate::coordinators::end_offsets::EndOffsets;
use crate::coordinators::groups::{self, Groups};
use crate::coordinators::persister::Persister;
use crate::coordinators::share::ShareStates;
use crate::coordinators::transactions::Transactions;
use crate::exposition::{self, BoundExposition};
use crate::log_dirs::LogDirs;
use crate::maintenance::Maintenance;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::controller_client::ControllerClient;
use crate::metadata::delegation_tokens::DelegationTokens;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::producer_ids::ProducerIds;
use crate::metadata::quorum::{Changes, QuorumHandle};
use crate::metadata::suspects::SuspectedBrokers;
use crate::net::buffers::Buffers;
use crate::net::jwks::{self, JwksEndpoints};
use crate::net::kerberos;
use crate::net::limits::{Limits, UnknownHost};
use crate::net::listener::{self, Bound, Endpoint, SocketBuffers};
use crate::net::registry::{Registry, Seat};
use crate::net::tls::{self, Tls};
use crate::node::life_lines::{self, Waiting};
use crate::node::orphans;
use crate::node::stop_signals::StopSignals;
use crate::otlp;
use crate::partitions::disk_gate::{self, DiskGate};
use crate::partitions::{Partitions, ReplicaContext};
use crate::publisher::Publisher;
use crate::publisher::openness::{ClientListeners, TooOpen};
use crate::replication::add_partitions_to_txn::AddPartitionsToTxn;
use crate::replication::alter_partition;
use crate::replication::fetch_session::FetchSessions;
use crate::replication::fetchers::Fetchers;
use crate::replication::log_dir_failures::LogDirTasks;
use crate::replication::log_dir_moves::LogDirMoves;
use crate::replication::replica_gauges;
use crate::replication::replica_manager::ReplicaManager;
use crate::replication::replication_quota::ReplicationQuotas;
use crate::requests::context::Policies;
use crate::requests::request_metrics::RequestMetrics;
use crate::serving::connection;
use crate::serving::handshake::{self, Accepted};
use crate::share::{SharePartitions, StatePersister};
use crate::zookeeper::ZooKeeperFace;

/// How long connections may take to end when the node stops.
const CONNECTIONS_GRACE: Duration = Duration::from_secs(2);
/// How long after a controlled shutdown clients are still answered: they are told by name who leads
/// and coordinates now, and look for nobody. Unlike Kafka (docs/decisions/0340).
const MOVED_GRACE: Duration = Duration::from_millis(100);

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Config(#[from] config::ConfigError),
    #[error("{0}")]
    Storage(#[from] StorageError),
    #[error("{0}")]
    LogDir(#[from] crate::log_dirs::LogDirError),
    #[error("{0}")]
    Quorum(#[from] crate::metadata::quorum::QuorumStartError),
    #[error("Socket server failed to bind to {address}: {reason}.")]
    Bind { address: String, reason: String },
    #[error("{0}")]
    Limits(#[from] UnknownHost),
    #[error(
        "Shutting down because we were unable to register with the controller quorum in {0} ms \
         (initial.broker.registration.timeout.ms)"
    )]
    NotRegistered(i32),
    #[error("{0}")]
    TooOpen(#[from] TooOpen),
    #[error("{0}")]
    Tls(#[from] tls::ListenerError),
    #[error("{0}")]
    Jwks(#[from] jwks::JwksError),
    #[error("{0}")]
    Kerberos(#[from] kerberos::KeyError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Where a node keeps its data, formatted already, and how it is configured.
pub(crate) async fn run(config: BrokerConfig) -> Result<(), StartError> {
    orphans::adopt()?;
    let mut stop = StopSignals::register()?;
    let started = tokio::select! {
        started = Node::start(config) => started?,
        // What the disk holds is recovered by the next start.
        () = stop.recv() => return Ok(()),
    };
    stop.recv().await;
    let stopped = started.stop();
    tokio::pin!(stopped);
    // More signals are told of, and change nothing.
    loop {
        tokio::select! {
            () = &mut stopped => return Ok(()),
            () = stop.recv() => {}
        }
    }
}

/// A node that runs.
pub(crate) struct Node {
    pub(crate) broker: Arc<Broker>,
    /// Asks the controller for in-sync sets.
    altering: JoinHandle<()>,
    maintenance: Maintenance,
    log_dir_tasks: LogDirTasks,
    jwks_tasks: JoinSet<()>,
    clients: Accepting,
    controllers: Accepting,
    controllers_thread: ControllersThread,
    publishing: JoinHandle<()>,
    /// Of a node that shows its metrics.
    exposition: Vec<JoinHandle<()>>,
}

/// Serves the controllers' listeners: busy clients and writes that hang cost no vote, no fetch of
/// the metadata and no heartbeat of another node.
struct ControllersThread(Option<Runtime>);

impl ControllersThread {
    /// None where there is nothing to serve.
    fn start(is_needed: bool) -> std::io::Result<Self> {
        if !is_needed {
            return Ok(Self(None));
        }
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(1).thread_name("gregor-controller").enable_all();
        Ok(Self(Some(runtime.build()?)))
    }

    /// What is started while the guard lives runs on this thread.
    fn enter(&self) -> Option<EnterGuard<'_>> {
        self.0.as_ref().map(Runtime::enter)
    }
}

impl Drop for ControllersThread {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Listeners of one kind with their connections.
struct Accepting {
    tasks: Vec<JoinHandle<()>>,
    stopping: watch::Sender<bool>,
}

impl Accepting {
    fn start(broker: &Arc<Broker>, bound: Vec<(Arc<str>, Bound)>) -> Result<Self, StartError> {
        let (stopping, stopped) = watch::channel(false);
        let tasks = listen_all(bound)?
            .into_iter()
            .map(|(name, listener)| accept(broker, &stopped, name, listener))
            .collect();
        Ok(Self { tasks, stopping })
    }

    /// Nobody connects any more; who is connected stays.
    fn end(&self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }

    /// What ends the listeners and the connections from elsewhere.
    fn client_listeners(&self) -> ClientListeners {
        ClientListeners {
            accepting: self.tasks.iter().map(JoinHandle::abort_handle).collect(),
            stopping: self.stopping.clone(),
        }
    }

    /// Ends the connections; whoever still waits for something is cut off.
    async fn disconnect(&self) {
        self.end();
        // Nobody waits for a receiver that is gone.
        let _ = self.stopping.send(true);
        let _ = tokio::time::timeout(CONNECTIONS_GRACE, self.stopping.closed()).await;
    }
}

impl Node {
    pub(crate) async fn start(config: BrokerConfig) -> Result<Self, StartError> {
        let policies = Policies::of(&config);
        Self::start_on(config, Disk::default(), policies).await
    }

    /// With logs on this disk, and with what is decided by who asks.
    pub(crate) async fn start_on(
        config: BrokerConfig,
        disk: Disk,
        policies: Policies,
    ) -> Result<Self, StartError> {
        life_lines::say_starting(&config);
        let roles = config.process_roles;
        // What can be refused is refused before the directory is touched; others can connect when
        // everything they may ask for is there.
        let limits = Limits::of(&config)?;
        let tls = Arc::new(Tls::load(&config)?);
        let jwks = JwksEndpoints::load(config.sasl.jwks_endpoints())?;
        kerberos::check_keys(&config).await?;
        let buffers = socket_buffers(&config);
        let for_clients = bind_all(&config, &config.listeners, buffers).await?;
        let for_controllers = bind_all(&config, &config.controller_listeners, buffers).await?;
        let exposition = bind_exposition(&config).await?;
        let log_dirs = Arc::new(LogDirs::open(&config, disk, wall_ms())?);
        let (quorum, changes) =
            QuorumHandle::start(&config, &log_dirs, tls.to_controllers(&config))?;
        let quorum = Arc::new(quorum);
        let gate = Arc::new(DiskGate::new(disk_gate::inline_writes_max()));
        gate.watch(tokio::runtime::Handle::current())?;
        let parts = (quorum, log_dirs, gate, Registry::new(limits), tls, jwks);
        let broker = Arc::new(assemble(&config, policies, parts));
        let jwks_tasks = broker.jwks.start();
        let log_dir_tasks =
            LogDirTasks::start(&broker.config, &broker.quorum, &broker.replicas, &broker.fetchers);
        let publisher = Publisher::new(Arc::clone(&broker));
        // A node that starts is up, and not ready.
        let exposition = exposition::start(exposition, &broker);
        // There is no quorum until its members can connect.
        let controllers_thread = ControllersThread::start(roles.controller)?;
        let controllers = {
            let _on_that_thread = controllers_thread.enter();
            Accepting::start(&broker, for_controllers)?
        };
        let (clients, publishing) = if roles.broker {
            let joining = Joining { broker: &broker, publisher, changes, for_clients };
            joining.join(&config).await?
        } else {
            let clients = Accepting::start(&broker, for_clients)?;
            (clients, tokio::spawn(publish_from_the_first(publisher, changes)))
        };
        let altering = alter_partition::start(&broker.config, &broker.quorum, &broker.replicas);
        let maintenance = Maintenance::start(
            &broker.config,
            &broker.replicas,
            &broker.registry,
            &broker.metrics,
            broker.client_metrics.as_ref(),
        );
        life_lines::say_started(&config);
        Ok(Self {
            broker,
            altering,
            maintenance,
            log_dir_tasks,
            jwks_tasks,
            clients,
            controllers,
            controllers_thread,
            publishing,
            exposition,
        })
    }

    pub(crate) async fn stop(self) {
        let config = self.broker.config.current();
        life_lines::say_stopping(&config);
        self.clients.end();
        self.broker.quorum.controlled_shutdown().await;
        let image = self.broker.metadata.image();
        let node_id = self.broker.config.node_id();
        if image.cluster().brokers().any(|other| other.broker_id != node_id && !other.fenced) {
            tokio::time::sleep(MOVED_GRACE).await;
        }
        self.broker.metadata.suspects().stop();
        self.clients.disconnect().await;
        self.broker.groups.shut_down();
        self.broker.transactions.shut_down();
        self.broker.share_states.shut_down();
        self.altering.abort();
        self.maintenance.stop().await;
        drop(self.log_dir_tasks);
        drop(self.jwks_tasks);
        self.broker.fetchers.stop().await;
        self.publishing.abort();
        let broker_epoch = self.broker.quorum.broker_epoch();
        let logs = Arc::clone(&self.broker);
        let close_logs = blocking("closing the logs", move || {
            logs.moves.stop();
            logs.replicas.log_dirs.close(&logs.replicas.partitions.all(), wall_ms())
        });
        // Others go on with another leader of the quorum while the logs are closed.
        let (closed, ()) = tokio::join!(close_logs, self.broker.quorum.stop());
        self.controllers.disconnect().await;
        drop(self.controllers_thread);
        self.exposition.iter().for_each(JoinHandle::abort);
        let dirs = Arc::clone(&self.broker.replicas.log_dirs);
        let ended = match closed {
            Ok(()) => {
                blocking("marking the directories clean", move || dirs.mark_clean(broker_epoch))
                    .await
            }
            failed => failed,
        };
        if let Err(error) = ended {
            tracing::error!(target: "kafka.log.LogManager", "Not stopped cleanly: {error}");
        }
        life_lines::say_stopped(&config);
    }
}

/// A broker on its way into the cluster.
struct Joining<'a> {
    broker: &'a Arc<Broker>,
    publisher: Publisher,
    changes: Changes,
    for_clients: Vec<(Arc<str>, Bound)>,
}

impl Joining<'_> {
    /// Resolves when the controller has unfenced this broker. Being registered takes no longer
    /// than initial.broker.registration.timeout.ms, or the start has failed.
    async fn join(self, config: &BrokerConfig) -> Result<(Accepting, JoinHandle<()>), StartError> {
        let Self { broker, mut publisher, mut changes, for_clients } = self;
        let allowed_ms = config.initial_broker_registration_timeout_ms;
        let allowed = Duration::from_millis(u64::try_from(allowed_ms).unwrap_or(0));
        let deadline = tokio::time::Instant::now() + allowed;
        let wait =
            Waiting::begun(config.node_id, "the controller to acknowledge that we are caught up");
        let first = registered_by(deadline, allowed_ms, broker, changes.first()).await??;
        wait.finished();
        publisher.admit(&first.image)?;
        let wait =
            Waiting::begun(config.node_id, "the initial broker metadata update to be published");
        publisher.begin(first.image).await?;
        wait.finished();
        // Listening before the broker is unfenced: whoever hears of it can connect.
        let clients = Accepting::start(broker, for_clients)?;
        publisher.serves_clients(clients.client_listeners());
        let publishing = tokio::spawn(publish(publisher, changes));
        let wait = Waiting::begun(config.node_id, "the broker to be unfenced");
        registered_by(deadline, allowed_ms, broker, broker.quorum.serve()).await??;
        wait.finished();
        Ok((clients, publishing))
    }
}

/// What `awaited` comes to, unless the deadline passes before the broker is registered.
async fn registered_by<T>(
    deadline: tokio::time::Instant,
    allowed_ms: i32,
    broker: &Broker,
    awaited: impl Future<Output = T>,
) -> Result<T, StartError> {
    tokio::pin!(awaited);
    match tokio::time::timeout_at(deadline, &mut awaited).await {
        Ok(done) => Ok(done),
        Err(_) if broker.quorum.broker_epoch() < 0 => Err(StartError::NotRegistered(allowed_ms)),
        Err(_) => Ok(awaited.await),
    }
}

/// What was opened before the rest.
type Opened =
    (Arc<QuorumHandle>, Arc<LogDirs>, Arc<DiskGate>, Arc<Registry>, Arc<Tls>, JwksEndpoints);

/// Puts the parts of a node together.
fn assemble(
    config: &BrokerConfig,
    policies: Policies,
    (quorum, log_dirs, gate, registry, tls, jwks): Opened,
) -> Broker {
    let slots = usize::try_from(config.max_incremental_fetch_session_cache_slots).unwrap_or(0);
    let node_id = config.node_id;
    let metrics = Arc::new(metrics::Registry::default());
    let suspects = SuspectedBrokers::new(config.broker_session_timeout_ms);
    let cluster_id = log_dirs.cluster_id().to_owned();
    let metadata = Arc::new(MetadataCache::new(cluster_id, Arc::clone(&quorum), suspects));
    let replicas = Arc::new(ReplicaManager {
        partitions: Partitions::default(),
        log_dirs,
        quotas: ReplicationQuotas::new(config),
        context: Arc::new(ReplicaContext::new(
            node_id,
            config.replica_lag_time_max_ms,
            gate,
            &metrics,
        )),
        metadata: Arc::clone(&metadata),
    });
    replica_gauges::show(&replicas, &metrics);
    // Who does not show them counts nothing request by request.
    let is_read = matches!(config.metrics_listener(), Ok(Some(_))) || otlp::is_asked_for();
    let request_metrics = is_read.then(|| Arc::new(RequestMetrics::new(&metrics)));
    let receives = config.metrics_client_receiver && config.process_roles.broker;
    let client_metrics = receives.then(|| ClientMetrics::new(config, &metrics));
    let current = Arc::new(DynamicBrokerConfig::new(config.clone()).with_tls(tls));
    let controller = Arc::new(ControllerClient::new(Arc::clone(&quorum), Arc::clone(&current)));
    let fetchers = Fetchers::new(Arc::clone(&current), Arc::clone(&quorum), Arc::clone(&replicas));
    let producer_ids = ProducerIds::new(node_id, Arc::clone(&metadata), Arc::clone(&controller));
    let transactions =
        Transactions::new(Arc::clone(&current), Arc::clone(&metadata), Arc::clone(&producer_ids));
    let share_states = ShareStates::new(Arc::clone(&current), Arc::clone(&metadata));
    let auto_topics = AutoTopics::new(Arc::clone(&current), Arc::clone(&controller));
    let persister =
        Persister::new(Arc::clone(&current), Arc::clone(&metadata), Arc::clone(&auto_topics));
    let persister = Arc::new(persister);
    let asks = AddPartitionsToTxn::new(Arc::clone(&current), Arc::clone(&metadata));
    Broker {
        add_partitions_to_txn: Arc::new(asks),
        moves: LogDirMoves::new(&replicas, &quorum),
        fetchers: Arc::new(fetchers),
        fetch_sessions: FetchSessions::new(slots),
        groups: Groups::new(node_id, groups::Limits::of(config)),
        end_offsets: EndOffsets::new(Arc::clone(&current), Arc::clone(&metadata)),
        auto_topics,
        producer_ids,
        transactions,
        share_states,
        share_partitions: SharePartitions::new(
            Arc::clone(&current),
            Arc::clone(&metadata),
            Arc::clone(&replicas),
            Arc::clone(&persister) as Arc<dyn StatePersister>,
        ),
        persister,
        delegation_tokens: Arc::new(DelegationTokens::new(config)),
        jwks,
        policies: Arc::new(policies),
        buffers: Arc::new(Buffers::new(frame_budget(config))),
        registry,
        zookeeper: zookeeper_face(config),
        config: current,
        client_metrics,
        request_metrics,
        metrics,
        quorum,
        metadata,
        controller,
        replicas,
    }
}

fn zookeeper_face(config: &BrokerConfig) -> Option<ZooKeeperFace> {
    let service = config.zookeeper.service()?;
    Some(ZooKeeperFace::new(std::path::Path::new(&service.folder())))
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

/// What the configuration asks of sockets.
fn socket_buffers(config: &BrokerConfig) -> SocketBuffers {
    let buffer = |name: &str, bytes: i32| {
        // Unlike Kafka: only a size that was asked for is one (docs/decisions/0080).
        let is_given = config.static_properties().contains(name);
        usize::try_from(bytes).ok().filter(|_| is_given)
    };
    SocketBuffers {
        send: buffer("socket.send.buffer.bytes", config.socket_send_buffer_bytes),
        receive: buffer("socket.receive.buffer.bytes", config.socket_receive_buffer_bytes),
    }
}

/// Takes the address of metrics.listen, if there is one.
async fn bind_exposition(config: &BrokerConfig) -> Result<Option<BoundExposition>, StartError> {
    let Some(asked) = config.metrics_listener()? else { return Ok(None) };
    let bound = BoundExposition::bind(asked).await.map_err(|error| StartError::Bind {
        address: format!("{} (metrics.listen)", asked.address),
        reason: error.to_string(),
    })?;
    Ok(Some(bound))
}

/// Takes the addresses that the configuration names; nobody can connect yet.
async fn bind_all(
    config: &BrokerConfig,
    endpoints: &[config::Endpoint],
    buffers: SocketBuffers,
) -> Result<Vec<(Arc<str>, Bound)>, StartError> {
    let mut all = Vec::new();
    for endpoint in endpoints {
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

fn accept(
    broker: &Arc<Broker>,
    stopped: &watch::Receiver<bool>,
    name: Arc<str>,
    listener: TcpListener,
) -> JoinHandle<()> {
    let (broker, stop) = (Arc::clone(broker), stopped.clone());
    let (registry, named) = (Arc::clone(&broker.registry), Arc::clone(&name));
    let start = move |stream: TcpStream, peer: SocketAddr, seat: Seat| {
        let (broker, name, mut stop) = (Arc::clone(&broker), Arc::clone(&name), stop.clone());
        let served = async move {
            let accepted = Accepted { stream, peer, listener: Arc::clone(&name) };
            let begun = handshake::begin(&broker, accepted, &seat, &mut stop).await;
            if let Some((transport, authenticator)) = begun {
                connection::serve(broker, transport, peer, name, authenticator, seat, stop).await;
            }
        };
        tokio::spawn(served);
    };
    tokio::spawn(listener::accept(named, listener, registry, stopped.clone(), start))
}

/// Applies the metadata log to this broker for as long as there is one.
async fn publish(mut publisher: Publisher, mut changes: Changes) {
    loop {
        tokio::select! {
            change = changes.next() => {
                let Some(change) = change else { return };
                publisher.apply(change.image, &change.changes).await;
                change.applied.send();
            }
            () = publisher.due() => publisher.reconcile().await,
        }
    }
}

/// As [`publish`], for a node that others do not wait for.
async fn publish_from_the_first(mut publisher: Publisher, mut changes: Changes) {
    // A quorum that ends before it has an image has nothing to publish.
    let Ok(first) = changes.first().await else { return };
    if let Err(error) = publisher.begin(first.image).await {
        publisher.note_storage_failure(&error);
    }
    publish(publisher, changes).await;
}

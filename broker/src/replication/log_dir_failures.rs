//! What is to be done when a directory has gone offline: its partitions stop, the controller hears.
//!
//! One directory at a time, on a blocking thread: a partition's lock may be held by whoever still
//! waits for the disk. Kafka: `ReplicaManager.handleLogDirFailure`.

use std::sync::Arc;

use protocol::Base64Uuid;
use protocol::ErrorCode;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use super::assignments_reporter::AssignmentsReporter;
use super::fetchers::Fetchers;
use super::replica_manager::ReplicaManager;
use crate::log_dirs::FailedLogDir;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::quorum::QuorumHandle;
use crate::partitions::HostedPartition;

/// The tasks of a broker's log directories, which end when this is dropped.
#[derive(Debug)]
pub(crate) struct LogDirTasks {
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for LogDirTasks {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl LogDirTasks {
    pub(crate) fn start(
        config: &Arc<DynamicBrokerConfig>,
        quorum: &Arc<QuorumHandle>,
        replicas: &Arc<ReplicaManager>,
        fetchers: &Arc<Fetchers>,
    ) -> Self {
        let Some(events) = replicas.log_dirs.take_events() else {
            return Self { tasks: Vec::new() };
        };
        let handler = LogDirFailures {
            quorum: Arc::clone(quorum),
            replicas: Arc::clone(replicas),
            fetchers: Arc::clone(fetchers),
        };
        let reporter = AssignmentsReporter::new(config, quorum, replicas);
        let tasks = vec![
            tokio::spawn(handler.run(events.failed)),
            tokio::spawn(reporter.run(events.located)),
        ];
        Self { tasks }
    }
}

/// What a failed directory's partitions are known to.
struct LogDirFailures {
    quorum: Arc<QuorumHandle>,
    replicas: Arc<ReplicaManager>,
    fetchers: Arc<Fetchers>,
}

impl LogDirFailures {
    async fn run(self, mut failed: UnboundedReceiver<FailedLogDir>) {
        while let Some(FailedLogDir { at, id }) = failed.recv().await {
            let (replicas, fetchers) = (Arc::clone(&self.replicas), Arc::clone(&self.fetchers));
            let stopped =
                tokio::task::spawn_blocking(move || stop_serving(&replicas, &fetchers, at, id));
            // A panic was said where it happened; the controller must hear all the same.
            let _ = stopped.await;
            self.quorum.directory_failed(id);
            tracing::warn!(
                target: "kafka.server.ReplicaManager",
                "[ReplicaManager broker={}] Stopped serving replicas in dir {}",
                self.replicas.context.node_id(),
                self.replicas.log_dirs.path_shown(at).display(),
            );
        }
    }
}

fn stop_serving(replicas: &ReplicaManager, fetchers: &Fetchers, at: usize, id: uuid::Uuid) {
    let (node_id, path) = (replicas.context.node_id(), replicas.log_dirs.path_shown(at));
    let dir = path.display();
    tracing::warn!(
        target: "kafka.server.ReplicaManager",
        "[ReplicaManager broker={node_id}] Stopping serving replicas in dir {dir} with uuid \
         Some({}) because the log directory has failed.", Base64Uuid(id),
    );
    let mut names = Vec::new();
    for partition in replicas.partitions.all() {
        if partition.directory_id() == id {
            names.push(format!("{}-{}", partition.topic(), partition.partition()));
            take_offline(replicas, fetchers, &partition);
        }
    }
    let names = names.join(",");
    tracing::warn!(
        target: "kafka.server.ReplicaManager",
        "[ReplicaManager broker={node_id}] Broker {node_id} stopped fetcher for partitions {names} \
         and stopped moving logs for partitions  because they are in the failed log directory \
         {dir}.",
    );
    tracing::warn!(target: "kafka.log.LogManager", "Stopping serving logs in dir {dir}");
    tracing::warn!(
        target: "kafka.log.LogManager",
        "Logs for partitions {names} are offline and logs for future partitions  are offline due \
         to failure on log directory {dir}",
    );
}

/// The partition is served no more; whoever asks for it hears of the storage.
pub(crate) fn take_offline(
    replicas: &ReplicaManager,
    fetchers: &Fetchers,
    partition: &HostedPartition,
) {
    fetchers.forget(partition);
    let name = partition.topic();
    replicas.partitions.set_offline(name, partition.topic_id(), partition.partition());
    partition.give_up(ErrorCode::KafkaStorageError);
}

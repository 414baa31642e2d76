//! What is to be done when a directory has gone offline: its partitions stop, the controller hears.
//!
//! One directory at a time, on a blocking thread: a partition's lock may be held by whoever still
//! waits for the disk. Kafka: `ReplicaManager.handleLogDirFailure`.

use std::sync::Arc;

use protocol::ErrorCode;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use super::{Fallen, reporter};
use crate::broker::Broker;
use crate::replication::partitions::HostedPartition;

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
    pub(crate) fn start(broker: &Arc<Broker>) -> Self {
        let received = broker.parts.log_dirs.received.lock().take();
        let tasks = received.map_or_else(Vec::new, |received| {
            vec![
                tokio::spawn(handle(Arc::clone(broker), received.fallen)),
                tokio::spawn(reporter::run(Arc::clone(broker), received.located)),
            ]
        });
        Self { tasks }
    }
}

async fn handle(broker: Arc<Broker>, mut fallen: UnboundedReceiver<Fallen>) {
    while let Some(Fallen { at, id }) = fallen.recv().await {
        let of_partitions = Arc::clone(&broker);
        // A panic was said where it happened; the controller must hear all the same.
        let _ = tokio::task::spawn_blocking(move || stop_serving(&of_partitions, at, id)).await;
        broker.quorum().directory_failed(id);
        tracing::warn!(
            target: "kafka.server.ReplicaManager",
            "[ReplicaManager broker={}] Stopped serving replicas in dir {}",
            broker.node_id(), broker.parts.log_dirs.path_shown(at).display(),
        );
    }
}

fn stop_serving(broker: &Broker, at: usize, id: uuid::Uuid) {
    let (node_id, path) = (broker.node_id(), broker.parts.log_dirs.path_shown(at));
    let dir = path.display();
    tracing::warn!(
        target: "kafka.server.ReplicaManager",
        "[ReplicaManager broker={node_id}] Stopping serving replicas in dir {dir} with uuid \
         Some({}) because the log directory has failed.", cli::Uuid(id),
    );
    let mut names = Vec::new();
    for partition in broker.partitions().all() {
        if partition.directory_id() == id {
            names.push(format!("{}-{}", partition.topic(), partition.partition()));
            take_offline(broker, &partition);
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
pub(crate) fn take_offline(broker: &Broker, partition: &HostedPartition) {
    broker.parts.fetchers.forget(partition);
    let name = partition.topic();
    broker.partitions().set_offline(name, partition.topic_id(), partition.partition());
    partition.give_up(ErrorCode::KafkaStorageError);
}

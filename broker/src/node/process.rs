//! The process around a node: its runtime and its limits.

use config::BrokerConfig;

use crate::node::server::{self, StartError};
use crate::replication::disk_gate;

/// Runs a node until it is told to stop by a signal. Its directories are formatted already.
pub fn run(config: BrokerConfig) -> Result<(), StartError> {
    config.check_start()?;
    raise_descriptor_limit();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(disk_gate::workers())
        .thread_name("gregor-worker")
        .enable_all()
        .build()?
        .block_on(server::run(config))
}

/// Every segment and socket wants a descriptor: as many as we may have.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(target: "kafka.Kafka", "Cannot raise the limit of open files: {error}");
    }
}

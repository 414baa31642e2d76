//! Tells the controller in which directories this broker's replicas are (AssignReplicasToDirs).
//!
//! What to send and when `directory_assignments` says. Kafka: `AssignmentsManager`.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use tokio::sync::mpsc::UnboundedReceiver;

use super::directory_assignments::{self, Assignments, Replica};
use super::replica_manager::ReplicaManager;
use crate::clock::monotonic_ms;
use crate::log_dirs::Located;
use crate::metadata::controller_channel::{ChannelError, ControllerChannel};
use crate::metadata::controller_client::channel_to_active;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::quorum::QuorumHandle;

/// After so long a request is made anew, as in Kafka.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Reports for as long as the broker runs.
pub(super) struct AssignmentsReporter {
    channel: ControllerChannel,
    quorum: Arc<QuorumHandle>,
    replicas: Arc<ReplicaManager>,
}

impl AssignmentsReporter {
    pub(super) fn new(
        config: &DynamicBrokerConfig,
        quorum: &Arc<QuorumHandle>,
        replicas: &Arc<ReplicaManager>,
    ) -> Self {
        let channel = channel_to_active(quorum, config, "directory-assignments");
        Self { channel, quorum: Arc::clone(quorum), replicas: Arc::clone(replicas) }
    }

    pub(super) async fn run(self, mut located: UnboundedReceiver<Located>) {
        let mut assignments = Assignments::default();
        loop {
            let now_ms = monotonic_ms();
            let wait_ms = assignments.due_ms().map(|due_ms| due_ms.saturating_sub(now_ms).max(0));
            let wait = Duration::from_millis(wait_ms.map_or(0, i64::unsigned_abs));
            tokio::select! {
                noted = located.recv() => {
                    let Some(Located { topic_id, partition, directory }) = noted else { return };
                    assignments.note((topic_id, partition), directory, now_ms);
                }
                () = tokio::time::sleep(wait), if wait_ms.is_some() => {
                    if !self.report(&mut assignments).await {
                        return;
                    }
                }
            }
        }
    }

    /// Says whether to go on.
    async fn report(&self, assignments: &mut Assignments) -> bool {
        let (node_id, image) = (self.replicas.context.node_id(), self.quorum.image());
        let is_here = |(topic, partition): &Replica| {
            let state = image.topics().by_id(*topic).and_then(|topic| topic.partition(*partition));
            state.is_some_and(|state| state.replicas.contains(&node_id))
        };
        let Some(batch) = assignments.take(is_here) else { return true };
        let sent = batch.len();
        let request = directory_assignments::request(node_id, self.quorum.broker_epoch(), batch);
        let answer = self.channel.request(request, ATTEMPT).await;
        let now_ms = monotonic_ms();
        let failure = match answer {
            Ok(response) if response.error_code == 0 => {
                assignments.answered(&response, now_ms);
                return true;
            }
            Err(ChannelError::Stopping) => return false,
            Ok(response) => {
                let code = ErrorCode::try_from_code(response.error_code);
                format!("Response-level error: {code:?}")
            }
            Err(error) => error.to_string(),
        };
        tracing::error!(
            target: "org.apache.kafka.server.AssignmentsManager",
            "[AssignmentsManager id={node_id}] handleResponse: {sent} assignments failed; global \
             error: {failure}. Retrying.",
        );
        assignments.unanswered(now_ms);
        true
    }
}

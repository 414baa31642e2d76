//! Tells the controller in which directories this broker's replicas are (AssignReplicasToDirs).
//!
//! What to send and when `assignment` says. Kafka: `AssignmentsManager`.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Located;
use super::assignment::{self, Assignments, Replica};
use crate::broker::Broker;
use crate::metadata::controller_channel::{ChannelError, ControllerChannel};
use client::PeerSettings;

/// After so long a request is made anew, as in Kafka.
const ATTEMPT: Duration = Duration::from_secs(60);

pub(super) async fn run(broker: Arc<Broker>, mut located: UnboundedReceiver<Located>) {
    let channel = channel(&broker);
    let mut assignments = Assignments::default();
    loop {
        let now_ms = broker.parts.surroundings.monotonic_ms();
        let wait_ms = assignments.due_ms().map(|due_ms| due_ms.saturating_sub(now_ms).max(0));
        let wait = Duration::from_millis(wait_ms.map_or(0, i64::unsigned_abs));
        tokio::select! {
            noted = located.recv() => {
                let Some(Located { topic_id, partition, directory }) = noted else { return };
                assignments.note((topic_id, partition), directory, now_ms);
            }
            () = tokio::time::sleep(wait), if wait_ms.is_some() => {
                if !tell(&broker, &channel, &mut assignments).await {
                    return;
                }
            }
        }
    }
}

/// Says whether to go on.
async fn tell(broker: &Broker, channel: &ControllerChannel, assignments: &mut Assignments) -> bool {
    let (node_id, image) = (broker.node_id(), broker.quorum().image());
    let is_here = |(topic, partition): &Replica| {
        let state = image.topics().by_id(*topic).and_then(|topic| topic.partition(*partition));
        state.is_some_and(|state| state.replicas.contains(&node_id))
    };
    let Some(batch) = assignments.take(is_here) else { return true };
    let sent = batch.len();
    let request = assignment::request(node_id, broker.quorum().broker_epoch(), batch);
    let answer = channel.request(request, ATTEMPT).await;
    let now_ms = broker.parts.surroundings.monotonic_ms();
    let failure = match answer {
        Ok(response) if response.error_code == 0 => {
            assignments.answered(&response, now_ms);
            return true;
        }
        Err(ChannelError::Stopping) => return false,
        Ok(response) => {
            format!("Response-level error: {:?}", ErrorCode::try_from_code(response.error_code),)
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

fn channel(broker: &Broker) -> ControllerChannel {
    let config = broker.config();
    let id = config.node_id;
    ControllerChannel::new(
        broker.quorum().active_controller(),
        PeerSettings::new(
            id.to_string(),
            format!("[NodeToControllerChannelManager id={id} name=directory-assignments] "),
        ),
        Duration::from_millis(u64::try_from(config.controller_socket_timeout_ms).unwrap_or(0)),
    )
}

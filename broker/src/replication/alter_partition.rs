//! Asks the active controller for changes of in-sync sets (AlterPartition).
//!
//! One request is under way at a time and carries everything that was proposed meanwhile; of a
//! partition only the newest proposal. What the controller did not decide is asked again until it
//! does: the leader counts with both sets as long as it does not know. Answers to
//! `AlterPartitionManager`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, BrokerId};
use replica::{IsrAnswer, IsrProposal, Recovery};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::broker::Broker;
use crate::metadata::controller_channel::{ChannelError, ControllerChannel};
use crate::replication::partitions::{HostedPartition, Proposed};
use client::PeerSettings;

/// How long a request that came to nothing waits before it is made anew, as in Kafka.
const RETRY_PAUSE: Duration = Duration::from_millis(50);
/// After so long a request is made anew, with what was proposed since.
const ATTEMPT: Duration = Duration::from_secs(30);

/// What is to be asked for, by topic id and partition.
type Unsent = BTreeMap<(Uuid, i32), IsrProposal>;

/// Sends what the partitions propose for as long as the broker runs.
pub(crate) fn start(broker: &Arc<Broker>) -> JoinHandle<()> {
    let broker = Arc::clone(broker);
    tokio::spawn(async move {
        let Some(mut proposed) = broker.parts.surroundings.take_proposals() else { return };
        let channel = channel(&broker);
        let mut unsent = Unsent::new();
        loop {
            if unsent.is_empty() {
                match proposed.recv().await {
                    Some(first) => add(&mut unsent, first),
                    None => return,
                }
            }
            while let Ok(more) = proposed.try_recv() {
                add(&mut unsent, more);
            }
            let asked = std::mem::take(&mut unsent);
            match channel.request(request(&broker, &asked), ATTEMPT).await {
                Ok(response) if response.error_code == 0 => {
                    unsent = tell(&broker, asked, &response);
                    if has_refusals(&response) {
                        // What is proposed again at once shall not be asked for in a circle.
                        tokio::time::sleep(RETRY_PAUSE).await;
                    }
                }
                Err(ChannelError::Stopping) => return,
                failed => {
                    log_failure(&failed);
                    unsent = asked;
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    })
}

fn channel(broker: &Broker) -> ControllerChannel {
    let config = broker.config();
    let id = config.node_id;
    ControllerChannel::new(
        broker.quorum().active_controller(),
        PeerSettings::new(
            id.to_string(),
            format!("[NodeToControllerChannelManager id={id} name=alter-partition] "),
        ),
        Duration::from_millis(u64::try_from(config.controller_socket_timeout_ms).unwrap_or(0)),
    )
}

fn add(unsent: &mut Unsent, proposed: Proposed) {
    unsent.insert((proposed.topic_id, proposed.partition), proposed.proposal);
}

fn request(broker: &Broker, asked: &Unsent) -> AlterPartitionRequest {
    let mut topics: Vec<TopicData> = Vec::new();
    for ((topic_id, partition), proposal) in asked {
        let member = |member: &replica::Member| {
            BrokerState::default()
                .with_broker_id(BrokerId(member.id))
                .with_broker_epoch(member.broker_epoch)
        };
        let partition = PartitionData::default()
            .with_partition_index(*partition)
            .with_leader_epoch(proposal.leader_epoch)
            .with_partition_epoch(proposal.partition_epoch)
            .with_new_isr_with_epochs(proposal.isr.iter().map(member).collect())
            .with_leader_recovery_state(recovery_id(proposal.recovery));
        match topics.last_mut() {
            Some(topic) if topic.topic_id == *topic_id => topic.partitions.push(partition),
            _ => topics.push(
                TopicData::default().with_topic_id(*topic_id).with_partitions(vec![partition]),
            ),
        }
    }
    AlterPartitionRequest::default()
        .with_broker_id(BrokerId(broker.node_id()))
        .with_broker_epoch(broker.quorum().broker_epoch())
        .with_topics(topics)
}

/// Tells the partitions; what the answer leaves out is to be asked for again.
fn tell(broker: &Broker, mut asked: Unsent, response: &AlterPartitionResponse) -> Unsent {
    for topic in &response.topics {
        for answered in &topic.partitions {
            let key = (topic.topic_id, answered.partition_index);
            let Some(proposal) = asked.remove(&key) else { continue };
            let hosted = broker.partitions().topic_by_id(key.0);
            let Some(partition) = hosted.and_then(|topic| topic.partition(key.1)) else { continue };
            let answer = match ErrorCode::try_from_code(answered.error_code) {
                Some(code) => IsrAnswer::Refused(code),
                None => IsrAnswer::Changed {
                    leader_epoch: answered.leader_epoch,
                    partition_epoch: answered.partition_epoch,
                    isr: answered.isr.iter().map(|id| id.0).collect(),
                    recovery: recovery(answered.leader_recovery_state),
                },
            };
            log_answer(broker, &partition, &proposal, &answer);
            partition.isr_answered(&proposal, &answer);
        }
    }
    asked
}

/// Kafka's words, where it has some.
fn log_answer(
    broker: &Broker,
    partition: &HostedPartition,
    proposal: &IsrProposal,
    answer: &IsrAnswer,
) {
    let (topic, index, id) = (partition.topic(), partition.partition(), broker.node_id());
    match answer {
        IsrAnswer::Changed { partition_epoch, isr, .. } => tracing::info!(
            target: "kafka.cluster.Partition",
            "[Partition {topic}-{index} broker={id}] ISR updated to {}  and version updated to \
             {partition_epoch}",
            listed(isr),
        ),
        IsrAnswer::Refused(code) => tracing::info!(
            target: "kafka.cluster.Partition",
            "[Partition {topic}-{index} broker={id}] The controller refused {:?} with {code:?}",
            proposal.change,
        ),
    }
}

fn listed(ids: &[i32]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

fn has_refusals(response: &AlterPartitionResponse) -> bool {
    let mut partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.any(|partition| partition.error_code != 0)
}

fn log_failure(failed: &Result<AlterPartitionResponse, ChannelError>) {
    match failed {
        Ok(response) => tracing::warn!(
            target: "kafka.server.DefaultAlterPartitionManager",
            "The controller refused an AlterPartition request: {:?}",
            ErrorCode::try_from_code(response.error_code),
        ),
        Err(error) => tracing::warn!(
            target: "kafka.server.DefaultAlterPartitionManager",
            "No answer to an AlterPartition request: {error}",
        ),
    }
}

fn recovery_id(recovery: Recovery) -> i8 {
    match recovery {
        Recovery::Recovered => 0,
        Recovery::Recovering => 1,
    }
}

fn recovery(id: i8) -> Recovery {
    if id == 1 { Recovery::Recovering } else { Recovery::Recovered }
}

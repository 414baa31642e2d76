//! Asks the active controller for changes of in-sync sets (AlterPartition). What to ask for, and
//! when, is decided by `replica::AlterPartitionQueue`. Kafka: `AlterPartitionManager`.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::alter_partition_request::{BrokerState, PartitionData, TopicData};
use protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, BrokerId};
use replica::{AlterPartitionQueue, IsrAnswer, IsrProposal, Proposals, Recovery};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::replica_manager::ReplicaManager;
use crate::clock::monotonic_ms;
use crate::metadata::controller_channel::ChannelError;
use crate::metadata::controller_client::channel_to_active;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::quorum::QuorumHandle;
use crate::partitions::{HostedPartition, Proposed};

/// After so long a request is made anew, with what was proposed since.
const ATTEMPT: Duration = Duration::from_secs(30);

/// A partition by its topic's id.
type Key = (Uuid, i32);

/// Sends what the partitions propose for as long as the broker runs.
pub(crate) fn start(
    config: &DynamicBrokerConfig,
    quorum: &Arc<QuorumHandle>,
    replicas: &Arc<ReplicaManager>,
) -> JoinHandle<()> {
    let channel = channel_to_active(quorum, config, "alter-partition");
    let (quorum, replicas) = (Arc::clone(quorum), Arc::clone(replicas));
    tokio::spawn(async move {
        let Some(mut proposed) = replicas.context.take_proposals() else { return };
        let node_id = replicas.context.node_id();
        let mut queue = AlterPartitionQueue::default();
        loop {
            while let Ok(Proposed { topic_id, partition, proposal }) = proposed.try_recv() {
                queue.propose((topic_id, partition), proposal);
            }
            let Some((number, asked)) = queue.next_request(monotonic_ms()) else {
                tokio::select! {
                    more = proposed.recv() => match more {
                        Some(Proposed { topic_id, partition, proposal }) => {
                            queue.propose((topic_id, partition), proposal);
                        }
                        None => return,
                    },
                    () = until(queue.due_ms()) => {}
                }
                continue;
            };
            let request = request(node_id, &quorum, asked);
            match channel.request(request, ATTEMPT).await {
                Ok(response) if response.error_code == 0 => {
                    let answers = answers(&response);
                    for (key, proposal, answer) in queue.answered(number, answers, monotonic_ms()) {
                        tell(&replicas, key, &proposal, &answer);
                    }
                }
                Err(ChannelError::Stopping) => return,
                failed => {
                    log_failure(&failed);
                    queue.unanswered(number, monotonic_ms());
                }
            }
        }
    })
}

async fn until(due_ms: Option<i64>) {
    match due_ms.map(|due_ms| due_ms.saturating_sub(monotonic_ms())) {
        Some(wait_ms) => {
            tokio::time::sleep(Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))).await;
        }
        None => std::future::pending().await,
    }
}

fn request(node_id: i32, quorum: &QuorumHandle, asked: &Proposals<Key>) -> AlterPartitionRequest {
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
        .with_broker_id(BrokerId(node_id))
        .with_broker_epoch(quorum.broker_epoch())
        .with_topics(topics)
}

fn answers(response: &AlterPartitionResponse) -> Vec<(Key, IsrAnswer)> {
    let mut answers = Vec::new();
    for topic in &response.topics {
        for answered in &topic.partitions {
            let answer = match ErrorCode::try_from_code(answered.error_code) {
                Some(code) => IsrAnswer::Refused(code),
                None => IsrAnswer::Changed {
                    leader_epoch: answered.leader_epoch,
                    partition_epoch: answered.partition_epoch,
                    isr: answered.isr.iter().map(|id| id.0).collect(),
                    recovery: recovery(answered.leader_recovery_state),
                },
            };
            answers.push(((topic.topic_id, answered.partition_index), answer));
        }
    }
    answers
}

/// Tells the partition, if it is still here.
fn tell(replicas: &ReplicaManager, key: Key, proposal: &IsrProposal, answer: &IsrAnswer) {
    let hosted = replicas.partitions.topic_by_id(key.0);
    let Some(partition) = hosted.and_then(|topic| topic.partition(key.1)) else { return };
    log_answer(replicas.context.node_id(), &partition, proposal, answer);
    if matches!(answer, IsrAnswer::Changed { .. }) {
        replicas.context.metrics().isr_changed(&proposal.change);
    }
    partition.isr_answered(proposal, answer);
}

/// Kafka's words, where it has some.
fn log_answer(id: i32, partition: &HostedPartition, proposal: &IsrProposal, answer: &IsrAnswer) {
    let (topic, index) = (partition.topic(), partition.partition());
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

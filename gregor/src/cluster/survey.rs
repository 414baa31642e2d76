//! What the brokers of a local cluster say of it: who leads, who is in sync, who lags how far.
//!
//! Any broker that answers is asked for the metadata; each of them, as a debugging replica, where
//! its own log of each partition ends. Kafka's ReplicaVerificationTool asks the same way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{
    BrokerId, DescribeQuorumRequest, ListOffsetsRequest, MetadataRequest, MetadataResponse,
    TopicName,
};
use protocol::wire::StrBytes;

use super::layout::{Layout, Node, Role};
use client::{Address, Peer, PeerError, PeerSettings};

/// How long one node may take to answer; a paused one never does.
const PATIENCE: Duration = Duration::from_millis(700);
/// Replica id of a tool that may ask a replica that does not lead.
const DEBUGGING_REPLICA: BrokerId = BrokerId(-2);
const LATEST: i64 = -1;
/// ListOffsets versions whose requests have the shape that is sent here.
const LIST_OFFSETS: std::ops::RangeInclusive<i16> = 1..=10;

/// One partition as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartitionSeen {
    pub(crate) topic: String,
    pub(crate) is_internal: bool,
    pub(crate) index: i32,
    /// `None` where nobody leads.
    pub(crate) leader: Option<i32>,
    pub(crate) replicas: Vec<i32>,
    pub(crate) isr: Vec<i32>,
    /// Where the log of each replica that answered ends.
    pub(crate) ends: BTreeMap<i32, i64>,
}

/// The cluster as it is now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Brokers that the controller counts as up.
    pub(crate) up: BTreeSet<i32>,
    /// The node that leads the quorum.
    pub(crate) active_controller: Option<i32>,
    pub(crate) partitions: Vec<PartitionSeen>,
}

/// Connections to the brokers, kept from look to look.
pub(crate) struct Surveyor {
    brokers: Vec<(i32, Peer)>,
}

impl Surveyor {
    /// Must be made on the runtime that it is used on.
    pub(crate) fn new(layout: &Layout) -> Self {
        let peer = |node: &Node| {
            let address = Address { host: "localhost".to_owned(), port: node.port };
            let mut settings = PeerSettings::new("gregor-cluster", "[gregor cluster] ");
            settings.reconnect_backoff = Duration::from_millis(5);
            (node.id, Peer::new(address, settings))
        };
        Self { brokers: layout.of_role(Role::Broker).map(peer).collect() }
    }

    /// Looks; nothing if no broker answers.
    pub(crate) async fn look(&self) -> Option<Survey> {
        let metadata = self.metadata().await?;
        let mut survey = Survey {
            up: metadata.brokers.iter().map(|broker| broker.node_id.0).collect(),
            active_controller: self.quorum_leader().await,
            partitions: partitions(&metadata),
        };
        let asked: Vec<_> = self
            .brokers
            .iter()
            .map(|(id, peer)| (*id, ends_request(*id, &survey.partitions), peer))
            .filter(|(_, request, _)| !request.topics.is_empty())
            .map(|(id, request, peer)| async move { (id, ends(peer, request).await) })
            .collect();
        for (id, ends) in together(asked).await {
            for ((topic, index), end) in ends.unwrap_or_default() {
                let same = |seen: &&mut PartitionSeen| seen.topic == topic && seen.index == index;
                if let Some(seen) = survey.partitions.iter_mut().find(same) {
                    seen.ends.insert(id, end);
                }
            }
        }
        Some(survey)
    }

    /// How many brokers are up, says the one that knows of fewest.
    pub(crate) async fn up(&self) -> usize {
        let asked: Vec<_> =
            self.brokers.iter().map(|(_, peer)| peer.request(no_topics(), PATIENCE)).collect();
        let answers = together(asked).await;
        answers.into_iter().flatten().map(|answer| answer.brokers.len()).min().unwrap_or(0)
    }

    async fn metadata(&self) -> Option<MetadataResponse> {
        let all = || MetadataRequest::default().with_topics(None);
        let asked = self.brokers.iter().map(|(_, peer)| peer.request(all(), PATIENCE)).collect();
        // The one that has seen most brokers up is likely to know newest.
        let answers: Vec<_> = together(asked).await.into_iter().flatten().collect();
        answers.into_iter().max_by_key(|answer| answer.brokers.len())
    }

    async fn quorum_leader(&self) -> Option<i32> {
        let request = || {
            let topic = TopicData::default()
                .with_topic_name(name("__cluster_metadata"))
                .with_partitions(vec![PartitionData::default()]);
            DescribeQuorumRequest::default().with_topics(vec![topic])
        };
        let asked = self.brokers.iter().map(|(_, peer)| peer.request(request(), PATIENCE));
        let answers = together(asked.collect()).await.into_iter().flatten();
        let leaders = answers.filter_map(|answer| {
            let partition = answer.topics.first()?.partitions.first()?;
            (partition.error_code == 0).then_some((partition.leader_epoch, partition.leader_id.0))
        });
        leaders.max().map(|(_, leader)| leader).filter(|leader| *leader >= 0)
    }
}

fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

fn no_topics() -> MetadataRequest {
    MetadataRequest::default().with_topics(Some(Vec::new()))
}

fn partitions(metadata: &MetadataResponse) -> Vec<PartitionSeen> {
    let ids = |ids: &[BrokerId]| ids.iter().map(|id| id.0).collect::<Vec<_>>();
    let mut seen: Vec<PartitionSeen> = Vec::new();
    for topic in &metadata.topics {
        let name = topic.name.as_ref().map_or(String::new(), |name| name.to_string());
        seen.extend(topic.partitions.iter().map(|partition| PartitionSeen {
            topic: name.clone(),
            is_internal: topic.is_internal,
            index: partition.partition_index,
            leader: Some(partition.leader_id.0).filter(|leader| *leader >= 0),
            replicas: ids(&partition.replica_nodes),
            isr: ids(&partition.isr_nodes),
            ends: BTreeMap::new(),
        }));
    }
    seen.sort_by(|a, b| (&a.topic, a.index).cmp(&(&b.topic, b.index)));
    seen
}

/// Where the logs end that a broker has of these partitions.
fn ends_request(broker: i32, partitions: &[PartitionSeen]) -> ListOffsetsRequest {
    let mut topics: Vec<ListOffsetsTopic> = Vec::new();
    for partition in partitions.iter().filter(|each| each.replicas.contains(&broker)) {
        let asked = ListOffsetsPartition {
            partition_index: partition.index,
            timestamp: LATEST,
            ..Default::default()
        };
        match topics.last_mut().filter(|topic| topic.name.as_str() == partition.topic) {
            Some(topic) => topic.partitions.push(asked),
            None => {
                let topic = ListOffsetsTopic { name: name(&partition.topic), ..Default::default() };
                topics.push(ListOffsetsTopic { partitions: vec![asked], ..topic });
            }
        }
    }
    ListOffsetsRequest { replica_id: DEBUGGING_REPLICA, topics, ..Default::default() }
}

async fn ends(
    peer: &Peer,
    request: ListOffsetsRequest,
) -> Result<Vec<((String, i32), i64)>, PeerError> {
    let answer = peer.request_with(LIST_OFFSETS, move |_| request, PATIENCE).await?;
    let mut ends = Vec::new();
    for topic in answer.topics {
        let found = topic.partitions.iter().filter(|partition| partition.error_code == 0);
        ends.extend(
            found.map(|each| ((topic.name.to_string(), each.partition_index), each.offset)),
        );
    }
    Ok(ends)
}

/// Runs futures side by side.
async fn together<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut running: Vec<_> = futures.into_iter().map(Box::pin).collect();
    let mut done: Vec<Option<F::Output>> = running.iter().map(|_| None).collect();
    std::future::poll_fn(move |context| {
        for (future, output) in running.iter_mut().zip(&mut done) {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if done.iter().all(Option::is_some) {
            std::task::Poll::Ready(done.iter_mut().filter_map(Option::take).collect())
        } else {
            std::task::Poll::Pending
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broker_is_asked_for_its_own_replicas() {
        let seen = |topic: &str, index, replicas: &[i32]| PartitionSeen {
            topic: topic.to_owned(),
            is_internal: false,
            index,
            leader: None,
            replicas: replicas.to_vec(),
            isr: Vec::new(),
            ends: BTreeMap::new(),
        };
        let partitions =
            [seen("a", 0, &[1, 2]), seen("a", 1, &[2, 3]), seen("b", 0, &[2]), seen("c", 0, &[3])];
        let asked = |broker| {
            let request = ends_request(broker, &partitions);
            let topics = request.topics.iter().map(|topic| {
                let indexes = topic.partitions.iter().map(|each| each.partition_index);
                (topic.name.to_string(), indexes.collect::<Vec<_>>())
            });
            topics.collect::<Vec<_>>()
        };
        assert_eq!(asked(1), [("a".to_owned(), vec![0])]);
        assert_eq!(asked(2), [("a".to_owned(), vec![0, 1]), ("b".to_owned(), vec![0])]);
        assert!(asked(4).is_empty());
    }

    #[tokio::test]
    async fn all_of_several_futures_are_waited_for() {
        let wait = |ms| async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            ms
        };
        assert_eq!(together(vec![wait(20), wait(0), wait(10)]).await, [20, 0, 10]);
    }
}

//! What the nodes say about the cluster, and waiting until they say what is due.
//!
//! Every answer comes from one node and may be old; whoever needs all of them to agree asks each.

use std::io;
use std::time::{Duration, Instant};

use protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::describe_topic_partitions_request::TopicRequest;
use protocol::messages::{
    BrokerId, CreateTopicsRequest, DescribeClusterRequest, DescribeQuorumRequest,
    DescribeTopicPartitionsRequest, MetadataRequest, MetadataResponse,
};
use protocol::wire::{Request, StrBytes};

use crate::topic::name;
use crate::wire::Client;

/// How long one node is waited for before the next is asked.
const ASK_PATIENCE: Duration = Duration::from_secs(2);

/// Asks until there is an answer.
///
/// # Panics
/// When `patience` ends first.
pub fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < patience, "waited {patience:?} for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The nodes that can be asked, by their listeners.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub brokers: Vec<(i32, String)>,
    pub controllers: Vec<(i32, String)>,
}

/// One partition, as a node's metadata has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    /// -1 when there is none.
    pub leader: i32,
    pub leader_epoch: i32,
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    pub offline: Vec<i32>,
    pub eligible: Vec<i32>,
    pub last_known_eligible: Vec<i32>,
}

/// The quorum, as its leader has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    pub leader: i32,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    /// Each voter's log end.
    pub voters: Vec<(i32, i64)>,
    pub observers: Vec<(i32, i64)>,
}

/// Sends one request on a connection of its own.
pub fn ask<R: Request>(address: &str, version: i16, request: &R) -> io::Result<R::Response> {
    let mut client = Client::connect(address)?;
    client.set_patience(ASK_PATIENCE);
    client.call(version, request)
}

/// Metadata of all topics, from one node.
pub fn metadata(address: &str) -> io::Result<MetadataResponse> {
    ask(address, 12, &MetadataRequest::default().with_topics(None))
}

/// Who is up, as one broker says. Metadata lists those that went lately, too.
pub fn alive(address: &str) -> io::Result<Vec<i32>> {
    let answer = ask(address, 1, &DescribeClusterRequest::default().with_endpoint_type(1))?;
    let mut alive: Vec<i32> = answer.brokers.iter().map(|broker| broker.broker_id.0).collect();
    alive.sort_unstable();
    Ok(alive)
}

/// One partition's state in one broker's metadata.
#[must_use]
pub fn partition_at(address: &str, topic: &str, partition: i32) -> Option<Partition> {
    let request = DescribeTopicPartitionsRequest::default()
        .with_topics(vec![TopicRequest::default().with_name(name(topic))])
        .with_response_partition_limit(2000);
    let response = ask(address, 0, &request).ok()?;
    let partitions = &response.topics.first()?.partitions;
    let found = partitions.iter().find(|one| one.partition_index == partition)?;
    let ids = |nodes: &[BrokerId]| nodes.iter().map(|id| id.0).collect::<Vec<_>>();
    let mut isr = ids(&found.isr_nodes);
    isr.sort_unstable();
    Some(Partition {
        leader: found.leader_id.0,
        leader_epoch: found.leader_epoch,
        replicas: ids(&found.replica_nodes),
        isr,
        offline: ids(&found.offline_replicas),
        eligible: found.eligible_leader_replicas.as_deref().map(ids).unwrap_or_default(),
        last_known_eligible: found.last_known_elr.as_deref().map(ids).unwrap_or_default(),
    })
}

/// The quorum in the words of one node; nothing when it is not the leader, or cannot reach it.
#[must_use]
pub fn quorum_at(address: &str) -> Option<Quorum> {
    let partition = PartitionData::default().with_partition_index(0);
    let topic = TopicData::default()
        .with_topic_name(name("__cluster_metadata"))
        .with_partitions(vec![partition]);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let response = ask(address, 1, &request).ok()?;
    let found = response.topics.first()?.partitions.first()?;
    if response.error_code != 0 || found.error_code != 0 || found.leader_id.0 < 0 {
        return None;
    }
    let ends = |replicas: &[protocol::messages::describe_quorum_response::ReplicaState]| {
        replicas.iter().map(|one| (one.replica_id.0, one.log_end_offset)).collect::<Vec<_>>()
    };
    Some(Quorum {
        leader: found.leader_id.0,
        leader_epoch: found.leader_epoch,
        high_watermark: found.high_watermark,
        voters: ends(&found.current_voters),
        observers: ends(&found.observers),
    })
}

impl View {
    /// The first broker's answer.
    fn first<T>(&self, mut ask: impl FnMut(&str) -> Option<T>) -> Option<T> {
        self.brokers.iter().find_map(|(_, address)| ask(address))
    }

    /// A partition's state, from the first broker that answers.
    #[must_use]
    pub fn partition(&self, topic: &str, partition: i32) -> Option<Partition> {
        self.first(|address| partition_at(address, topic, partition))
    }

    /// Where a partition's leader listens, as the first broker that names one says.
    #[must_use]
    pub fn leader(&self, topic: &str, partition: i32) -> Option<(i32, String)> {
        let found = self.first(|address| {
            partition_at(address, topic, partition).filter(|found| found.leader >= 0)
        })?;
        Some((found.leader, self.broker(found.leader)?.to_owned()))
    }

    /// Where a broker listens.
    #[must_use]
    pub fn broker(&self, id: i32) -> Option<&str> {
        let found = self.brokers.iter().find(|(broker, _)| *broker == id)?;
        Some(&found.1)
    }

    /// The quorum, in the words of the leader: each controller is asked.
    #[must_use]
    pub fn quorum(&self) -> Option<Quorum> {
        self.controllers
            .iter()
            .find_map(|(id, address)| quorum_at(address).filter(|quorum| quorum.leader == *id))
    }

    /// All brokers but one.
    #[must_use]
    pub fn without(&self, id: i32) -> Self {
        let mut rest = self.clone();
        rest.brokers.retain(|(broker, _)| *broker != id);
        rest.controllers.retain(|(controller, _)| *controller != id);
        rest
    }

    /// Waits until every broker of the view shows a partition that fits.
    pub fn wait_for_partition(
        &self,
        topic: &str,
        partition: i32,
        what: &str,
        fits: impl Fn(&Partition) -> bool,
    ) -> Partition {
        let what = format!("{topic}-{partition}: {what}");
        let mut seen = Vec::new();
        let found = until_or(&what, Duration::from_secs(60), || {
            let ask = |(_, address): &(i32, String)| partition_at(address, topic, partition);
            seen = self.brokers.iter().map(ask).collect::<Vec<_>>();
            let all = seen.iter().all(|one| one.as_ref().is_some_and(&fits));
            if all { seen.first().cloned().flatten() } else { None }
        });
        found.unwrap_or_else(|why| panic!("{why}; they say {seen:#?}"))
    }

    /// Waits until all replicas of a topic's partitions are in sync, as every broker says.
    pub fn wait_in_sync(&self, topic: &str, partitions: i32) {
        for partition in 0..partitions {
            self.wait_for_partition(topic, partition, "all in sync", |one| {
                one.leader >= 0 && one.isr.len() == one.replicas.len()
            });
        }
    }

    /// Creates a topic whose replicas the controller counts and places.
    ///
    /// # Panics
    /// When it is refused for half a minute.
    pub fn create_by_default(&self, topic: &str, partitions: i32) {
        let asked = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(-1);
        self.create_topic(asked);
        self.wait_in_sync(topic, partitions);
    }

    /// Creates a topic with its replicas placed: one list of brokers a partition.
    ///
    /// # Panics
    /// When it is refused for half a minute.
    pub fn create(&self, topic: &str, replicas: &[&[i32]], settings: &[(&str, &str)]) {
        let assignments = (0..).zip(replicas).map(|(index, brokers)| {
            CreatableReplicaAssignment::default()
                .with_partition_index(index)
                .with_broker_ids(brokers.iter().map(|id| BrokerId(*id)).collect())
        });
        let text = |value: &str| StrBytes::from_string(value.to_owned());
        let settings = settings.iter().map(|(key, value)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        });
        let asked = CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_assignments(assignments.collect())
            .with_configs(settings.collect());
        self.create_topic(asked);
        self.wait_in_sync(topic, i32::try_from(replicas.len()).expect("few partitions"));
    }

    fn create_topic(&self, asked: CreatableTopic) {
        let topic = asked.name.to_string();
        let request =
            CreateTopicsRequest::default().with_topics(vec![asked]).with_timeout_ms(10_000);
        let mut last = None;
        let created = until_or(&format!("{topic} created"), Duration::from_secs(30), || {
            last = self.first(|address| ask(address, 7, &request).ok());
            let answer = last.as_ref()?.topics.first()?;
            matches!(answer.error_code, 0 | 36).then_some(())
        });
        created.unwrap_or_else(|why| panic!("{why}: {last:?}"));
    }
}

fn until_or<T>(
    what: &str,
    patience: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let began = Instant::now();
    loop {
        match ask() {
            Some(answer) => return Ok(answer),
            None if began.elapsed() > patience => {
                return Err(format!("waited {patience:?}: {what}"));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

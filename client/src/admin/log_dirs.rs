//! The log directories of brokers, and which replica is in which. Answers to `describeLogDirs`
//! and `alterReplicaLogDirs` (KIP-113).

use std::collections::BTreeMap;

use protocol::messages::alter_replica_log_dirs_request::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic,
};
use protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use protocol::messages::{AlterReplicaLogDirsRequest, DescribeLogDirsRequest, TopicName};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// CLUSTER_AUTHORIZATION_FAILED: what an answer without directories means.
const NOT_AUTHORIZED: i16 = 31;

/// One directory of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDir {
    pub path: String,
    /// Why the directory cannot be used.
    pub error: Option<AdminError>,
    pub replicas: Vec<ReplicaInLogDir>,
    /// What its file system holds; unknown to nodes before 3.3.
    pub space: Option<LogDirSpace>,
}

/// In bytes (KIP-827).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogDirSpace {
    pub total: i64,
    pub usable: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaInLogDir {
    pub topic: String,
    pub partition: i32,
    pub size: i64,
    pub offset_lag: i64,
    /// Whether the replica is on its way into this directory.
    pub is_future: bool,
}

/// A replica, its directory, and what became of it.
pub type MovedReplicas = Vec<((String, i32), Result<(), AdminError>)>;

impl Admin {
    /// The directories of one broker with all replicas in them.
    pub async fn describe_log_dirs(&mut self, broker: i32) -> Result<Vec<LogDir>, AdminError> {
        let (code, dirs) = self.log_dirs("describeLogDirs", broker, None).await?;
        if dirs.is_empty() {
            check(if code == 0 { NOT_AUTHORIZED } else { code }, None)?;
        }
        Ok(dirs)
    }

    /// The directories of one broker with these replicas alone.
    pub async fn describe_replica_log_dirs(
        &mut self,
        broker: i32,
        partitions: &[(String, i32)],
    ) -> Result<Vec<LogDir>, AdminError> {
        let wanted = by_topic(partitions.iter())
            .into_iter()
            .map(|(topic, partitions)| DescribableLogDirTopic { topic, partitions });
        let wanted = Some(wanted.collect());
        Ok(self.log_dirs("describeReplicaLogDirs", broker, wanted).await?.1)
    }

    /// Code of the answer, and the directories.
    async fn log_dirs(
        &mut self,
        name: &'static str,
        broker: i32,
        topics: Option<Vec<DescribableLogDirTopic>>,
    ) -> Result<(i16, Vec<LogDir>), AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call(name, CallTarget::Node(broker));
        let question = |_| DescribeLogDirsRequest { topics: topics.clone() };
        let answer = self.ask(&mut call, question).await?;
        let dirs = answer.results.iter().map(|dir| {
            let replicas = dir.topics.iter().flat_map(|topic| {
                topic.partitions.iter().map(|partition| ReplicaInLogDir {
                    topic: topic.name.to_string(),
                    partition: partition.partition_index,
                    size: partition.partition_size,
                    offset_lag: partition.offset_lag,
                    is_future: partition.is_future_key,
                })
            });
            LogDir {
                path: dir.log_dir.to_string(),
                error: check(dir.error_code, None).err(),
                replicas: replicas.collect(),
                space: (dir.total_bytes >= 0)
                    .then_some(LogDirSpace { total: dir.total_bytes, usable: dir.usable_bytes }),
            }
        });
        Ok((answer.error_code, dirs.collect()))
    }

    /// Moves replicas of one broker into directories of it.
    pub async fn alter_replica_log_dirs(
        &mut self,
        broker: i32,
        moves: &[((String, i32), String)],
    ) -> Result<MovedReplicas, AdminError> {
        self.check_brokers_asked()?;
        let mut call = self.call("alterReplicaLogDirs", CallTarget::Node(broker));
        let mut by_path: BTreeMap<&str, Vec<&(String, i32)>> = BTreeMap::new();
        for (replica, path) in moves {
            by_path.entry(path).or_default().push(replica);
        }
        let dirs = by_path.into_iter().map(|(path, replicas)| {
            let topics = by_topic(replicas.into_iter()).into_iter().map(|(topic, partitions)| {
                AlterReplicaLogDirTopic::default().with_name(topic).with_partitions(partitions)
            });
            AlterReplicaLogDir::default()
                .with_path(StrBytes::from_string(path.to_owned()))
                .with_topics(topics.collect())
        });
        let dirs: Vec<_> = dirs.collect();
        let question = |_| AlterReplicaLogDirsRequest::default().with_dirs(dirs.clone());
        let answer = self.ask(&mut call, question).await?;
        let results = answer.results.iter().flat_map(|topic| {
            topic.partitions.iter().map(|result| {
                let key = (topic.topic_name.to_string(), result.partition_index);
                (key, check(result.error_code, None))
            })
        });
        Ok(results.collect())
    }
}

fn by_topic<'a>(partitions: impl Iterator<Item = &'a (String, i32)>) -> Vec<(TopicName, Vec<i32>)> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    let named = topics.into_iter().map(|(topic, partitions)| {
        (TopicName(StrBytes::from_string(topic.to_owned())), partitions)
    });
    named.collect()
}

//! DescribeLogDirs: which partitions lie in which log directory, how large they are, how full the
//! file system is, and whether the directory gets no new replicas (KIP-113, KIP-827, KIP-1066).
//!
//! Kafka: `ReplicaManager.describeLogDirs`. The metadata log lies in a log directory too, but is
//! none of the broker's partitions.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use config::BrokerConfig;
use protocol::ErrorCode;
use protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use protocol::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse, TopicName};
use protocol::wire::StrBytes;
use uuid::Uuid;

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::partitions::HostedPartition;
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    replicas: &Arc<ReplicaManager>,
    context: &RequestContext,
    request: DescribeLogDirsRequest,
) -> Result<DescribeLogDirsResponse, CloseConnection> {
    if !context.authorize(Operation::Describe, Resource::Cluster) {
        return Ok(DescribeLogDirsResponse {
            error_code: ErrorCode::ClusterAuthorizationFailed.code(),
            ..Default::default()
        });
    }
    let (replicas, config) = (Arc::clone(replicas), config.current());
    // A file system may take its time to say how full it is.
    let described =
        tokio::task::spawn_blocking(move || describe(&replicas, &config, request.topics)).await;
    let results = described.map_err(|error| CloseConnection::Fault(error.to_string()))?;
    Ok(DescribeLogDirsResponse { results, ..Default::default() })
}

fn describe(
    replicas: &ReplicaManager,
    config: &BrokerConfig,
    asked: Option<Vec<DescribableLogDirTopic>>,
) -> Vec<DescribeLogDirsResult> {
    let (asked, hosted) = (asked.map(by_topic), replicas.partitions.all());
    let of_directory = |(path, id): (PathBuf, Option<Uuid>)| {
        let log_dir = text(path.to_string_lossy());
        let failed = DescribeLogDirsResult {
            log_dir: log_dir.clone(),
            error_code: ErrorCode::KafkaStorageError.code(),
            ..Default::default()
        };
        let Some(id) = id else { return failed };
        let inside = hosted.iter().filter_map(|partition| Some((partition, shown(partition, id)?)));
        match rustix::fs::statvfs(&path) {
            Err(_) => failed,
            Ok(fs) => DescribeLogDirsResult {
                error_code: 0,
                is_cordoned: config.cordoned_log_dirs.iter().any(|dir| **dir == *log_dir),
                log_dir,
                topics: topics(inside, asked.as_ref()),
                total_bytes: bytes(fs.f_blocks, fs.f_frsize),
                usable_bytes: bytes(fs.f_bavail, fs.f_frsize),
            },
        }
    };
    replicas.log_dirs.hosts().into_iter().map(of_directory).collect()
}

fn bytes(blocks: u64, block_bytes: u64) -> i64 {
    i64::try_from(blocks.saturating_mul(block_bytes)).unwrap_or(i64::MAX)
}

fn by_topic(topics: Vec<DescribableLogDirTopic>) -> HashMap<StrBytes, Vec<i32>> {
    let mut by_topic: HashMap<StrBytes, Vec<i32>> = HashMap::new();
    for topic in topics {
        by_topic.entry(topic.topic.0).or_default().extend(topic.partitions);
    }
    by_topic.values_mut().for_each(|partitions| partitions.sort_unstable());
    by_topic
}

fn topics<'p>(
    hosted: impl Iterator<Item = (&'p Arc<HostedPartition>, DescribeLogDirsPartition)>,
    asked: Option<&HashMap<StrBytes, Vec<i32>>>,
) -> Vec<DescribeLogDirsTopic> {
    let is_asked = |name: &StrBytes, partition: i32| match asked {
        None => true,
        Some(asked) => asked.get(name).is_some_and(|asked| asked.binary_search(&partition).is_ok()),
    };
    let mut by_topic: BTreeMap<StrBytes, BTreeMap<i32, DescribeLogDirsPartition>> = BTreeMap::new();
    for (partition, shown) in hosted {
        let name = text(&**partition.topic());
        let index = partition.partition();
        if is_asked(&name, index) {
            by_topic.entry(name).or_default().insert(index, shown);
        }
    }
    let topic = |(name, partitions): (StrBytes, BTreeMap<i32, DescribeLogDirsPartition>)| {
        DescribeLogDirsTopic {
            name: TopicName(name),
            partitions: partitions.into_values().collect(),
        }
    };
    by_topic.into_iter().map(topic).collect()
}

/// What is in this directory of the partition: its log, its copy, or nothing.
fn shown(partition: &HostedPartition, directory: Uuid) -> Option<DescribeLogDirsPartition> {
    let published = partition.published();
    let (reader, lag, is_future) = if partition.directory_id() == directory {
        let lag = published.high_watermark() - published.log_end_offset();
        (partition.reader(), lag, false)
    } else {
        let future = partition.shown_future()?;
        if future.directory_id != directory {
            return None;
        }
        let lag = published.log_end_offset() - future.reader.log_end_offset();
        (Arc::new(future.reader.clone()), lag, true)
    };
    let described = DescribeLogDirsPartition {
        partition_index: partition.partition(),
        partition_size: i64::try_from(reader.size_bytes()).unwrap_or(i64::MAX),
        offset_lag: lag.max(0),
        is_future_key: is_future,
    };
    Some(described)
}

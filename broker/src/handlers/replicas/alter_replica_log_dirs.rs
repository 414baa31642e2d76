//! AlterReplicaLogDirs: replicas move to other log directories of this broker (KIP-113).
//!
//! Kafka: `KafkaApis.handleAlterReplicaLogDirsRequest`, `ReplicaManager.alterReplicaLogDirs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::alter_replica_log_dirs_response::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult,
};
use protocol::messages::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse, TopicName};

use crate::replication::log_dir_moves::LogDirMoves;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    moves: &Arc<LogDirMoves>,
    context: &RequestContext,
    request: AlterReplicaLogDirsRequest,
) -> Result<AlterReplicaLogDirsResponse, CloseConnection> {
    // Of a replica that is named twice the last directory counts.
    let mut wanted: BTreeMap<(TopicName, i32), String> = BTreeMap::new();
    for directory in request.dirs {
        for topic in directory.topics {
            for partition in topic.partitions {
                wanted.insert((topic.name.clone(), partition), directory.path.to_string());
            }
        }
    }
    let is_allowed = context.authorize(Operation::Alter, Resource::Cluster);
    let moves = Arc::clone(moves);
    // Logs are opened and renamed.
    let altered = tokio::task::spawn_blocking(move || {
        let alter = |((topic, partition), path): ((TopicName, i32), String)| {
            let altered = match is_allowed {
                true => moves.alter(&path, &topic, partition),
                false => Err(ErrorCode::ClusterAuthorizationFailed),
            };
            ((topic, partition), altered.err().map_or(0, |code| code.code()))
        };
        wanted.into_iter().map(alter).collect::<Vec<_>>()
    });
    let altered = altered.await.map_err(|error| CloseConnection::Fault(error.to_string()))?;
    let mut results: BTreeMap<TopicName, Vec<AlterReplicaLogDirPartitionResult>> = BTreeMap::new();
    for ((topic, partition), code) in altered {
        let result = AlterReplicaLogDirPartitionResult::default()
            .with_partition_index(partition)
            .with_error_code(code);
        results.entry(topic).or_default().push(result);
    }
    let result = |(topic, partitions)| {
        AlterReplicaLogDirTopicResult::default().with_topic_name(topic).with_partitions(partitions)
    };
    Ok(AlterReplicaLogDirsResponse::default()
        .with_results(results.into_iter().map(result).collect()))
}

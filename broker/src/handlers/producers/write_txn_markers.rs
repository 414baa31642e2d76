//! WriteTxnMarkers: a transaction coordinator, or an administrator, ends transactions in the
//! partitions that this broker leads.
//!
//! A marker is answered when the in-sync replicas have it. In `__consumer_offsets` the group's
//! shard writes it, so that it ends what the shard has written before it. Kafka:
//! `KafkaApis.handleWriteTxnMarkersRequest`.

use std::collections::BTreeMap;
use std::time::Duration;

use coordinator::runtime::{Producer, TransactionEnd};
use protocol::ErrorCode;
use protocol::messages::write_txn_markers_request::WritableTxnMarker;
use protocol::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult, WritableTxnMarkerTopicResult,
};
use protocol::messages::{ProducerId, TopicName, WriteTxnMarkersRequest, WriteTxnMarkersResponse};
use protocol::records::control::TransactionMarker;
use replica::{Acks, Answer, Origin};
use storage::TransactionTerms;
use tokio::time::{Instant, timeout_at};

use crate::clock::wall_ms;
use crate::coordinators::groups::{self, Groups};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

/// What became of each partition of each producer.
type Results = BTreeMap<i64, BTreeMap<(TopicName, i32), Option<ErrorCode>>>;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    replicas: &ReplicaManager,
    groups: &Groups,
    context: &RequestContext,
    request: WriteTxnMarkersRequest,
) -> Result<WriteTxnMarkersResponse, CloseConnection> {
    let timeout_ms = u64::try_from(config.current().request_timeout_ms).unwrap_or(0);
    let deadline = Instant::now() + Duration::from_millis(timeout_ms);
    let is_allowed = context.is_authorized(Operation::Alter, Resource::Cluster)
        || context.authorize(Operation::ClusterAction, Resource::Cluster);
    let mut results = Results::new();
    // All are on their way before the first is waited for.
    let mut awaited = Vec::new();
    for marker in &request.markers {
        let of_producer = results.entry(marker.producer_id.0).or_default();
        for topic in &marker.topics {
            for partition in &topic.partition_indexes {
                let place = (topic.name.clone(), *partition);
                if !is_allowed {
                    let denied = ErrorCode::ClusterAuthorizationFailed;
                    of_producer.insert(place, Some(denied));
                    continue;
                }
                let written = write(replicas, groups, marker, &place, deadline);
                awaited.push((marker.producer_id.0, place, written));
            }
        }
    }
    for (producer_id, place, written) in awaited {
        let code = written.await.err();
        results.entry(producer_id).or_default().insert(place, code);
    }
    Ok(response(results))
}

type Written<'a> = std::pin::Pin<Box<dyn Future<Output = Result<(), ErrorCode>> + Send + 'a>>;

/// Appends one marker now; resolves when it is replicated.
fn write<'a>(
    replicas: &'a ReplicaManager,
    groups: &'a Groups,
    marker: &WritableTxnMarker,
    (topic, partition): &(TopicName, i32),
    deadline: Instant,
) -> Written<'a> {
    // A partition that is not here is not known, whatever the reason.
    let Some(hosted) = replicas.partitions.partition(topic, *partition) else {
        return Box::pin(std::future::ready(Err(ErrorCode::UnknownTopicOrPartition)));
    };
    let producer = Producer { id: marker.producer_id.0, epoch: marker.producer_epoch };
    let end = TransactionEnd {
        is_commit: marker.transaction_result,
        coordinator_epoch: marker.coordinator_epoch,
        transaction_version: marker.transaction_version,
    };
    if topic.as_str() == groups::TOPIC {
        let parked = groups.end_transaction(*partition, producer, end);
        return Box::pin(async move {
            let ended = match parked {
                Ok(parked) => groups.within_commit_timeout(parked).await.flatten(),
                Err(error) => Err(error),
            };
            ended.map_err(|error| error_map::groups::marker_code(&error))
        });
    }
    let now_ms = wall_ms();
    let batch =
        TransactionMarker { commit: end.is_commit, coordinator_epoch: end.coordinator_epoch }
            .batch(producer.id, producer.epoch, now_ms);
    let terms =
        TransactionTerms { version: end.transaction_version, ..TransactionTerms::default() };
    let origin = Origin::Coordinator;
    let appending = hosted.append_in_transaction(&batch, Acks::All, now_ms, origin, terms);
    Box::pin(async move {
        let appending = appending.map_err(|refused| {
            replicas.note_append_failure(&refused);
            error_map::refused_append(&refused, -1).code
        })?;
        if appending.appended.must_flush {
            let end_offset = appending.appended.last_offset + 1;
            hosted.flush_up_to(end_offset, now_ms).await.map_err(|error| {
                replicas.note_storage_failure(&error);
                error_map::storage_error(&error)
            })?;
        }
        let Some(mut committed) = appending.committed else { return Ok(()) };
        match timeout_at(deadline, &mut committed.answer).await {
            Ok(Ok(Answer::Committed)) => Ok(()),
            Ok(Ok(Answer::TooFewInSync)) => Err(ErrorCode::NotEnoughReplicasAfterAppend),
            Ok(Ok(Answer::NoLongerLeader) | Err(_)) => Err(hosted.why_not_leader()),
            Err(_) => {
                hosted.forget(&committed);
                Err(ErrorCode::RequestTimedOut)
            }
        }
    })
}

fn response(results: Results) -> WriteTxnMarkersResponse {
    let markers = results.into_iter().map(|(producer_id, places)| {
        let mut topics: BTreeMap<TopicName, Vec<WritableTxnMarkerPartitionResult>> =
            BTreeMap::new();
        for ((topic, partition), code) in places {
            let result = WritableTxnMarkerPartitionResult {
                partition_index: partition,
                error_code: code.map_or(0, |code| code.code()),
            };
            topics.entry(topic).or_default().push(result);
        }
        let topics = topics
            .into_iter()
            .map(|(topic, partitions)| WritableTxnMarkerTopicResult { name: topic, partitions });
        WritableTxnMarkerResult { producer_id: ProducerId(producer_id), topics: topics.collect() }
    });
    WriteTxnMarkersResponse { markers: markers.collect() }
}

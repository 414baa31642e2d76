//! AddOffsetsToTxn: the offsets of a group take part in a transaction, by their partition of
//! `__consumer_offsets`. Only clients that do not end transactions by transaction.version 2 ask.
//! Kafka: `KafkaApis.handleAddOffsetsToTxnRequest`.

use std::collections::BTreeSet;

use coordinator::transaction::{
    AddPartitions, ProducerIdAndEpoch, TopicPartition, TransactionVersion,
};
use protocol::ErrorCode;
use protocol::messages::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};

use crate::coordinators::groups::{self, Groups};
use crate::coordinators::transactions::Transactions;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map::transactions::as_known_before;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_FENCED: i16 = 2;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    transactions: &Transactions,
    context: &RequestContext,
    request: AddOffsetsToTxnRequest,
) -> Result<AddOffsetsToTxnResponse, CloseConnection> {
    let response = AddOffsetsToTxnResponse::default();
    let (id, group) = (&request.transactional_id, &request.group_id);
    if !context.authorize(Operation::Write, Resource::TransactionalId(id)) {
        let denied = ErrorCode::TransactionalIdAuthorizationFailed;
        return Ok(response.with_error_code(denied.code()));
    }
    if !context.authorize(Operation::Read, Resource::Group(group)) {
        return Ok(response.with_error_code(ErrorCode::GroupAuthorizationFailed.code()));
    }
    let asked = AddPartitions {
        transactional_id: text(id.as_str()),
        producer: ProducerIdAndEpoch {
            producer_id: request.producer_id.0,
            producer_epoch: request.producer_epoch,
        },
        partitions: BTreeSet::from([TopicPartition {
            topic: text(groups::TOPIC),
            partition: groups.partition_of(group, &metadata.image()),
        }]),
        client: TransactionVersion::V0,
    };
    Ok(match transactions.add_partitions(&asked).await {
        Ok(()) => response,
        Err(code) => {
            let told = as_known_before(code, context.api_version, FIRST_WITH_FENCED);
            response.with_error_code(told.code())
        }
    })
}

//! InitProducerId: an id for an idempotent or transactional producer.
//!
//! A producer without transactional id gets a fresh id with epoch 0 whenever it asks, whatever id
//! it had before (KIP-360). With one, its coordinator decides. Kafka:
//! `KafkaApis.handleInitProducerIdRequest`, `TransactionCoordinator.handleInitProducerId`.

use std::sync::Arc;

use coordinator::transaction::{InitProducerId, ProducerIdAndEpoch};
use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::coordinators::transactions::Transactions;
use crate::metadata::producer_ids::ProducerIds;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map::transactions::as_known_before;
use crate::requests::reply::CloseConnection;

const NO_PRODUCER_ID: i64 = -1;
const NO_PRODUCER_EPOCH: i16 = -1;
const FIRST_WITH_FENCED: i16 = 4;

pub(crate) async fn handle(
    transactions: &Transactions,
    producer_ids: &Arc<ProducerIds>,
    context: &RequestContext,
    request: InitProducerIdRequest,
) -> Result<InitProducerIdResponse, CloseConnection> {
    Ok(match initialized(transactions, producer_ids, context, &request).await {
        Ok(producer) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(producer.producer_id))
            .with_producer_epoch(producer.producer_epoch),
        Err(code) => {
            let told = as_known_before(code, context.api_version, FIRST_WITH_FENCED);
            InitProducerIdResponse::default()
                .with_error_code(told.code())
                .with_producer_id(ProducerId(NO_PRODUCER_ID))
                .with_producer_epoch(NO_PRODUCER_EPOCH)
        }
    })
}

async fn initialized(
    transactions: &Transactions,
    producer_ids: &Arc<ProducerIds>,
    context: &RequestContext,
    request: &InitProducerIdRequest,
) -> Result<ProducerIdAndEpoch, ErrorCode> {
    check(context, request)?;
    let Some(id) = &request.transactional_id else {
        let generated = producer_ids.generate().await;
        let producer_id = generated.map_err(|error| error.code)?;
        return Ok(ProducerIdAndEpoch { producer_id, producer_epoch: 0 });
    };
    let expected = ProducerIdAndEpoch {
        producer_id: request.producer_id.0,
        producer_epoch: request.producer_epoch,
    };
    let asked = InitProducerId {
        transactional_id: text(id.as_str()),
        timeout_ms: request.transaction_timeout_ms,
        expected: Some(expected).filter(|expected| *expected != ProducerIdAndEpoch::NONE),
        new_producer_id: None,
    };
    transactions.init_producer_id(asked).await
}

fn check(context: &RequestContext, request: &InitProducerIdRequest) -> Result<(), ErrorCode> {
    match &request.transactional_id {
        Some(id) if !context.authorize(Operation::Write, Resource::TransactionalId(id)) => {
            return Err(ErrorCode::TransactionalIdAuthorizationFailed);
        }
        Some(_) => {}
        None => {
            if !context.is_authorized(Operation::IdempotentWrite, Resource::Cluster)
                && !context.authorize_any_topic(Operation::Write)
            {
                return Err(ErrorCode::ClusterAuthorizationFailed);
            }
        }
    }
    let no_id = request.producer_id.0 == NO_PRODUCER_ID;
    if no_id != (request.producer_epoch == NO_PRODUCER_EPOCH) {
        return Err(ErrorCode::InvalidRequest);
    }
    Ok(())
}

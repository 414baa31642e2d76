//! InitProducerId: an id for an idempotent producer.
//!
//! A producer without transactional id gets a fresh id with epoch 0 whenever it asks, whatever id
//! it had before (KIP-360). With one, the answer is that there is no transaction coordinator, which
//! makes a client ask again later; what is wrong in itself is refused first. Kafka:
//! `KafkaApis.handleInitProducerIdRequest`, `TransactionCoordinator.handleInitProducerId`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{InitProducerIdRequest, InitProducerIdResponse, ProducerId};

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::producer_ids::ProducerIds;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const NO_PRODUCER_ID: i64 = -1;
const NO_PRODUCER_EPOCH: i16 = -1;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    producer_ids: &Arc<ProducerIds>,
    context: &RequestContext,
    request: InitProducerIdRequest,
) -> Result<InitProducerIdResponse, CloseConnection> {
    let generated = match check(context, &request, config.current().transaction_max_timeout_ms) {
        Ok(()) => producer_ids.generate().await.map_err(|error| error.code),
        Err(code) => Err(code),
    };
    Ok(match generated {
        Ok(id) => InitProducerIdResponse::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(0),
        Err(code) => InitProducerIdResponse::default()
            .with_error_code(code.code())
            .with_producer_id(ProducerId(NO_PRODUCER_ID))
            .with_producer_epoch(NO_PRODUCER_EPOCH),
    })
}

fn check(
    context: &RequestContext,
    request: &InitProducerIdRequest,
    max_timeout_ms: i32,
) -> Result<(), ErrorCode> {
    match &request.transactional_id {
        Some(id) if !context.authorize(Operation::Write, Resource::TransactionalId(id)) => {
            return Err(ErrorCode::TransactionalIdAuthorizationFailed);
        }
        Some(_) => {}
        None => {
            if !context.authorize(Operation::IdempotentWrite, Resource::Cluster)
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
    match &request.transactional_id {
        None => Ok(()),
        Some(id) if id.is_empty() => Err(ErrorCode::InvalidRequest),
        Some(_) if !(1..=max_timeout_ms).contains(&request.transaction_timeout_ms) => {
            Err(ErrorCode::InvalidTransactionTimeout)
        }
        Some(_) => Err(ErrorCode::CoordinatorNotAvailable),
    }
}

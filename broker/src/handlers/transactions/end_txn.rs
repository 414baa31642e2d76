//! EndTxn: commit or abort of a producer's transaction.
//!
//! A client of version 5 ends its transactions by transaction.version 2: each end bumps its epoch,
//! and the answer says what it has from here on. Kafka: `KafkaApis.handleEndTxnRequest`.

use coordinator::transaction::{EndTransaction, ProducerIdAndEpoch, TransactionVersion};
use protocol::ErrorCode;
use protocol::messages::{EndTxnRequest, EndTxnResponse, ProducerId};

use crate::coordinators::transactions::Transactions;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map::transactions::as_known_before;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_FENCED: i16 = 2;
const FIRST_WITH_EPOCH_BUMP: i16 = 5;

pub(crate) async fn handle(
    transactions: &Transactions,
    context: &RequestContext,
    request: EndTxnRequest,
) -> Result<EndTxnResponse, CloseConnection> {
    let response = EndTxnResponse::default();
    let id = &request.transactional_id;
    if !context.authorize(Operation::Write, Resource::TransactionalId(id)) {
        let denied = ErrorCode::TransactionalIdAuthorizationFailed;
        return Ok(response.with_error_code(denied.code()));
    }
    let client = match context.api_version >= FIRST_WITH_EPOCH_BUMP {
        true => TransactionVersion::V2,
        false => TransactionVersion::V0,
    };
    let ended = transactions.end_transaction(EndTransaction {
        transactional_id: text(id.as_str()),
        producer: ProducerIdAndEpoch {
            producer_id: request.producer_id.0,
            producer_epoch: request.producer_epoch,
        },
        is_commit: request.committed,
        client,
        new_producer_id: None,
    });
    let told = match ended.await {
        Ok(producer) => return Ok(with_producer(response, context.api_version, producer)),
        Err(code) => as_known_before(code, context.api_version, FIRST_WITH_FENCED),
    };
    let response = response.with_error_code(told.code());
    Ok(with_producer(response, context.api_version, ProducerIdAndEpoch::NONE))
}

/// Older versions have no place for it.
fn with_producer(
    response: EndTxnResponse,
    api_version: i16,
    producer: ProducerIdAndEpoch,
) -> EndTxnResponse {
    if api_version < FIRST_WITH_EPOCH_BUMP {
        return response;
    }
    response
        .with_producer_id(ProducerId(producer.producer_id))
        .with_producer_epoch(producer.producer_epoch)
}

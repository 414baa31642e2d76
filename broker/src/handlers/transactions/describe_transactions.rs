//! DescribeTransactions: what is known of transactional ids (KIP-664).
//! Kafka: `KafkaApis.handleDescribeTransactionsRequest`.

use protocol::ErrorCode;
use protocol::messages::describe_transactions_response::{TopicData, TransactionState};
use protocol::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, ProducerId, TopicName,
    TransactionalId,
};

use crate::coordinators::transactions::Transactions;
use crate::requests::answer_budget;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    transactions: &Transactions,
    context: &RequestContext,
    request: DescribeTransactionsRequest,
) -> Result<DescribeTransactionsResponse, CloseConnection> {
    answer_budget::check(request.transactional_ids.len(), BYTES_EACH)?;
    let states = request.transactional_ids.into_iter().map(|id| state(transactions, context, id));
    Ok(DescribeTransactionsResponse::default().with_transaction_states(states.collect()))
}

fn state(
    transactions: &Transactions,
    context: &RequestContext,
    id: TransactionalId,
) -> TransactionState {
    let state = TransactionState::default().with_transactional_id(id.clone());
    if !context.authorize(Operation::Describe, Resource::TransactionalId(&id)) {
        return state.with_error_code(ErrorCode::TransactionalIdAuthorizationFailed.code());
    }
    let described = match transactions.describe(&id) {
        Ok(described) => described,
        Err(code) => return state.with_error_code(code.code()),
    };
    let mut topics: Vec<TopicData> = Vec::new();
    for partition in described.partitions {
        match topics.last_mut() {
            Some(last) if last.topic.0 == partition.topic => {
                last.partitions.push(partition.partition);
            }
            _ => topics.push(
                TopicData::default()
                    .with_topic(TopicName(partition.topic))
                    .with_partitions(vec![partition.partition]),
            ),
        }
    }
    topics.retain(|topic| context.authorize(Operation::Describe, Resource::Topic(&topic.topic)));
    state
        .with_transaction_state(described.state.name().into())
        .with_transaction_timeout_ms(described.timeout_ms)
        .with_transaction_start_time_ms(described.start_timestamp_ms)
        .with_producer_id(ProducerId(described.producer.producer_id))
        .with_producer_epoch(described.producer.producer_epoch)
        .with_topics(topics)
}

//! ListTransactions: the transactional ids that this broker coordinates (KIP-664, KIP-994,
//! KIP-1152). Kafka: `KafkaApis.handleListTransactionsRequest`.

use coordinator::transaction::{ListedTransaction, TransactionFilter};
use protocol::ErrorCode;
use protocol::messages::list_transactions_response::TransactionState;
use protocol::messages::{
    ListTransactionsRequest, ListTransactionsResponse, ProducerId, TransactionalId,
};
use regex::Regex;

use crate::coordinators::transactions::Transactions;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    transactions: &Transactions,
    context: &RequestContext,
    request: ListTransactionsRequest,
) -> Result<ListTransactionsResponse, CloseConnection> {
    let response = ListTransactionsResponse::default();
    let mut filter = TransactionFilter {
        is_by_state: !request.state_filters.is_empty(),
        producer_ids: request.producer_id_filters.iter().map(|id| id.0).collect(),
        duration_ms: request.duration_filter,
        ..TransactionFilter::default()
    };
    let mut unknown = Vec::new();
    for name in request.state_filters {
        match coordinator::transaction::TransactionState::from_name(&name) {
            Some(state) => {
                filter.states.insert(state);
            }
            None if unknown.contains(&name) => {}
            None => unknown.push(name),
        }
    }
    let listed = match transactions.list(&filter) {
        Ok(listed) => listed,
        Err(code) => return Ok(response.with_error_code(code.code())),
    };
    let pattern = request.transactional_id_pattern.filter(|pattern| !pattern.is_empty());
    let Ok(pattern) = pattern.map(|pattern| whole(&pattern)).transpose() else {
        return Ok(response.with_error_code(ErrorCode::InvalidRegularExpression.code()));
    };
    let is_meant = |listed: &ListedTransaction| {
        let id = &listed.transactional_id;
        pattern.as_ref().is_none_or(|pattern| pattern.is_match(id))
            && context.authorize(Operation::Describe, Resource::TransactionalId(id))
    };
    let states = listed.into_iter().filter(is_meant).map(|listed| {
        TransactionState::default()
            .with_transactional_id(TransactionalId(listed.transactional_id))
            .with_producer_id(ProducerId(listed.producer_id))
            .with_transaction_state(listed.state.name().into())
    });
    Ok(response.with_unknown_state_filters(unknown).with_transaction_states(states.collect()))
}

/// The expression as it matches whole ids. Unlike Kafka without look-around and back references
/// (docs/decisions/0432).
fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    // Alone it must be one, too: a parenthesis of its own must not close ours.
    Regex::new(pattern)?;
    Regex::new(&format!(r"\A(?:{pattern})\z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_matches_whole_ids() {
        for (pattern, id, is_match) in [
            ("my-.*", "my-transaction", true),
            ("my", "my-transaction", false),
            ("a|ab", "ab", true),
            ("[0-9]+", "17", true),
            ("[0-9]+", "17\n", false),
        ] {
            assert_eq!(whole(pattern).unwrap().is_match(id), is_match, "{pattern} {id:?}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for pattern in ["(", "a)(b", "[", "*"] {
            assert!(whole(pattern).is_err(), "{pattern}");
        }
    }
}

//! The rows of transactions.

use protocol::api::ApiKey;
use protocol::messages::*;

use super::cases::{CLUSTER, GROUP, Sample, TOPIC, TRANSACTIONAL_ID, topic};
use super::{Case, case};
use crate::requests::api_error::text;

pub(super) fn transaction_cases() -> Vec<Case> {
    let write: &[&str] = &["Write transactional id x"];
    vec![
        add_partitions().asks(write).gets(&[TRANSACTIONAL_ID]).until(3),
        add_partitions()
            .granted(write)
            .asks(&["Write transactional id x", "Write topic t"])
            .gets(&[TOPIC])
            .until(3),
        add_partitions().asks(&["ClusterAction cluster"]).gets(&[CLUSTER]).since(4),
        add_offsets().asks(write).gets(&[TRANSACTIONAL_ID]),
        add_offsets()
            .granted(write)
            .asks(&["Write transactional id x", "Read group g"])
            .gets(&[GROUP]),
        case(
            ApiKey::EndTxn,
            |_, _| EndTxnRequest::default().with_transactional_id(id()),
            |_, response: EndTxnResponse| vec![response.error_code],
        )
        .asks(write)
        .gets(&[TRANSACTIONAL_ID]),
        case(
            ApiKey::DescribeTransactions,
            |_, _| DescribeTransactionsRequest::default().with_transactional_ids(vec![id()]),
            |_, response: DescribeTransactionsResponse| {
                response.transaction_states.iter().map(|state| state.error_code).collect()
            },
        )
        .asks(&["Describe transactional id x"])
        .gets(&[TRANSACTIONAL_ID]),
        // It asks of each id that there is, and here is none.
        case(
            ApiKey::ListTransactions,
            |_, _| ListTransactionsRequest::default(),
            |_, response: ListTransactionsResponse| vec![response.error_code],
        )
        .gets(&[0]),
    ]
}

fn id() -> TransactionalId {
    TransactionalId(text("x"))
}

fn add_partitions() -> Case {
    use add_partitions_to_txn_request::{AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction};
    let request = |version, _: &Sample| {
        let topics =
            vec![AddPartitionsToTxnTopic::default().with_name(topic()).with_partitions(vec![0])];
        let request = AddPartitionsToTxnRequest::default();
        if version < 4 {
            return request
                .with_v3_and_below_transactional_id(id())
                .with_v3_and_below_topics(topics);
        }
        let transaction = AddPartitionsToTxnTransaction::default()
            .with_transactional_id(id())
            .with_topics(topics);
        request.with_transactions(vec![transaction])
    };
    case(ApiKey::AddPartitionsToTxn, request, |version, response: AddPartitionsToTxnResponse| {
        if version >= 4 {
            return vec![response.error_code];
        }
        let topics = response.results_by_topic_v3_and_below.into_iter();
        let partitions = topics.flat_map(|topic| topic.results_by_partition);
        partitions.map(|partition| partition.partition_error_code).collect()
    })
}

fn add_offsets() -> Case {
    let request = |_, _: &Sample| {
        AddOffsetsToTxnRequest::default()
            .with_transactional_id(id())
            .with_group_id(GroupId(text("g")))
    };
    case(ApiKey::AddOffsetsToTxn, request, |_, response: AddOffsetsToTxnResponse| {
        vec![response.error_code]
    })
}

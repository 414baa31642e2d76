//! Producers and their transactions.

use protocol::messages::*;

use super::question::{Row, row, row_told, text};
use crate::topic::name;

pub(super) fn rows() -> Vec<Row> {
    [begun(), ended()].into_iter().flatten().collect()
}

fn begun() -> Vec<Row> {
    vec![
        row_told(
            "InitProducerId",
            4,
            &["IdempotentWrite cluster", "Write topic any"],
            |_| {
                InitProducerIdRequest::default()
                    .with_transactional_id(None)
                    .with_producer_id(ProducerId(-1))
                    .with_producer_epoch(-1)
            },
            |answer| format!("{}", answer.error_code),
        ),
        row_told(
            "InitProducerId of a transaction",
            4,
            &["Write transactional-id y", "Describe transactional-id y"],
            |_| {
                InitProducerIdRequest::default()
                    .with_transactional_id(Some(TransactionalId(text("y"))))
                    .with_transaction_timeout_ms(60_000)
                    .with_producer_id(ProducerId(-1))
                    .with_producer_epoch(-1)
            },
            |answer| format!("{}", answer.error_code),
        ),
        row("AddPartitionsToTxn", 3, &["Write transactional-id x", "Write topic t"], |_| {
            let topic = |topic| {
                add_partitions_to_txn_request::AddPartitionsToTxnTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![0])
            };
            AddPartitionsToTxnRequest::default()
                .with_v3_and_below_transactional_id(transactional_id())
                .with_v3_and_below_producer_id(ProducerId(77))
                .with_v3_and_below_topics(vec![topic("t")])
        }),
        row("AddPartitionsToTxn of brokers", 5, &["ClusterAction cluster"], |_| {
            let topic = add_partitions_to_txn_request::AddPartitionsToTxnTopic::default()
                .with_name(name("none"))
                .with_partitions(vec![0]);
            let transaction =
                add_partitions_to_txn_request::AddPartitionsToTxnTransaction::default()
                    .with_transactional_id(transactional_id())
                    .with_topics(vec![topic]);
            AddPartitionsToTxnRequest::default().with_transactions(vec![transaction])
        }),
        row("AddOffsetsToTxn", 4, &["Write transactional-id x", "Read group g"], |_| {
            AddOffsetsToTxnRequest::default()
                .with_transactional_id(transactional_id())
                .with_producer_id(ProducerId(77))
                .with_group_id(group())
        }),
        row("EndTxn", 4, &["Write transactional-id x"], |_| {
            EndTxnRequest::default()
                .with_transactional_id(transactional_id())
                .with_producer_id(ProducerId(77))
        }),
    ]
}

fn ended() -> Vec<Row> {
    vec![
        row(
            "TxnOffsetCommit",
            3,
            &["Write transactional-id x", "Read group g", "Read topic none"],
            |_| {
                use txn_offset_commit_request::{
                    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
                };
                let topic = TxnOffsetCommitRequestTopic::default()
                    .with_name(name("none"))
                    .with_partitions(vec![TxnOffsetCommitRequestPartition::default()]);
                TxnOffsetCommitRequest::default()
                    .with_transactional_id(transactional_id())
                    .with_group_id(group())
                    .with_topics(vec![topic])
            },
        ),
        row("WriteTxnMarkers", 1, &["Alter cluster", "ClusterAction cluster"], |_| {
            use write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
            let topic = WritableTxnMarkerTopic { name: name("none"), partition_indexes: vec![0] };
            WriteTxnMarkersRequest {
                markers: vec![WritableTxnMarker { topics: vec![topic], ..Default::default() }],
            }
        }),
        row("DescribeTransactions", 0, &["Describe transactional-id none"], |_| {
            DescribeTransactionsRequest::default()
                .with_transactional_ids(vec![TransactionalId(text("none"))])
        }),
        row_told(
            "ListTransactions",
            1,
            &["Describe transactional-id x", "Describe cluster"],
            |_| ListTransactionsRequest::default(),
            |answer| {
                format!(
                    "{:?}",
                    answer
                        .transaction_states
                        .iter()
                        .map(|state| &state.transactional_id)
                        .collect::<Vec<_>>()
                )
            },
        ),
    ]
}

fn group() -> GroupId {
    GroupId(text("g"))
}

fn transactional_id() -> TransactionalId {
    TransactionalId(text("x"))
}

//! Requests of producers' transactions.
//!
//! Field by field as Kafka 4.3's schemas have them; compared by the test `shape_equals_schemas`.

use super::super::table::{
    Shape, array, boolean, int16, int32, int32s, int64, int64s, request, string, strings,
};

#[rustfmt::skip]
pub(super) static INIT_PRODUCER_ID: Shape = request(0, 6, 2, &[
    string("TransactionalId").nullable(0),
    int32("TransactionTimeoutMs"),
    int64("ProducerId").from(3),
    int16("ProducerEpoch").from(3),
    boolean("Enable2Pc").from(6),
    boolean("KeepPreparedTxn").from(6),
]);

#[rustfmt::skip]
pub(super) static ADD_PARTITIONS_TO_TXN: Shape = {
    use crate::messages::add_partitions_to_txn_request::*;
    request(0, 5, 3, &[
        array("Transactions", size_of::<AddPartitionsToTxnTransaction>(), &[
            string("TransactionalId").from(4),
            int64("ProducerId").from(4),
            int16("ProducerEpoch").from(4),
            boolean("VerifyOnly").from(4),
            array("Topics", size_of::<AddPartitionsToTxnTopic>(), &[
                string("Name"),
                int32s("Partitions"),
            ]).from(4),
        ]).from(4),
        string("V3AndBelowTransactionalId").to(3),
        int64("V3AndBelowProducerId").to(3),
        int16("V3AndBelowProducerEpoch").to(3),
        array("V3AndBelowTopics", size_of::<AddPartitionsToTxnTopic>(), &[
            string("Name"),
            int32s("Partitions"),
        ]).to(3),
    ])
};

#[rustfmt::skip]
pub(super) static ADD_OFFSETS_TO_TXN: Shape = request(0, 4, 3, &[
    string("TransactionalId"),
    int64("ProducerId"),
    int16("ProducerEpoch"),
    string("GroupId"),
]);

#[rustfmt::skip]
pub(super) static END_TXN: Shape = request(0, 5, 3, &[
    string("TransactionalId"),
    int64("ProducerId"),
    int16("ProducerEpoch"),
    boolean("Committed"),
]);

#[rustfmt::skip]
pub(super) static TXN_OFFSET_COMMIT: Shape = {
    use crate::messages::txn_offset_commit_request::*;
    request(0, 5, 3, &[
        string("TransactionalId"),
        string("GroupId"),
        int64("ProducerId"),
        int16("ProducerEpoch"),
        int32("GenerationId").from(3),
        string("MemberId").from(3),
        string("GroupInstanceId").from(3).nullable(3),
        array("Topics", size_of::<TxnOffsetCommitRequestTopic>(), &[
            string("Name"),
            array("Partitions", size_of::<TxnOffsetCommitRequestPartition>(), &[
                int32("PartitionIndex"),
                int64("CommittedOffset"),
                int32("CommittedLeaderEpoch").from(2),
                string("CommittedMetadata").nullable(0),
            ]),
        ]),
    ])
};

#[rustfmt::skip]
pub(super) static DESCRIBE_TRANSACTIONS: Shape = request(0, 0, 0, &[
    strings("TransactionalIds"),
]);

#[rustfmt::skip]
pub(super) static LIST_TRANSACTIONS: Shape = request(0, 2, 0, &[
    strings("StateFilters"),
    int64s("ProducerIdFilters"),
    int64("DurationFilter").from(1),
    string("TransactionalIdPattern").from(2).nullable(2),
]);

#[rustfmt::skip]
pub(super) static ALLOCATE_PRODUCER_IDS: Shape = request(0, 0, 0, &[
    int32("BrokerId"),
    int64("BrokerEpoch"),
]);

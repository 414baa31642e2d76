//! The records of `__transaction_state`, read and written as stock Kafka wrote them.

use super::super::group::tests::stock_bytes;
use super::*;

fn ongoing(version: i16) -> TransactionLogValue {
    let flexible = version >= 1;
    TransactionLogValue {
        producer_id: 4000,
        previous_producer_id: if flexible { 3999 } else { -1 },
        next_producer_id: if flexible { 4001 } else { -1 },
        producer_epoch: 2,
        next_producer_epoch: if flexible { 0 } else { -1 },
        timeout_ms: 60_000,
        status: 1,
        topics: Some(vec![TransactionTopic {
            topic: StrBytes::from_static_str("t"),
            partitions: vec![0, 3],
            ..TransactionTopic::default()
        }]),
        last_update_timestamp_ms: 10,
        start_timestamp_ms: 9,
        client_transaction_version: if flexible { 2 } else { 0 },
        ..TransactionLogValue::default()
    }
}

#[test]
fn every_version_of_a_transaction_is_read_and_written_as_stock_does() {
    let key = stock_bytes("transaction_key");
    assert_eq!(TransactionRecord::key_bytes("tx-1"), key);
    for version in 0..=1 {
        let bytes = stock_bytes(&format!("transaction_value_v{version}"));
        assert_eq!(
            TransactionRecord::read(Some(&key), Some(&bytes)),
            Ok(TransactionRecord::Transaction {
                transactional_id: StrBytes::from_static_str("tx-1"),
                value: Some(ongoing(version)),
            }),
        );
        assert_eq!(ongoing(version).write(version), bytes, "version {version}");
    }
}

#[test]
fn a_transaction_without_partitions_keeps_its_null() {
    let bytes = stock_bytes("transaction_value_empty");
    let value = TransactionLogValue::read(&bytes).unwrap();
    assert_eq!(value.topics, None);
    assert_eq!(value.write(1), bytes);
}

#[test]
fn cut_bytes_are_an_error_and_never_a_panic() {
    let bytes = stock_bytes("transaction_value_v1");
    for cut in 0..bytes.len() {
        assert!(TransactionLogValue::read(&bytes[..cut]).is_err(), "value at {cut}");
    }
    assert_eq!(TransactionRecord::read(None, None), Err(TransactionRecordError::NoKey));
}

#[test]
fn an_unknown_version_is_refused_and_an_unknown_key_type_is_named() {
    assert_eq!(
        TransactionLogValue::read(&[0, 2, 0, 0]),
        Err(TransactionRecordError::ValueVersion(2)),
    );
    assert_eq!(
        TransactionRecord::read(Some(&[0, 1, 0, 0]), None),
        Ok(TransactionRecord::Unknown { record_type: 1 }),
    );
}

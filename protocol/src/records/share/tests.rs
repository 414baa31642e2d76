//! The records of `__share_group_state`, read and written as stock Kafka wrote them.

use super::*;

/// Bytes that stock Kafka 4.3.1 wrote, by name.
fn stock_bytes(name: &str) -> Vec<u8> {
    let line = include_str!("stock_bytes.txt")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no stock bytes named {name}"));
    (0..line.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
        .collect()
}

fn key() -> ShareRecordKey {
    ShareRecordKey {
        group_id: StrBytes::from_static_str("g"),
        topic_id: Uuid::from_u64_pair(1, 2),
        partition: 3,
    }
}

fn batch(delivery_state: i8, delivery_count: i16) -> ShareStateBatch {
    ShareStateBatch {
        first_offset: 9,
        last_offset: 10,
        delivery_state,
        delivery_count,
        ..ShareStateBatch::default()
    }
}

fn plain_snapshot() -> ShareSnapshotValue {
    ShareSnapshotValue {
        snapshot_epoch: 0,
        state_epoch: 0,
        leader_epoch: 0,
        start_offset: -1,
        delivery_complete_count: -1,
        create_timestamp_ms: 0,
        write_timestamp_ms: 0,
        batches: Vec::new(),
        unknown_tagged_fields: TaggedFields::new(),
    }
}

fn snapshot() -> ShareSnapshotValue {
    ShareSnapshotValue {
        snapshot_epoch: 4,
        state_epoch: 5,
        leader_epoch: 6,
        start_offset: 7,
        delivery_complete_count: 8,
        create_timestamp_ms: 1_700_000_000_000,
        write_timestamp_ms: 1_700_000_000_001,
        batches: vec![batch(2, 1)],
        unknown_tagged_fields: TaggedFields::new(),
    }
}

fn update() -> ShareUpdateValue {
    ShareUpdateValue {
        snapshot_epoch: 4,
        leader_epoch: 6,
        start_offset: 7,
        delivery_complete_count: 8,
        batches: vec![batch(4, 5)],
        unknown_tagged_fields: TaggedFields::new(),
    }
}

fn plain_update() -> ShareUpdateValue {
    ShareUpdateValue {
        snapshot_epoch: 0,
        leader_epoch: 0,
        start_offset: -1,
        delivery_complete_count: -1,
        batches: Vec::new(),
        unknown_tagged_fields: TaggedFields::new(),
    }
}

#[test]
fn every_record_is_read_and_written_as_stock_does() {
    let (snapshots, updates) = ("snapshot_key", "update_key");
    for (key_name, value_name, record) in [
        (
            snapshots,
            Some("snapshot_value"),
            ShareRecord::Snapshot { key: key(), value: Some(snapshot()) },
        ),
        (
            snapshots,
            Some("snapshot_value_plain"),
            ShareRecord::Snapshot { key: key(), value: Some(plain_snapshot()) },
        ),
        (snapshots, None, ShareRecord::Snapshot { key: key(), value: None }),
        (updates, Some("update_value"), ShareRecord::Update { key: key(), value: Some(update()) }),
        (
            updates,
            Some("update_value_plain"),
            ShareRecord::Update { key: key(), value: Some(plain_update()) },
        ),
    ] {
        let key = stock_bytes(key_name);
        let value = value_name.map(stock_bytes);
        assert_eq!(ShareRecord::read(Some(&key), value.as_deref()), Ok(record.clone()));
        let (written_key, written_value) = record.write().expect("a record to write");
        assert_eq!(written_key, key, "{key_name}");
        assert_eq!(written_value.as_deref(), value.as_deref(), "{value_name:?}");
    }
}

#[test]
fn what_a_later_schema_tags_is_kept() {
    let mut value = snapshot();
    value.unknown_tagged_fields.insert(9, Bytes::from_static(&[1, 2]));
    let record = ShareRecord::Snapshot { key: key(), value: Some(value) };
    let (key, value) = record.write().expect("a record to write");
    assert_eq!(ShareRecord::read(Some(&key), value.as_deref()), Ok(record));
}

#[test]
fn cut_bytes_are_an_error_and_never_a_panic() {
    for (key, value) in [("snapshot_key", "snapshot_value"), ("update_key", "update_value")]
        .map(|(key, value)| (stock_bytes(key), stock_bytes(value)))
    {
        for cut in 0..value.len() {
            let read = ShareRecord::read(Some(&key), Some(&value[..cut]));
            assert!(read.is_err(), "value at {cut}");
        }
        for cut in 0..key.len() {
            let read = ShareRecord::read(Some(&key[..cut]), Some(&value));
            assert!(read.is_err(), "key at {cut}");
        }
    }
    assert_eq!(ShareRecord::read(None, None), Err(ShareRecordError::NoKey));
}

#[test]
fn an_unknown_version_is_refused_and_an_unknown_key_type_is_named() {
    let key = stock_bytes("update_key");
    assert_eq!(
        ShareRecord::read(Some(&key), Some(&[0, 1])),
        Err(ShareRecordError::ValueVersion { record_type: 1, version: 1 }),
    );
    assert_eq!(
        ShareRecord::read(Some(&[0, 2, 0]), None),
        Ok(ShareRecord::Unknown { record_type: 2 }),
    );
}

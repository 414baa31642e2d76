//! Golden bytes are a stock 4.1.0 node's own log (its repeated no-op batches left out) and
//! snapshot, after topics, configurations, ACLs, quotas, SCRAM users and a controlled shutdown.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use super::*;
use crate::batch;
use crate::records::control::ControlRecord;

const STOCK_LOG: &[u8] = include_bytes!("../../../fixtures/stock-4.1-metadata.log");
const STOCK_SNAPSHOT: &[u8] = include_bytes!("../../../fixtures/stock-4.1-metadata.checkpoint");

#[test]
fn every_record_a_stock_node_wrote_is_written_back_byte_for_byte() {
    let mut names = std::collections::BTreeSet::new();
    let mut controls = 0;
    for fixture in [STOCK_LOG, STOCK_SNAPSHOT] {
        for view in batch::batches(fixture) {
            let view = view.unwrap();
            for record in view.records().unwrap() {
                let record = record.unwrap();
                let value = record.value.unwrap();
                if view.is_control() {
                    let key = record.key.unwrap();
                    let decoded = ControlRecord::decode(key, value).unwrap();
                    let (key_again, value_again) = decoded.encode();
                    assert_eq!((key, value), (&key_again[..], &value_again[..]), "{decoded:?}");
                    controls += 1;
                } else {
                    let (decoded, version) = MetadataRecord::decode(value).unwrap();
                    assert_eq!(decoded.encode(version).unwrap(), value, "{decoded:?}");
                    names.insert(decoded.name());
                }
            }
        }
    }
    assert_eq!(controls, 3);
    assert_eq!(names.len(), 15, "{names:?}");
}

#[test]
fn a_known_record_has_the_known_bytes() {
    let record = FeatureLevelRecord {
        name: StrBytes::from_static_str("metadata.version"),
        feature_level: 27,
        ..Default::default()
    };
    let bytes = MetadataRecord::from(record).encode(0).unwrap();
    assert_eq!(&bytes[..], b"\x01\x0c\x00\x11metadata.version\x00\x1b\x00");
}

#[test]
fn every_type_reads_back_as_it_was_written() {
    for record in samples() {
        let version = record.max_version();
        let bytes = record.encode(version).unwrap();
        assert_eq!(MetadataRecord::decode(&bytes).unwrap(), (record, version));
    }
}

#[test]
fn the_samples_hold_every_type_of_the_table() {
    let mut keys: Vec<u32> = samples().iter().map(MetadataRecord::key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys, MetadataRecord::TYPES.iter().map(|known| known.0).collect::<Vec<_>>());
    assert_eq!(keys.len(), 26);
}

#[test]
fn a_cut_record_is_an_error_and_never_a_panic() {
    for record in samples() {
        let bytes = record.encode(record.max_version()).unwrap();
        for cut in 0..bytes.len() {
            assert!(MetadataRecord::decode(&bytes[..cut]).is_err(), "{record:?} at {cut}");
        }
        let longer = [&bytes[..], b"\0"].concat();
        assert!(matches!(
            MetadataRecord::decode(&longer),
            Err(MetadataRecordError::TrailingBytes { left: 1, .. })
        ));
    }
}

#[test]
fn flipped_bytes_never_panic() {
    for record in samples() {
        let bytes = record.encode(record.max_version()).unwrap();
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut garbled = bytes.to_vec();
                garbled[at] ^= flip;
                if let Ok((record, version)) = MetadataRecord::decode(&garbled) {
                    record.encode(version).unwrap();
                }
            }
        }
    }
}

#[test]
fn what_is_not_known_is_named() {
    for (bytes, wanted) in [
        (&b"\x00\x02\x00"[..], "a metadata record has frame version 0, only 1 is known"),
        (b"\x01\x63\x00", "a metadata record has the unknown type 99 (version 0)"),
        (b"\x01\x06\x00", "a metadata record has the unknown type 6 (version 0)"),
        (b"\x01\x02\x09", "TopicRecord has version 9, known are 0 to 0"),
        (b"\x01", "the head of a metadata record is broken: 1 byte(s) wanted, 0 left"),
        (
            b"\x01\x0e\x00\xff\xff\xff\xff\x0f",
            "ClientQuotaRecord (version 0) is broken: \
             an array announces 4294967294 element(s), 0 byte(s) are left",
        ),
        (
            b"\x01\x02\x00\x00",
            "TopicRecord (version 0) is broken: a field that is not nullable was null",
        ),
    ] {
        assert_eq!(MetadataRecord::decode(bytes).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn tagged_fields_of_a_later_schema_survive() {
    let mut record = TopicRecord::default();
    record.unknown_tagged_fields.insert(7, Bytes::from_static(b"later"));
    let mut change = PartitionChangeRecord { leader: 3, ..Default::default() };
    change.unknown_tagged_fields.insert(0x4000, Bytes::from_static(b"much later"));
    for record in [MetadataRecord::from(record), change.into()] {
        let bytes = record.encode(0).unwrap();
        assert_eq!(MetadataRecord::decode(&bytes).unwrap().0, record);
    }
}

#[test]
fn a_version_without_a_place_for_a_value_is_refused() {
    let record = MetadataRecord::from(PartitionRecord {
        directories: vec![Uuid::from_u128(1)],
        ..Default::default()
    });
    assert_eq!(
        record.encode(0).unwrap_err().to_string(),
        "PartitionRecord (version 0) is broken: version 0 cannot carry a value for directories"
    );
    assert!(record.encode(1).is_ok());
    assert!(record.encode(3).is_err());
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

/// One record of each type with every field set, and of those with nullable fields one without.
fn samples() -> Vec<MetadataRecord> {
    [cluster_samples(), log_samples(), topic_samples(), setting_samples(), security_samples()]
        .concat()
}

fn cluster_samples() -> Vec<MetadataRecord> {
    let end_points = vec![RegisteredEndpoint {
        name: text("PLAINTEXT"),
        host: text("localhost"),
        port: 9092,
        security_protocol: 1,
        ..Default::default()
    }];
    let features = vec![RegisteredFeature {
        name: text("metadata.version"),
        min_supported_version: 7,
        max_supported_version: 27,
        ..Default::default()
    }];
    vec![
        RegisterBrokerRecord {
            broker_id: 1,
            is_migrating_zk_broker: true,
            incarnation_id: Uuid::from_u128(2),
            broker_epoch: 3,
            end_points: end_points.clone(),
            features: features.clone(),
            rack: Some(text("a")),
            fenced: false,
            in_controlled_shutdown: true,
            log_dirs: vec![Uuid::from_u128(4), Uuid::from_u128(5)],
            cordoned_log_dirs: Some(vec![Uuid::from_u128(5)]),
            ..Default::default()
        }
        .into(),
        RegisterBrokerRecord::default().into(),
        RegisterControllerRecord {
            controller_id: 1,
            incarnation_id: Uuid::from_u128(2),
            zk_migration_ready: true,
            end_points,
            features,
            ..Default::default()
        }
        .into(),
    ]
}

fn log_samples() -> Vec<MetadataRecord> {
    vec![
        UnregisterBrokerRecord { broker_id: 1, broker_epoch: 2, ..Default::default() }.into(),
        FenceBrokerRecord { id: 1, epoch: 2, ..Default::default() }.into(),
        UnfenceBrokerRecord { id: 1, epoch: 2, ..Default::default() }.into(),
        BrokerRegistrationChangeRecord {
            broker_id: 1,
            broker_epoch: 2,
            fenced: -1,
            in_controlled_shutdown: 1,
            log_dirs: vec![Uuid::from_u128(4)],
            cordoned_log_dirs: Some(Vec::new()),
            ..Default::default()
        }
        .into(),
        FeatureLevelRecord { name: text("f"), feature_level: 1, ..Default::default() }.into(),
        ProducerIdsRecord {
            broker_id: 1,
            broker_epoch: 2,
            next_producer_id: 1000,
            ..Default::default()
        }
        .into(),
        NoOpRecord::default().into(),
        ZkMigrationStateRecord { zk_migration_state: 2, ..Default::default() }.into(),
        BeginTransactionRecord { name: Some(text("x")), ..Default::default() }.into(),
        BeginTransactionRecord::default().into(),
        EndTransactionRecord::default().into(),
        AbortTransactionRecord { reason: Some(text("y")), ..Default::default() }.into(),
    ]
}

fn topic_samples() -> Vec<MetadataRecord> {
    let topic_id = Uuid::from_u128(77);
    vec![
        TopicRecord { name: text("orders"), topic_id, ..Default::default() }.into(),
        RemoveTopicRecord { topic_id, ..Default::default() }.into(),
        PartitionRecord {
            partition_id: 300,
            topic_id,
            replicas: vec![1, 2, 3],
            isr: vec![1],
            removing_replicas: vec![2],
            adding_replicas: vec![3],
            leader: 1,
            leader_recovery_state: 1,
            leader_epoch: 4,
            partition_epoch: 5,
            directories: vec![Uuid::from_u128(1); 3],
            eligible_leader_replicas: Some(vec![2]),
            last_known_elr: Some(vec![]),
            ..Default::default()
        }
        .into(),
        PartitionRecord::default().into(),
        PartitionChangeRecord {
            partition_id: 300,
            topic_id,
            isr: Some(vec![1]),
            leader: -1,
            replicas: Some(vec![1, 2]),
            removing_replicas: Some(vec![]),
            adding_replicas: Some(vec![2]),
            leader_recovery_state: 0,
            eligible_leader_replicas: Some(vec![]),
            last_known_elr: Some(vec![1]),
            directories: Some(vec![Uuid::from_u128(1)]),
            ..Default::default()
        }
        .into(),
        PartitionChangeRecord::default().into(),
        ClearElrRecord { topic_name: text("orders"), ..Default::default() }.into(),
    ]
}

fn setting_samples() -> Vec<MetadataRecord> {
    let name = text("alice");
    let entity =
        |entity_name| QuotaEntity { entity_type: text("user"), entity_name, ..Default::default() };
    vec![
        ConfigRecord {
            resource_type: 2,
            resource_name: text("orders"),
            name: text("retention.ms"),
            value: Some(text("1")),
            ..Default::default()
        }
        .into(),
        ConfigRecord::default().into(),
        ClientQuotaRecord {
            entity: vec![entity(None), entity(Some(name.clone()))],
            key: text("producer_byte_rate"),
            value: 1000.5,
            remove: true,
            ..Default::default()
        }
        .into(),
    ]
}

fn security_samples() -> Vec<MetadataRecord> {
    let name = text("alice");
    vec![
        AccessControlEntryRecord {
            id: Uuid::from_u128(6),
            resource_type: 2,
            resource_name: text("orders"),
            pattern_type: 3,
            principal: text("User:alice"),
            host: text("*"),
            operation: 3,
            permission_type: 3,
            ..Default::default()
        }
        .into(),
        RemoveAccessControlEntryRecord { id: Uuid::from_u128(6), ..Default::default() }.into(),
        UserScramCredentialRecord {
            name: name.clone(),
            mechanism: 1,
            salt: Bytes::from_static(b"salt"),
            stored_key: Bytes::from_static(b"stored"),
            server_key: Bytes::from_static(b"server"),
            iterations: 4096,
            ..Default::default()
        }
        .into(),
        RemoveUserScramCredentialRecord { name: name.clone(), mechanism: 1, ..Default::default() }
            .into(),
        DelegationTokenRecord {
            owner: text("User:alice"),
            requester: text("User:bob"),
            renewers: vec![text("User:carol")],
            issue_timestamp: 1,
            max_timestamp: 2,
            expiration_timestamp: 3,
            token_id: text("t"),
            ..Default::default()
        }
        .into(),
        RemoveDelegationTokenRecord { token_id: text("t"), ..Default::default() }.into(),
    ]
}

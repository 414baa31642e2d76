//! The table, and records that it reads.

use bytes::{BufMut, Bytes, BytesMut};

use super::schema::{read, schemas};
use super::{Coordinator, Json, JsonError, Message, coordinator, metadata};

#[test]
fn every_line_of_the_table_is_understood() {
    let table = include_str!("schemas-4.3.1.txt");
    let records = table.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(schemas().len(), records);
    fn count(fields: &[super::schema::Field]) -> usize {
        fields.iter().map(|field| 1 + count(&field.fields)).sum()
    }
    let fields: usize = schemas().iter().map(|schema| count(&schema.fields)).sum();
    assert_eq!(fields + records, table.lines().count());
    assert_eq!(read("metadata 0 A 0 flexible 0+\nnonsense\nmetadata 1 B 0 flexible 0+").len(), 1);
}

#[test]
fn records_of_the_metadata_are_shown_field_by_field() {
    // Frame 1, type 12 (FeatureLevelRecord), version 0.
    let value = b"\x01\x0c\x00\x11metadata.version\x00\x1d\x00";
    let (record, version, json) = metadata(value).unwrap();
    assert_eq!((record.as_str(), version), ("FEATURE_LEVEL_RECORD", 0));
    assert_eq!(json.to_string(), r#"{"name":"metadata.version","featureLevel":29}"#);
    let faults: [(&[u8], &str); 7] = [
        (b"", "Error while reading frame version"),
        (
            b"\x00",
            "Could not deserialize metadata record with frame version 0. Note that \
                   upgrades from the preview release of KRaft in 2.8 to newer versions are not \
                   supported.",
        ),
        (
            b"\x02",
            "Could not deserialize metadata record due to unknown frame version 2(only \
                   frame version 1 is supported)",
        ),
        (b"\x01\xff\xff\x7f", "Value for type was too large."),
        (
            b"\x01\x63\x00",
            "org.apache.kafka.common.errors.UnsupportedVersionException: Unknown \
                           metadata id 99",
        ),
        (b"\x01\x0c\x00\x11met", "Failed to deserialize record with type 12"),
        (b"\x01\x0c\x00\x02m\x00\x1d\x00\x00", "Found 1 byte(s) of garbage after 12"),
    ];
    for (value, words) in faults {
        assert_eq!(metadata(value).unwrap_err().to_string(), words);
    }
}

#[test]
fn tagged_fields_are_shown_where_they_say_something() {
    // PartitionChangeRecord version 0: partition, topic, and tags 0 (isr) and 1 (leader).
    let mut value = BytesMut::from(&b"\x01\x05\x00"[..]);
    value.put_i32(3);
    value.put_u128(1);
    value.extend_from_slice(b"\x02\x00\x05\x02\0\0\0\x07\x01\x04\xff\xff\xff\xfe");
    let (_, _, json) = metadata(&value).unwrap();
    let expected = r#"{"partitionId":3,"topicId":"AAAAAAAAAAAAAAAAAAAAAQ","isr":[7]}"#;
    assert_eq!(json.to_string(), expected, "leader -2 is what stands for none");
}

#[test]
fn offsets_of_a_group_have_a_key_and_a_value() {
    let key = b"\x00\x01\x00\x01g\x00\x01t\x00\x00\x00\x02";
    let mut value = BytesMut::from(&b"\x00\x03"[..]);
    value.put_i64(5);
    value.put_i32(-1);
    value.extend_from_slice(b"\x00\x00");
    value.put_i64(9);
    let record = coordinator(Coordinator::Group, key, Some(&value)).unwrap();
    assert_eq!(record.record_type, 1);
    assert_eq!(record.key.to_string(), r#"{"group":"g","topic":"t","partition":2}"#);
    let expected = r#"{"offset":5,"leaderEpoch":-1,"metadata":"","commitTimestamp":9}"#;
    assert_eq!(
        record.value.map(|(version, json)| (version, json.to_string())),
        Some((3, expected.to_owned()))
    );
    assert_eq!(coordinator(Coordinator::Group, key, None).unwrap().value, None);
    let faults: [(&[u8], &[u8], &str); 4] = [
        (b"\x00", b"", "Could not read version from key's buffer."),
        (b"\x03\xe7", b"", "Found an unknown record type 999"),
        (key, b"\x00\x63", "Found an unknown record version 99 for 1 type"),
        (
            key,
            b"\x00\x03\x00",
            "Could not read record with version 3 from value's buffer due \
                                to: null.",
        ),
    ];
    for (key, value, words) in faults {
        let error = coordinator(Coordinator::Group, key, Some(value)).unwrap_err();
        assert_eq!(error.to_string(), words);
    }
}

#[test]
fn announced_sizes_are_not_believed() {
    let subscription = b"\x00\x00\x7f\xff\xff\xff";
    let error = Message::ConsumerSubscription.read_prefixed(subscription).unwrap_err();
    assert_eq!(error, JsonError::Collection { announced: 0x7fff_ffff, left: 0 });
    let error = Message::ConsumerSubscription.read_prefixed(b"\x00\x63").unwrap_err();
    assert!(matches!(error, JsonError::Unversioned { version: 99, .. }), "{error}");
    let topics =
        Message::ConsumerSubscription.read_prefixed(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff");
    let json = topics.unwrap();
    assert_eq!(json.to_string(), r#"{"topics":["t"],"userData":null}"#);
    assert_eq!(json.field("userData"), Some(&Json::Null));
    assert_eq!(Json::Bytes(Bytes::new()).to_string(), "\"\"");
}

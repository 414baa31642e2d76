//! The records of `__consumer_offsets`, read and written as stock Kafka wrote them.

use super::*;

/// Bytes that stock Kafka 4.1 wrote, by name.
pub(crate) fn stock_bytes(name: &str) -> Vec<u8> {
    let line = include_str!("stock_bytes.txt")
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("no stock bytes named {name}"));
    (0..line.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap())
        .collect()
}

fn read(key: &str, value: Option<&str>) -> GroupRecord {
    let value = value.map(stock_bytes);
    GroupRecord::read(Some(&stock_bytes(key)), value.as_deref()).unwrap()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn offset_value(version: i16) -> OffsetCommitValue {
    OffsetCommitValue {
        offset: 1_234_567_890_123,
        leader_epoch: if version >= 3 { 5 } else { -1 },
        metadata: text("note"),
        commit_timestamp_ms: 1_700_000_000_000,
        expire_timestamp_ms: if version == 1 { 1_700_000_600_000 } else { -1 },
        topic_id: if version >= 4 {
            uuid::Uuid::from_u128(0x0102_0304_0506_0708_1112_1314_1516_1718)
        } else {
            uuid::Uuid::nil()
        },
        ..OffsetCommitValue::default()
    }
}

fn group_value(version: i16) -> GroupMetadataValue {
    GroupMetadataValue {
        protocol_type: text("consumer"),
        generation: 3,
        protocol: Some(text("range")),
        leader: Some(text("client-1")),
        current_state_timestamp_ms: if version >= 2 { 1_700_000_000_001 } else { -1 },
        members: vec![MemberMetadata {
            member_id: text("client-1"),
            group_instance_id: (version >= 3).then(|| text("instance")),
            client_id: text("client"),
            client_host: text("/127.0.0.1"),
            rebalance_timeout_ms: if version >= 1 { 300_000 } else { -1 },
            session_timeout_ms: 45_000,
            subscription: Bytes::from_static(&[1, 2, 3]),
            assignment: Bytes::from_static(&[4, 5]),
            ..MemberMetadata::default()
        }],
        ..GroupMetadataValue::default()
    }
}

#[test]
fn every_version_of_an_offset_commit_is_read_and_written_as_stock_does() {
    let key = OffsetCommitKey { group: text("group-ä"), topic: text("orders"), partition: 7 };
    for version in 0..=4 {
        let name = format!("offset_value_v{version}");
        let expected = offset_value(version);
        assert_eq!(
            read("offset_key", Some(&name)),
            GroupRecord::OffsetCommit { key: key.clone(), value: Some(expected.clone()) },
        );
        assert_eq!(expected.write(version), stock_bytes(&name), "version {version}");
    }
    assert_eq!(key.to_bytes(), stock_bytes("offset_key"));
    assert_eq!(read("offset_key", None), GroupRecord::OffsetCommit { key, value: None });
}

#[test]
fn a_commit_is_written_in_version_4_unless_it_brings_its_own_retention() {
    let plain =
        OffsetCommitValue { offset: 42, commit_timestamp_ms: 1, ..OffsetCommitValue::default() };
    assert_eq!(plain.to_bytes(), stock_bytes("offset_value_v4_plain"));
    assert_eq!(offset_value(1).to_bytes(), stock_bytes("offset_value_v1"));
}

#[test]
fn a_legacy_commit_has_version_0_only() {
    let GroupRecord::OffsetCommit { key, value: Some(value) } =
        read("legacy_offset_key", Some("legacy_offset_value_v0"))
    else {
        panic!("not an offset commit");
    };
    assert_eq!((key.group.as_str(), key.topic.as_str(), key.partition), ("g", "t", 1));
    assert_eq!((value.offset, value.metadata.as_str(), value.commit_timestamp_ms), (9, "m", 3));
    let newer = stock_bytes("offset_value_v1");
    assert_eq!(
        GroupRecord::read(Some(&stock_bytes("legacy_offset_key")), Some(&newer)),
        Err(GroupRecordError::ValueVersion { record_type: 0, version: 1 }),
    );
}

#[test]
fn every_version_of_a_group_is_read_and_written_as_stock_does() {
    for version in 0..=4 {
        let name = format!("group_value_v{version}");
        let expected = group_value(version);
        assert_eq!(
            read("group_key", Some(&name)),
            GroupRecord::GroupMetadata { group: text("group-ä"), value: Some(expected.clone()) },
        );
        assert_eq!(expected.write(version), stock_bytes(&name), "version {version}");
    }
    let record =
        GroupRecord::GroupMetadata { group: text("group-ä"), value: Some(group_value(3)) };
    let (key, value) = record.to_bytes().unwrap();
    assert_eq!(key, stock_bytes("group_key"));
    assert_eq!(value.unwrap(), stock_bytes("group_value_v3"));
}

#[test]
fn an_empty_group_is_written_as_stock_does() {
    let value =
        GroupMetadataValue { current_state_timestamp_ms: 5, ..GroupMetadataValue::default() };
    assert_eq!(value.to_bytes(), stock_bytes("group_value_empty"));
}

fn assigned(low: u64, partitions: &[i32], epochs: Option<&[i32]>) -> AssignedPartitions {
    AssignedPartitions {
        topic_id: uuid::Uuid::from_u64_pair(1, low),
        partitions: partitions.to_vec(),
        assignment_epochs: epochs.map(<[i32]>::to_vec),
        ..Default::default()
    }
}

fn member_values() -> (ConsumerGroupMemberMetadataValue, ConsumerGroupMemberMetadataValue) {
    let plain = ConsumerGroupMemberMetadataValue {
        client_id: text("c"),
        client_host: text("h"),
        classic_member_metadata: None,
        ..ConsumerGroupMemberMetadataValue::default()
    };
    let classic = ClassicMemberMetadata {
        session_timeout_ms: 45_000,
        supported_protocols: vec![(text("range"), Bytes::from_static(&[1, 2]))],
        ..ClassicMemberMetadata::default()
    };
    let full = ConsumerGroupMemberMetadataValue {
        instance_id: Some(text("i")),
        rack_id: Some(text("r")),
        client_host: text("/127.0.0.1"),
        subscribed_topic_names: vec![text("orders")],
        subscribed_topic_regex: Some(text("")),
        rebalance_timeout_ms: 300_000,
        server_assignor: Some(text("range")),
        classic_member_metadata: Some(classic),
        ..plain.clone()
    };
    (plain, full)
}

fn group_and_member_records() -> Vec<(ConsumerGroupRecord, &'static str)> {
    let (plain, full) = member_values();
    let of_group = |metadata_hash| ConsumerGroupRecord::Group {
        group: text("cg"),
        value: Some(ConsumerGroupMetadataValue { epoch: 5, metadata_hash, ..Default::default() }),
    };
    let of_member = |value| ConsumerGroupRecord::Member {
        group: text("cg"),
        member: text("m"),
        value: Some(value),
    };
    vec![
        (of_group(77), "consumer_group_value"),
        (of_group(0), "consumer_group_value_plain"),
        (of_member(full), "consumer_member_value"),
        (of_member(plain), "consumer_member_value_plain"),
    ]
}

fn assignment_records() -> Vec<(ConsumerGroupRecord, &'static str)> {
    let (group, member) = (text("cg"), text("m"));
    let epoch = TargetAssignmentMetadataValue {
        assignment_epoch: 5,
        assignment_timestamp_ms: 1_700_000_000_000,
        ..Default::default()
    };
    let target = TargetAssignmentMemberValue {
        topic_partitions: vec![assigned(2, &[0, 3], None)],
        ..Default::default()
    };
    let current = CurrentMemberAssignmentValue {
        member_epoch: 5,
        previous_member_epoch: 4,
        state: 1,
        assigned_partitions: vec![assigned(2, &[0, 3], Some(&[4, 5]))],
        partitions_pending_revocation: vec![assigned(3, &[1], None)],
        ..Default::default()
    };
    let matched = RegularExpressionValue {
        topics: vec![text("orders"), text("orders-2")],
        version: 9,
        timestamp_ms: 1_700_000_000_000,
        ..Default::default()
    };
    let of_group =
        ConsumerGroupRecord::TargetAssignment { group: group.clone(), value: Some(epoch) };
    let of_member = ConsumerGroupRecord::TargetAssignmentMember {
        group: group.clone(),
        member: member.clone(),
        value: Some(target),
    };
    let current = ConsumerGroupRecord::CurrentAssignment {
        group: group.clone(),
        member,
        value: Some(current),
    };
    let regular_expression = text("orders.*");
    let matched =
        ConsumerGroupRecord::RegularExpression { group, regular_expression, value: Some(matched) };
    vec![
        (of_group, "consumer_target_value"),
        (of_member, "consumer_target_member_value"),
        (current, "consumer_current_value"),
        (matched, "consumer_regex_value"),
    ]
}

#[test]
fn records_of_consumer_groups_are_read_and_written_as_stock_does() {
    for (record, bytes) in group_and_member_records().into_iter().chain(assignment_records()) {
        let record = GroupRecord::Consumer(record);
        let (key, value) = record.to_bytes().unwrap();
        assert_eq!(value.as_deref(), Some(&stock_bytes(bytes)[..]), "{bytes}");
        assert_eq!(GroupRecord::read(Some(&key), value.as_deref()), Ok(record));
        for cut in 0..value.as_ref().map_or(0, Bytes::len) {
            let cut = value.as_ref().map(|value| &value[..cut]);
            assert!(GroupRecord::read(Some(&key), cut).is_err(), "{bytes} {cut:?}");
        }
    }
}

fn share_group_records() -> Vec<(ShareGroupRecord, &'static str)> {
    let (group, member) = (text("sg"), text("m"));
    let plain = ShareGroupMemberMetadataValue {
        client_id: text("c"),
        client_host: text("h"),
        ..ShareGroupMemberMetadataValue::default()
    };
    let full = ShareGroupMemberMetadataValue {
        rack_id: Some(text("r")),
        client_host: text("/127.0.0.1"),
        subscribed_topic_names: vec![text("bestellungen-ä"), text("orders")],
        ..plain.clone()
    };
    let of_member = |value| ShareGroupRecord::Member {
        group: group.clone(),
        member: member.clone(),
        value: Some(value),
    };
    let metadata = ShareGroupMetadataValue {
        epoch: 5,
        metadata_hash: -77,
        ..ShareGroupMetadataValue::default()
    };
    let target = |assignment_timestamp_ms| {
        let value = TargetAssignmentMetadataValue {
            assignment_epoch: 5,
            assignment_timestamp_ms,
            ..TargetAssignmentMetadataValue::default()
        };
        ShareGroupRecord::TargetAssignment { group: group.clone(), value: Some(value) }
    };
    let to_have = TargetAssignmentMemberValue {
        topic_partitions: vec![assigned(2, &[0, 3], None)],
        ..Default::default()
    };
    let has = ShareGroupCurrentMemberAssignmentValue {
        member_epoch: 5,
        previous_member_epoch: 4,
        state: 0,
        assigned_partitions: vec![assigned(2, &[0, 3], None)],
        ..Default::default()
    };
    vec![
        (of_member(full), "share_member_value"),
        (of_member(plain), "share_member_value_plain"),
        (
            ShareGroupRecord::Group { group: group.clone(), value: Some(metadata) },
            "share_group_value",
        ),
        (target(1_700_000_000_000), "share_target_value"),
        (target(0), "share_target_value_plain"),
        (
            ShareGroupRecord::TargetAssignmentMember {
                group: group.clone(),
                member: member.clone(),
                value: Some(to_have),
            },
            "share_target_member_value",
        ),
        (
            ShareGroupRecord::CurrentAssignment { group: group.clone(), member, value: Some(has) },
            "share_current_value",
        ),
        (
            ShareGroupRecord::StatePartitions { group, value: Some(state_partitions()) },
            "share_state_value",
        ),
    ]
}

fn state_partitions() -> ShareGroupStatePartitionMetadataValue {
    let topic = |low, name: &str, partitions: &[i32]| StatePartitionsOfTopic {
        topic_id: uuid::Uuid::from_u64_pair(1, low),
        topic_name: text(name),
        partitions: partitions.to_vec(),
        ..StatePartitionsOfTopic::default()
    };
    let going = StateTopic {
        topic_id: uuid::Uuid::from_u64_pair(1, 4),
        topic_name: text("<UNKNOWN>"),
        ..StateTopic::default()
    };
    ShareGroupStatePartitionMetadataValue {
        initializing_topics: vec![topic(2, "orders", &[1])],
        initialized_topics: vec![topic(2, "orders", &[0, 3]), topic(3, "events", &[])],
        deleting_topics: vec![going],
        ..ShareGroupStatePartitionMetadataValue::default()
    }
}

#[test]
fn records_of_share_groups_are_read_and_written_as_stock_does() {
    for (record, bytes) in share_group_records() {
        let record = GroupRecord::Share(record);
        let (key, value) = record.to_bytes().unwrap();
        assert_eq!(value.as_deref(), Some(&stock_bytes(bytes)[..]), "{bytes}");
        assert_eq!(GroupRecord::read(Some(&key), value.as_deref()), Ok(record));
        for cut in 0..value.as_ref().map_or(0, Bytes::len) {
            let cut = value.as_ref().map(|value| &value[..cut]);
            assert!(GroupRecord::read(Some(&key), cut).is_err(), "{bytes} {cut:?}");
        }
    }
}

#[test]
fn the_key_of_a_share_group_is_stock_s_and_its_tombstone_names_it() {
    let key = stock_bytes("share_group_key");
    let read = GroupRecord::read(Some(&key), None).unwrap();
    let group = ShareGroupRecord::Group { group: text("sg"), value: None };
    assert_eq!(read, GroupRecord::Share(group.clone()));
    assert_eq!((group.group().as_str(), group.is_tombstone()), ("sg", true));
    assert_eq!(read.to_bytes(), Some((Bytes::from(key), None)));
}

#[test]
fn the_keys_of_a_consumer_group_are_stock_s_and_its_tombstones_name_it() {
    for (key, is_member) in [("consumer_group_key", false), ("consumer_member_key", true)] {
        let key = stock_bytes(key);
        let read = GroupRecord::read(Some(&key), None).unwrap();
        let GroupRecord::Consumer(record) = &read else { panic!("{read:?}") };
        assert_eq!((record.group().as_str(), record.is_tombstone()), ("cg", true));
        assert_eq!(matches!(record, ConsumerGroupRecord::Member { .. }), is_member);
        assert_eq!(read.to_bytes(), Some((Bytes::from(key), None)));
    }
}

#[test]
fn a_type_of_a_later_kafka_is_named_not_refused() {
    let record = GroupRecord::read(Some(&[0, 99, 1, 2]), Some(&[0, 0])).unwrap();
    assert_eq!(record, GroupRecord::Unknown { record_type: 99 });
}

#[test]
fn cut_bytes_are_an_error_and_never_a_panic() {
    for (key, value) in [
        ("offset_key", "offset_value_v1"),
        ("offset_key", "offset_value_v4"),
        ("group_key", "group_value_v3"),
        ("group_key", "group_value_v4"),
    ] {
        let (key, value) = (stock_bytes(key), stock_bytes(value));
        for cut in 0..key.len() {
            assert!(GroupRecord::read(Some(&key[..cut]), Some(&value)).is_err(), "key at {cut}");
        }
        for cut in 0..value.len() {
            assert!(GroupRecord::read(Some(&key), Some(&value[..cut])).is_err(), "value at {cut}");
        }
    }
    assert_eq!(GroupRecord::read(None, None), Err(GroupRecordError::NoKey));
}

#[test]
fn an_array_that_announces_more_than_follows_is_refused_before_it_is_read() {
    let mut value = stock_bytes("group_value_empty");
    let end = value.len();
    value[end - 4..].copy_from_slice(&i32::MAX.to_be_bytes());
    assert_eq!(
        GroupRecord::read(Some(&stock_bytes("group_key")), Some(&value)),
        Err(GroupRecordError::Value {
            record_type: 2,
            cause: FieldError::ArrayTooLong { announced: i32::MAX as usize, left: 0 },
        }),
    );
}

#[test]
fn tagged_fields_of_a_later_schema_survive_a_rewrite() {
    let mut value = offset_value(4);
    value.unknown_tagged_fields.insert(7, Bytes::from_static(b"later"));
    let bytes = value.write(4);
    assert_eq!(OffsetCommitValue::read(1, &bytes).unwrap(), value);
}

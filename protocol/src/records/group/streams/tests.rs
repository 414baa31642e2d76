//! The records of a streams group, read and written as stock Kafka 4.3.1 wrote them
//! (`tests/java/groups/StreamsFacts.java records`).

use super::super::GroupRecord;
use super::super::tests::stock_bytes;
use super::*;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn pair(key: &str, value: &str) -> StreamsKeyValue {
    StreamsKeyValue { key: text(key), value: text(value), ..Default::default() }
}

fn tasks(subtopology: &str, partitions: &[i32], epochs: Option<&[i32]>) -> StreamsTaskIds {
    StreamsTaskIds {
        subtopology_id: text(subtopology),
        partitions: partitions.to_vec(),
        assignment_epochs: epochs.map(<[i32]>::to_vec),
        ..Default::default()
    }
}

fn topic(name: &str, partitions: i32, factor: i16, configs: &[(&str, &str)]) -> StreamsTopicInfo {
    StreamsTopicInfo {
        name: text(name),
        partitions,
        replication_factor: factor,
        topic_configs: configs.iter().map(|(key, value)| pair(key, value)).collect(),
        ..Default::default()
    }
}

fn groups_and_topologies() -> Vec<(StreamsGroupRecord, &'static str)> {
    let group = text("sg");
    let plain = StreamsGroupMetadataValue { epoch: 5, ..Default::default() };
    let full = StreamsGroupMetadataValue {
        metadata_hash: 77,
        validated_topology_epoch: 3,
        last_assignment_configs: Some(vec![pair("num.standby.replicas", "1")]),
        ..plain.clone()
    };
    let target = StreamsTargetAssignmentValue {
        assignment_epoch: 5,
        assignment_timestamp_ms: 1_700_000_000_000,
        ..Default::default()
    };
    let part = StreamsSubtopologyValue {
        subtopology_id: text("0"),
        source_topics: vec![text("words"), text("lines")],
        state_changelog_topics: vec![topic("changelog", 0, 3, &[("cleanup.policy", "compact")])],
        repartition_sink_topics: vec![text("out")],
        repartition_source_topics: vec![topic("again", 4, 0, &[])],
        copartition_groups: vec![StreamsCopartitionGroup {
            source_topics: vec![0],
            repartition_source_topics: vec![0],
            ..Default::default()
        }],
        ..Default::default()
    };
    let topology =
        StreamsTopologyValue { epoch: 2, subtopologies: vec![part], ..Default::default() };
    let of_group = |value| StreamsGroupRecord::Group { group: group.clone(), value: Some(value) };
    vec![
        (of_group(full), "streams_group_value"),
        (of_group(plain), "streams_group_value_plain"),
        (
            StreamsGroupRecord::TargetAssignment { group: group.clone(), value: Some(target) },
            "streams_target_value",
        ),
        (
            StreamsGroupRecord::Topology { group: group.clone(), value: Some(topology) },
            "streams_topology_value",
        ),
    ]
}

fn members() -> Vec<(StreamsGroupRecord, &'static str)> {
    let (group, member) = (text("sg"), text("m"));
    let plain = StreamsMemberMetadataValue {
        client_id: text("c"),
        client_host: text("h"),
        process_id: text("p"),
        ..Default::default()
    };
    let full = StreamsMemberMetadataValue {
        instance_id: Some(text("i")),
        rack_id: Some(text("r")),
        client_host: text("/127.0.0.1"),
        rebalance_timeout_ms: 300_000,
        topology_epoch: 2,
        user_endpoint: Some(StreamsEndpoint {
            host: text("h"),
            port: 65_000,
            ..Default::default()
        }),
        client_tags: vec![pair("zone", "a")],
        ..plain.clone()
    };
    let target = StreamsTargetMemberValue {
        active_tasks: vec![tasks("0", &[0, 3], None)],
        standby_tasks: vec![tasks("1", &[2], None)],
        ..Default::default()
    };
    let current = StreamsCurrentAssignmentValue {
        member_epoch: 5,
        previous_member_epoch: 4,
        state: 2,
        active_tasks: vec![tasks("0", &[0, 3], Some(&[4, 5]))],
        standby_tasks: vec![tasks("1", &[2], None)],
        active_tasks_pending_revocation: vec![tasks("0", &[1], Some(&[4]))],
        ..Default::default()
    };
    let of_member = |value| StreamsGroupRecord::Member {
        group: group.clone(),
        member: member.clone(),
        value: Some(value),
    };
    vec![
        (of_member(full), "streams_member_value"),
        (of_member(plain), "streams_member_value_plain"),
        (
            StreamsGroupRecord::TargetAssignmentMember {
                group: group.clone(),
                member: member.clone(),
                value: Some(target),
            },
            "streams_target_member_value",
        ),
        (
            StreamsGroupRecord::CurrentAssignment {
                group: group.clone(),
                member: member.clone(),
                value: Some(current),
            },
            "streams_current_value",
        ),
    ]
}

#[test]
fn records_of_streams_groups_are_read_and_written_as_stock_does() {
    for (record, bytes) in groups_and_topologies().into_iter().chain(members()) {
        let record = GroupRecord::Streams(record);
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
fn a_tombstone_names_its_group() {
    let key = stock_bytes("streams_group_key");
    let read = GroupRecord::read(Some(&key), None).unwrap();
    let GroupRecord::Streams(record) = &read else { panic!("{read:?}") };
    assert_eq!((record.group().as_str(), record.is_tombstone()), ("st", true));
    assert_eq!(read.to_bytes(), Some((Bytes::from(key), None)));
}

//! Requests that are asked, and answers that are read, against bytes built field by field as the
//! schemas have them.

use crate::messages::describe_share_group_offsets_request as known_request;
use crate::messages::describe_share_group_offsets_response as known;
use crate::messages::streams_group_describe_response::{Assignment, Member, Subtopology, TaskIds};
use crate::messages::{
    DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse, GroupId,
    StreamsGroupDescribeRequest, TopicName,
};

use super::*;
use crate::put;
use crate::wire::Encodable;
use crate::wire::StrBytes;

fn text(out: &mut BytesMut, text: &str) {
    put::string(out, true, text).unwrap();
}

fn int32(out: &mut BytesMut, number: i32) {
    out.extend_from_slice(&number.to_be_bytes());
}

fn name(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

#[test]
fn a_request_for_shares_offsets_asks_for_all_their_topics() {
    let group = |group: &str| known_request::DescribeShareGroupOffsetsRequestGroup {
        group_id: GroupId(name(group)),
        topics: None,
    };
    let asked = DescribeShareGroupOffsetsRequest { groups: vec![group("g"), group("other")] };
    let mut out = BytesMut::new();
    asked.write(&mut out, 1).unwrap();
    assert_eq!(&out[..], b"\x03\x02g\0\0\x06other\0\0\0");
    assert_eq!(DescribeShareGroupOffsetsRequest::decode(&mut out.freeze(), 0).unwrap(), asked);
}

#[test]
fn an_answer_of_version_0_has_no_lag() {
    let partition = known::DescribeShareGroupOffsetsResponsePartition {
        partition_index: 3,
        start_offset: 12,
        leader_epoch: 2,
        error_message: Some(StrBytes::from_static_str("fine")),
        ..Default::default()
    };
    let topic = known::DescribeShareGroupOffsetsResponseTopic {
        topic_name: TopicName(StrBytes::from_static_str("orders")),
        partitions: vec![partition],
        ..Default::default()
    };
    let group = known::DescribeShareGroupOffsetsResponseGroup {
        group_id: GroupId(StrBytes::from_static_str("g")),
        topics: vec![topic],
        ..Default::default()
    };
    let failed = known::DescribeShareGroupOffsetsResponseGroup {
        error_code: 69,
        error_message: Some(StrBytes::from_static_str("gone")),
        ..Default::default()
    };
    let answer =
        DescribeShareGroupOffsetsResponse { groups: vec![group, failed], ..Default::default() };
    let mut out = BytesMut::new();
    answer.encode(&mut out, 0).unwrap();
    let read = <DescribeShareGroupOffsetsRequest as Ask>::read(out.freeze(), 0).unwrap();
    assert_eq!(read, answer);
    let partition = &read.groups[0].topics[0].partitions[0];
    assert_eq!((partition.partition_index, partition.start_offset, partition.lag), (3, 12, -1));
    assert_eq!(
        (read.groups[1].error_code, read.groups[1].error_message.as_deref()),
        (69, Some("gone"))
    );
}

#[test]
fn an_answer_of_version_1_has_the_lag_behind_the_epoch() {
    let mut out = BytesMut::new();
    int32(&mut out, 0);
    put::length(&mut out, true, 1).unwrap();
    text(&mut out, "g");
    put::length(&mut out, true, 1).unwrap();
    text(&mut out, "orders");
    out.extend_from_slice(&[7; 16]);
    put::length(&mut out, true, 1).unwrap();
    int32(&mut out, 4);
    out.extend_from_slice(&9_i64.to_be_bytes());
    int32(&mut out, 2);
    out.extend_from_slice(&33_i64.to_be_bytes());
    // Error and message of the partition, the ends of partition and topic.
    out.extend_from_slice(&[0, 0, 0, 0, 0]);
    // Error, message and end of the group, and of the answer.
    out.extend_from_slice(&[0, 0, 0, 0, 0]);
    let whole = out.freeze();
    let read = |bytes| <DescribeShareGroupOffsetsRequest as Ask>::read(bytes, 1);
    let answer = read(whole.clone()).unwrap();
    let partition = &answer.groups[0].topics[0].partitions[0];
    let seen =
        (partition.partition_index, partition.start_offset, partition.leader_epoch, partition.lag);
    assert_eq!(seen, (4, 9, 2, 33));
    for end in 0..whole.len() - 1 {
        assert!(read(whole.slice(..end)).is_err(), "{end}");
    }
}

/// A group with a topology, one member, and something in every field.
fn streams_answer() -> BytesMut {
    let mut out = BytesMut::new();
    int32(&mut out, 0);
    put::length(&mut out, true, 1).unwrap();
    out.extend_from_slice(&[0, 0, 0]);
    text(&mut out, "app");
    text(&mut out, "Stable");
    int32(&mut out, 5);
    int32(&mut out, 4);
    out.extend_from_slice(&[1]);
    int32(&mut out, 1);
    put::length(&mut out, true, 1).unwrap();
    text(&mut out, "0");
    for topic in ["orders", "app-sink-repartition"] {
        put::length(&mut out, true, 1).unwrap();
        text(&mut out, topic);
    }
    for topic in ["app-store-changelog", "app-by-key-repartition"] {
        put::length(&mut out, true, 1).unwrap();
        text(&mut out, topic);
        out.extend_from_slice(&[0, 0, 0, 3, 0, 1]);
        put::length(&mut out, true, 1).unwrap();
        text(&mut out, "cleanup.policy");
        text(&mut out, "compact");
        out.extend_from_slice(&[0, 0]);
    }
    // The ends of subtopology and topology.
    out.extend_from_slice(&[0, 0]);
    put::length(&mut out, true, 1).unwrap();
    text(&mut out, "member-1");
    int32(&mut out, 4);
    text(&mut out, "instance");
    out.extend_from_slice(&[0]);
    text(&mut out, "client");
    text(&mut out, "/127.0.0.1");
    int32(&mut out, 1);
    text(&mut out, "process");
    out.extend_from_slice(&[1]);
    text(&mut out, "localhost");
    out.extend_from_slice(&[0x1f, 0x90, 0]);
    put::length(&mut out, true, 1).unwrap();
    text(&mut out, "zone");
    text(&mut out, "a");
    out.extend_from_slice(&[0]);
    for offset in [10_i64, 12] {
        put::length(&mut out, true, 1).unwrap();
        text(&mut out, "0");
        int32(&mut out, 1);
        out.extend_from_slice(&offset.to_be_bytes());
        out.extend_from_slice(&[0]);
    }
    for partitions in [&[0, 1][..], &[0][..]] {
        put::length(&mut out, true, 1).unwrap();
        text(&mut out, "0");
        put::length(&mut out, true, partitions.len()).unwrap();
        partitions.iter().for_each(|partition| int32(&mut out, *partition));
        // The end of the tasks; no standby, no warm-up; the end of the assignment.
        out.extend_from_slice(&[0, 1, 1, 0]);
    }
    out.extend_from_slice(&[1, 0]);
    int32(&mut out, i32::MIN);
    out.extend_from_slice(&[0, 0]);
    out
}

#[test]
fn a_group_of_streams_is_read_field_by_field() {
    let whole = streams_answer().freeze();
    let read = |bytes| <StreamsGroupDescribeRequest as Ask>::read(bytes, 0);
    let answer = read(whole.clone()).unwrap();
    let [group] = answer.groups.as_slice() else { panic!("{answer:?}") };
    assert_eq!((group.group_id.as_str(), group.group_state.as_str()), ("app", "Stable"));
    assert_eq!((group.group_epoch, group.assignment_epoch), (5, 4));
    let topology = group.topology.as_ref().unwrap();
    assert_eq!(topology.epoch, 1);
    let [part] = topology.subtopologies.as_deref().unwrap() else { panic!("{topology:?}") };
    let topics = |part: &Subtopology| {
        let made = part.state_changelog_topics.iter().chain(&part.repartition_source_topics);
        let made = made.map(|topic| topic.name.to_string()).collect::<Vec<_>>();
        (part.subtopology_id.to_string(), part.source_topics[0].to_string(), made)
    };
    let made = vec!["app-store-changelog".to_owned(), "app-by-key-repartition".to_owned()];
    assert_eq!(topics(part), ("0".to_owned(), "orders".to_owned(), made));
    let tasks = |partitions: &[i32]| Assignment {
        active_tasks: vec![TaskIds { subtopology_id: name("0"), partitions: partitions.to_vec() }],
        ..Assignment::default()
    };
    let [member] = group.members.as_slice() else { panic!("{group:?}") };
    let seen = Member {
        member_id: name("member-1"),
        member_epoch: 4,
        client_id: name("client"),
        client_host: name("/127.0.0.1"),
        process_id: name("process"),
        assignment: tasks(&[0, 1]),
        target_assignment: tasks(&[0]),
        is_classic: true,
        ..member.clone()
    };
    assert_eq!(*member, seen);
    assert_eq!(member.instance_id.as_deref(), Some("instance"));
    assert_eq!(member.user_endpoint.as_ref().map(|of| of.port), Some(8_080));
    assert_eq!((member.task_offsets[0].offset, member.task_end_offsets[0].offset), (10, 12));
    for end in 0..whole.len() - 1 {
        assert!(read(whole.slice(..end)).is_err(), "{end}");
    }
}

#[test]
fn a_group_that_failed_has_no_topology() {
    let mut out = BytesMut::new();
    int32(&mut out, 0);
    put::length(&mut out, true, 1).unwrap();
    out.extend_from_slice(&[0, 69]);
    text(&mut out, "Group g not found.");
    text(&mut out, "g");
    text(&mut out, "");
    int32(&mut out, 0);
    int32(&mut out, 0);
    // No topology, no members.
    out.extend_from_slice(&[0xff, 1]);
    int32(&mut out, i32::MIN);
    out.extend_from_slice(&[0, 0]);
    let read = <StreamsGroupDescribeRequest as Ask>::read(out.freeze(), 0).unwrap();
    assert_eq!((read.groups[0].error_code, &read.groups[0].topology), (69, &None));
    assert_eq!(read.groups[0].error_message.as_deref(), Some("Group g not found."));
}

#[test]
fn apis_of_the_vocabulary_are_asked_as_they_are_known() {
    let metadata = <crate::messages::MetadataRequest as Ask>::api().unwrap();
    assert_eq!((metadata.key, metadata.name, metadata.max_version), (3, "Metadata", 13));
    assert_eq!([8, 9].map(|version| metadata.request_header_version(version)), [1, 2]);
    let versions = AskedApi::of(ApiKey::ApiVersions);
    assert_eq!((versions.request_header_version(3), versions.response_header_version(3)), (2, 0));
    let mut out = BytesMut::new();
    let asked = StreamsGroupDescribeRequest {
        group_ids: vec![GroupId(name("g"))],
        include_authorized_operations: false,
    };
    asked.write(&mut out, 0).unwrap();
    assert_eq!(&out[..], [2, 2, b'g', 0, 0]);
}

//! Requests that are well formed and wrong: the code stock Kafka answers.

use protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest,
    DescribeGroupsRequest, FetchRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    JoinGroupRequest, LeaveGroupRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
    OffsetForLeaderEpochRequest, SyncGroupRequest,
};
use protocol::wire::StrBytes;
use tests::facts;
use tests::oracle::EQUALLED;
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, fetch_request, name, now_ms, produce};
use tests::wire::Client;

type Facts = Vec<(String, String)>;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(group: &str) -> GroupId {
    GroupId(text(group))
}

fn add(found: &mut Facts, name: &str, fact: impl std::fmt::Display) {
    found.push((name.to_owned(), fact.to_string()));
}

fn fetches(client: &mut Client, found: &mut Facts) {
    for (name, offset) in
        [("the start", 0), ("the end", 2), ("beyond the end", 3), ("before", -1), ("far", i64::MAX)]
    {
        let answer = client.call(12, &fetch_request("t", 0, offset)).expect("answered");
        let partition = &answer.responses[0].partitions[0];
        let bytes = partition.records.as_ref().map_or(0, bytes::Bytes::len);
        let marks = (partition.high_watermark, partition.log_start_offset);
        let fact = format!("code {}, {marks:?}, {bytes} bytes", partition.error_code);
        add(found, &format!("Fetch from {name}"), fact);
    }
    let change = |mut request: FetchRequest, change: &dyn Fn(&mut FetchRequest)| {
        change(&mut request);
        request
    };
    let ask = |client: &mut Client, request: &FetchRequest| {
        let answer = client.call(12, request).expect("answered");
        if answer.error_code != 0 {
            return format!("code {}", answer.error_code);
        }
        let partition = answer.responses.first().and_then(|topic| topic.partitions.first());
        let of_partition =
            partition.map_or_else(|| "none".to_owned(), |p| p.error_code.to_string());
        format!("code 0, partition {of_partition}")
    };
    let one = fetch_request("t", 0, 0);
    for (name, request) in [
        ("an unknown session", change(one.clone(), &|r| (r.session_id, r.session_epoch) = (77, 1))),
        ("session 0 with an epoch", change(one.clone(), &|r| r.session_epoch = 5)),
        ("an unknown topic", fetch_request("absent", 0, 0)),
        ("an unknown partition", fetch_request("t", 9, 0)),
        (
            "a leader epoch of the future",
            change(one.clone(), &|r| {
                r.topics[0].partitions[0].current_leader_epoch = 99;
            }),
        ),
        ("an isolation level of 7", change(one.clone(), &|r| r.isolation_level = 7)),
        ("a least size of -1", change(one.clone(), &|r| r.min_bytes = -1)),
        (
            "a greatest size of 0",
            change(one, &|r| {
                r.max_bytes = 0;
                r.topics[0].partitions[0].partition_max_bytes = 0;
            }),
        ),
    ] {
        let fact = ask(client, &request);
        add(found, &format!("Fetch with {name}"), fact);
    }
}

fn list_offsets(client: &mut Client, found: &mut Facts) {
    for (topic, partition, timestamp, epoch) in [
        ("t", 0, -1, -1),
        ("t", 0, -2, -1),
        ("t", 0, -3, -1),
        ("t", 0, -4, -1),
        ("t", 0, -5, -1),
        ("t", 0, -6, -1),
        ("t", 0, -99, -1),
        ("t", 0, 0, -1),
        ("t", 0, i64::MAX, -1),
        ("t", 0, -1, 0),
        ("t", 0, -1, 99),
        ("t", 9, -1, -1),
        ("absent", 0, -1, -1),
    ] {
        let asked = ListOffsetsPartition {
            partition_index: partition,
            timestamp,
            current_leader_epoch: epoch,
        };
        let asked = ListOffsetsTopic { name: name(topic), partitions: vec![asked] };
        let request = ListOffsetsRequest {
            replica_id: BrokerId(-1),
            topics: vec![asked],
            ..Default::default()
        };
        let answer = client.call(9, &request).expect("answered");
        let answer = &answer.topics[0].partitions[0];
        let fact = format!(
            "code {}, offset {}, epoch {}",
            answer.error_code, answer.offset, answer.leader_epoch
        );
        add(found, &format!("ListOffsets {topic}-{partition} at {timestamp}, epoch {epoch}"), fact);
    }
    for (partition, current, asked) in [(0, -1, 0), (0, -1, 5), (0, 99, 0), (0, -1, -1), (9, -1, 0)]
    {
        let asked_for = OffsetForLeaderPartition::default()
            .with_partition(partition)
            .with_current_leader_epoch(current)
            .with_leader_epoch(asked);
        let topic =
            OffsetForLeaderTopic::default().with_topic(name("t")).with_partitions(vec![asked_for]);
        let request = OffsetForLeaderEpochRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_topics(vec![topic]);
        let answer = client.call(4, &request).expect("answered");
        let answer = &answer.topics[0].partitions[0];
        let fact = format!(
            "code {}, epoch {}, end {}",
            answer.error_code, answer.leader_epoch, answer.end_offset
        );
        add(found, &format!("OffsetForLeaderEpoch t-{partition} {asked} at {current}"), fact);
    }
}

fn topics(client: &mut Client, found: &mut Facts) {
    for topic in ["t", "absent", "..", "a/b", "", &"x".repeat(250)] {
        let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
        let request = MetadataRequest::default()
            .with_topics(Some(vec![asked]))
            .with_allow_auto_topic_creation(false);
        let answer = client.call(9, &request).expect("answered");
        add(
            found,
            &format!("Metadata of {topic:?}"),
            format!("code {}", answer.topics[0].error_code),
        );
    }
}

fn created(client: &mut Client, found: &mut Facts) {
    for (what, partitions, replication, assigned) in [
        ("both defaults", -1, -1, None),
        ("no partitions", 0, 1, None),
        ("-2 partitions", -2, 1, None),
        ("no replicas", 1, 0, None),
        ("two replicas", 1, 2, None),
        ("an assignment and a count", 1, 1, Some(vec![1])),
        ("an assignment", -1, -1, Some(vec![1])),
        ("an assignment to nobody", -1, -1, Some(vec![])),
        ("an assignment to a stranger", -1, -1, Some(vec![7])),
        ("an assignment twice to one", -1, -1, Some(vec![1, 1])),
        ("2,147,483,647 partitions", i32::MAX, 1, None),
        ("20,000 partitions", 20_000, 1, None),
    ] {
        let mut topic = CreatableTopic::default()
            .with_name(name("made"))
            .with_num_partitions(partitions)
            .with_replication_factor(replication);
        if let Some(brokers) = assigned {
            let brokers = brokers.into_iter().map(BrokerId).collect();
            let replicas = CreatableReplicaAssignment::default().with_broker_ids(brokers);
            topic = topic.with_assignments(vec![replicas]);
        }
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic.clone()])
            .with_validate_only(true)
            .with_timeout_ms(10_000);
        let answer = client.call(7, &request).expect("answered");
        let answer = &answer.topics[0];
        let fact = format!(
            "code {}, {} of {}",
            answer.error_code, answer.num_partitions, answer.replication_factor
        );
        add(found, &format!("CreateTopics with {what}"), fact);
    }
    let twice = CreatableTopic::default().with_name(name("made")).with_num_partitions(1);
    let twice = twice.with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![twice.clone(), twice.with_num_partitions(2)])
        .with_timeout_ms(10_000);
    let answer = client.call(7, &request).expect("answered");
    let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
    add(found, "CreateTopics of one name twice", format!("codes {codes:?}"));
}

fn deleted_records(client: &mut Client, found: &mut Facts) {
    for (topic, partition, offset) in [
        ("t", 0, 3),
        ("t", 0, -2),
        ("t", 9, 0),
        ("absent", 0, 0),
        ("t", 0, 1),
        ("t", 0, 0),
        ("t", 0, -1),
    ] {
        let asked =
            DeleteRecordsPartition::default().with_partition_index(partition).with_offset(offset);
        let asked =
            DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![asked]);
        let request =
            DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(5000);
        let answer = client.call(2, &request).expect("answered");
        let answer = &answer.topics[0].partitions[0];
        let fact = format!("code {}, low watermark {}", answer.error_code, answer.low_watermark);
        add(found, &format!("DeleteRecords of {topic}-{partition} before {offset}"), fact);
    }
}

fn join(id: &str, session_ms: i32, member: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(bytes::Bytes::from_static(&[0, 3, 0, 0, 0, 0, 0, 0, 0, 0]));
    JoinGroupRequest::default()
        .with_group_id(group(id))
        .with_session_timeout_ms(session_ms)
        .with_rebalance_timeout_ms(10_000)
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

fn groups(client: &mut Client, found: &mut Facts) {
    for (what, request) in [
        ("an empty group id", join("", 10_000, "")),
        ("a session timeout too short", join("g", 5999, "")),
        ("a session timeout too long", join("g", 1_800_001, "")),
        ("a session timeout of -1", join("g", -1, "")),
        ("a member nobody knows", join("g", 10_000, "stranger")),
        ("no protocols", join("g", 10_000, "").with_protocols(Vec::new())),
        ("an empty protocol type", join("g", 10_000, "").with_protocol_type(text(""))),
        ("nothing wrong, first", join("g", 10_000, "")),
    ] {
        let answer = client.call(9, &request).expect("answered");
        let fact = format!(
            "code {}, generation {}, member {}",
            answer.error_code,
            answer.generation_id,
            if answer.member_id.is_empty() { "none" } else { "named" }
        );
        add(found, &format!("JoinGroup with {what}"), fact);
    }
    let beat = HeartbeatRequest::default().with_group_id(group("nobody")).with_member_id(text("m"));
    let code = client.call(4, &beat).expect("answered").error_code;
    add(found, "Heartbeat of a stranger", format!("code {code}"));
    let beat = beat.with_group_id(group(""));
    let code = client.call(4, &beat).expect("answered").error_code;
    add(found, "Heartbeat of no group", format!("code {code}"));
    let sync = SyncGroupRequest::default().with_group_id(group("nobody")).with_member_id(text("m"));
    let code = client.call(5, &sync).expect("answered").error_code;
    add(found, "SyncGroup of a stranger", format!("code {code}"));
    let leave =
        LeaveGroupRequest::default().with_group_id(group("nobody")).with_member_id(text("m"));
    let code = client.call(2, &leave).expect("answered").error_code;
    add(found, "LeaveGroup of a stranger", format!("code {code}"));
    for id in ["nobody", ""] {
        let request = DescribeGroupsRequest::default().with_groups(vec![group(id)]);
        for version in [5, 6] {
            let answer = client.call(version, &request).expect("answered");
            let fact =
                format!("code {}, {}", answer.groups[0].error_code, &*answer.groups[0].group_state);
            add(found, &format!("DescribeGroups {version} of {id:?}"), fact);
        }
        let request = DeleteGroupsRequest::default().with_groups_names(vec![group(id)]);
        let answer = client.call(2, &request).expect("answered");
        add(
            found,
            &format!("DeleteGroups of {id:?}"),
            format!("code {}", answer.results[0].error_code),
        );
    }
    for key_type in [0, 2, 3] {
        let request = FindCoordinatorRequest::default()
            .with_key_type(key_type)
            .with_coordinator_keys(vec![text("")]);
        let answer = client.call(4, &request).expect("answered");
        let fact = answer.coordinators.first().map_or(answer.error_code, |found| found.error_code);
        add(
            found,
            &format!("FindCoordinator of type {key_type} for nothing"),
            format!("code {fact}"),
        );
    }
}

fn commits(client: &mut Client, found: &mut Facts) {
    for (what, id, topic, partition, metadata, generation, member) in [
        ("nothing wrong", "c", "t", 0, 10, -1, ""),
        ("4096 bytes of metadata", "c", "t", 0, 4096, -1, ""),
        ("4097 bytes of metadata", "c", "t", 0, 4097, -1, ""),
        ("an unknown topic", "c", "absent", 0, 0, -1, ""),
        ("an unknown partition", "c", "t", 9, 0, -1, ""),
        ("a generation of nobody", "d", "t", 0, 0, 3, "m"),
        ("a stranger's generation", "c", "t", 0, 0, 3, "m"),
        ("no group", "", "t", 0, 0, -1, ""),
    ] {
        let committed = OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: 1,
            committed_leader_epoch: -1,
            committed_metadata: Some(text(&"m".repeat(metadata))),
        };
        let topic = OffsetCommitRequestTopic {
            name: name(topic),
            partitions: vec![committed],
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: group(id),
            generation_id_or_member_epoch: generation,
            member_id: text(member),
            topics: vec![topic],
            ..Default::default()
        };
        let answer = client.call(8, &request).expect("answered");
        let fact = format!("code {}", answer.topics[0].partitions[0].error_code);
        add(found, &format!("OffsetCommit with {what}"), fact);
    }
}

/// The first FindCoordinator makes `__consumer_offsets`; groups are asked once it serves.
fn wait_for_groups(client: &mut Client) {
    let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]);
    let beat = HeartbeatRequest::default().with_group_id(group("nobody")).with_member_id(text("m"));
    for id in ["g", "c", "d", "nobody"] {
        let request = request.clone().with_coordinator_keys(vec![text(id)]);
        let beat = beat.clone().with_group_id(group(id));
        for _ in 0..200 {
            let found = client.call(4, &request).expect("answered").coordinators[0].error_code;
            let served = client.call(4, &beat).expect("answered").error_code;
            if found == 0 && ![14, 15, 16].contains(&served) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

#[test]
fn requests_that_cannot_be_granted_are_answered_with_stocks_codes() {
    let server = Server::start(facts::kind(), &["auto.create.topics.enable=false".to_owned()]);
    let mut client = Client::connect(&server.address()).expect("the server accepts");
    create(&mut client, "t", 1);
    let batch = Batch::of(&[b"first", b"second"], now_ms()).bytes();
    produce(&mut client, "t", 0, -1, batch).expect("produced");
    wait_for_groups(&mut client);
    let mut found = Vec::new();
    fetches(&mut client, &mut found);
    list_offsets(&mut client, &mut found);
    groups(&mut client, &mut found);
    commits(&mut client, &mut found);
    topics(&mut client, &mut found);
    created(&mut client, &mut found);
    deleted_records(&mut client, &mut found);
    facts::check("bad-input/requests", &format!("Requests sent to stock {EQUALLED}."), &found);
}

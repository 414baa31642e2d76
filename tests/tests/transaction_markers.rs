//! Transactions in partitions and groups, made by hand as stock's coordinator and clients make
//! them: records, markers, held offsets, what committed readers see; also after a kill.
//! Recorded from stock, where transactions need not be verified.

use bytes::Bytes;
use protocol::batch::BatchBuilder;
use protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use protocol::messages::{
    BrokerId, DeleteGroupsRequest, DescribeProducersRequest, FetchRequest, FindCoordinatorRequest,
    GroupId, ListOffsetsRequest, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
    ProducerId, TransactionalId, TxnOffsetCommitRequest, WriteTxnMarkersRequest,
};
use protocol::wire::StrBytes;
use tests::facts;
use tests::oracle::EQUALLED;
use tests::server::Server;
use tests::topic::{create, name, now_ms, produce_request};
use tests::wire::Client;

type Facts = Vec<(String, String)>;

const GROUPS: &str = "__consumer_offsets";

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn add(found: &mut Facts, name: &str, fact: impl std::fmt::Display) {
    found.push((name.to_owned(), fact.to_string()));
}

/// A producer of transactions, at a partition of `t`.
#[derive(Clone, Copy)]
struct Producer {
    id: i64,
    epoch: i16,
    partition: i32,
}

fn records(producer: Producer, sequence: i32, values: &[&str]) -> Bytes {
    let builder = BatchBuilder::new(0).producer(producer.id, producer.epoch, sequence);
    let mut builder = builder.transactional();
    for value in values {
        builder.append(now_ms(), None, Some(value.as_bytes()));
    }
    builder.build()
}

fn produce(client: &mut Client, producer: Producer, sequence: i32, values: &[&str]) -> String {
    let batch = records(producer, sequence, values);
    let id = Some(TransactionalId(text(&format!("by-{}", producer.id))));
    let request = produce_request("t", producer.partition, -1, batch).with_transactional_id(id);
    let response = client.call(9, &request).expect("Produce is answered");
    let answer = &response.responses[0].partition_responses[0];
    format!("code {}, offset {}", answer.error_code, answer.base_offset)
}

fn end(
    client: &mut Client,
    producer: Producer,
    topic: &str,
    is_commit: bool,
    coordinator_epoch: i32,
) -> String {
    let partitions =
        WritableTxnMarkerTopic { name: name(topic), partition_indexes: vec![producer.partition] };
    let marker = WritableTxnMarker {
        producer_id: ProducerId(producer.id),
        producer_epoch: producer.epoch,
        transaction_result: is_commit,
        coordinator_epoch,
        topics: vec![partitions],
        ..Default::default()
    };
    let request = WriteTxnMarkersRequest { markers: vec![marker] };
    let response = client.call(1, &request).expect("WriteTxnMarkers is answered");
    let marker = &response.markers[0];
    let topic = &marker.topics[0];
    let partition = &topic.partitions[0];
    format!(
        "producer {} {}-{} code {}",
        marker.producer_id.0,
        topic.name.as_str(),
        partition.partition_index,
        partition.error_code
    )
}

/// What a reader of committed transactions is given from an offset, and what it is told of others.
fn committed(client: &mut Client, partition: i32, from: i64) -> String {
    let asked = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(from)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(name("t")).with_partitions(vec![asked]);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_bytes(1 << 20)
        .with_isolation_level(1)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    let response = client.call(12, &request).expect("Fetch is answered");
    let answer = &response.responses[0].partitions[0];
    let mut aborted: Vec<(i64, i64)> = answer
        .aborted_transactions
        .iter()
        .flatten()
        .map(|aborted| (aborted.producer_id.0, aborted.first_offset))
        .collect();
    aborted.sort_unstable();
    let bytes = answer.records.clone().unwrap_or_default();
    let batches = protocol::batch::batches(&bytes).map(|batch| {
        let batch = batch.expect("a whole batch");
        let kind = if batch.is_control() { " control" } else { "" };
        format!("{}..{}{kind}", batch.base_offset(), batch.last_offset())
    });
    format!(
        "code {}, high watermark {}, stable {}, aborted {aborted:?}, batches {:?}",
        answer.error_code,
        answer.high_watermark,
        answer.last_stable_offset,
        batches.collect::<Vec<_>>(),
    )
}

fn latest(client: &mut Client, isolation: i8) -> String {
    let partition =
        ListOffsetsPartition { timestamp: -1, current_leader_epoch: -1, ..Default::default() };
    let topic = ListOffsetsTopic { name: name("t"), partitions: vec![partition] };
    let request = ListOffsetsRequest {
        replica_id: BrokerId(-1),
        isolation_level: isolation,
        topics: vec![topic],
        ..Default::default()
    };
    let response = client.call(6, &request).expect("ListOffsets is answered");
    let answer = &response.topics[0].partitions[0];
    format!("code {}, offset {}", answer.error_code, answer.offset)
}

fn producers(client: &mut Client, partition: i32) -> String {
    use protocol::messages::describe_producers_request::TopicRequest;
    let topic =
        TopicRequest::default().with_name(name("t")).with_partition_indexes(vec![partition]);
    let request = DescribeProducersRequest::default().with_topics(vec![topic]);
    let response = client.call(0, &request).expect("DescribeProducers is answered");
    let answer = &response.topics[0].partitions[0];
    let mut active: Vec<String> = answer
        .active_producers
        .iter()
        .map(|one| {
            format!(
                "{} epoch {} sequence {} coordinator {} begun {}",
                one.producer_id.0,
                one.producer_epoch,
                one.last_sequence,
                one.coordinator_epoch,
                one.current_txn_start_offset
            )
        })
        .collect();
    active.sort();
    format!("code {}, {active:?}", answer.error_code)
}

fn records_and_markers(client: &mut Client, found: &mut Facts) {
    let one = Producer { id: 7001, epoch: 0, partition: 0 };
    let other = Producer { id: 7002, epoch: 4, partition: 0 };
    add(found, "A first record", produce(client, one, 0, &["a", "b"]));
    add(found, "A second batch", produce(client, one, 2, &["c"]));
    add(found, "Another producer's", produce(client, other, 0, &["x"]));
    add(found, "The same once more", produce(client, one, 2, &["c"]));
    add(found, "A gap", produce(client, one, 9, &["z"]));
    add(found, "The latest offset", latest(client, 0));
    add(found, "The latest stable offset", latest(client, 1));
    add(found, "Producers with open transactions", producers(client, 0));
    add(found, "Committed records of open transactions", committed(client, 0, 0));
    add(found, "The abort of one", end(client, one, "t", false, 3));
    add(found, "Committed records behind the open one", committed(client, 0, 0));
    add(found, "The commit of the other", end(client, other, "t", true, 3));
    add(found, "Committed records of ended transactions", committed(client, 0, 0));
    add(found, "Committed records from the middle", committed(client, 0, 4));
    add(found, "The latest stable offset then", latest(client, 1));
    add(found, "Producers whose transactions ended", producers(client, 0));
    add(found, "An end of what is no transaction", end(client, one, "t", true, 3));
    add(found, "A marker of a coordinator that was replaced", end(client, one, "t", true, 2));
    let fenced = Producer { epoch: 3, ..other };
    add(found, "A marker of an epoch that is over", end(client, fenced, "t", true, 3));
    add(found, "A record of an epoch that is over", produce(client, fenced, 0, &["late"]));
    let next = Producer { epoch: 5, ..other };
    add(found, "A marker of the next epoch", end(client, next, "t", false, 4));
    add(found, "A record of the epoch before", produce(client, other, 1, &["late"]));
    add(found, "A record of the next epoch", produce(client, next, 0, &["y"]));
    add(found, "A record in the middle of the next epoch", produce(client, next, 5, &["y"]));
    let plain = BatchBuilder::new(0).producer(next.id, next.epoch, 1);
    let mut plain = plain;
    plain.append(now_ms(), None, Some(b"plain"));
    let answered = client.call(9, &produce_request("t", 0, -1, plain.build())).expect("answered");
    let code = answered.responses[0].partition_responses[0].error_code;
    add(found, "A plain record inside a transaction", format!("code {code}"));
    let answered =
        client.call(9, &produce_request("t", 0, -1, records(next, 1, &["y"]))).expect("answered");
    let code = answered.responses[0].partition_responses[0].error_code;
    add(found, "A transactional record without an id", format!("code {code}"));
    let absent = Producer { partition: 9, ..one };
    add(found, "A marker for a partition that is not there", end(client, absent, "t", true, 3));
    add(found, "A marker for a topic that is not there", end(client, one, "absent", true, 3));
    let none = WriteTxnMarkersRequest::default();
    let none = client.call(1, &none).expect("answered").markers.len();
    add(found, "No marker", none);
    let two = Producer { id: 7003, epoch: 0, partition: 1 };
    add(found, "A marker that finds nothing", end(client, two, "t", false, 0));
    add(found, "A partition with nothing but a marker", committed(client, 1, 0));
    let left = Producer { id: 7004, epoch: 0, partition: 1 };
    add(found, "What is left open", produce(client, left, 0, &["open"]));
}

fn commit(
    client: &mut Client,
    version: i16,
    producer: Producer,
    member: (&str, i32),
    offsets: &[(&str, i32, i64)],
) -> String {
    commit_to(client, version, "g", producer, member, offsets)
}

fn commit_to(
    client: &mut Client,
    version: i16,
    group: &str,
    producer: Producer,
    (member, generation): (&str, i32),
    offsets: &[(&str, i32, i64)],
) -> String {
    let topics = offsets.iter().map(|(topic, partition, offset)| {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(*partition)
            .with_committed_offset(*offset)
            .with_committed_metadata(Some(text(if *offset < 0 { LONG } else { "note" })));
        TxnOffsetCommitRequestTopic::default()
            .with_name(name(topic))
            .with_partitions(vec![partition])
    });
    let mut request = TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text(&format!("by-{}", producer.id))))
        .with_group_id(GroupId(text(group)))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_topics(topics.collect());
    if version >= 3 {
        request = request.with_member_id(text(member)).with_generation_id(generation);
    }
    let response = client.call(version, &request).expect("TxnOffsetCommit is answered");
    let mut answered: Vec<String> = response
        .topics
        .iter()
        .flat_map(|topic| {
            let name = topic.name.as_str();
            topic.partitions.iter().map(move |partition| {
                format!("{name}-{} code {}", partition.partition_index, partition.error_code)
            })
        })
        .collect();
    answered.sort();
    format!("{answered:?}")
}

/// More than offset.metadata.max.bytes.
const LONG: &str = "a note that is longer than this server's limit of forty characters";

fn fetch_offsets(client: &mut Client, group: &str, require_stable: bool) -> String {
    let topic = OffsetFetchRequestTopics {
        name: name("t"),
        partition_indexes: vec![0, 1],
        ..Default::default()
    };
    let some = OffsetFetchRequestGroup {
        group_id: GroupId(text(group)),
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let all = OffsetFetchRequestGroup { topics: None, ..some.clone() };
    let request = OffsetFetchRequest { require_stable, ..Default::default() };
    let mut found = Vec::new();
    for group in [some, all] {
        let asked = OffsetFetchRequest { groups: vec![group], ..request.clone() };
        let response = client.call(8, &asked).expect("OffsetFetch is answered");
        let group = &response.groups[0];
        let partitions = group.topics.iter().flat_map(|topic| &topic.partitions).map(|one| {
            format!("{} at {} code {}", one.partition_index, one.committed_offset, one.error_code)
        });
        found.push(format!("code {} {:?}", group.error_code, partitions.collect::<Vec<_>>()));
    }
    found.join(", of all ")
}

fn plain_commit(client: &mut Client, group: &str, offset: i64) {
    let partition = OffsetCommitRequestPartition { committed_offset: offset, ..Default::default() };
    let topic = OffsetCommitRequestTopic {
        name: name("t"),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: GroupId(text(group)),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let response = client.call(8, &request).expect("OffsetCommit is answered");
    assert_eq!(response.topics[0].partitions[0].error_code, 0);
}

fn delete_offset(client: &mut Client, group: &str) -> String {
    let partition = OffsetDeleteRequestPartition::default();
    let topic =
        OffsetDeleteRequestTopic::default().with_name(name("t")).with_partitions(vec![partition]);
    let request =
        OffsetDeleteRequest::default().with_group_id(GroupId(text(group))).with_topics(vec![topic]);
    let response = client.call(0, &request).expect("OffsetDelete is answered");
    let codes = response.topics.iter().flat_map(|topic| &topic.partitions);
    let codes: Vec<i16> = codes.map(|partition| partition.error_code).collect();
    format!("code {}, {codes:?}", response.error_code)
}

fn delete_group(client: &mut Client, group: &str) -> String {
    let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(group))]);
    let response = client.call(2, &request).expect("DeleteGroups is answered");
    format!("code {}", response.results[0].error_code)
}

fn held_offsets(client: &mut Client, found: &mut Facts) {
    let one = Producer { id: 8001, epoch: 2, partition: 0 };
    let other = Producer { id: 8002, epoch: 0, partition: 0 };
    let nobody = ("", -1);
    for version in 0..=4 {
        let at = [("t", 0, i64::from(version) + 10)];
        let held = commit(client, version, one, nobody, &at);
        add(found, &format!("TxnOffsetCommit {version}"), held);
    }
    add(found, "Held offsets", fetch_offsets(client, "g", false));
    add(found, "Stable offsets", fetch_offsets(client, "g", true));
    let parts = [("t", 9, 1), ("absent", 0, 1), ("t", 1, -5), ("t", 1, 4)];
    add(found, "Offsets of what is not there", commit(client, 3, one, nobody, &parts));
    add(found, "A member that is not there", commit(client, 3, one, ("m", 3), &[("t", 0, 1)]));
    add(found, "A generation without a group", {
        commit_to(client, 3, "none", one, ("m", 3), &[("t", 0, 1)])
    });
    add(found, "An empty group id", commit_to(client, 3, "", one, nobody, &[("t", 0, 1)]));
    let stale = Producer { epoch: 1, ..one };
    add(found, "An epoch that is over", commit(client, 3, stale, nobody, &[("t", 0, 99)]));
    add(found, "The end in the groups", end(client, one, GROUPS, true, 1));
    add(found, "Offsets of a committed transaction", fetch_offsets(client, "g", true));
    add(found, "Another's", commit(client, 3, other, nobody, &[("t", 0, 50), ("t", 1, 50)]));
    add(found, "Its abort", end(client, other, GROUPS, false, 1));
    add(found, "Offsets after an abort", fetch_offsets(client, "g", true));
    add(found, "One more", commit(client, 3, other, nobody, &[("t", 0, 60), ("t", 1, 60)]));
    plain_commit(client, "g", 70);
    add(found, "Its commit after a plain one", end(client, other, GROUPS, true, 1));
    add(found, "The later in the log stands", fetch_offsets(client, "g", true));
    add(found, "A coordinator that was replaced", end(client, other, GROUPS, true, 0));
    let late = Producer { epoch: 1, ..one };
    add(found, "An end of an epoch that is over", end(client, late, GROUPS, true, 1));
    let again = Producer { epoch: 1, ..other };
    let absent = Producer { partition: 7, ..one };
    add(found, "A partition of groups that is not there", end(client, absent, GROUPS, true, 1));
    add(found, "Held again", commit(client, 3, again, nobody, &[("t", 0, 80)]));
    add(found, "OffsetDelete of what is held", delete_offset(client, "g"));
    add(found, "Offsets after OffsetDelete", fetch_offsets(client, "g", true));
    add(found, "The end of what was deleted", end(client, again, GROUPS, true, 1));
    add(found, "Offsets after that", fetch_offsets(client, "g", true));
    let third = Producer { id: 8003, epoch: 0, partition: 0 };
    add(found, "A group of held offsets", {
        commit_to(client, 3, "held", third, nobody, &[("t", 0, 5)])
    });
    add(found, "DeleteGroups with held offsets", delete_group(client, "held"));
    add(found, "The end after DeleteGroups", end(client, third, GROUPS, true, 1));
    add(found, "Offsets after DeleteGroups", fetch_offsets(client, "held", true));
    let last = Producer { id: 8004, epoch: 0, partition: 0 };
    add(found, "Left open", commit_to(client, 3, "open", last, nobody, &[("t", 0, 5)]));
    add(found, "Left open elsewhere", commit(client, 3, last, nobody, &[("t", 1, 90)]));
}

/// What a server knows again after it was killed.
fn known_again(client: &mut Client, found: &mut Facts) {
    add(found, "Committed records after a kill", committed(client, 0, 0));
    add(found, "An open transaction after a kill", committed(client, 1, 0));
    add(found, "Producers after a kill", producers(client, 0));
    add(found, "Offsets after a kill", fetch_offsets(client, "g", true));
    add(found, "Held offsets after a kill", fetch_offsets(client, "open", true));
    let last = Producer { id: 8004, epoch: 0, partition: 0 };
    add(found, "The end of what was held", end(client, last, GROUPS, true, 2));
    add(found, "Offsets after the end", fetch_offsets(client, "open", true));
    let left = Producer { id: 7004, epoch: 0, partition: 1 };
    add(found, "The end of what was open", end(client, left, "t", false, 2));
    add(found, "Committed records at last", committed(client, 1, 0));
}

/// Waits until the groups have a coordinator that serves.
fn wait_for_groups(client: &mut Client) {
    loop {
        let find = FindCoordinatorRequest::default().with_key(text("g"));
        let found = client.call(3, &find).expect("FindCoordinator is answered").error_code;
        let offsets = fetch_offsets(client, "g", false);
        if found == 0 && offsets.starts_with("code 0") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn transactions_begin_and_end_in_partitions_and_groups_as_stocks_do() {
    let settings = [
        "auto.create.topics.enable=false",
        "transaction.partition.verification.enable=false",
        "offset.metadata.max.bytes=40",
        "offsets.topic.num.partitions=1",
        "offsets.topic.replication.factor=1",
    ];
    let mut server = Server::start(facts::kind(), &settings.map(str::to_owned));
    let mut client = Client::connect(&server.address()).expect("the server accepts");
    create(&mut client, "t", 2);
    wait_for_groups(&mut client);
    let mut found = Vec::new();
    records_and_markers(&mut client, &mut found);
    held_offsets(&mut client, &mut found);
    drop(client);
    server.kill();
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("the server accepts");
    wait_for_groups(&mut client);
    known_again(&mut client, &mut found);
    let about = format!("Transactions made by hand on stock {EQUALLED}.");
    facts::check("transactions/markers", &about, &found);
}

//! Compacted topics as clients see them: the last value outlives retention, tombstones go after
//! their time, a reader comes to the end, policies change while the node runs, and none of it is
//! undone by a kill.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use protocol::batch::{BatchBuilder, batches};
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{CreateTopicsRequest, IncrementalAlterConfigsRequest};
use protocol::wire::StrBytes;
use tests::golden::server_kind;
use tests::server::Server;
use tests::topic::{end_offset, fetch_request, name, now_ms, produce};
use tests::wire::Client;

const TOPIC_RESOURCE: i8 = 2;
const KEYS: usize = 20;

fn settings() -> Vec<String> {
    ["log.cleaner.backoff.ms=100", "log.initial.task.delay.ms=100"].map(str::to_owned).to_vec()
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A topic of one partition of which each second of records is a segment.
fn create(client: &mut Client, topic: &str, configs: &[(&str, &str)]) {
    let all = configs.iter().chain(&[
        ("segment.ms", "500"),
        ("min.cleanable.dirty.ratio", "0"),
        ("file.delete.delay.ms", "0"),
    ]);
    let configs = all
        .map(|(key, value)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        })
        .collect();
    let created = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(1)
        .with_replication_factor(1)
        .with_configs(configs);
    let request = CreateTopicsRequest::default().with_topics(vec![created]).with_timeout_ms(10_000);
    let response = client.call(7, &request).expect("CreateTopics is answered");
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    until("its leader serves", || end_offset(client, topic, 0).is_some());
}

fn alter(client: &mut Client, topic: &str, key: &str, value: &str) {
    let config = AlterableConfig::default().with_name(text(key)).with_value(Some(text(value)));
    let resource = AlterConfigsResource::default()
        .with_resource_type(TOPIC_RESOURCE)
        .with_resource_name(text(topic))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = client.call(1, &request).expect("IncrementalAlterConfigs is answered");
    assert_eq!(response.responses[0].error_code, 0, "{response:?}");
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Records of one timestamp.
fn write(client: &mut Client, topic: &str, at_ms: i64, records: &[(String, Option<String>)]) {
    let mut builder = BatchBuilder::new(0);
    for (key, value) in records {
        builder.append(at_ms, Some(key.as_bytes()), value.as_ref().map(|value| value.as_bytes()));
    }
    let produced = produce(client, topic, 0, -1, builder.build()).expect("Produce is answered");
    assert_eq!(produced.error, 0);
}

/// Rounds of values of all keys, one round a segment, the last a while ago.
fn write_rounds(client: &mut Client, topic: &str, rounds: usize, from_ms: i64) {
    for round in 0..rounds {
        let records: Vec<_> = (0..KEYS)
            .map(|key| (format!("key-{key}"), Some(format!("{round} of {key} {}", "x".repeat(99)))))
            .collect();
        write(client, topic, from_ms + round as i64 * 1_000, &records);
    }
}

type Record = (i64, String, Option<String>);

/// Everything that a reader finds on its way to the end, where it arrives.
fn read(client: &mut Client, topic: &str) -> Vec<Record> {
    let end = end_offset(client, topic, 0).expect("its leader serves");
    let (mut offset, mut found) = (0, Vec::new());
    while offset < end {
        let response =
            client.call(11, &fetch_request(topic, 0, offset)).expect("Fetch is answered");
        let partition = &response.responses[0].partitions[0];
        if partition.error_code == 1 {
            offset = partition.log_start_offset.max(offset + 1);
            continue;
        }
        assert_eq!(partition.error_code, 0, "at {offset}");
        let bytes = partition.records.clone().unwrap_or_default();
        let before = offset;
        for batch in batches(&bytes) {
            let batch = batch.expect("whole batches");
            batch.verify_crc().expect("intact batches");
            for record in batch.records().expect("no codec") {
                let record = record.expect("a record");
                let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let key = said(record.key.expect("a key"));
                found.push((record.offset, key, record.value.map(said)));
            }
            offset = batch.next_offset();
        }
        assert!(offset > before, "a reader stands still at {offset} of {end}");
    }
    found
}

fn last_values(records: &[Record]) -> BTreeMap<String, Option<String>> {
    records.iter().map(|(_, key, value)| (key.clone(), value.clone())).collect()
}

fn segments(data: &Path, topic: &str) -> usize {
    let entries = std::fs::read_dir(data.join(format!("{topic}-0"))).expect("the log's directory");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".log")).count()
}

#[test]
fn the_last_value_outlives_retention_and_a_kill_and_tombstones_go_after_their_time() {
    let mut server = Server::start(server_kind(), &settings());
    let mut client = Client::connect(&server.address()).expect("it listens");
    create(
        &mut client,
        "kept",
        &[("cleanup.policy", "compact"), ("retention.ms", "1"), ("delete.retention.ms", "300")],
    );
    let begun = now_ms() - 60_000;
    write_rounds(&mut client, "kept", 10, begun);
    let gone = [("key-3".to_owned(), None), ("key-4".to_owned(), None)];
    write(&mut client, "kept", begun + 20_000, &gone);
    write(&mut client, "kept", begun + 22_000, &[("end".to_owned(), Some("1".to_owned()))]);
    let whole = read(&mut client, "kept");
    let mut wanted = last_values(&whole);
    until("one record of each key stays", || read(&mut client, "kept").len() == KEYS + 1);
    assert_eq!(last_values(&read(&mut client, "kept")), wanted);
    // The next pass, once more is dirty, finds that the tombstones' time is over.
    std::thread::sleep(Duration::from_millis(400));
    write(&mut client, "kept", begun + 24_000, &[("end".to_owned(), Some("2".to_owned()))]);
    write(&mut client, "kept", begun + 26_000, &[("end".to_owned(), Some("3".to_owned()))]);
    wanted.retain(|_, value| value.is_some());
    wanted.insert("end".to_owned(), Some("3".to_owned()));
    until("tombstones and what they were for are gone", || {
        let found = read(&mut client, "kept");
        found.iter().all(|(_, _, value)| value.is_some()) && found.len() == wanted.len() + 1
    });
    assert_eq!(last_values(&read(&mut client, "kept")), wanted);
    let checkpoint = server.data().join("cleaner-offset-checkpoint");
    let said = std::fs::read_to_string(&checkpoint).expect("the checkpoint");
    assert!(said.lines().any(|line| line.starts_with("kept 0 ")), "{said}");

    server.kill();
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("it listens");
    until("its leader serves", || end_offset(&mut client, "kept", 0).is_some());
    assert_eq!(last_values(&read(&mut client, "kept")), wanted);
}

#[test]
fn a_policy_that_changes_to_delete_and_back_leaves_a_topic_readable() {
    let server = Server::start(server_kind(), &settings());
    let mut client = Client::connect(&server.address()).expect("it listens");
    create(&mut client, "changed", &[("cleanup.policy", "compact")]);
    let begun = now_ms() - 60_000;
    write_rounds(&mut client, "changed", 8, begun);
    let whole = read(&mut client, "changed");
    // The active segment holds the last round, and the others nothing that it does not supersede
    // but what is cleaned against itself.
    until("it is compacted", || read(&mut client, "changed").len() == 2 * KEYS);
    alter(&mut client, "changed", "cleanup.policy", "delete");
    write_rounds(&mut client, "changed", 3, begun + 20_000);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(read(&mut client, "changed").len(), 5 * KEYS, "nothing is compacted now");
    alter(&mut client, "changed", "cleanup.policy", "compact");
    until("it is compacted again", || read(&mut client, "changed").len() == 2 * KEYS);
    let wanted: Vec<String> = last_values(&whole).into_keys().collect();
    let found: Vec<String> = last_values(&read(&mut client, "changed")).into_keys().collect();
    assert_eq!(found, wanted);
    // Both: what is old goes as a whole.
    alter(&mut client, "changed", "cleanup.policy", "compact,delete");
    alter(&mut client, "changed", "retention.ms", "10000");
    write_rounds(&mut client, "changed", 1, now_ms());
    assert!(segments(&server.data(), "changed") > 0);
    assert_eq!(last_values(&read(&mut client, "changed")).len(), KEYS);
}

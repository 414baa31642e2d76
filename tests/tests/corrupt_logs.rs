//! The same damaged log under a stock node and under Gregor: what Fetch, ListOffsets and
//! DeleteRecords answer, kind of damage by kind.
//!
//! A stock node writes a topic for each kind and is stopped; the files are damaged and copied; each
//! node is started on a copy and asked the same.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{BrokerId, DeleteRecordsRequest, ListOffsetsRequest};
use tests::cluster::view::until;
use tests::golden::server_kind;
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{create, fetch_request, name, produce};
use tests::wire::Client;

/// How long a node that has just started may take to lead what it led.
const STARTED: Duration = Duration::from_secs(10);
const NOT_LEADER: i16 = 6;

/// Records of a topic, a batch each.
const RECORDS: i64 = 27;
const VALUE_BYTES: usize = 100_000;
/// 1 MiB, Kafka's least; the batches are of one size.
const IN_SEGMENT: i64 = 10;

/// What is done to a topic's first segment, or to the files of one.
#[derive(Debug, Clone, Copy)]
enum Damage {
    /// These bytes into the batch of this number, at this place in it.
    Write(u64, u64, &'static [u8]),
    /// These bytes before all.
    Before(&'static [u8]),
    /// The file loses so many bytes at its end.
    Cut(u64),
    /// The files of the segment of this number are gone.
    Gone(i64),
}

/// Error code, and the first offset that came.
type Told = (i16, Option<i64>);

/// What is answered about one topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Answers {
    /// To a Fetch of the damaged record.
    fetched: Told,
    /// To ListOffsets by the damaged record's time.
    listed: Told,
}

struct Case {
    topic: &'static str,
    damage: Damage,
    /// Offset of the record that is damaged.
    at: i64,
    by_stock: Answers,
    by_us: Answers,
}

const CORRUPT: Told = (2, None);
const TOLD: Answers = Answers { fetched: CORRUPT, listed: CORRUPT };

const fn alike(topic: &'static str, damage: Damage, at: i64, both: Answers) -> Case {
    Case { topic, damage, at, by_stock: both, by_us: both }
}

/// Damage that stock does not notice, or has no better word for than UNKNOWN_SERVER_ERROR.
const fn ours(topic: &'static str, damage: Damage, at: i64, fetched: Told, listed: Told) -> Case {
    Case { topic, damage, at, by_stock: Answers { fetched, listed }, by_us: TOLD }
}

const CASES: [Case; 12] = [
    alike("zeros-first", Damage::Before(&[0; 12]), 0, TOLD),
    alike("length-0", Damage::Write(0, 8, &[0; 4]), 0, TOLD),
    alike("length-3", Damage::Write(3, 8, &[0; 4]), 3, TOLD),
    alike("negative", Damage::Write(3, 8, &[0xff; 4]), 3, TOLD),
    // docs/decisions/0300-nothing-unreadable-is-passed-over.md
    ours("longer", Damage::Write(3, 8, &[0x7f, 0, 0, 0]), 3, (0, Some(10)), (0, None)),
    ours("cut", Damage::Cut(50), 9, (0, Some(10)), (0, None)),
    ours("old-magic", Damage::Write(3, 16, &[1]), 3, (-1, None), (0, Some(4))),
    ours("new-magic", Damage::Write(3, 16, &[7]), 3, (0, Some(3)), (0, Some(3))),
    ours("offset", Damage::Write(3, 0, &[0, 0, 0, 0, 0, 0, 1, 0]), 3, (0, Some(256)), (0, None)),
    // A consumer checks the CRC, and nobody before it.
    alike(
        "payload",
        Damage::Write(3, 1000, &[0xff; 8]),
        3,
        Answers { fetched: (0, Some(3)), listed: (0, Some(3)) },
    ),
    // The log begins with the first segment that is there.
    alike("first-gone", Damage::Gone(0), 0, Answers { fetched: (1, None), listed: (0, Some(10)) }),
    // As if compaction had taken them: nothing in a log says which offsets there have been.
    alike(
        "middle-gone",
        Damage::Gone(1),
        15,
        Answers { fetched: (0, Some(20)), listed: (0, Some(20)) },
    ),
];

fn time_of(offset: i64) -> i64 {
    1_000_000 + offset
}

fn write_topics(server: &Server) {
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    let value = vec![b'v'; VALUE_BYTES];
    for case in &CASES {
        create(&mut client, case.topic, 1);
        for offset in 0..RECORDS {
            let records = Batch::of(&[&value], time_of(offset)).bytes();
            let produced = produce(&mut client, case.topic, 0, -1, records).expect("an answer");
            assert_eq!(produced.error, 0);
        }
    }
}

fn segment(data: &Path, topic: &str, number: i64) -> PathBuf {
    data.join(format!("{topic}-0")).join(format!("{:020}.log", number * IN_SEGMENT))
}

fn damage(data: &Path, case: &Case) {
    let file = segment(data, case.topic, 0);
    let length = std::fs::metadata(&file).expect("the first segment").len();
    let open = || OpenOptions::new().write(true).open(&file).expect("the first segment");
    match case.damage {
        Damage::Write(number, at, bytes) => {
            let batch = length / u64::try_from(IN_SEGMENT).expect("small");
            open().write_all_at(bytes, number * batch + at).expect("it is written");
        }
        Damage::Before(bytes) => {
            let content = std::fs::read(&file).expect("the first segment");
            std::fs::write(&file, [bytes, &content].concat()).expect("it is written");
        }
        Damage::Cut(bytes) => open().set_len(length - bytes).expect("it is cut"),
        Damage::Gone(number) => {
            for suffix in ["log", "index", "timeindex"] {
                let file = segment(data, case.topic, number).with_extension(suffix);
                std::fs::remove_file(file).expect("it was there");
            }
        }
    }
}

fn fetched(client: &mut Client, topic: &str, from: i64) -> Told {
    until("the leader answers Fetch", STARTED, || {
        let answer = client.call(12, &fetch_request(topic, 0, from)).expect("Fetch is answered");
        let answer = &answer.responses[0].partitions[0];
        let records = answer.records.clone().unwrap_or_default();
        let first = records.first_chunk().map(|offset| i64::from_be_bytes(*offset));
        (answer.error_code != NOT_LEADER).then_some((answer.error_code, first))
    })
}

fn listed(client: &mut Client, topic: &str, time: i64) -> Told {
    let partition =
        ListOffsetsPartition { current_leader_epoch: -1, timestamp: time, ..Default::default() };
    let asked = ListOffsetsTopic { name: name(topic), partitions: vec![partition] };
    let request =
        ListOffsetsRequest { replica_id: BrokerId(-1), topics: vec![asked], ..Default::default() };
    until("the leader answers ListOffsets", STARTED, || {
        let answer = client.call(6, &request).expect("ListOffsets is answered");
        let answer = &answer.topics[0].partitions[0];
        // A node that has just started may not have taken its leadership yet.
        let is_led = answer.error_code != NOT_LEADER;
        is_led.then(|| (answer.error_code, Some(answer.offset).filter(|offset| *offset >= 0)))
    })
}

/// Error code and low watermark.
fn deleted(client: &mut Client, topic: &str, before: i64) -> (i16, i64) {
    let partition = DeleteRecordsPartition::default().with_offset(before);
    let asked =
        DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(10_000);
    let answer = client.call(2, &request).expect("DeleteRecords is answered");
    let answer = &answer.topics[0].partitions[0];
    (answer.error_code, answer.low_watermark)
}

/// What a node answers about each topic, and that what lies behind the damage is there.
fn ask(server: &Server) -> Vec<Answers> {
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    let mut answers = Vec::new();
    for Case { topic, at, .. } in &CASES {
        answers.push(Answers {
            fetched: fetched(&mut client, topic, *at),
            listed: listed(&mut client, topic, time_of(*at)),
        });
        let next = 2 * IN_SEGMENT;
        assert_eq!(fetched(&mut client, topic, next), (0, Some(next)), "{topic}");
        assert_eq!(deleted(&mut client, topic, next), (0, next), "{topic}");
        assert_eq!(fetched(&mut client, topic, next), (0, Some(next)), "{topic}");
        assert_eq!(fetched(&mut client, topic, *at), (1, None), "{topic}");
    }
    answers
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp starts");
    assert!(copied.success());
}

#[test]
fn damage_is_told_as_stock_tells_it_and_where_stock_reads_on() {
    let mut server = Server::start(Kind::Stock, &["log.segment.bytes=1048576".to_owned()]);
    write_topics(&server);
    server.terminate();
    let data = server.data();
    CASES.iter().for_each(|case| damage(&data, case));
    let kept = server.folder().join("kept");
    copy(&data, &kept);

    server.start_again();
    let by_stock = ask(&server);
    server.terminate();
    std::fs::remove_dir_all(&data).expect("the data is removed");
    copy(&kept, &data);
    server.kind = server_kind();
    let before = server.output().len();
    server.start_again();
    let by_us = ask(&server);
    let answered = CASES.iter().zip(by_stock).zip(by_us);
    let answered: Vec<_> = answered.map(|((case, stock), us)| (case.topic, stock, us)).collect();
    let expected: Vec<_> =
        CASES.iter().map(|case| (case.topic, case.by_stock, case.by_us)).collect();
    assert_eq!(answered, expected);

    // One line for each place, which Fetch and ListOffsets came upon.
    let said = server.output().split_off(before);
    for case in &CASES {
        let lines =
            said.lines().filter(|line| line.contains(&format!("partition {}-0:", case.topic)));
        let lines: Vec<_> = lines.filter(|line| line.contains(" ERROR ")).collect();
        let file = segment(&data, case.topic, 0);
        match case.by_us.fetched {
            CORRUPT => {
                assert_eq!(lines.len(), 1, "{lines:#?}");
                let named = format!("{} is corrupt at byte ", file.display());
                assert!(lines[0].contains(&named), "{lines:#?}");
            }
            _ => assert!(lines.is_empty(), "{lines:#?}"),
        }
    }
}

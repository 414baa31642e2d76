//! A Produce to all in-sync replicas and a DeleteRecords wait for a follower that stands still.
//! They end when what they wait on goes away, with the code that stock Kafka gives to a Produce;
//! stock lets a DeleteRecords wait its whole time. `GREGOR_TEST_STOCK=1` asks stock Kafka.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::messages::DeleteRecordsRequest;
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use tests::cluster::view::View;
use tests::cluster::{Cluster, Layout};
use tests::golden::server_kind;
use tests::records::Batch;
use tests::server::Kind;
use tests::topic::{name, now_ms, produce};
use tests::wire::Client;

/// The follower of every topic, whose process is stopped while the requests wait.
const STANDS_STILL: i32 = 2;
/// How long the requests may wait.
const TIMEOUT_MS: i32 = 6_000;
/// Before the event: whoever waits does so by then.
const SETTLE: Duration = Duration::from_millis(300);
/// After the event: Kafka's own word is that it comes at once.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Who waits: the code that it was answered, and when.
type Waiting = JoinHandle<(i16, Instant)>;

fn write(client: &mut Client, topic: &str) -> i16 {
    let records = Batch::of(&[b"value".as_slice()], now_ms()).bytes();
    produce(client, topic, 0, -1, records).expect("Produce is answered").error
}

fn delete_records(client: &mut Client, topic: &str) -> i16 {
    let partition = DeleteRecordsPartition::default().with_offset(1);
    let asked =
        DeleteRecordsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request =
        DeleteRecordsRequest::default().with_topics(vec![asked]).with_timeout_ms(TIMEOUT_MS);
    let answer = client.call(2, &request).expect("DeleteRecords is answered");
    answer.topics[0].partitions[0].error_code
}

fn waiting(address: &str, topic: &str, act: fn(&mut Client, &str) -> i16) -> Waiting {
    let (address, topic) = (address.to_owned(), topic.to_owned());
    std::thread::spawn(move || {
        let mut client = Client::connect(&address).expect("a connection");
        (act(&mut client, &topic), Instant::now())
    })
}

/// What a Produce and a DeleteRecords that wait at broker 1 are answered when `event` happens, and
/// whether that was at once.
fn ended(
    cluster: &mut Cluster,
    topic: &str,
    event: impl FnOnce(&mut Cluster, &View),
) -> [(i16, bool); 2] {
    let view = cluster.view();
    view.wait_in_sync(topic, 1);
    let address = view.broker(1).expect("broker 1").to_owned();
    let mut client = Client::connect(&address).expect("a connection");
    assert_eq!(write(&mut client, topic), 0);
    cluster.pause(STANDS_STILL);
    let asked = [write, delete_records].map(|act| waiting(&address, topic, act));
    std::thread::sleep(SETTLE);
    let since = Instant::now();
    event(cluster, &view);
    let answers = asked.map(|each| {
        let (code, at) = each.join().expect("a request");
        (code, at.saturating_duration_since(since) < AT_ONCE)
    });
    cluster.resume(STANDS_STILL);
    answers
}

#[test]
fn a_write_that_waits_hears_that_its_partition_has_gone() {
    let mut cluster = Cluster::start(Layout::split(1, 3));
    let view = cluster.view();
    for topic in ["deleted", "left", "stopped"] {
        view.create(topic, &[&[1, 2]], &[]);
    }
    let deleted = ended(&mut cluster, "deleted", |_, view| view.delete(3, "deleted"));
    let left = ended(&mut cluster, "left", |_, view| view.reassign(3, "left", &[3]));
    let stopped = ended(&mut cluster, "stopped", |cluster, _| {
        cluster.terminate(1);
    });
    let told = |code: ErrorCode| {
        let at_once = (code.code(), true);
        match server_kind() {
            Kind::Gregor => [at_once; 2],
            Kind::Stock => [at_once, (ErrorCode::RequestTimedOut.code(), false)],
        }
    };
    assert_eq!(deleted, told(ErrorCode::UnknownTopicOrPartition), "deletion");
    assert_eq!(left, told(ErrorCode::NotLeaderOrFollower), "reassignment");
    assert_eq!(stopped, told(ErrorCode::NotLeaderOrFollower), "controlled shutdown");
}

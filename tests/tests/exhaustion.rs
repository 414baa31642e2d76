//! A broker whose descriptors run out: connections that do nothing take all there are while
//! partitions come to it. When they are gone, everything that the metadata says of it is so within
//! seconds, without a restart, and nothing that was acknowledged is lost.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout};
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{name, now_ms, produce, read_all};
use tests::wire::Client;

use protocol::messages::CreateTopicsRequest;
use protocol::messages::create_topics_request::CreatableTopic;

/// How long a difference between the metadata and what a broker does may last once it can be
/// mended.
const SOON: Duration = Duration::from_secs(6);

/// All descriptors of a process, held by connections that say nothing.
struct Exhaustion {
    pid: Pid,
    before: Rlimit,
    idle: Vec<TcpStream>,
}

impl Exhaustion {
    /// Leaves the process fewer descriptors than it would need, then takes those, too.
    fn of(pid: u32, address: &str) -> Self {
        let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
        let before = getrlimit(Resource::Nofile);
        let limit = Rlimit { current: Some(open_descriptors(pid) + 50), maximum: before.maximum };
        prlimit(Some(pid), Resource::Nofile, limit).expect("the limit is lowered");
        let limit = limit.current.expect("a limit");
        let idle = (0..70).map(|_| TcpStream::connect(address).expect("the backlog has room"));
        let idle = idle.collect();
        until("no descriptor left", Duration::from_secs(10), || {
            (open_descriptors(pid) >= limit).then_some(())
        });
        Self { pid, before, idle }
    }

    /// The connections close; the limit stays as low as it is.
    fn end(&mut self) {
        self.idle.clear();
    }
}

impl Drop for Exhaustion {
    fn drop(&mut self) {
        // For what a test asks of the node afterwards; a node that ended needs none.
        let _ = prlimit(Some(self.pid), Resource::Nofile, self.before);
    }
}

fn open_descriptors(pid: Pid) -> u64 {
    let folder = format!("/proc/{}/fd", pid.as_raw_nonzero());
    std::fs::read_dir(folder).map_or(0, |entries| entries.count()) as u64
}

fn ask_for_topic(client: &mut Client, topic: &str, partitions: i32, replicas: i16) {
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(replicas);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let response = client.call(7, &request).expect("CreateTopics is answered");
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
}

fn send(client: &mut Client, topic: &str, partition: i32, acks: i16, value: &str) -> i16 {
    let records = Batch::of(&[value.as_bytes()], now_ms()).bytes();
    produce(client, topic, partition, acks, records).expect("Produce is answered").error
}

fn values(client: &mut Client, topic: &str, partition: i32) -> Vec<String> {
    let read = read_all(client, topic, partition);
    read.iter().map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
}

#[test]
fn partitions_that_found_no_descriptor_are_led_when_there_are_some_again() {
    let server = Server::start(Kind::Gregor, &[]);
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    tests::topic::create(&mut client, "before", 1);
    assert_eq!(send(&mut client, "before", 0, 1, "first"), 0);

    let mut exhaustion = Exhaustion::of(server.pid(), &server.address());
    ask_for_topic(&mut client, "during", 6, 1);
    let unserved = (0..6).filter(|p| send(&mut client, "during", *p, 1, "early") != 0).count();
    assert!(unserved > 0, "descriptors ran out");
    assert_eq!(send(&mut client, "before", 0, 1, "second"), 0, "what is open is served");
    // Long enough for the difference to be one that stays.
    until("a line about it", Duration::from_secs(10), || {
        server.output().lines().find(|line| says_difference(line)).map(drop)
    });
    exhaustion.end();

    let freed = Instant::now();
    for partition in 0..6 {
        until("a leader that serves", Duration::from_secs(30), || {
            (send(&mut client, "during", partition, 1, "late") == 0).then_some(())
        });
        let values = values(&mut client, "during", partition);
        assert_eq!(values.last().map(String::as_str), Some("late"), "{partition}: {values:?}");
    }
    assert!(freed.elapsed() < SOON, "{:?}", freed.elapsed());
    assert_eq!(values(&mut client, "before", 0), ["first", "second"]);
}

fn says_difference(line: &str) -> bool {
    line.contains("WARN") && line.contains("during-") && line.contains("Too many open files")
}

#[test]
fn a_follower_that_found_no_descriptor_is_in_sync_when_there_are_some_again() {
    let layout = Layout::split(1, 2)
        .line("replica.lag.time.max.ms=2000")
        .line("min.insync.replicas=1")
        .line("offsets.topic.replication.factor=1");
    let cluster = Cluster::start(layout);
    let (leader, follower) = (1, 2);
    let view = cluster.view();
    view.create("t", &[&[leader, follower]], &[]);
    let mut client = Client::connect(view.broker(leader).expect("it listens")).expect("accepted");
    assert_eq!(send(&mut client, "t", 0, -1, "first"), 0);

    let address = view.broker(follower).expect("it listens").to_owned();
    let mut exhaustion = Exhaustion::of(cluster.pid(follower), &address);
    ask_for_topic(&mut client, "during", 4, 2);
    std::thread::sleep(Duration::from_secs(3));
    exhaustion.end();

    let freed = Instant::now();
    for partition in 0..4 {
        view.wait_for_partition("during", partition, "both in sync", |found| {
            found.leader >= 0 && found.isr.len() == 2
        });
    }
    assert!(freed.elapsed() < SOON + Duration::from_secs(4), "{:?}", freed.elapsed());
    for partition in 0..4 {
        let (_, address) = view.leader("during", partition).expect("a leader");
        let mut client = Client::connect(&address).expect("accepted");
        assert_eq!(send(&mut client, "during", partition, -1, "late"), 0);
        assert_eq!(values(&mut client, "during", partition), ["late"]);
    }
    assert_eq!(send(&mut client, "t", 0, -1, "second"), 0);
    assert_eq!(values(&mut client, "t", 0), ["first", "second"]);
}

#[test]
fn who_is_elected_without_a_descriptor_leads_when_there_are_some_again_and_has_all_records() {
    let layout = Layout::split(1, 2)
        .line("min.insync.replicas=1")
        .line("offsets.topic.replication.factor=1");
    let mut cluster = Cluster::start(layout);
    let (first, second) = (1, 2);
    let view = cluster.view();
    let replicas: &[i32] = &[first, second];
    view.create("t", &[replicas; 4], &[]);
    let mut client = Client::connect(view.broker(first).expect("it listens")).expect("accepted");
    let acknowledged: Vec<String> = (0..3).map(|number| format!("record {number}")).collect();
    for partition in 0..4 {
        for value in &acknowledged {
            assert_eq!(send(&mut client, "t", partition, -1, value), 0);
        }
    }

    let address = view.broker(second).expect("it listens").to_owned();
    let mut exhaustion = Exhaustion::of(cluster.pid(second), &address);
    cluster.kill(first);
    // What is freed for a moment may be enough for some of them.
    std::thread::sleep(Duration::from_secs(2));
    assert!(cluster.output(second).contains("Too many open files"));
    exhaustion.end();

    let freed = Instant::now();
    let mut client = Client::connect(&address).expect("accepted");
    for partition in 0..4 {
        until("a leader that serves", Duration::from_secs(30), || {
            (send(&mut client, "t", partition, 1, "late") == 0).then_some(())
        });
        let values = values(&mut client, "t", partition);
        assert_eq!(values[..3], acknowledged[..], "{partition}");
        assert_eq!(values[3..], ["late"], "{partition}");
    }
    assert!(freed.elapsed() < SOON, "{:?}", freed.elapsed());
}

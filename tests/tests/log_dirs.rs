//! Several log directories: where partitions go, and what the failure of one costs.
//!
//! A directory is a small file system in memory that is filled up, so that the next write to it
//! fails. Needs root to mount it; `tests/run` says so when it cannot be done.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::describe_log_dirs_response::DescribeLogDirsResult;
use protocol::messages::{CreateTopicsRequest, DescribeLogDirsRequest, TopicName};
use tests::cluster::view::{partition_at, until};
use tests::cluster::{Cluster, Layout};
use tests::golden::server_kind;
use tests::native;
use tests::oracle::EQUALLED;
use tests::records::Batch;
use tests::server::{Kind, Server};
use tests::topic::{create, fetch_request, now_ms, produce, read_all};
use tests::wire::Client;

const STORAGE_ERROR: i16 = 56;
const INVALID_REPLICATION_FACTOR: i16 = 38;
const NOT_LEADER: i16 = 6;
const PATIENCE: Duration = Duration::from_secs(20);

/// A small file system in memory, unmounted in the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).expect("the mount point");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m", "none"]).arg(folder);
        let output = mount.output().expect("mount starts");
        assert!(output.status.success(), "{output:?}");
        Self(folder.to_owned())
    }

    /// From now on every write fails.
    fn fill(&self) {
        let _ = std::fs::write(self.filler(), vec![0; 9 << 20]);
    }

    fn make_room(&self) {
        std::fs::remove_file(self.filler()).expect("the filler goes away");
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// A node with its usual directory and a second one.
fn with_second(second: &str) -> (Server, PathBuf) {
    let server = Server::prepare(server_kind(), &[]);
    let other = server.folder().join(second);
    server.write_properties(&[format!("log.dirs={},{}", server.data().display(), other.display())]);
    (server, other)
}

fn rows(client: &mut Client) -> Vec<DescribeLogDirsResult> {
    let answer = client.call(5, &DescribeLogDirsRequest { topics: None });
    answer.expect("DescribeLogDirs is answered").results
}

/// The partitions of a topic in the given row.
fn inside(rows: &[DescribeLogDirsResult], at: usize, topic: &str) -> Vec<i32> {
    let topics = rows[at].topics.iter().filter(|found| found.name.as_str() == topic);
    let mut partitions: Vec<i32> =
        topics.flat_map(|topic| &topic.partitions).map(|found| found.partition_index).collect();
    partitions.sort_unstable();
    partitions
}

fn one_record(client: &mut Client, partition: i32, value: &[u8]) -> i16 {
    let records = Batch::of(&[value], now_ms()).bytes();
    produce(client, "t", partition, -1, records).expect("Produce is answered").error
}

fn fetch_error(client: &mut Client, version: i16, partition: i32) -> i16 {
    let answer = client.call(version, &fetch_request("t", partition, 0));
    answer.expect("Fetch is answered").responses[0].partitions[0].error_code
}

fn leader(server: &Server, partition: i32) -> i32 {
    partition_at(&server.address(), "t", partition).map_or(-2, |found| found.leader)
}

#[test]
fn a_directory_that_fails_costs_its_partitions_and_no_others() {
    let (mut server, second) = with_second("second");
    let disk = SmallDisk::mount(&second);
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    create(&mut client, "t", 4);
    let before = rows(&mut client);
    let (staying, falling) = (inside(&before, 0, "t"), inside(&before, 1, "t"));
    assert_eq!((staying.len(), falling.len()), (2, 2), "{before:?}");
    let mounted = before[1].total_bytes;
    assert_eq!((mounted, before[0].total_bytes > mounted), (8 << 20, true), "{before:?}");
    for partition in 0..4 {
        assert_eq!(one_record(&mut client, partition, b"before"), 0);
    }

    disk.fill();
    let large = vec![b'x'; 900_000];
    let failed = until("a write that fails", PATIENCE, || {
        Some(one_record(&mut client, falling[0], &large)).filter(|error| *error != 0)
    });
    assert_eq!(failed, STORAGE_ERROR);
    for partition in &falling {
        let what = format!("{partition} without a leader");
        until(&what, PATIENCE, || (leader(&server, *partition) == -1).then_some(()));
        let shown = partition_at(&server.address(), "t", *partition).expect("described");
        assert_eq!((shown.replicas, shown.offline), (vec![1], vec![1]));
        assert_eq!(one_record(&mut client, *partition, b"x"), STORAGE_ERROR);
        assert_eq!(fetch_error(&mut client, 12, *partition), STORAGE_ERROR);
        let old = fetch_error(&mut client, 5, *partition);
        assert_eq!(old, NOT_LEADER, "an old consumer asks elsewhere");
    }
    for partition in &staying {
        assert_eq!(one_record(&mut client, *partition, b"after"), 0);
        assert_eq!(leader(&server, *partition), 1);
    }
    let after = rows(&mut client);
    assert_eq!((after[0].error_code, after[1].error_code), (0, STORAGE_ERROR), "{after:?}");
    assert_eq!((inside(&after, 0, "t"), after[1].topics.len()), (staying.clone(), 0));
    create(&mut client, "new", 2);
    assert_eq!(inside(&rows(&mut client), 0, "new"), [0, 1]);
    if server_kind() == Kind::Gregor {
        let said = format!("Stopped serving replicas in dir {}", second.display());
        assert!(server.output().contains(&said), "{}", server.output());
    }

    server.terminate();
    disk.make_room();
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    for partition in 0..4 {
        let what = format!("{partition} with a leader");
        until(&what, PATIENCE, || (leader(&server, partition) == 1).then_some(()));
        let values: Vec<_> = until("its records", PATIENCE, || {
            (fetch_error(&mut client, 12, partition) == 0)
                .then(|| read_all(&mut client, "t", partition))
        });
        assert_eq!(&values[0].1[..], b"before");
        let last = &values[values.len() - 1].1;
        assert!(falling.contains(&partition) || &last[..] == b"after", "{partition}");
    }
    drop(server);
    drop(disk);
}

#[test]
fn a_directory_that_cannot_be_read_at_the_start_is_left_out() {
    let (mut server, second) = with_second("second");
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    create(&mut client, "t", 2);
    let gone = inside(&rows(&mut client), 1, "t");
    // The controller hears where replicas are a tenth of a second later.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(gone.len(), 1);
    // One that is killed would still be shown as the leader, as by Kafka: nobody fenced it.
    server.terminate();
    let aside = second.with_extension("aside");
    std::fs::rename(&second, &aside).expect("moved away");
    std::fs::write(&second, "no directory").expect("a file in its place");
    server.start_formatted();
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    until("no leader", PATIENCE, || (leader(&server, gone[0]) == -1).then_some(()));
    assert_eq!(one_record(&mut client, gone[0], b"x"), NOT_LEADER);
    assert_eq!(one_record(&mut client, 1 - gone[0], b"x"), 0);
    assert_eq!(rows(&mut client)[1].error_code, STORAGE_ERROR);

    server.terminate();
    std::fs::remove_file(&second).expect("the file goes away");
    std::fs::rename(&aside, &second).expect("moved back");
    server.start_again();
    until("a leader", PATIENCE, || (leader(&server, gone[0]) == 1).then_some(()));
    drop(server);
}

#[test]
fn the_node_ends_when_the_directory_of_the_metadata_log_fails() {
    let mut server = Server::prepare(server_kind(), &[]);
    let disk = SmallDisk::mount(&server.data());
    let other = server.folder().join("second");
    let dirs = format!("log.dirs={},{}", server.data().display(), other.display());
    server.write_properties(&[dirs]);
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    create(&mut client, "t", 2);
    let partition = inside(&rows(&mut client), 0, "t")[0];
    disk.fill();
    let large = vec![b'x'; 900_000];
    client.set_patience(Duration::from_secs(2));
    until("the end of the node", PATIENCE, || {
        let records = Batch::of(&[&large], now_ms()).bytes();
        produce(&mut client, "t", partition, -1, records).err()
    });
    if server_kind() == Kind::Gregor {
        until("its words", PATIENCE, || {
            server.output().contains("Shutdown broker because the metadata log dir").then_some(())
        });
    }
    drop(server);
    drop(disk);
}

#[test]
fn leadership_leaves_a_directory_that_fails_and_its_broker_goes_on() {
    let layout = Layout::combined(3);
    let mut cluster = Cluster::prepare(layout);
    let second = cluster.folder().join("second-of-1");
    let disk = SmallDisk::mount(&second);
    let dirs = format!("log.dirs={},{}", cluster.data(1).display(), second.display());
    cluster.write_properties(1, &[&dirs]);
    cluster.format(1);
    cluster.launch_all();
    cluster.wait_ready();
    let view = cluster.view();
    let all: &[i32] = &[1, 2, 3];
    view.create("t", &[all, all, all, all], &[]);
    let address = view.broker(1).expect("it runs").to_owned();
    let mut client = Client::connect(&address).expect("the node accepts");
    let placed = until("all placed", PATIENCE, || {
        let rows = rows(&mut client);
        let placed = (inside(&rows, 0, "t"), inside(&rows, 1, "t"));
        (placed.0.len() + placed.1.len() == 4).then_some(placed)
    });
    assert_eq!((placed.0.len(), placed.1.len()), (2, 2), "{placed:?}");
    for partition in 0..4 {
        view.wait_for_partition("t", partition, "in sync", |one| {
            one.leader == 1 && one.isr.len() == 3
        });
    }
    disk.fill();
    let large = vec![b'x'; 900_000];
    until("a write that fails", PATIENCE, || {
        (one_record(&mut client, placed.1[0], &large) != 0).then_some(())
    });
    for partition in &placed.1 {
        let what = "another leader";
        let shown = view.wait_for_partition("t", *partition, what, |one| one.leader > 1);
        assert_eq!((shown.isr, shown.offline), (vec![2, 3], vec![1]));
        let leader = view.broker(shown.leader).expect("it runs");
        let mut client = Client::connect(leader).expect("it accepts");
        assert_eq!(one_record(&mut client, *partition, b"after"), 0);
    }
    for partition in &placed.0 {
        let shown = view.partition("t", *partition).expect("described");
        assert_eq!((shown.leader, shown.isr, shown.offline), (1, vec![1, 2, 3], vec![]));
        assert_eq!(one_record(&mut client, *partition, b"after"), 0);
    }
    drop(cluster);
    drop(disk);
}

/// Sets cordoned.log.dirs of the node while it runs.
fn cordon(server: &Server, directories: &str) {
    let words = format!(
        "--bootstrap-server {} --alter --entity-type brokers --entity-name 1 --add-config \
         cordoned.log.dirs={directories}",
        server.address()
    );
    let args: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    let altered = native::run_as(EQUALLED, "kafka-configs", &args, "");
    assert_eq!(altered.code, 0, "{altered:?}");
}

/// What the creation of a topic would come to.
fn would_create(client: &mut Client) -> i16 {
    let topic = CreatableTopic::default()
        .with_name(TopicName("would".to_owned().into()))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default()
        .with_topics(vec![topic])
        .with_validate_only(true)
        .with_timeout_ms(10_000);
    client.call(7, &request).expect("CreateTopics is answered").topics[0].error_code
}

#[test]
fn a_cordoned_directory_gets_no_new_partitions() {
    let (mut server, second) = with_second("second");
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("the node accepts");
    create(&mut client, "t", 2);
    cordon(&server, &second.display().to_string());
    until("a cordoned directory", PATIENCE, || {
        let rows = rows(&mut client);
        (rows[1].is_cordoned && !rows[0].is_cordoned).then_some(())
    });
    create(&mut client, "u", 4);
    let found = rows(&mut client);
    assert_eq!((inside(&found, 0, "u").len(), inside(&found, 1, "u").len()), (4, 0), "{found:?}");
    assert_eq!(inside(&found, 1, "t").len(), 1, "what is there stays");

    cordon(&server, "*");
    until("no place for new replicas", PATIENCE, || {
        (would_create(&mut client) == INVALID_REPLICATION_FACTOR).then_some(())
    });
    cordon(&server, "");
    until("a place for new replicas", PATIENCE, || (would_create(&mut client) == 0).then_some(()));
    create(&mut client, "v", 4);
    let found = rows(&mut client);
    assert!(!found[1].is_cordoned && !inside(&found, 1, "v").is_empty(), "{found:?}");
}

//! A disk whose writes block for seconds costs neither a group's heartbeat nor the quorum its
//! answer.
//!
//! The data dir is a file system on a loop device, frozen (`fsfreeze`) for longer than the group's
//! session timeout while a producer writes. Needs root; `tests/run` says so when it cannot be done.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::describe_quorum_request::{PartitionData, TopicData};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::{
    DescribeQuorumRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest,
    MetadataRequest, SyncGroupRequest,
};
use protocol::wire::StrBytes;
use tests::golden::server_kind;
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, name, now_ms, produce};
use tests::wire::Client;

const SESSION_MS: i32 = 6000;

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().expect("it starts");
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
}

/// A small file system mounted on a folder, thawed and unmounted in the end.
struct Disk(String);

impl Disk {
    fn mount(image: &Path, folder: &Path) -> Self {
        let (image, folder) = (image.display().to_string(), folder.display().to_string());
        std::fs::create_dir_all(&folder).expect("the mount point");
        run("truncate", &["-s", "256M", &image]);
        run("mkfs.ext4", &["-q", &image]);
        run("mount", &["-o", "loop", &image, &folder]);
        Self(folder)
    }

    fn freeze(&self) {
        run("fsfreeze", &["-f", &self.0]);
    }

    fn thaw(&self) {
        run("fsfreeze", &["-u", &self.0]);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("fsfreeze").args(["-u", &self.0]).output();
        let _ = Command::new("umount").args(["-l", &self.0]).output();
    }
}

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

/// Joins alone and becomes stable: member id and generation.
fn joined(client: &mut Client) -> (StrBytes, i32) {
    let group = GroupId(text("g"));
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec![text("g")]);
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(Bytes::new());
    let mut join = JoinGroupRequest::default()
        .with_group_id(group.clone())
        .with_session_timeout_ms(SESSION_MS)
        .with_rebalance_timeout_ms(SESSION_MS)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol]);
    for _ in 0..100 {
        client.call(4, &find).expect("FindCoordinator is answered");
        let answer = client.call(5, &join).expect("JoinGroup is answered");
        match answer.error_code {
            0 => {
                let sync = SyncGroupRequest::default()
                    .with_group_id(group)
                    .with_member_id(answer.member_id.clone())
                    .with_generation_id(answer.generation_id);
                let synced = client.call(3, &sync).expect("SyncGroup is answered");
                assert_eq!(synced.error_code, 0);
                return (answer.member_id, answer.generation_id);
            }
            79 => join.member_id = answer.member_id,
            14..=16 => std::thread::sleep(Duration::from_millis(100)),
            other => panic!("JoinGroup: {other}"),
        }
    }
    panic!("the group's coordinator does not serve");
}

/// Leader and epoch of the quorum.
fn quorum(client: &mut Client) -> (i32, i32) {
    let topic = TopicData::default()
        .with_topic_name(name("__cluster_metadata"))
        .with_partitions(vec![PartitionData::default()]);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let answer = client.call(1, &request).expect("DescribeQuorum is answered");
    let partition = &answer.topics[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    (partition.leader_id.0, partition.leader_epoch)
}

#[test]
fn heartbeats_and_the_quorum_are_answered_while_writes_are_blocked() {
    let mut server = Server::prepare(server_kind(), &[]);
    let disk = Disk::mount(&server.folder().join("image"), &server.data());
    // mkfs leaves a folder that is no topic's.
    std::fs::remove_dir(server.data().join("lost+found")).expect("lost+found is removed");
    server.start_again();
    let address = server.address();
    let mut client = Client::connect(&address).expect("the node accepts");
    create(&mut client, "t", 1);
    let (member_id, generation) = joined(&mut client);
    let heartbeat = HeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(member_id)
        .with_generation_id(generation);
    let before = quorum(&mut client);

    let (stop, produced) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = Client::connect(&address).expect("the node accepts");
                client.set_patience(Duration::from_secs(30));
                while !stop.load(Ordering::Relaxed) {
                    let batch = Batch::of(&[&[b'x'; 1000]], now_ms()).bytes();
                    let answer = produce(&mut client, "t", 0, -1, batch).expect("answered");
                    assert_eq!(answer.error, 0);
                    produced.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        disk.freeze();
        std::thread::sleep(Duration::from_millis(300));
        let blocked_at = produced.load(Ordering::Relaxed);
        let frozen = Instant::now();
        let mut slowest = Duration::ZERO;
        let mut wrong = Vec::new();
        while frozen.elapsed() < Duration::from_millis(SESSION_MS as u64 + 2000) {
            let asked = Instant::now();
            let code = client.call(4, &heartbeat).map(|answer| answer.error_code);
            let epoch = quorum(&mut client);
            let mut other = Client::connect(&address).expect("a new connection is accepted");
            let metadata = other.call(9, &MetadataRequest::default().with_topics(Some(Vec::new())));
            let brokers = metadata.map(|answer| answer.brokers.len());
            slowest = slowest.max(asked.elapsed());
            if !matches!(code, Ok(0)) || epoch != before || !matches!(brokers, Ok(1)) {
                wrong.push(format!("{:?}: {code:?} {epoch:?} {brokers:?}", frozen.elapsed()));
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        let still = produced.load(Ordering::Relaxed);
        disk.thaw();
        let thawed = Instant::now();
        while produced.load(Ordering::Relaxed) == still && thawed.elapsed().as_secs() < 10 {
            std::thread::sleep(Duration::from_millis(10));
        }
        let after = produced.load(Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
        assert!(blocked_at > 0 && after > still, "writes go on after the thaw");
        assert!(still <= blocked_at + 3, "writes were blocked: {blocked_at}, then {still}");
        assert!(wrong.is_empty(), "while the disk was frozen: {wrong:#?}");
        println!("slowest round of three requests while frozen: {slowest:?}");
        assert!(slowest < Duration::from_millis(1500), "slowest round: {slowest:?}");
    });
    assert_eq!(client.call(4, &heartbeat).expect("answered").error_code, 0, "still a member");
    assert_eq!(quorum(&mut client), before, "no election");
    drop(server);
    drop(disk);
}

//! The quorum on real files: what is answered is there after a restart, a slow disk holds up no one
//! but those who wait for it.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use client::Transport;
use config::{BrokerConfig, Properties};
use protocol::ErrorCode;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::describe_quorum_request as asked;
use protocol::messages::{CreateTopicsRequest, DescribeQuorumRequest, TopicName};
use protocol::wire::StrBytes;
use raft::controller::{Controller, ControllerNow, ControllerResult, Unbounded};
use storage::{Disk, DiskOp, Faults, OpenFiles, Verdict};
use tokio::sync::watch;
use uuid::Uuid;

use super::bootstrap::BOOTSTRAP_FILE;
use super::metadata_dir::{MetadataDir, PARTITION};
use super::*;
use crate::requests::controller_error::ControllerError;

/// Blocks every sync of the metadata log while it is told to.
#[derive(Debug, Default)]
struct StallingSync(AtomicBool);

impl Faults for StallingSync {
    fn before(&self, operation: DiskOp, path: &Path) -> Verdict {
        let is_vote = path.ends_with("__cluster_metadata-0/quorum-state.tmp");
        while operation == DiskOp::Sync && !is_vote && self.0.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Verdict::Proceed
    }
}

pub(super) struct TestNode {
    /// Of the log that was opened last.
    pub(super) writer: Option<Writing>,
    directory: tempfile::TempDir,
    pub(super) config: BrokerConfig,
    pub(super) disk: Disk,
}

/// A writer's thread, which ends when its log is dropped: before the directory that it writes to
/// goes, because a writer that finds its files gone ends the process.
pub(super) struct Writing(pub(super) JoinHandle<()>);

impl Drop for Writing {
    fn drop(&mut self) {
        let began = Instant::now();
        while !self.0.is_finished() && began.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl TestNode {
    pub(super) fn new(settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut properties = Properties::new();
        for (name, value) in [
            ("process.roles", "broker,controller"),
            ("node.id", "1"),
            ("controller.quorum.voters", "1@localhost:19159"),
            ("listeners", "PLAINTEXT://localhost:19158,CONTROLLER://localhost:19159"),
            ("controller.listener.names", "CONTROLLER"),
            ("log.dirs", &directory.path().display().to_string()),
        ] {
            properties.set(name, value);
        }
        for (name, value) in settings {
            properties.set(*name, *value);
        }
        let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
        Self { writer: None, directory, config, disk: Disk::default() }
    }

    pub(super) fn dir(&self) -> MetadataDir {
        MetadataDir {
            path: self.directory.path().to_owned(),
            cluster_id: "cluster".to_owned(),
            directory_id: Uuid::from_u128(1 << 100),
            log_dirs: vec![Uuid::from_u128(1 << 100)],
            clean_shutdown: false,
            previous_broker_epoch: -1,
            disk: self.disk.clone(),
            open_files: Arc::new(OpenFiles::new(100)),
        }
    }

    /// A quorum whose broker applies everything at once and is unfenced.
    async fn start(&self) -> QuorumHandle {
        let (quorum, mut changes) =
            QuorumHandle::start_in(&self.config, self.dir(), Transport::Plaintext).unwrap();
        changes.first().await.unwrap();
        tokio::spawn(async move {
            while let Some(change) = changes.next().await {
                change.applied.send();
            }
        });
        quorum.serve().await.unwrap();
        quorum
    }

    /// Another node with the files that this one has written so far.
    pub(super) fn as_if_killed(&self) -> Self {
        let copy = Self::new(&[]);
        let to = copy.directory.path().join(PARTITION);
        std::fs::create_dir(&to).unwrap();
        for name in self.files("") {
            let from = self.directory.path().join(PARTITION).join(&name);
            std::fs::copy(from, to.join(name)).unwrap();
        }
        copy
    }

    fn files(&self, ending: &str) -> Vec<String> {
        let listing = std::fs::read_dir(self.directory.path().join(PARTITION)).unwrap();
        let names = listing.map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(ending)).collect();
        names.sort();
        names
    }
}

async fn create(quorum: &QuorumHandle, topic: &str) -> i16 {
    let topic = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]);
    let answer = quorum.submit(move |controller, now| {
        controller.create_topics(&request, &|_| true, &mut Unbounded, now)
    });
    answer.await.unwrap().topics[0].error_code
}

fn describe() -> DescribeQuorumRequest {
    let topic = asked::TopicData::default()
        .with_topic_name(TopicName(StrBytes::from_static_str("__cluster_metadata")))
        .with_partitions(vec![asked::PartitionData::default()]);
    DescribeQuorumRequest::default().with_topics(vec![topic])
}

#[tokio::test]
async fn what_was_answered_is_there_after_a_stop_and_after_none() {
    let node = TestNode::new(&[]);
    let quorum = node.start().await;
    assert_eq!(quorum.leader_id(), 1);
    assert_eq!(create(&quorum, "a").await, 0);
    assert_eq!(create(&quorum, "a").await, ErrorCode::TopicAlreadyExists.code());
    let first_epoch = quorum.broker_epoch();
    quorum.controlled_shutdown().await;
    quorum.stop().await;
    assert!(matches!(
        quorum.submit(|_, _| ControllerResult::unchanged(())).await,
        Err(ControllerError::Stopping)
    ));
    let quorum = node.start().await;
    assert!(quorum.image().topics().by_name("a").is_some());
    assert!(quorum.broker_epoch() > first_epoch);
    assert_eq!(create(&quorum, "b").await, 0);
    let killed = node.as_if_killed();
    quorum.stop().await;
    let quorum = killed.start().await;
    let image = quorum.image();
    let partition = image.topics().by_name("b").unwrap().partition(0).unwrap();
    assert_eq!(partition.leader, 1);
    assert!(killed.files(".checkpoint").is_empty());
    quorum.stop().await;
}

#[tokio::test]
async fn snapshots_are_written_and_started_from() {
    let node = TestNode::new(&[("metadata.log.max.record.bytes.between.snapshots", "3000")]);
    let quorum = node.start().await;
    for topic in 0..40 {
        assert_eq!(create(&quorum, &format!("t{topic}")).await, 0);
    }
    while node.files(".checkpoint").is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let image = quorum.image();
    quorum.stop().await;
    let newest = node.files(".checkpoint").pop().unwrap();
    // A crash in the middle of the next one leaves this; it is removed.
    let part = node.directory.path().join(PARTITION).join(format!("{newest}.part"));
    std::fs::File::create(&part).unwrap().write_all(b"half").unwrap();
    let quorum = node.start().await;
    assert!(!part.exists(), "what a crash left is gone; a new one may be under way");
    assert_eq!(quorum.image().topics().len(), image.topics().len());
    quorum.stop().await;
}

#[tokio::test]
async fn a_disk_that_stalls_holds_up_appends_and_nothing_else() {
    let stall = Arc::new(StallingSync::default());
    let mut node = TestNode::new(&[
        ("broker.session.timeout.ms", "300"),
        ("broker.heartbeat.interval.ms", "50"),
    ]);
    node.disk = Disk::with_faults(Arc::clone(&stall) as Arc<dyn Faults>);
    let quorum = Arc::new(node.start().await);
    stall.0.store(true, Ordering::Release);
    let waiting = tokio::spawn({
        let quorum = Arc::clone(&quorum);
        async move { create(&quorum, "slow").await }
    });
    let until = Instant::now() + Duration::from_millis(600);
    let mut answers = 0;
    while Instant::now() < until {
        let answer =
            tokio::time::timeout(Duration::from_millis(200), quorum.describe_quorum(describe()));
        assert_eq!(answer.await.unwrap().unwrap().error_code, 0);
        answers += 1;
    }
    assert!(answers > 10 && !waiting.is_finished());
    assert!(quorum.image().topics().by_name("slow").is_none());
    stall.0.store(false, Ordering::Release);
    assert_eq!(waiting.await.unwrap(), 0);
    assert!(quorum.image().cluster().is_active(1), "its session went on");
    quorum.stop().await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_used_is_named() {
    let node = TestNode::new(&[]);
    std::fs::write(node.directory.path().join(BOOTSTRAP_FILE), b"not a snapshot").unwrap();
    let error = QuorumHandle::start_in(&node.config, node.dir(), Transport::Plaintext)
        .unwrap_err()
        .to_string();
    assert!(error.contains("bootstrap.checkpoint cannot be used: "), "{error}");
    let broken = TestNode::new(&[]);
    std::fs::create_dir(broken.directory.path().join(PARTITION)).unwrap();
    let vote = broken.directory.path().join(PARTITION).join("quorum-state");
    std::fs::write(&vote, "{}").unwrap();
    let error = QuorumHandle::start_in(&broken.config, broken.dir(), Transport::Plaintext)
        .unwrap_err()
        .to_string();
    assert_eq!(error, format!("Cannot use {}: quorum-state has no data_version", vote.display()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_from_elsewhere_does_not_wait_for_a_broker_that_is_slow_to_apply() {
    let node = TestNode::new(&[]);
    let (quorum, mut changes) =
        QuorumHandle::start_in(&node.config, node.dir(), Transport::Plaintext).unwrap();
    changes.first().await.unwrap();
    // Until it is told to, the broker applies what it gets; then nothing more.
    let (stop, mut stopped) = watch::channel(false);
    let applying = tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(change) = changes.next() => change.applied.send(),
                _ = stopped.wait_for(|stop| *stop) => return changes,
            }
        }
    });
    quorum.serve().await.unwrap();
    stop.send(true).unwrap();
    let _kept_waiting = applying.await.unwrap();
    let ask = |name: &'static str| {
        let topic = CreatableTopic::default()
            .with_name(TopicName(StrBytes::from_static_str(name)))
            .with_num_partitions(1)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        move |controller: &mut Controller, now: &ControllerNow| {
            controller.create_topics(&request, &|_| true, &mut Unbounded, now)
        }
    };
    let elsewhere = quorum.submit_due(Due::Committed, ask("a"));
    let answer = tokio::time::timeout(Duration::from_secs(10), elsewhere).await.unwrap();
    assert_eq!(answer.unwrap().topics[0].error_code, 0);
    let here = tokio::time::timeout(Duration::from_millis(300), quorum.submit(ask("b"))).await;
    assert!(here.is_err(), "an answer here waits for the broker");
    quorum.stop().await;
}

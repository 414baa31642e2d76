//! A follower's fetch of a node whose disk it needs for one of the partitions.

use std::path::Path;
use std::time::Duration;

use config::{BrokerConfig, Properties};
use protocol::batch::BatchBuilder;
use protocol::records::metadata::{
    MetadataRecord, PartitionRecord, RegisterBrokerRecord, TopicRecord,
};
use raft::image::{DIRECTORY_UNASSIGNED, MetadataDelta};
use replica::{Acks, Origin};
use rustix::fs::{Advice, fadvise};
use uuid::Uuid;

use super::*;
use crate::node::server::Node;
use crate::publisher::Publisher;

const TOPIC: Uuid = Uuid::from_u128(0x2001);
const FOLLOWER: i32 = 9;
const FOLLOWER_EPOCH: i64 = 90;

/// A folder on a disk: what is in memory alone can never leave it.
fn folder() -> tempfile::TempDir {
    let on_disk = Path::new("/var/tmp");
    if on_disk.is_dir() {
        tempfile::tempdir_in(on_disk).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// A node that leads both partitions of `t`, each with a follower elsewhere that is in sync.
async fn leader(directory: &Path) -> Node {
    let mut properties = config::broker::zero_properties();
    properties.merge(&Properties::from_iter([
        ("listeners", "PLAINTEXT://localhost:0,CONTROLLER://localhost:0"),
        ("log.dirs", directory.to_str().unwrap()),
    ]));
    let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
    cli::format_if_new(&config).unwrap();
    let node = Node::start(config).await.unwrap();
    let node_id = node.broker.config.node_id();
    let topic = TopicRecord { name: "t".to_owned().into(), topic_id: TOPIC, ..Default::default() };
    let follower = RegisterBrokerRecord {
        broker_id: FOLLOWER,
        broker_epoch: FOLLOWER_EPOCH,
        fenced: false,
        ..Default::default()
    };
    let mut records: Vec<MetadataRecord> = vec![follower.into(), topic.into()];
    records.extend((0..2).map(|partition_id| {
        let partition = PartitionRecord {
            partition_id,
            topic_id: TOPIC,
            replicas: vec![node_id, FOLLOWER],
            isr: vec![node_id, FOLLOWER],
            leader: node_id,
            leader_epoch: 0,
            partition_epoch: 0,
            directories: vec![DIRECTORY_UNASSIGNED; 2],
            ..Default::default()
        };
        partition.into()
    }));
    let before = node.broker.metadata.image();
    let mut delta = MetadataDelta::new(&before);
    records.iter().for_each(|record| delta.replay(record).unwrap());
    let image = Arc::new(delta.after().clone());
    Publisher::new(Arc::clone(&node.broker)).apply(image, delta.changes()).await;
    node
}

fn append(node: &Node, partition: i32) -> Arc<HostedPartition> {
    let hosted = node.broker.replicas.partitions.partition("t", partition).expect("it is hosted");
    let mut records = BatchBuilder::new(0);
    records.append(1000, None, Some(&vec![b'x'; 100_000]));
    hosted.append(&records.build(), Acks::Leader, 1000, Origin::Client).unwrap();
    hosted
}

/// Writes the partition's log down and lets go of what is in memory of it.
fn cool(hosted: &HostedPartition, directory: &Path) {
    hosted.with_replica_here(|replica| replica.log_mut().log.flush(1000)).unwrap();
    let log = directory.join("t-0").join("00000000000000000000.log");
    let file = std::fs::File::open(log).unwrap();
    for _ in 0..100 {
        fadvise(&file, 0, None, Advice::DontNeed).unwrap();
        let plan = hosted.reader().plan(0, 1 << 20, i64::MAX, true).unwrap().expect("a record");
        if !plan.is_resident().unwrap() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("the file system keeps {} in memory", directory.display());
}

fn fetched(hosted: &Arc<HostedPartition>, fetch_offset: i64) -> FetchedPartition {
    FetchedPartition {
        key: PartitionKey {
            topic_id: TOPIC,
            topic: StrBytes::from_static_str("t"),
            partition: hosted.partition(),
        },
        requested: Requested {
            current_leader_epoch: 0,
            fetch_offset,
            last_fetched_epoch: 0,
            log_start_offset: 0,
            max_bytes: 1 << 20,
        },
        name: Some(Arc::from("t")),
        partition: Ok(Arc::clone(hosted)),
        last_wanted: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followers_progress_counts_behind_a_partition_that_is_not_in_memory() {
    let directory = folder();
    let node = leader(directory.path()).await;
    let (cold, hot) = (append(&node, 0), append(&node, 1));
    assert_eq!((cold.published().high_watermark(), hot.published().high_watermark()), (0, 0));
    cool(&cold, directory.path());
    let params = FetchParams {
        max_bytes: 1 << 20,
        min_bytes: 1,
        max_wait_ms: 0,
        isolation: FetchIsolation::HighWatermark,
        leader_only: true,
        follower: Some(Follower { replica_id: FOLLOWER, broker_epoch: FOLLOWER_EPOCH }),
        nearby: None,
    };
    // It has all of the second partition and nothing of the first.
    let fetched = vec![fetched(&cold, 0), fetched(&hot, 1)];
    let answers = read(&node.broker.replicas, &params, &Notify::new(), fetched).await;
    let codes: Vec<i16> = answers.iter().map(|(_, answer)| answer.error_code).collect();
    assert_eq!((codes, answers[0].1.records_length() > 100_000), (vec![0, 0], true));
    assert_eq!(hot.published().high_watermark(), 1, "both replicas have it");
    assert_eq!(answers[1].1.high_watermark, 1);
    node.stop().await;
}

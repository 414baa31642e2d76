//! Images applied to a node whose disk refuses some of what they ask for.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::records::metadata::{
    MetadataRecord, PartitionRecord, RemoveTopicRecord, TopicRecord,
};
use raft::image::{DIRECTORY_UNASSIGNED, MetadataDelta};
use storage::{Disk, DiskOp, Faults, Verdict};

use super::*;
use crate::node::server::Node;
use crate::requests::context::Policies;

const ENOMEM: i32 = 12;
const EMFILE: i32 = 24;
const DOOMED: Uuid = Uuid::from_u128(0x1001);
const FIRST: Uuid = Uuid::from_u128(0x1002);
const SECOND: Uuid = Uuid::from_u128(0x1003);
const OFFSETS: &str = "__consumer_offsets-0";

/// Has no memory to rename one topic's directory and no descriptors for another's files.
#[derive(Debug, Default)]
struct Exhausted(AtomicBool);

impl Faults for Exhausted {
    fn before(&self, operation: DiskOp, path: &Path) -> Verdict {
        let of = |topic: &str| path.iter().any(|part| part.to_string_lossy() == topic);
        let errno = match operation {
            DiskOp::Rename if path.ends_with("doomed-0") => ENOMEM,
            DiskOp::Open | DiskOp::Create if of("first-0") || of(OFFSETS) => EMFILE,
            _ => return Verdict::Proceed,
        };
        if self.0.load(Ordering::Relaxed) {
            Verdict::Fail(io::Error::from_raw_os_error(errno))
        } else {
            Verdict::Proceed
        }
    }
}

async fn node(directory: &Path, faults: &Arc<Exhausted>) -> Node {
    let mut properties = config::broker::zero_properties();
    properties.merge(&Properties::from_iter([
        ("listeners", "PLAINTEXT://localhost:0,CONTROLLER://localhost:0"),
        ("log.dirs", directory.to_str().unwrap()),
    ]));
    let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
    cli::format_if_new(&config).unwrap();
    let disk = Disk::with_faults(Arc::clone(faults) as Arc<dyn Faults>);
    Node::start_on(config, disk, Policies::default()).await.unwrap()
}

/// A topic of one partition that this node leads.
fn topic(node_id: i32, name: &str, topic_id: Uuid) -> [MetadataRecord; 2] {
    let topic = TopicRecord { name: name.to_owned().into(), topic_id, ..Default::default() };
    let partition = PartitionRecord {
        partition_id: 0,
        topic_id,
        replicas: vec![node_id],
        isr: vec![node_id],
        leader: node_id,
        leader_epoch: 0,
        partition_epoch: 0,
        directories: vec![DIRECTORY_UNASSIGNED],
        ..Default::default()
    };
    [topic.into(), partition.into()]
}

async fn apply(publisher: &mut Publisher, records: impl IntoIterator<Item = MetadataRecord>) {
    let before = publisher.broker.metadata.image();
    let mut delta = MetadataDelta::new(&before);
    records.into_iter().for_each(|record| delta.replay(&record).unwrap());
    let image = Arc::new(delta.after().clone());
    publisher.apply(image, delta.changes()).await;
}

fn leads(broker: &Broker, topic: &str) -> bool {
    broker.replicas.partitions.partition(topic, 0).is_some_and(|hosted| hosted.published().leads())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_of_an_image_keeps_nothing_else_from_being_done_and_is_done_later() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Exhausted::default());
    let node = node(directory.path(), &faults).await;
    let (broker, id) = (Arc::clone(&node.broker), node.broker.config.node_id());
    let mut publisher = Publisher::new(Arc::clone(&broker));
    apply(&mut publisher, topic(id, "doomed", DOOMED)).await;
    assert!(leads(&broker, "doomed"));

    faults.0.store(true, Ordering::Relaxed);
    let removal = RemoveTopicRecord { topic_id: DOOMED, ..Default::default() };
    let records = [topic(id, "first", FIRST), topic(id, "second", SECOND)];
    let records = records.into_iter().flatten().chain([removal.into()]);
    apply(&mut publisher, records).await;
    let known = |topic: &str| broker.metadata.image().topics().by_name(topic).is_some();
    assert_eq!(["doomed", "first", "second"].map(known), [false, true, true]);
    assert_eq!(["doomed", "first", "second"].map(|t| leads(&broker, t)), [false, false, true]);
    assert!(broker.replicas.partitions.topic("doomed").is_none(), "gone for everybody at once");
    let lies_there = || directory.path().join("doomed-0").exists();
    assert!(lies_there());

    publisher.reconcile().await;
    assert!(!leads(&broker, "first") && lies_there(), "nothing has come back yet");
    faults.0.store(false, Ordering::Relaxed);
    publisher.reconcile().await;
    assert!(leads(&broker, "first") && !lies_there());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_made_again_under_a_name_whose_old_log_still_lies_there_is_served_once_it_does_not()
{
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Exhausted::default());
    let node = node(directory.path(), &faults).await;
    let (broker, id) = (Arc::clone(&node.broker), node.broker.config.node_id());
    let mut publisher = Publisher::new(Arc::clone(&broker));
    apply(&mut publisher, topic(id, "doomed", DOOMED)).await;
    let old = broker.replicas.partitions.partition("doomed", 0).expect("it is there");
    let mut records = protocol::batch::BatchBuilder::new(0);
    records.append(1000, None, Some(b"of the old topic"));
    old.append(&records.build(), replica::Acks::Leader, 1000, replica::Origin::Client).unwrap();
    drop(old);

    faults.0.store(true, Ordering::Relaxed);
    let removal = RemoveTopicRecord { topic_id: DOOMED, ..Default::default() };
    apply(&mut publisher, [removal.into()]).await;
    apply(&mut publisher, topic(id, "doomed", SECOND)).await;
    publisher.reconcile().await;
    assert!(!leads(&broker, "doomed"), "another topic's records lie there");
    faults.0.store(false, Ordering::Relaxed);
    publisher.reconcile().await;
    let new = broker.replicas.partitions.partition("doomed", 0).expect("it is there");
    assert_eq!((new.topic_id(), new.published().log_end_offset()), (SECOND, 0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_are_served_once_the_partition_that_holds_them_can_be_opened() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Arc::new(Exhausted::default());
    let node = node(directory.path(), &faults).await;
    let (broker, id) = (Arc::clone(&node.broker), node.broker.config.node_id());
    let mut publisher = Publisher::new(Arc::clone(&broker));
    faults.0.store(true, Ordering::Relaxed);
    apply(&mut publisher, topic(id, groups::TOPIC, FIRST)).await;
    publisher.reconcile().await;
    assert!(broker.groups.shard(0).is_err());
    faults.0.store(false, Ordering::Relaxed);
    publisher.reconcile().await;
    let serves = || broker.groups.shard(0).is_ok_and(|shard| shard.act(|_, _, _| ()).is_ok());
    let loaded = async {
        while !serves() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), loaded).await.expect("it is loaded");
    node.stop().await;
}

//! Share partitions of a node whose persister is in memory, slow, or refuses.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::{BrokerConfig, Properties};
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::batch::BatchBuilder;
use protocol::wire::StrBytes;
use replica::share::{
    AcknowledgeType, AcknowledgementBatch, AcquireMode, SharePartitionId, ShareSessionKey, Wanted,
};
use replica::{Acks, Origin};

use super::fetching::{ShareFetch, ShareFetched, fetch};
use super::state_persister::Later;
use super::{SharePartitions, StatePersister};
use crate::coordinators::persister::{PersistedState, PersisterError, ReadState, WriteState};
use crate::handlers::authorization_test::create_topic;
use crate::node::server::Node;

const GROUP: StrBytes = StrBytes::from_static_str("g");

/// What it is told to say, and what it was told.
#[derive(Debug, Default)]
struct MemoryPersister {
    refuses_reads: Mutex<Option<ErrorCode>>,
    refuses_writes: Mutex<Option<ErrorCode>>,
    pause: Mutex<Duration>,
    writes: Mutex<Vec<WriteState>>,
}

fn refusal<T>(code: ErrorCode) -> Result<T, PersisterError> {
    Err(PersisterError { code, message: "no".to_owned() })
}

impl StatePersister for MemoryPersister {
    fn read(&self, _: &StrBytes, _: ReadState) -> Later<PersistedState> {
        let begins = PersistedState { state_epoch: 3, start_offset: 0, batches: Vec::new() };
        let answer = self.refuses_reads.lock().map_or(Ok(begins), refusal);
        Box::pin(async { answer })
    }

    fn write(&self, _: &StrBytes, asked: WriteState) -> Later<()> {
        self.writes.lock().push(asked);
        let answer = self.refuses_writes.lock().map_or(Ok(()), refusal);
        let pause = *self.pause.lock();
        Box::pin(async move {
            tokio::time::sleep(pause).await;
            answer
        })
    }
}

struct World {
    node: Node,
    share: Arc<SharePartitions>,
    persister: Arc<MemoryPersister>,
    id: SharePartitionId,
}

impl World {
    async fn new(directory: &Path) -> Self {
        let mut properties = config::broker::zero_properties();
        properties.merge(&Properties::from_iter([
            ("listeners", "PLAINTEXT://localhost:0,CONTROLLER://localhost:0"),
            ("log.dirs", directory.to_str().unwrap()),
            ("group.share.min.record.lock.duration.ms", "1000"),
            ("group.share.record.lock.duration.ms", "1000"),
        ]));
        let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
        cli::format_if_new(&config).unwrap();
        let node = Node::start(config).await.unwrap();
        let topic_id = create_topic(&node).await;
        let persister: Arc<MemoryPersister> = Arc::default();
        let share = SharePartitions::new(
            Arc::clone(&node.broker.config),
            Arc::clone(&node.broker.metadata),
            Arc::clone(&node.broker.replicas),
            Arc::clone(&persister) as Arc<dyn StatePersister>,
        );
        Self { node, share, persister, id: SharePartitionId { topic_id, partition: 0 } }
    }

    /// Ten records in one batch.
    fn append(&self) {
        let hosted = self.node.broker.replicas.partitions.partition("t", 0).expect("it is hosted");
        let mut records = BatchBuilder::new(0);
        (0..10).for_each(|_| records.append(1000, None, Some(b"x")));
        hosted.append(&records.build(), Acks::Leader, 1000, Origin::Client).unwrap();
    }

    async fn fetch(&self, member: &str, max_wait_ms: u64) -> Vec<ShareFetched> {
        let wanted = Wanted {
            member: Arc::from(member),
            mode: AcquireMode::BatchOptimized,
            batch_size: 500,
            max_records: 10,
        };
        let partitions = vec![(self.id, Arc::from("t"))];
        let (group, max_bytes) = (GROUP, 1 << 20);
        fetch(
            &self.share,
            ShareFetch { group, wanted, min_bytes: 1, max_bytes, max_wait_ms, partitions },
        )
        .await
    }

    /// What a member is given, or why it is not.
    async fn acquired(&self, member: &str) -> Result<Vec<(i64, i64, i16)>, ErrorCode> {
        let answers = self.fetch(member, 10_000).await;
        let answer = answers.into_iter().next().expect("an answer");
        let acquired = answer.outcome.map_err(|error| error.code)?.acquired;
        let range = acquired.iter().map(|a| (a.first_offset, a.last_offset, a.delivery_count));
        Ok(range.collect())
    }

    async fn accept(&self, member: &str, first: i64, last: i64) -> Result<(), ErrorCode> {
        let types = vec![AcknowledgeType::Accept];
        let said = AcknowledgementBatch { first_offset: first, last_offset: last, types };
        let said = self.share.acknowledge(&GROUP, member, self.id, &[said]);
        said.outcome().await.map_err(|error| error.code)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_waits_for_records_and_what_is_accepted_is_persisted_first() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    let (acquired, ()) = tokio::join!(world.acquired("a"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.append();
    });
    assert_eq!(acquired, Ok(vec![(0, 9, 1)]));
    let nothing = world.fetch("b", 100).await;
    let nothing = nothing
        .into_iter()
        .map(|answer| answer.outcome.map(|got| got.acquired.len()).map_err(|error| error.code));
    assert!(nothing.eq([Ok(0)]), "a has all there is");
    *world.persister.pause.lock() = Duration::from_millis(300);
    let began = Instant::now();
    let (first, second, third) =
        tokio::join!(world.accept("a", 0, 3), world.accept("a", 4, 5), world.accept("b", 6, 7));
    assert_eq!((first, second, third), (Ok(()), Ok(()), Err(ErrorCode::InvalidRecordState)));
    assert!(began.elapsed() >= Duration::from_millis(500), "one write after the other");
    let writes = std::mem::take(&mut *world.persister.writes.lock());
    let epochs: Vec<i32> = writes.iter().map(|write| write.state_epoch).collect();
    assert_eq!(epochs, [3, 3]);
    let ranges = writes.iter().flat_map(|write| &write.batches);
    let ranges: Vec<_> =
        ranges.map(|b| (b.first_offset, b.last_offset, b.delivery_state)).collect();
    assert_eq!(ranges, [(0, 3, 2), (4, 5, 2)]);
    world.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_come_again_when_a_lock_ends_or_a_connection() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.append();
    assert_eq!(world.acquired("a").await, Ok(vec![(0, 9, 1)]));
    let began = Instant::now();
    assert_eq!(world.acquired("b").await, Ok(vec![(0, 9, 2)]));
    assert!(began.elapsed() >= Duration::from_millis(500), "a's lock ended first");
    let key = ShareSessionKey { group: Arc::from("g"), member: Arc::from("b") };
    let opened = world.share.sessions().lock().fetch(&key, 0, &[world.id], &[], false, 77);
    assert_eq!(opened, Ok(vec![world.id]));
    // It was the group's last session here: what is persisted is what the next fetch begins with.
    world.share.connection_closed(77);
    assert_eq!(world.share.count(), 0);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let write = world.persister.writes.lock().pop().expect("what b had is given back");
    let batch = write.batches.last().expect("a batch");
    assert_eq!((batch.first_offset, batch.last_offset, batch.delivery_state), (0, 9, 0));
    assert_eq!(world.acquired("c").await, Ok(vec![(0, 9, 1)]));
    world.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_fenced_by_the_persister_begins_anew_and_who_cannot_begin_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path()).await;
    world.append();
    *world.persister.refuses_reads.lock() = Some(ErrorCode::NotCoordinator);
    let answers = world.fetch("a", 300).await;
    let codes: Vec<_> = answers.into_iter().map(|a| a.outcome.unwrap_err().code).collect();
    assert_eq!((codes, world.share.count()), (vec![ErrorCode::CoordinatorNotAvailable], 0));
    *world.persister.refuses_reads.lock() = None;
    assert_eq!(world.acquired("a").await, Ok(vec![(0, 9, 1)]));
    *world.persister.refuses_writes.lock() = Some(ErrorCode::CoordinatorNotAvailable);
    assert_eq!(world.accept("a", 0, 9).await, Err(ErrorCode::CoordinatorNotAvailable));
    *world.persister.refuses_writes.lock() = Some(ErrorCode::FencedStateEpoch);
    assert_eq!(world.accept("a", 0, 9).await, Err(ErrorCode::NotLeaderOrFollower));
    assert_eq!(world.share.count(), 0);
    assert_eq!(world.accept("a", 0, 9).await, Err(ErrorCode::UnknownTopicOrPartition));
    world.node.stop().await;
}

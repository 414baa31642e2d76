//! A whole node on a disk that crashes: what was answered survives, what was not synced is not
//! seen.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::describe_quorum_request as asked;
use protocol::messages::{CreateTopicsRequest, DeleteTopicsRequest};
use uuid::Uuid;

use super::*;
use crate::controller::{
    ApiError, DelegationTokenSettings, EffectiveConfig, Unbounded, feature_records,
};
use crate::draws::Draws;
use crate::feature::MetadataVersion;
use crate::image::{ConfigResource, ConfigValues, ResourceType};
use crate::quorum::tests::{MemoryLog, MemoryStore, SharedDisk, settings as quorum_settings};

type TestNode = Node<MemoryLog, MemoryStore>;

pub(super) struct AnythingGoes;

impl ConfigRules for AnythingGoes {
    fn check(
        &self,
        _: &ConfigResource,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Result<(), ApiError> {
        Ok(())
    }
    fn is_list(&self, _: ResourceType, _: &str) -> bool {
        false
    }
    fn default_value(&self, _: ResourceType, _: &str) -> Option<String> {
        None
    }
    fn effective_topic_configs(
        &self,
        _: &ConfigValues,
        _: &ConfigValues,
        _: &ConfigValues,
    ) -> Vec<EffectiveConfig> {
        Vec::new()
    }
}

pub(super) fn at(ms: i64) -> ControllerNow {
    ControllerNow { monotonic_ms: ms, wall_ms: 1_700_000_000_000 + ms, seed: ms as u128 }
}

pub(super) fn settings() -> NodeSettings {
    NodeSettings {
        quorum: quorum_settings(&[1]),
        controller: ControllerSettings {
            node_id: 1,
            cluster_id: "cluster".to_owned(),
            default_partitions: 1,
            default_replication_factor: 1,
            min_insync_replicas: 1,
            unclean_leader_election: false,
            session_timeout_ms: 1_000_000_000,
            leader_balance_interval_ms: Some(300_000),
            unclean_election_interval_ms: 300_000,
            delegation_tokens: DelegationTokenSettings::default(),
            topic_deletion: true,
            unstable_features: false,
            quorum_node_ids: Vec::new(),
        },
        max_bytes_between_snapshots: 20 * 1024 * 1024,
        max_snapshot_interval_ms: 3_600_000,
        retention: Retention { max_bytes: -1, max_ms: -1 },
        max_idle_interval_ms: 500,
    }
}

/// A node with what the host would do for it.
struct Run {
    node: TestNode,
    disk: SharedDisk,
    now_ms: i64,
    published: Vec<(MetadataImage, MetadataDelta)>,
    snapshots: Vec<SnapshotJob>,
    sync_wanted: bool,
    generation: u64,
}

impl Run {
    fn start_with(disk: &SharedDisk, settings: NodeSettings, now_ms: i64) -> Self {
        let bootstrap = feature_records(MetadataVersion::LATEST, &[]);
        let (log, store) = (MemoryLog(disk.clone()), MemoryStore(disk.clone()));
        let rules = Arc::new(AnythingGoes);
        let node = Node::open(settings, rules, bootstrap, log, store, &at(now_ms)).unwrap();
        let mut run = Self {
            node,
            disk: disk.clone(),
            now_ms,
            published: Vec::new(),
            snapshots: Vec::new(),
            sync_wanted: false,
            generation: 0,
        };
        let outputs = run.node.start(&at(now_ms)).unwrap();
        run.carry_out(outputs);
        run
    }

    fn start(disk: &SharedDisk) -> Self {
        Self::start_with(disk, settings(), 1)
    }

    fn carry_out(&mut self, outputs: Vec<NodeOutput>) {
        for output in outputs {
            match output {
                NodeOutput::SyncLog { generation } => {
                    self.sync_wanted = true;
                    self.generation = generation;
                }
                NodeOutput::Publish { image, delta } => self.published.push((image, *delta)),
                NodeOutput::TakeSnapshot(job) => self.snapshots.push(job),
                NodeOutput::BecameActive { .. }
                | NodeOutput::BecameInactive { .. }
                | NodeOutput::LeaderChanged { .. } => {}
                NodeOutput::Send { .. } | NodeOutput::Answer { .. } => {
                    panic!("a lone node talks to nobody: {output:?}")
                }
            }
        }
    }

    fn call<R>(
        &mut self,
        ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R>,
    ) -> (R, i64) {
        self.now_ms += 1;
        let mut outputs = Vec::new();
        let answer = self.node.call(ask, &at(self.now_ms), &mut outputs).unwrap().unwrap();
        self.carry_out(outputs);
        answer
    }

    /// The offset at which the answer is due.
    fn create(&mut self, name: &str) -> i64 {
        let assignment =
            protocol::messages::create_topics_request::CreatableReplicaAssignment::default()
                .with_broker_ids(vec![BrokerId(1)]);
        let topic = CreatableTopic::default()
            .with_name(TopicName(StrBytes::from_string(name.to_owned())))
            .with_num_partitions(-1)
            .with_replication_factor(-1)
            .with_assignments(vec![assignment]);
        let request = CreateTopicsRequest::default().with_topics(vec![topic]);
        let (response, offset) = self.call(|controller, now| {
            controller.create_topics(&request, &|_| true, &mut Unbounded, now)
        });
        assert_eq!(response.topics[0].error_code, 0, "{response:?}");
        offset
    }

    fn delete(&mut self, name: &str) -> i64 {
        let name = TopicName(StrBytes::from_string(name.to_owned()));
        let request = DeleteTopicsRequest::default().with_topic_names(vec![name]);
        let (response, offset) =
            self.call(|controller, _| controller.delete_topics(&request, 5, &mut Unbounded));
        assert_eq!(response.responses[0].error_code, 0, "{response:?}");
        offset
    }

    fn sync(&mut self) {
        self.sync_wanted = false;
        let end_offset = self.disk.borrow_mut().sync();
        let outputs = self.node.log_synced(end_offset, self.generation, &at(self.now_ms)).unwrap();
        self.carry_out(outputs);
    }

    fn tick(&mut self, ms: i64) {
        self.now_ms += ms;
        let outputs = self.node.tick(&at(self.now_ms)).unwrap();
        self.carry_out(outputs);
    }

    /// Up to where answers are due.
    fn committed(&self) -> i64 {
        self.published.last().map_or(-1, |(image, _)| image.provenance().last_contained_offset)
    }

    /// Carries out the snapshots that were asked for.
    fn freeze(&mut self) {
        for job in std::mem::take(&mut self.snapshots) {
            let content = Bytes::from(job.content(0).unwrap().concat());
            self.disk.borrow_mut().add_snapshot(job.id, content);
            self.node.snapshot_frozen();
        }
    }

    /// A broker, so that there is one to put replicas on.
    fn with_broker(mut self) -> Self {
        let request = registration();
        let (response, _) =
            self.call(|controller, now| controller.register_broker(&request, 4, 0, now));
        assert_eq!(response.error_code, 0);
        let beat = protocol::messages::BrokerHeartbeatRequest {
            broker_id: BrokerId(1),
            broker_epoch: response.broker_epoch,
            current_metadata_offset: i64::MAX,
            ..Default::default()
        };
        let (response, _) = self.call(|controller, now| controller.heartbeat(&beat, now));
        assert!(!response.is_fenced);
        self
    }
}

fn registration() -> protocol::messages::BrokerRegistrationRequest {
    let features = crate::feature::FEATURES.iter().map(|feature| {
        protocol::messages::broker_registration_request::Feature::default()
            .with_name(StrBytes::from_static_str(feature.name))
            .with_min_supported_version(feature.min_supported)
            .with_max_supported_version(feature.max_supported)
    });
    protocol::messages::BrokerRegistrationRequest::default()
        .with_broker_id(BrokerId(1))
        .with_cluster_id(StrBytes::from_static_str("cluster"))
        .with_incarnation_id(Uuid::from_u128(5))
        .with_features(features.collect())
        .with_log_dirs(vec![Uuid::from_u128(1 << 70)])
}

fn names(image: &MetadataImage) -> BTreeSet<String> {
    image.topics().iter().map(|topic| topic.name.to_string()).collect()
}

#[test]
fn a_new_cluster_is_published_whole_when_its_first_records_are_synced() {
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk);
    assert!(run.sync_wanted && run.published.is_empty());
    run.sync();
    let [(image, delta)] = &run.published[..] else { panic!() };
    assert_eq!(image.metadata_version(), MetadataVersion::LATEST);
    assert!(delta.before().is_empty());
    assert_eq!(delta.changes().features.len(), 6);
    assert_eq!(image.provenance().last_contained_epoch, 1);
}

#[test]
fn an_answer_waits_for_what_it_may_have_seen() {
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk).with_broker();
    run.sync();
    let created = run.create("t");
    let (_, looked) = run.call(|controller, _| {
        assert!(controller.image().topics().by_name("t").is_some(), "uncommitted, but decided");
        ControllerResult::unchanged(())
    });
    assert_eq!(created, looked);
    assert!(run.committed() < created);
    assert!(run.node.image().topics().by_name("t").is_none());
    run.sync();
    assert_eq!(run.committed(), created);
    assert!(run.node.image().topics().by_name("t").is_some());
}

#[test]
fn whatever_was_answered_survives_any_crash() {
    for seed in 0..60 {
        let disk = SharedDisk::default();
        let mut draws = Draws::new(seed);
        let mut settings = settings();
        settings.max_bytes_between_snapshots = 1_500;
        let mut answered: BTreeSet<String> = BTreeSet::new();
        let mut count = 0;
        for life in 0..6 {
            let mut run = Run::start_with(&disk, settings.clone(), life * 100_000);
            run = run.with_broker();
            run.sync();
            run.freeze();
            let present = names(run.node.image());
            assert!(present.is_superset(&answered), "seed {seed} life {life}");
            answered = present;
            // Changes by the offset at which their answers are due.
            let mut waiting: Vec<(i64, String, bool)> = Vec::new();
            for _ in 0..draws.below(20) {
                match draws.below(4) {
                    0 | 1 => {
                        count += 1;
                        let name = format!("topic{count}");
                        waiting.push((run.create(&name), name, true));
                    }
                    2 => {
                        let state = names(run.node.controller().image());
                        if let Some(name) = state.first().cloned() {
                            // From now on the topic may be gone, answered or not.
                            answered.remove(&name);
                            waiting.push((run.delete(&name), name, false));
                        }
                    }
                    _ => {
                        run.sync();
                        let committed = run.committed();
                        for (_, name, created) in waiting.extract_if(.., |w| w.0 <= committed) {
                            if created {
                                answered.insert(name);
                            } else {
                                answered.remove(&name);
                            }
                        }
                        for (_, doomed, created) in &waiting {
                            if !created {
                                answered.remove(doomed);
                            }
                        }
                        if draws.below(2) == 0 {
                            run.freeze();
                        }
                    }
                }
            }
            disk.borrow_mut().crash();
        }
    }
}

#[test]
fn published_images_follow_one_another_and_end_at_what_the_controller_has() {
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk).with_broker();
    for step in 0..20 {
        run.create(&format!("t{step}"));
        if step % 3 == 0 {
            run.sync();
        }
    }
    run.sync();
    let mut before = MetadataImage::default();
    for (image, delta) in &run.published {
        assert_eq!(*delta.before(), before);
        assert_eq!(delta.after(), image);
        before = image.clone();
    }
    assert_eq!(names(&before), names(run.node.controller().image()));
}

#[test]
fn a_snapshot_is_taken_by_size_and_by_age_and_started_from() {
    for by_age in [false, true] {
        let disk = SharedDisk::default();
        let mut settings = settings();
        if by_age {
            settings.max_snapshot_interval_ms = 1_000;
        } else {
            settings.max_bytes_between_snapshots = 2_000;
        }
        let mut run = Run::start_with(&disk, settings.clone(), 1).with_broker();
        for step in 0..20 {
            run.create(&format!("t{step}"));
        }
        run.sync();
        run.tick(1_000);
        assert_eq!(run.snapshots.len(), 1, "by age: {by_age}");
        let id = run.snapshots[0].id;
        assert_eq!(id.end_offset, run.committed() + 1);
        run.tick(10_000);
        assert_eq!(run.snapshots.len(), 1, "one at a time, and none of what is in one");
        run.freeze();
        let image = run.node.image().clone();
        // The log before the snapshot is not needed any more.
        disk.borrow_mut().live.batches.clear();
        let mut run = Run::start_with(&disk, settings, 20_000);
        run.sync();
        let (found, _) = run.published.last().unwrap();
        assert_eq!(found.to_records(), image.to_records());
        assert_eq!(run.node.quorum().epoch(), 2);
    }
}

#[test]
fn old_snapshots_and_the_log_behind_them_go() {
    let disk = SharedDisk::default();
    let mut settings = settings();
    settings.max_bytes_between_snapshots = 1;
    settings.retention.max_bytes = 1;
    let mut run = Run::start_with(&disk, settings, 1).with_broker();
    for step in 0..3 {
        run.create(&format!("t{step}"));
        run.sync();
        run.freeze();
    }
    assert!(disk.borrow().live.snapshots.len() > 1);
    run.tick(60_000);
    let disk = &disk.borrow().live;
    assert_eq!(disk.snapshots.len(), 1);
    assert_eq!(disk.start_offset, disk.snapshots[0].0.end_offset);
}

#[test]
fn an_unfinished_transaction_is_undone_by_the_next_life() {
    use protocol::records::metadata::{BeginTransactionRecord, TopicRecord};
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk);
    run.sync();
    let topic = TopicRecord {
        name: StrBytes::from_static_str("half"),
        topic_id: Uuid::from_u128(9),
        ..Default::default()
    };
    let records = vec![BeginTransactionRecord::default().into(), topic.into()];
    run.call(|_, _| ControllerResult::of(records, ()));
    run.sync();
    assert!(names(run.node.image()).is_empty(), "half a transaction is never shown");
    let mut run = Run::start(&disk);
    run.sync();
    assert!(names(run.node.image()).is_empty());
    assert_eq!(run.node.controller().open_transaction(), None);
    assert!(names(run.node.controller().image()).is_empty());
}

#[test]
fn a_lone_node_writes_nothing_while_nothing_happens() {
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk);
    run.sync();
    let end = run.node.quorum().log().log_end_offset();
    for _ in 0..100 {
        run.tick(500);
    }
    assert_eq!(run.node.quorum().log().log_end_offset(), end);
    assert!(run.node.next_tick_ms() > run.now_ms);
}

#[test]
fn who_stopped_answers_nobody() {
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk);
    run.sync();
    let outputs = run.node.stop(&at(9)).unwrap();
    run.carry_out(outputs);
    let mut outputs = Vec::new();
    let answer = run.node.call(|_, _| ControllerResult::unchanged(()), &at(9), &mut outputs);
    assert_eq!(answer.unwrap(), Err(NotActive));
}

#[test]
fn the_quorum_is_described_as_its_leader_sees_it() {
    let disk = SharedDisk::default();
    let mut run = Run::start(&disk);
    run.sync();
    let request = |topic: &'static str, partition| {
        let partition = asked::PartitionData::default().with_partition_index(partition);
        let topic = asked::TopicData::default()
            .with_topic_name(TopicName(StrBytes::from_static_str(topic)))
            .with_partitions(vec![partition]);
        DescribeQuorumRequest::default().with_topics(vec![topic])
    };
    let response = run.node.describe_quorum(&request(CLUSTER_METADATA_TOPIC, 0), &at(7));
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.leader_id, partition.leader_epoch), (BrokerId(1), 1));
    assert_eq!(partition.high_watermark, run.committed() + 1);
    let [voter] = &partition.current_voters[..] else { panic!("{partition:?}") };
    assert_eq!((voter.replica_id, voter.log_end_offset), (BrokerId(1), run.committed() + 1));
    assert_eq!(voter.last_caught_up_timestamp, at(7).wall_ms);
    assert_eq!(response.nodes[0].listeners[0].port, 9001);
    for (topic, partition) in [("other", 0), (CLUSTER_METADATA_TOPIC, 1)] {
        let response = run.node.describe_quorum(&request(topic, partition), &at(7));
        assert_eq!(response.topics[0].partitions[0].error_code, 3);
    }
}

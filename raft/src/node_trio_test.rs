//! Three nodes: one decides, the others know what it decided and can take over.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use protocol::messages::describe_quorum_request as asked;
use protocol::records::metadata::ConfigRecord;

use super::tests::{AnythingGoes, at, settings};
use super::*;
use crate::controller::feature_records;
use crate::feature::MetadataVersion;
use crate::image::ConfigResource;
use crate::pending::{Due, Pending};
use crate::quorum::tests::{MemoryLog, MemoryStore, SharedDisk, settings_of};

type TestNode = Node<MemoryLog, MemoryStore>;

#[derive(Default)]
struct Trio {
    nodes: BTreeMap<i32, TestNode>,
    disks: BTreeMap<i32, SharedDisk>,
    events: VecDeque<(i32, Event)>,
    /// Who asked under which token, and the asker's id of the request.
    asked: BTreeMap<u64, (i32, u64)>,
    now_ms: i64,
    /// Who became active or inactive, in which epoch.
    active: Vec<(i32, bool, i32)>,
    published: BTreeMap<i32, MetadataImage>,
}

impl Trio {
    fn start(&mut self, id: i32) {
        let disk = self.disks.entry(id).or_default().clone();
        let settings = NodeSettings { quorum: settings_of(id, &[1, 2, 3]), ..settings() };
        let bootstrap = feature_records(MetadataVersion::LATEST, &[]);
        let (log, store) = (MemoryLog(disk.clone()), MemoryStore(disk));
        let now = at(self.now_ms);
        let node = Node::open(settings, Arc::new(AnythingGoes), bootstrap, log, store, &now);
        self.nodes.insert(id, node.unwrap());
        self.events.push_back((id, Event::Started));
    }

    fn carry_out(&mut self, id: i32, output: NodeOutput) {
        match output {
            NodeOutput::Send { request_id, to, request } => {
                let receiver = i32::from(to.port) - 9000;
                if self.nodes.contains_key(&receiver) {
                    let token = self.asked.len() as u64 + 1_000 * u64::from(id.unsigned_abs());
                    self.asked.insert(token, (id, request_id));
                    let event = Event::Requested { token, version: 17, request };
                    self.events.push_back((receiver, event));
                } else {
                    let failure = crate::quorum::RequestFailure::Disconnected;
                    self.events.push_back((id, Event::RequestFailed { request_id, failure }));
                }
            }
            NodeOutput::Answer { token, response } => {
                let (asker, request_id) = self.asked[&token];
                self.events.push_back((asker, Event::Responded { request_id, response }));
            }
            NodeOutput::SyncLog { generation } => {
                let end_offset = self.disks[&id].borrow_mut().sync();
                self.events.push_back((id, Event::LogSynced { end_offset, generation }));
            }
            NodeOutput::BecameActive { epoch, .. } => self.active.push((id, true, epoch)),
            NodeOutput::BecameInactive { epoch } => self.active.push((id, false, epoch)),
            NodeOutput::Publish { image, .. } => {
                self.published.insert(id, image);
            }
            NodeOutput::LeaderChanged { .. } | NodeOutput::TakeSnapshot(_) => {}
        }
    }

    fn run(&mut self, ms: i64) {
        for _ in 0..ms {
            self.now_ms += 1;
            let now = at(self.now_ms);
            for id in self.nodes.keys().copied().collect::<Vec<_>>() {
                if self.nodes[&id].next_tick_ms() <= self.now_ms {
                    let outputs = self.nodes.get_mut(&id).unwrap().tick(&now).unwrap();
                    outputs.into_iter().for_each(|output| self.carry_out(id, output));
                }
            }
            while let Some((id, event)) = self.events.pop_front() {
                let Some(node) = self.nodes.get_mut(&id) else { continue };
                let outputs = node.step(event, &now).unwrap();
                outputs.into_iter().for_each(|output| self.carry_out(id, output));
            }
        }
    }

    /// Whether the node took it.
    fn write(&mut self, id: i32, value: &str) -> bool {
        let record = ConfigRecord {
            resource_type: 2,
            resource_name: "topic".into(),
            name: "key".into(),
            value: Some(StrBytes::from_string(value.to_owned())),
            ..Default::default()
        };
        let mut outputs = Vec::new();
        let now = at(self.now_ms);
        let ask =
            |_: &mut Controller, _: &ControllerNow| ControllerResult::of(vec![record.into()], ());
        let taken = self.nodes.get_mut(&id).unwrap().call(ask, &now, &mut outputs).unwrap();
        outputs.into_iter().for_each(|output| self.carry_out(id, output));
        taken.is_ok()
    }

    fn value(image: &MetadataImage) -> Option<String> {
        let value = image.configs().value(&ConfigResource::topic("topic"), "key");
        value.map(ToString::to_string)
    }
}

#[test]
fn one_controller_decides_all_nodes_know_and_the_next_goes_on_from_there() {
    let mut trio = Trio::default();
    [1, 2, 3].into_iter().for_each(|id| trio.start(id));
    trio.run(200);
    assert_eq!(trio.active, [(1, true, 1)]);
    assert!(!trio.write(2, "no") && trio.write(1, "first"));
    trio.run(10);
    for id in [1, 2, 3] {
        assert_eq!(Trio::value(&trio.published[&id]).as_deref(), Some("first"), "node {id}");
        assert!(trio.nodes[&id].controller().is_active() == (id == 1));
    }

    trio.nodes.remove(&1);
    [2, 3].into_iter().for_each(|id| trio.events.push_back((id, Event::PeerGone { id: 1 })));
    trio.run(200);
    assert_eq!(trio.active[1..], [(2, true, 2)]);
    let known = trio.nodes[&2].controller().image();
    assert_eq!(Trio::value(known).as_deref(), Some("first"), "it decides on all that was");
    assert!(trio.write(2, "second"));
    trio.run(10);
    trio.start(1);
    trio.run(200);
    for id in [1, 2, 3] {
        assert_eq!(Trio::value(&trio.published[&id]).as_deref(), Some("second"), "node {id}");
    }
}

#[test]
fn what_a_leader_wrote_alone_is_void_for_it_as_well() {
    let mut trio = Trio::default();
    [1, 2, 3].into_iter().for_each(|id| trio.start(id));
    trio.run(200);
    // Nobody hears of it.
    let alone: BTreeMap<i32, TestNode> =
        [2, 3].map(|id| (id, trio.nodes.remove(&id).unwrap())).into();
    assert!(trio.write(1, "alone"));
    assert_eq!(Trio::value(trio.nodes[&1].controller().image()).as_deref(), Some("alone"));
    trio.run(4_000);
    assert_eq!(trio.active, [(1, true, 1), (1, false, 1)], "it heard of no majority");
    assert_eq!(Trio::value(trio.nodes[&1].controller().image()), None);
    trio.nodes.extend(alone);
    trio.events.clear();
    trio.run(6_000);
    for id in [1, 2, 3] {
        let image = trio.nodes[&id].image();
        assert_eq!(image, trio.nodes[&2].image(), "node {id}");
    }
}

#[test]
fn only_the_leader_describes_the_quorum() {
    let mut trio = Trio::default();
    [1, 2, 3].into_iter().for_each(|id| trio.start(id));
    trio.run(1_000);
    let partition = asked::PartitionData::default().with_partition_index(0);
    let topic = asked::TopicData::default()
        .with_topic_name(TopicName(StrBytes::from_static_str(CLUSTER_METADATA_TOPIC)))
        .with_partitions(vec![partition]);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let described = |id: i32| {
        let response = trio.nodes[&id].describe_quorum(&request, &at(trio.now_ms));
        let partition = &response.topics[0].partitions[0];
        let caught_up = partition
            .current_voters
            .iter()
            .filter(|voter| voter.last_caught_up_timestamp >= at(trio.now_ms).wall_ms - 600);
        (partition.error_code, caught_up.count(), response.nodes.len())
    };
    assert_eq!([described(1), described(2)], [(0, 3, 3), (6, 0, 0)]);
}

#[test]
fn what_is_asked_of_a_leader_that_nobody_follows_any_more_is_not_promised() {
    let mut trio = Trio::default();
    [1, 2, 3].into_iter().for_each(|id| trio.start(id));
    trio.run(200);
    assert!(trio.write(1, "followed"));
    trio.run(10);
    trio.nodes.retain(|id, _| *id == 1);
    // It stood still, and is asked before it looks at the time.
    trio.now_ms += 4_000;
    assert!(!trio.write(1, "late"), "it leads no more by the end of the call");
    assert_eq!(trio.active, [(1, true, 1), (1, false, 1)]);
    assert_eq!(Trio::value(trio.nodes[&1].controller().image()).as_deref(), Some("followed"));
}

#[test]
fn answers_wait_for_a_majority_and_for_the_broker_and_end_with_the_leadership() {
    let mut trio = Trio::default();
    [1, 2, 3].into_iter().for_each(|id| trio.start(id));
    trio.run(200);
    let mut pending = Pending::default();
    let reached = trio.nodes[&1].quorum().high_watermark().unwrap() - 1;
    pending.wait(Due::Applied, reached, "applied");
    pending.wait(Due::Committed, reached, "committed");
    assert_eq!(pending.take_due(&trio.nodes[&1]), Some("committed"));
    assert_eq!(pending.take_due(&trio.nodes[&1]), None, "the broker has not applied it");
    pending.applied(reached);
    assert_eq!(pending.take_due(&trio.nodes[&1]), Some("applied"));

    trio.nodes.retain(|id, _| *id == 1);
    assert!(trio.write(1, "alone"));
    let end = trio.nodes[&1].quorum().log().log_end_offset() - 1;
    pending.wait(Due::Committed, end, "alone");
    // What is due earlier does not wait behind it.
    pending.wait(Due::Committed, reached, "earlier");
    assert_eq!(pending.take_due(&trio.nodes[&1]), Some("earlier"));
    trio.run(10);
    assert_eq!(pending.take_due(&trio.nodes[&1]), None, "nobody else has it");
    trio.run(4_000);
    assert_eq!(trio.active.last(), Some(&(1, false, 1)));
    assert_eq!((pending.take_due(&trio.nodes[&1]), pending.renounce()), (None, vec!["alone"]));
}

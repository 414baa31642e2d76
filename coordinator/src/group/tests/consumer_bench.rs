//! Consumer groups in short form: a cluster's metadata to be changed, heartbeats and what came of
//! them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    ConsumerGroupHeartbeatRequest, GroupId, JoinGroupRequest, SyncGroupRequest, TopicName,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::*;
use super::harness::{Bench, join_request, text};
use crate::runtime::ReplyId;

/// Topics by name, each with its number of partitions; the id of a topic is made of its name.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Cluster {
    pub(in super::super) version: i64,
    pub(in super::super) topics: BTreeMap<String, i32>,
    /// What every group sets for itself.
    pub(in super::super) configs: BTreeMap<GroupConfig, i32>,
}

pub(in super::super) fn topic_id(name: &str) -> Uuid {
    Uuid::from_u128(name.bytes().fold(1, |id, byte| id << 8 | u128::from(byte)))
}

impl Cluster {
    pub(in super::super) fn of(version: i64, topics: &[(&str, i32)]) -> Arc<dyn ClusterMetadata> {
        let topics = topics.iter().map(|(name, partitions)| ((*name).to_owned(), *partitions));
        Arc::new(Self { version, topics: topics.collect(), ..Self::default() })
    }

    fn topic(&self, name: &str) -> Option<TopicMetadata> {
        let (name, partitions) = self.topics.get_key_value(name)?;
        Some(TopicMetadata { id: topic_id(name), name: text(name), partitions: *partitions })
    }
}

impl ClusterMetadata for Cluster {
    fn version(&self) -> i64 {
        self.version
    }

    fn topic_by_name(&self, name: &str) -> Option<TopicMetadata> {
        self.topic(name)
    }

    fn topic_by_id(&self, id: Uuid) -> Option<TopicMetadata> {
        self.topic(self.topics.keys().find(|name| topic_id(name) == id)?)
    }

    fn racks(&self, _: Uuid, _: i32) -> Vec<StrBytes> {
        Vec::new()
    }

    fn topic_names(&self) -> Vec<StrBytes> {
        self.topics.keys().map(|name| text(name)).collect()
    }

    fn group_config(&self, _: &str, config: GroupConfig) -> Option<i32> {
        self.configs.get(&config).copied()
    }
}

/// A bench with topic `orders` of four partitions; assignments are computed without a pause.
pub(in super::super) fn bench() -> Bench {
    let settings = GroupSettings { consumer_assignment_interval_ms: 0, ..Default::default() };
    let mut bench = Bench::with(settings);
    bench.cluster = Cluster::of(1, &[("orders", 4)]);
    bench
}

/// Who joins group `g`.
pub(in super::super) fn joins(member: &str, topics: &[&str]) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text(member))
        .with_rebalance_timeout_ms(60_000)
        .with_subscribed_topic_names(Some(
            topics.iter().map(|name| TopicName(text(name))).collect(),
        ))
        .with_topic_partitions(Some(Vec::new()))
}

/// Who is a member and says nothing new.
pub(in super::super) fn stays(member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text(member))
        .with_member_epoch(epoch)
}

/// Who is a member and has these partitions of `orders`.
pub(in super::super) fn has(
    member: &str,
    epoch: i32,
    partitions: &[i32],
) -> ConsumerGroupHeartbeatRequest {
    let owned = TopicPartitions::default()
        .with_topic_id(topic_id("orders"))
        .with_partitions(partitions.to_vec());
    let owned = if partitions.is_empty() { Vec::new() } else { vec![owned] };
    stays(member, epoch).with_topic_partitions(Some(owned))
}

/// What a member of the classic protocol says in JoinGroup: it subscribes to `orders` and has
/// these partitions of it.
pub(in super::super) fn subscribes(owned: &[i32]) -> Bytes {
    let mut bytes = BytesMut::from(&b"\0\x01\0\0\0\x01\0\x06orders\xff\xff\xff\xff"[..]);
    bytes.extend_from_slice(&given(owned)[2..]);
    bytes.truncate(bytes.len() - 4);
    bytes.freeze()
}

/// What such a member is given in SyncGroup.
pub(in super::super) fn given(partitions: &[i32]) -> Bytes {
    let mut bytes = BytesMut::from(&b"\0\x01"[..]);
    bytes.put_i32(i32::from(!partitions.is_empty()));
    if !partitions.is_empty() {
        bytes.extend_from_slice(b"\0\x06orders");
        bytes.put_i32(partitions.len() as i32);
        partitions.iter().for_each(|partition| bytes.put_i32(*partition));
    }
    bytes.put_i32(-1);
    bytes.freeze()
}

/// The partitions of `orders` in what a member was given.
pub(in super::super) fn partitions_in(mut given: Bytes) -> Vec<i32> {
    if given.len() <= 10 {
        return Vec::new();
    }
    given.advance(14);
    (0..given.get_i32()).map(|_| given.get_i32()).collect()
}

/// The partitions of `orders` that a member says it has.
pub(in super::super) fn owned_in(subscription: &Bytes) -> Vec<i32> {
    let owned = [&[0, 1][..], &subscription[18..], &[0xff; 4]].concat();
    partitions_in(owned.into())
}

/// A SyncGroup of a leader with what it gives to whom; of anybody else with nothing.
pub(in super::super) fn given_to(
    member: &str,
    instance: Option<&str>,
    generation: i32,
    assigned: &[(StrBytes, Vec<i32>)],
) -> SyncGroupRequest {
    let assigned = assigned.iter().map(|(member, partitions)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(member.clone())
            .with_assignment(given(partitions))
    });
    SyncGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text))
        .with_generation_id(generation)
        .with_assignments(assigned.collect())
}

/// A join of the classic protocol, with what the member has.
pub(in super::super) fn joins_again(
    member: &str,
    instance: Option<&str>,
    owned: &[i32],
) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
    join_request(member, &[])
        .with_group_instance_id(instance.map(text))
        .with_protocols(vec![protocol.with_metadata(subscribes(owned))])
}

/// Epoch and partitions of `orders`, where the answer tells them.
pub(in super::super) type Told = (i32, Option<Vec<i32>>);

impl Bench {
    pub(in super::super) fn beat_parked(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> ReplyId {
        let reply = self.reply();
        let image = Arc::clone(&self.cluster);
        let draw = Uuid::from_u128(7);
        let caller = Caller { client_id: "client", client_host: "/127.0.0.1", api_version: 1 };
        self.run(|shard, now, out| {
            let may_describe = |topic: &str| topic != "secret";
            shard.consumer_group_heartbeat(
                caller,
                request,
                &image,
                &may_describe,
                reply,
                draw,
                now,
                out,
            );
        });
        reply.id()
    }

    pub(in super::super) fn beaten(&self, reply: ReplyId) -> HeartbeatAnswer {
        match &self.answers[&reply] {
            Answer::ConsumerGroupHeartbeat(answer) => answer.clone(),
            other => panic!("no heartbeat's answer: {other:?}"),
        }
    }

    pub(in super::super) fn try_beat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
    ) -> HeartbeatAnswer {
        let reply = self.beat_parked(request);
        self.beaten(reply)
    }

    pub(in super::super) fn beat_with(&mut self, request: &ConsumerGroupHeartbeatRequest) -> Told {
        told(&self.try_beat(request).unwrap())
    }

    /// SyncGroup, by a leader with what it gives to whom.
    pub(in super::super) fn sync_given(
        &mut self,
        member: &str,
        instance: Option<&str>,
        generation: i32,
        assigned: &[(&str, &[i32])],
    ) -> ReplyId {
        let assigned: Vec<(StrBytes, Vec<i32>)> =
            assigned.iter().map(|(member, given)| (text(member), given.to_vec())).collect();
        self.sync_with(&given_to(member, instance, generation, &assigned))
    }

    /// Other metadata, of which the shard hears.
    pub(in super::super) fn change_topics(&mut self, version: i64, topics: &[(&str, i32)]) {
        self.cluster = Cluster::of(version, topics);
        let image = Arc::clone(&self.cluster);
        let changed = topics.iter().map(|(name, _)| text(name)).collect();
        self.run(|shard, _, _| shard.metadata_changed(&image, &changed, true));
    }

    pub(in super::super) fn described(&self) -> DescribedConsumerGroup {
        self.shard().describe_consumer_group(&text("g")).unwrap()
    }

    pub(in super::super) fn described_member(&self, id: &str) -> DescribedConsumerMember {
        let mut members = self.described().members.into_iter();
        members.find(|member| member.member_id.as_str() == id).expect("a member")
    }
}

pub(in super::super) fn told(answer: &ConsumerGroupHeartbeat) -> Told {
    let partitions = answer
        .assignment
        .as_ref()
        .map(|assignment| assignment.values().flatten().copied().collect());
    (answer.member_epoch, partitions)
}

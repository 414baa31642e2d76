//! A shard with a log in memory: requests in short form, writes that finish when told to.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::batch::{BatchBuilder, BatchView};
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, OffsetCommitRequest, SyncGroupRequest, TopicName,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::shard::Group;
use super::super::*;
use crate::runtime::{
    Effects, LoadError, Now, Reply, ReplyId, Runtime, Shard as _, Write, WriteFailure, WriteRecord,
};

pub(in super::super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A consumer's subscription to one topic.
pub(in super::super) fn subscription(topic: &str) -> Bytes {
    let mut bytes = vec![0, 0, 0, 0, 0, 1, 0, topic.len() as u8];
    bytes.extend(topic.as_bytes());
    bytes.extend([0xff; 4]);
    Bytes::from(bytes)
}

pub(in super::super) fn join_request(member: &str, protocols: &[&str]) -> JoinGroupRequest {
    let protocols = protocols.iter().map(|name| {
        JoinGroupRequestProtocol::default()
            .with_name(text(name))
            .with_metadata(subscription("orders"))
    });
    JoinGroupRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text(member))
        .with_protocol_type(text("consumer"))
        .with_protocols(protocols.collect())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(60_000)
}

pub(in super::super) fn commit_request(
    member: &str,
    generation: i32,
    offsets: &[(&str, i32, i64)],
) -> OffsetCommitRequest {
    let topics = offsets.iter().map(|(topic, partition, offset)| OffsetCommitRequestTopic {
        name: TopicName(text(topic)),
        partitions: vec![OffsetCommitRequestPartition {
            partition_index: *partition,
            committed_offset: *offset,
            committed_leader_epoch: 3,
            committed_metadata: Some(text("log_event")),
        }],
        ..Default::default()
    });
    OffsetCommitRequest {
        group_id: GroupId(text("g")),
        member_id: text(member),
        generation_id_or_member_epoch: generation,
        retention_time_ms: -1,
        topics: topics.collect(),
        ..Default::default()
    }
}

pub(in super::super) struct Bench {
    pub(in super::super) runtime: Runtime<GroupShard>,
    pub(in super::super) now: Now,
    pub(in super::super) answers: BTreeMap<ReplyId, Answer>,
    pub(in super::super) writes: Vec<Write>,
    pub(in super::super) log: Vec<WriteRecord>,
    pub(in super::super) log_events: Vec<LogEvent>,
    /// Whether writes finish by themselves.
    pub(in super::super) writes_at_once: bool,
    pub(in super::super) cluster: Arc<dyn ClusterMetadata>,
    next_reply: u64,
    next_draw: u128,
}

impl Bench {
    pub(in super::super) fn new() -> Self {
        Self::with(GroupSettings::default())
    }

    pub(in super::super) fn with(settings: GroupSettings) -> Self {
        let mut bench = Self {
            runtime: Runtime::new(GroupShard::new(settings)),
            now: Now { wall_ms: 1_000_000, monotonic_ms: 0 },
            answers: BTreeMap::new(),
            writes: Vec::new(),
            log: Vec::new(),
            log_events: Vec::new(),
            writes_at_once: true,
            cluster: Arc::new(NoMetadata),
            next_reply: 0,
            next_draw: 1,
        };
        bench.run(|shard, now, out| shard.loaded(now, out));
        bench
    }

    pub(in super::super) fn run<R>(
        &mut self,
        step: impl FnOnce(&mut GroupShard, Now, &mut Outputs) -> R,
    ) -> R {
        let mut effects = Effects::default();
        let result = self.runtime.step(self.now, &mut effects, step);
        self.take(effects);
        if self.writes_at_once {
            self.settle();
        }
        result
    }

    pub(in super::super) fn shard(&self) -> &GroupShard {
        self.runtime.shard()
    }

    fn take(&mut self, effects: Effects<GroupShard>) {
        if let Some(from) = effects.reverted_from {
            self.writes.retain(|write| write.id < from);
        }
        for (reply, answer) in effects.replies {
            assert!(self.answers.insert(reply, answer).is_none(), "{reply:?} answered twice");
        }
        self.writes.extend(effects.writes);
        self.log_events.extend(effects.log_events);
    }

    /// Finishes all writes under way.
    pub(in super::super) fn settle(&mut self) {
        while !self.writes.is_empty() {
            self.finish_write(Ok(()));
        }
    }

    /// Finishes the oldest write under way.
    pub(in super::super) fn finish_write(&mut self, fate: Result<(), WriteFailure>) {
        let write = self.writes.remove(0);
        let base = self.log.len() as i64;
        if fate.is_ok() {
            self.log.extend(write.records);
        }
        let mut effects = Effects::default();
        self.runtime.written(write.id, fate.map(|()| base), self.now, &mut effects);
        self.take(effects);
    }

    pub(in super::super) fn reply<T>(&mut self) -> Reply<T> {
        self.next_reply += 1;
        Reply::new(ReplyId(self.next_reply))
    }

    /// Moves the clock on, stopping at every deadline.
    pub(in super::super) fn pass(&mut self, ms: u64) {
        let end = self.now.monotonic_ms + ms;
        while let Some(deadline) = self.runtime.next_deadline_ms().filter(|at| *at <= end) {
            let step = deadline.saturating_sub(self.now.monotonic_ms);
            self.now.monotonic_ms += step;
            self.now.wall_ms += step as i64;
            self.run(|shard, now, out| shard.tick(now, out));
        }
        self.now.wall_ms += (end - self.now.monotonic_ms) as i64;
        self.now.monotonic_ms = end;
    }

    pub(in super::super) fn join_as(
        &mut self,
        api_version: i16,
        request: &JoinGroupRequest,
    ) -> ReplyId {
        let reply = self.reply();
        let draw = Uuid::from_u128(self.next_draw);
        self.next_draw += 1;
        let caller = Caller { client_id: "client", client_host: "/127.0.0.1", api_version };
        let image = Arc::clone(&self.cluster);
        self.run(|shard, now, out| {
            shard.catch_up(&image);
            shard.join(caller, request, reply, draw, now, out);
        });
        reply.id()
    }

    pub(in super::super) fn join(&mut self, member: &str, protocols: &[&str]) -> ReplyId {
        self.join_as(9, &join_request(member, protocols))
    }

    /// A dynamic member's two joins: the first gives it its id, the second is parked.
    pub(in super::super) fn admit(&mut self, protocols: &[&str]) -> (StrBytes, ReplyId) {
        let first = self.join("", protocols);
        let refused = self.joined(first);
        assert_eq!(refused.error, Some(GroupError::MemberIdRequired));
        let second = self.join(&refused.member_id, protocols);
        (refused.member_id, second)
    }

    pub(in super::super) fn joined(&self, reply: ReplyId) -> JoinAnswer {
        match self.answers.get(&reply) {
            Some(Answer::Join(answer)) => answer.clone(),
            other => panic!("{reply:?} is no join's answer: {other:?}"),
        }
    }

    pub(in super::super) fn synced(&self, reply: ReplyId) -> SyncAnswer {
        match self.answers.get(&reply) {
            Some(Answer::Sync(answer)) => answer.clone(),
            other => panic!("{reply:?} is no sync's answer: {other:?}"),
        }
    }

    pub(in super::super) fn is_parked(&self, reply: ReplyId) -> bool {
        !self.answers.contains_key(&reply)
    }

    pub(in super::super) fn sync(
        &mut self,
        member: &str,
        generation: i32,
        assignments: &[(&str, &str)],
    ) -> ReplyId {
        let assignments = assignments.iter().map(|(member, assignment)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(text(member))
                .with_assignment(Bytes::copy_from_slice(assignment.as_bytes()))
        });
        let request = SyncGroupRequest::default()
            .with_group_id(GroupId(text("g")))
            .with_member_id(text(member))
            .with_generation_id(generation)
            .with_assignments(assignments.collect());
        self.sync_with(&request)
    }

    pub(in super::super) fn sync_with(&mut self, request: &SyncGroupRequest) -> ReplyId {
        let reply = self.reply();
        let image = Arc::clone(&self.cluster);
        self.run(|shard, now, out| {
            shard.catch_up(&image);
            shard.sync(request, reply, now, out);
        });
        reply.id()
    }

    pub(in super::super) fn heartbeat(
        &mut self,
        member: &str,
        generation: i32,
    ) -> Result<(), GroupError> {
        self.heartbeat_of(member, None, generation)
    }

    pub(in super::super) fn heartbeat_of(
        &mut self,
        member: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), GroupError> {
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(text("g")))
            .with_member_id(text(member))
            .with_group_instance_id(instance.map(text))
            .with_generation_id(generation);
        self.run(|shard, now, out| shard.heartbeat(&request, now, out))
    }

    pub(in super::super) fn leave(&mut self, members: &[(&str, Option<&str>)]) -> LeaveAnswer {
        let reply = self.leave_parked(members);
        match &self.answers[&reply] {
            Answer::Leave(answer) => answer.clone(),
            other => panic!("no leave's answer: {other:?}"),
        }
    }

    pub(in super::super) fn leave_parked(&mut self, members: &[(&str, Option<&str>)]) -> ReplyId {
        let members: Vec<MemberIdentity> = members
            .iter()
            .map(|(member, instance)| {
                MemberIdentity::default()
                    .with_member_id(text(member))
                    .with_group_instance_id(instance.map(text))
            })
            .collect();
        let reply = self.reply();
        self.run(|shard, now, out| shard.leave(&text("g"), &members, reply, now, out));
        reply.id()
    }

    pub(in super::super) fn commit(&mut self, request: &OffsetCommitRequest) -> ReplyId {
        let reply = self.reply();
        self.run(|shard, now, out| shard.commit_offsets(9, request, reply, now, out));
        reply.id()
    }

    pub(in super::super) fn committed(
        &self,
        reply: ReplyId,
    ) -> Result<Vec<CommittedTopic>, GroupError> {
        match &self.answers[&reply] {
            Answer::Commit(answer) => answer.clone(),
            other => panic!("no commit's answer: {other:?}"),
        }
    }

    /// The committed offset of a partition of group `g`.
    pub(in super::super) fn fetch(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<Option<i64>, GroupError> {
        let topics = [(text(topic), vec![partition])];
        let fetched = self.shard().fetch_offsets(&text("g"), None, &topics, true).unwrap();
        fetched[0].partitions[0].offset.clone().map(|offset| offset.map(|offset| offset.offset))
    }

    pub(in super::super) fn group(&self) -> DescribedGroup {
        self.shard().describe(&text("g")).unwrap()
    }

    /// Two members in a stable group of generation 1, the first of them its leader.
    pub(in super::super) fn stable_pair(&mut self) -> (StrBytes, StrBytes) {
        let (first, first_join) = self.admit(&["range"]);
        let (second, _) = self.admit(&["range"]);
        self.pass(6_000);
        assert_eq!(self.joined(first_join).leader, first);
        self.sync(&second, 1, &[]);
        self.sync(&first, 1, &[(&first, "one"), (&second, "two")]);
        assert_eq!(self.group().state, GroupState::Stable);
        (first, second)
    }

    /// A shard loaded from what this one has written.
    pub(in super::super) fn reloaded(&self) -> Self {
        let mut bench = Self::with(self.shard().settings.clone());
        bench.now = self.now;
        bench.runtime = Runtime::new(GroupShard::new(self.shard().settings.clone()));
        for (offset, record) in self.log.iter().enumerate() {
            let mut builder = BatchBuilder::new(offset as i64);
            builder.append(0, Some(&record.key), record.value.as_deref());
            bench.replay(&builder.build());
        }
        bench.run(|shard, now, out| shard.loaded(now, out));
        bench.log = self.log.clone();
        bench.cluster = Arc::clone(&self.cluster);
        // Neither replies nor draws come twice, whoever coordinates.
        (bench.next_reply, bench.next_draw) = (self.next_reply, self.next_draw);
        bench
    }

    pub(in super::super) fn replay(&mut self, batch: &[u8]) {
        self.try_replay(batch).unwrap();
    }

    pub(in super::super) fn try_replay(&mut self, batch: &[u8]) -> Result<(), LoadError> {
        let batch = BatchView::parse(batch).unwrap();
        let (header, payload) = (batch.header_copy(), batch.payload());
        let mut effects = Effects::default();
        let replayed = self.runtime.replay_batch(&header, payload, self.now, &mut effects);
        self.take(effects);
        replayed
    }

    /// What must be the same after a reload: members, assignments and offsets, of settled groups.
    pub(in super::super) fn durable_state(&self) -> Vec<String> {
        let groups = self.shard().groups.iter().map(|(id, group)| match group {
            Group::Classic(group) => {
                let members = group.members.values().map(|member| {
                    let protocol = group.protocol_name.clone().unwrap_or_default();
                    (
                        &member.id,
                        &member.instance_id,
                        &member.client_id,
                        &member.client_host,
                        member.metadata(&protocol),
                        &member.assignment,
                    )
                });
                format!(
                    "{id:?} {:?} {} {:?} {:?} {:?} {:?}",
                    group.state,
                    group.generation,
                    group.leader,
                    group.protocol_name,
                    group.subscribed_topics,
                    members.collect::<Vec<_>>(),
                )
            }
            Group::Consumer(group) => format!("{group:?}"),
            Group::Share(group) => group.durable_state(),
            Group::Streams(group) => format!("{group:?}"),
        });
        groups
            .chain(self.shard().offsets.committed().iter().map(|offset| format!("{offset:?}")))
            .collect()
    }

    /// The generation of group `g`; 0 while it is not there.
    pub(in super::super) fn generation(&self) -> i32 {
        self.shard().classic(&text("g")).map_or(0, |group| group.generation)
    }

    pub(in super::super) fn said(&self, line: &str) -> bool {
        self.log_events.iter().any(|log_event| log_event.to_string() == line)
    }
}

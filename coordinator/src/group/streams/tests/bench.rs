//! Streams groups in short form: topologies, heartbeats and what came of them.

use std::sync::Arc;

use protocol::records::group::{
    StreamsCopartitionGroup, StreamsSubtopologyValue, StreamsTopicInfo, StreamsTopologyValue,
};
use protocol::wire::StrBytes;

use super::super::super::tests::consumer_bench::Cluster;
use super::super::super::tests::harness::{Bench, text};
use super::super::super::*;
use crate::runtime::ReplyId;

/// A bench with topic `words` of four partitions; assignments are computed without a pause.
pub(in super::super) fn bench() -> Bench {
    bench_with(StreamsSettings::default())
}

pub(in super::super) fn bench_with(settings: StreamsSettings) -> Bench {
    let streams =
        StreamsSettings { initial_rebalance_delay_ms: 0, assignment_interval_ms: 0, ..settings };
    let mut bench = Bench::with(GroupSettings { streams, ..GroupSettings::default() });
    bench.cluster = Cluster::of(1, &[("words", 4)]);
    bench
}

/// A subtopology that reads these topics.
pub(in super::super) fn part(id: &str, sources: &[&str]) -> StreamsSubtopologyValue {
    StreamsSubtopologyValue {
        subtopology_id: text(id),
        source_topics: sources.iter().map(|name| text(name)).collect(),
        ..StreamsSubtopologyValue::default()
    }
}

pub(in super::super) fn internal(name: &str, partitions: i32) -> StreamsTopicInfo {
    StreamsTopicInfo { name: text(name), partitions, ..StreamsTopicInfo::default() }
}

pub(in super::super) fn together(external: &[i16], internal: &[i16]) -> StreamsCopartitionGroup {
    StreamsCopartitionGroup {
        source_topics: external.to_vec(),
        repartition_source_topics: internal.to_vec(),
        ..StreamsCopartitionGroup::default()
    }
}

pub(in super::super) fn topology(parts: &[StreamsSubtopologyValue]) -> StreamsTopologyValue {
    StreamsTopologyValue { subtopologies: parts.to_vec(), ..StreamsTopologyValue::default() }
}

/// Who joins group `g`, of a process of its own, with this topology.
pub(in super::super) fn joins_with(
    member: &str,
    parts: &[StreamsSubtopologyValue],
) -> StreamsHeartbeatRequest {
    StreamsHeartbeatRequest {
        rebalance_timeout_ms: 60_000,
        topology: Some(topology(parts)),
        active_tasks: Some(Vec::new()),
        standby_tasks: Some(Vec::new()),
        warmup_tasks: Some(Vec::new()),
        process_id: Some(text(&format!("process-of-{member}"))),
        client_tags: Some(Vec::new()),
        ..stays(member, 0)
    }
}

/// The same with the subtopology that reads `words`.
pub(in super::super) fn joins(member: &str) -> StreamsHeartbeatRequest {
    joins_with(member, &[part("0", &["words"])])
}

/// Who is a member and says nothing new.
pub(in super::super) fn stays(member: &str, epoch: i32) -> StreamsHeartbeatRequest {
    StreamsHeartbeatRequest {
        group_id: text("g"),
        member_id: text(member),
        member_epoch: epoch,
        rebalance_timeout_ms: -1,
        ..StreamsHeartbeatRequest::default()
    }
}

/// Who is a member and has these active tasks of subtopology 0.
pub(in super::super) fn has(member: &str, epoch: i32, tasks: &[i32]) -> StreamsHeartbeatRequest {
    let tasks = TaskIds { subtopology: text("0"), partitions: tasks.to_vec() };
    let active = if tasks.partitions.is_empty() { Vec::new() } else { vec![tasks] };
    StreamsHeartbeatRequest {
        active_tasks: Some(active),
        standby_tasks: Some(Vec::new()),
        warmup_tasks: Some(Vec::new()),
        ..stays(member, epoch)
    }
}

/// Epoch and active tasks of subtopology 0, where the answer tells them.
pub(in super::super) type Told = (i32, Option<Vec<i32>>);

pub(in super::super) fn told(answer: &StreamsGroupHeartbeat) -> Told {
    let tasks = answer.tasks.as_ref();
    let active = tasks.map(|tasks| tasks.active.values().flatten().copied().collect());
    (answer.member_epoch, active)
}

impl Bench {
    pub(in super::super) fn streams_beat_parked(
        &mut self,
        request: &StreamsHeartbeatRequest,
    ) -> ReplyId {
        let reply = self.reply();
        let image = Arc::clone(&self.cluster);
        let caller = Caller { client_id: "client", client_host: "/127.0.0.1", api_version: 0 };
        self.run(|shard, now, out| {
            shard.streams_group_heartbeat(caller, request, &image, reply, now, out);
        });
        reply.id()
    }

    pub(in super::super) fn streams_beaten(&self, reply: ReplyId) -> StreamsHeartbeatAnswer {
        match &self.answers[&reply] {
            Answer::StreamsGroupHeartbeat(answer) => answer.clone(),
            other => panic!("no heartbeat's answer: {other:?}"),
        }
    }

    pub(in super::super) fn try_beat_streams(
        &mut self,
        request: &StreamsHeartbeatRequest,
    ) -> StreamsHeartbeatAnswer {
        let reply = self.streams_beat_parked(request);
        self.streams_beaten(reply)
    }

    pub(in super::super) fn beat_streams(&mut self, request: &StreamsHeartbeatRequest) -> Told {
        told(&self.try_beat_streams(request).unwrap())
    }

    pub(in super::super) fn streams_statuses(
        &mut self,
        request: &StreamsHeartbeatRequest,
    ) -> Vec<(i8, String)> {
        let answer = self.try_beat_streams(request).unwrap();
        answer.statuses.iter().map(|status| (status.code(), status.to_string())).collect()
    }

    pub(in super::super) fn described_streams(&self) -> DescribedStreamsGroup {
        self.shard().describe_streams_group(&text("g")).unwrap()
    }

    /// The types of the records from `from` on, a tombstone's negative.
    pub(in super::super) fn types_from(&self, from: usize) -> Vec<i32> {
        let types = self.log[from..].iter().map(|record| {
            let of = i32::from(record.key[1]);
            if record.value.is_some() { of } else { -of }
        });
        types.collect()
    }
}

pub(in super::super) fn names(names: &[StrBytes]) -> Vec<&str> {
    names.iter().map(StrBytes::as_str).collect()
}

//! Share groups in short form: heartbeats, what came of them, and a persister that does as told.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::messages::{GroupId, ShareGroupHeartbeatRequest, TopicName};
use protocol::records::group::{GroupRecord, ShareGroupRecord};
use protocol::wire::StrBytes;

use super::super::super::tests::consumer_bench::{Cluster, topic_id};
use super::super::super::tests::harness::{Bench, text};
use super::super::super::*;
use crate::runtime::ReplyId;

/// A bench with topic `orders` of four partitions; assignments are computed without a pause.
pub(in super::super) fn bench() -> Bench {
    bench_with(ShareGroupSettings { assignment_interval_ms: 0, ..Default::default() })
}

pub(in super::super) fn bench_with(share: ShareGroupSettings) -> Bench {
    let mut bench = Bench::with(GroupSettings { share, ..Default::default() });
    bench.cluster = Cluster::of(1, &[("orders", 4)]);
    bench
}

/// Who joins group `g`.
pub(in super::super) fn joins(member: &str, topics: &[&str]) -> ShareGroupHeartbeatRequest {
    let topics = topics.iter().map(|name| TopicName(text(name))).collect();
    stays(member, 0).with_subscribed_topic_names(Some(topics))
}

/// Who is a member and says nothing new.
pub(in super::super) fn stays(member: &str, epoch: i32) -> ShareGroupHeartbeatRequest {
    ShareGroupHeartbeatRequest::default()
        .with_group_id(GroupId(text("g")))
        .with_member_id(text(member))
        .with_member_epoch(epoch)
}

/// Partitions of `orders`.
pub(in super::super) fn orders(partitions: &[i32]) -> Assignment {
    Assignment::from([(topic_id("orders"), partitions.iter().copied().collect())])
}

/// Epoch and partitions of `orders`, where the answer tells them.
pub(in super::super) type Told = (i32, Option<Vec<i32>>);

impl Bench {
    pub(in super::super) fn share_parked(
        &mut self,
        request: &ShareGroupHeartbeatRequest,
    ) -> ReplyId {
        let reply = self.reply();
        let image = Arc::clone(&self.cluster);
        let caller = Caller { client_id: "client", client_host: "/127.0.0.1", api_version: 1 };
        self.run(|shard, now, out| {
            shard.share_group_heartbeat(caller, request, &image, reply, now, out);
        });
        reply.id()
    }

    pub(in super::super) fn share_answer(&self, reply: ReplyId) -> ShareHeartbeatAnswer {
        match &self.answers[&reply] {
            Answer::ShareGroupHeartbeat(answer) => answer.clone(),
            other => panic!("no heartbeat's answer: {other:?}"),
        }
    }

    pub(in super::super) fn try_share(
        &mut self,
        request: &ShareGroupHeartbeatRequest,
    ) -> ShareHeartbeatAnswer {
        let reply = self.share_parked(request);
        self.share_answer(reply)
    }

    /// A heartbeat, and the state that it asks for is made at once.
    pub(in super::super) fn share(&mut self, request: &ShareGroupHeartbeatRequest) -> Told {
        let answer = self.try_share(request).unwrap();
        if let Some(StateToInitialize { start_offsets, .. }) = answer.initialize {
            let of_topic =
                |(id, offsets): (_, BTreeMap<i32, i64>)| (id, offsets.into_keys().collect());
            self.state_initialized(&start_offsets.into_iter().map(of_topic).collect());
        }
        let partitions =
            answer.assignment.map(|assignment| assignment.values().flatten().copied().collect());
        (answer.member_epoch, partitions)
    }

    pub(in super::super) fn state_initialized(&mut self, partitions: &Assignment) {
        let reply = self.reply();
        self.run(|shard, now, out| {
            shard.share_state_initialized(&text("g"), partitions, reply, now, out);
        });
    }

    pub(in super::super) fn described_share(&self) -> DescribedShareGroup {
        self.shard().describe_share_group(&text("g")).unwrap()
    }

    /// The share group records written since `from`, by what they are.
    pub(in super::super) fn share_records(&self, from: usize) -> Vec<String> {
        let records = self.log[from..].iter().map(|record| {
            match GroupRecord::read(Some(&record.key), record.value.as_deref()).unwrap() {
                GroupRecord::Share(record) => named(&record),
                other => panic!("of no share group: {other:?}"),
            }
        });
        records.collect()
    }
}

fn named(record: &ShareGroupRecord) -> String {
    let (kind, member): (_, &str) = match record {
        ShareGroupRecord::Member { member, .. } => ("member", member),
        ShareGroupRecord::Group { value, .. } => {
            return format!("group {:?}", value.as_ref().map(|value| value.epoch));
        }
        ShareGroupRecord::TargetAssignment { value, .. } => {
            let epoch = value.as_ref().map(|value| value.assignment_epoch);
            return format!("target {epoch:?}");
        }
        ShareGroupRecord::TargetAssignmentMember { member, .. } => ("target of", member),
        ShareGroupRecord::CurrentAssignment { member, .. } => ("current of", member),
        ShareGroupRecord::StatePartitions { value, .. } => {
            let Some(value) = value else { return "no state".to_owned() };
            let topics = |topics: &[protocol::records::group::StatePartitionsOfTopic]| {
                let topics = topics.iter();
                let topics =
                    topics.map(|topic| format!("{} {:?}", topic.topic_name, topic.partitions));
                topics.collect::<Vec<_>>().join(" ")
            };
            let deleting = value.deleting_topics.iter().map(|topic| topic.topic_name.to_string());
            return format!(
                "state: initializing [{}] initialized [{}] deleting [{}]",
                topics(&value.initializing_topics),
                topics(&value.initialized_topics),
                deleting.collect::<Vec<_>>().join(" ")
            );
        }
    };
    let gone = if record.is_tombstone() { "no " } else { "" };
    format!("{gone}{kind} {member}")
}

/// A text of the records' own type.
pub(in super::super) fn id() -> StrBytes {
    text("g")
}

//! What is to be said to each leader, in what order: acknowledgements before fetches, the end of
//! the session last. Answers to `ShareConsumeRequestManager`.
//!
//! Kept true: a leader is asked one thing at a time, since each answer counts the session's epoch;
//! nobody is fetched from while acknowledgements wait.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use tokio::time::Instant;

use super::acknowledgements::{Acknowledgements, ByPartition, merge_all};
use super::session::{Member, Session};
use super::tasks::Event;
use super::{API_TIMEOUT, AcknowledgeError, Acknowledged, ShareConsumer, TopicIdPartition};
use crate::metadata::Backoff;

/// Who waits for acknowledgements to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Background,
    /// `commit`, for so long.
    AwaitedFor(Duration),
    /// They are the last of the session.
    Closing,
}

/// Acknowledgements that go by themselves.
#[derive(Debug)]
pub(super) struct Commit {
    pub(super) acknowledged: ByPartition,
    pub(super) kind: Kind,
    failures: u32,
    deadline: Instant,
}

/// The node that leads partitions, as far as this consumer has to do with it.
#[derive(Debug, Default)]
pub(super) struct Leader {
    pub(super) session: Session,
    /// Whether a request is under way.
    is_asked: bool,
    /// What is under way, or was last, is awaited by `commit`.
    is_awaited: bool,
    /// Acknowledgements that go with the next fetch.
    pub(super) waiting: ByPartition,
    commits: VecDeque<Commit>,
    /// Whether acknowledgements are under way by themselves.
    is_committing: bool,
    rests_until: Option<Instant>,
    /// Whether the session shall end.
    pub(super) is_closing: bool,
}

impl Leader {
    pub(super) fn is_awaited(&self) -> bool {
        let is_waited_for = |commit: &Commit| matches!(commit.kind, Kind::AwaitedFor(_));
        self.is_awaited || self.commits.iter().any(is_waited_for)
    }

    fn is_busy(&self) -> bool {
        self.is_asked || self.rests_until.is_some_and(|until| until > Instant::now())
    }

    pub(super) fn answered(&mut self) {
        self.is_asked = false;
        self.is_awaited = false;
        self.is_committing = false;
    }

    pub(super) fn rest(&mut self, pause: Duration) {
        self.rests_until = Some(Instant::now() + pause);
    }
}

impl ShareConsumer {
    /// When something is due without anybody saying so.
    pub(super) fn next_upkeep(&self) -> Option<Instant> {
        let now = Instant::now();
        let rested = self.leaders.values().filter(|leader| !leader.is_asked);
        rested.filter_map(|leader| leader.rests_until).filter(|until| *until > now).min()
    }

    fn member(&self) -> Member {
        let member_id = self.group.identity().member_id;
        Member { group: self.group.id.clone(), member_id }
    }

    /// Whether somebody else leads this partition now.
    fn is_led_elsewhere(&self, node: i32, partition: &TopicIdPartition) -> bool {
        let view = self.cluster.view();
        let found = view.partition(&partition.partition.topic, partition.partition.partition);
        found.and_then(|found| found.leader_id).is_some_and(|leader| leader != node)
    }

    /// Puts acknowledgements in line for their leaders.
    pub(super) fn commit_later(&mut self, acknowledged: BTreeMap<i32, ByPartition>, kind: Kind) {
        let limit = match kind {
            Kind::AwaitedFor(limit) => limit,
            Kind::Background | Kind::Closing => API_TIMEOUT,
        };
        let deadline = Instant::now() + limit.min(Duration::from_secs(86_400));
        for (node, acknowledged) in acknowledged {
            let leader = self.leaders.entry(node).or_default();
            leader.commits.push_back(Commit { acknowledged, kind, failures: 0, deadline });
        }
    }

    /// Sends each leader that is free what is first in its line.
    pub(super) fn send_commits(&mut self) {
        let nodes: Vec<i32> = self.leaders.keys().copied().collect();
        for node in nodes {
            while let Some(commit) = self.next_commit(node) {
                if self.send_commit(node, commit) {
                    break;
                }
            }
            let is_over = |leader: &Leader| leader.is_closing && !leader.is_asked;
            let is_rid_of = |leader: &Leader| leader.commits.is_empty() && leader.session.is_new();
            if self.leaders.get(&node).is_some_and(|leader| is_over(leader) && is_rid_of(leader)) {
                self.leaders.remove(&node);
            }
        }
    }

    fn next_commit(&mut self, node: i32) -> Option<Commit> {
        let leader = self.leaders.get_mut(&node)?;
        if leader.is_busy() {
            return None;
        }
        if let Some(commit) = leader.commits.pop_front() {
            return Some(commit);
        }
        let is_last = leader.is_closing && !(leader.session.is_new() && leader.waiting.is_empty());
        is_last.then(|| Commit {
            acknowledged: std::mem::take(&mut leader.waiting),
            kind: Kind::Closing,
            failures: 0,
            deadline: Instant::now() + API_TIMEOUT,
        })
    }

    /// Whether it went out.
    fn send_commit(&mut self, node: i32, mut commit: Commit) -> bool {
        let code = match commit.failures > 0 && commit.deadline <= Instant::now() {
            true => ErrorCode::RequestTimedOut.code(),
            false => ErrorCode::NotLeaderOrFollower.code(),
        };
        let is_late = code == ErrorCode::RequestTimedOut.code();
        let peer = self.cluster.peer(node);
        let is_new = self.leaders.get(&node).is_none_or(|leader| leader.session.is_new());
        let is_hopeless = |of: &TopicIdPartition| {
            is_late || is_new || peer.is_none() || self.is_led_elsewhere(node, of)
        };
        let all = std::mem::take(&mut commit.acknowledged);
        let (failed, sent): (ByPartition, ByPartition) =
            all.into_iter().partition(|(partition, _)| is_hopeless(partition));
        for (partition, acknowledgements) in failed {
            self.complete(
                &partition,
                &acknowledgements,
                commit.kind,
                AcknowledgeError::of(code, None),
            );
        }
        commit.acknowledged = sent;
        let is_last = commit.kind == Kind::Closing;
        let member = self.member();
        let sender = self.sender.clone();
        let limit = self.settings.consumer.cluster.request_timeout;
        let Some(leader) = self.leaders.get_mut(&node) else { return false };
        let has_something = !commit.acknowledged.is_empty() || is_last;
        let Some(peer) = peer.filter(|_| has_something && !leader.session.is_new()) else {
            if is_last {
                leader.session.lost();
            }
            return false;
        };
        let request = leader.session.acknowledge(&member, &commit.acknowledged, is_last);
        leader.is_asked = true;
        leader.is_committing = true;
        leader.is_awaited = matches!(commit.kind, Kind::AwaitedFor(_));
        tokio::spawn(async move {
            let answer = peer.request(request, limit).await;
            let _ = sender.send(Event::Acknowledged { node, commit, answer });
        });
        true
    }

    /// Puts what a leader did not take yet in line again, after a pause.
    pub(super) fn retry(&mut self, node: i32, commit: Commit) {
        let own = &self.settings.consumer.cluster;
        let backoff = Backoff { first: own.retry_backoff, most: own.retry_backoff_max };
        if let Some(leader) =
            self.leaders.get_mut(&node).filter(|_| !commit.acknowledged.is_empty())
        {
            leader.rest(backoff.after(commit.failures));
            leader.commits.push_front(Commit { failures: commit.failures + 1, ..commit });
        }
    }

    /// Tells what became of acknowledgements.
    pub(super) fn complete(
        &mut self,
        partition: &TopicIdPartition,
        acknowledgements: &Acknowledgements,
        kind: Kind,
        error: Option<AcknowledgeError>,
    ) {
        if let Some(told) = &mut self.acknowledged {
            let (partition, offsets) = (partition.partition.clone(), acknowledgements.offsets());
            told.push(Acknowledged { partition, offsets, error: error.clone() });
        }
        if matches!(kind, Kind::AwaitedFor(_)) {
            self.committed.push((partition.partition.clone(), error));
        }
    }

    /// Asks every leader that is free for records, and tells it what waits.
    pub(super) fn fetch(&mut self) {
        let is_committing = |leader: &Leader| leader.is_committing || !leader.commits.is_empty();
        if !self.is_hungry || self.leaders.values().any(is_committing) {
            return;
        }
        let member = self.member();
        let wanted = self.wanted();
        for node in wanted.keys() {
            self.leaders.entry(*node).or_default();
        }
        let nodes: Vec<i32> = self.leaders.keys().copied().collect();
        for node in nodes {
            let Some(leader) = self.leaders.get_mut(&node).filter(|leader| !leader.is_busy())
            else {
                continue;
            };
            let waiting = std::mem::take(&mut leader.waiting);
            let is_new = leader.session.is_new();
            let (failed, sent): (ByPartition, ByPartition) = waiting
                .into_iter()
                .partition(|(partition, _)| is_new || self.is_led_elsewhere(node, partition));
            for (partition, acknowledgements) in failed {
                let error = AcknowledgeError::of(ErrorCode::NotLeaderOrFollower.code(), None);
                self.complete(&partition, &acknowledgements, Kind::Background, error);
            }
            let wanted = wanted.get(&node).cloned().unwrap_or_default();
            self.send_fetch(node, &member, wanted, sent);
        }
    }

    fn send_fetch(
        &mut self,
        node: i32,
        member: &Member,
        wanted: Vec<TopicIdPartition>,
        acknowledged: ByPartition,
    ) {
        let peer = self.cluster.peer(node);
        let Some(leader) = self.leaders.get_mut(&node) else { return };
        let has_something = !wanted.is_empty() || !acknowledged.is_empty();
        let Some(peer) = peer.filter(|_| has_something) else {
            merge_all(&mut leader.waiting, acknowledged);
            return;
        };
        let (sender, settings) = (self.sender.clone(), Arc::clone(&self.settings));
        let request = leader.session.fetch(&settings, member, wanted, &acknowledged);
        leader.is_asked = true;
        tokio::spawn(async move {
            let limit =
                settings.consumer.cluster.request_timeout + settings.consumer.fetch_max_wait;
            let answer = peer.request(request, limit).await;
            let _ = sender.send(Event::Fetched { node, acknowledged, answer });
        });
    }

    /// What this consumer shall read, by who leads it now.
    fn wanted(&self) -> BTreeMap<i32, Vec<TopicIdPartition>> {
        let view = self.cluster.view();
        let mut wanted: BTreeMap<i32, Vec<TopicIdPartition>> = BTreeMap::new();
        let mut is_all_known = true;
        for (id, partitions) in &self.target {
            let topic = view.topic_by_id(*id);
            for index in partitions {
                let partition = topic.and_then(|topic| {
                    let leader = view.partition(&topic.name, *index)?.leader_id?;
                    Some((leader, TopicIdPartition::new(*id, topic.name.as_str(), *index)))
                });
                match partition {
                    Some((leader, partition)) => wanted.entry(leader).or_default().push(partition),
                    None => is_all_known = false,
                }
            }
        }
        if !is_all_known {
            // Names of new topics, and new leaders, come with newer metadata.
            self.cluster.request_update();
        }
        wanted
    }
}

//! Compares, every few seconds and soon after every failure, what the metadata says this broker
//! leads and follows with what it does, and does again what differs. A difference that stays is a
//! line with its reason.
//!
//! `replica::reconcile` decides what is done about a partition, `discrepancies` what is said. It
//! runs between two changes of the metadata, never beside one, so what it opens is not what a
//! change is just deleting.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use raft::image::{DIRECTORY_LOST, DIRECTORY_UNASSIGNED, MetadataImage, Partition};
use replica::{Assigned, Presence, Step};
use storage::StorageError;
use uuid::Uuid;

use super::discrepancies::{Discrepancies, Line, Subject};
use super::hosting::{Change, NotHosted};
use crate::broker::Broker;
use crate::partitions::HostedPartition;

/// How often the broker is compared with the metadata when nothing has failed.
const INTERVAL: Duration = Duration::from_secs(2);
/// How soon after a failure; each further failure in a row doubles it, up to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// When the next look is due, and what earlier looks found.
#[derive(Debug)]
pub(super) struct Reconciliation {
    begun: Instant,
    next: Instant,
    /// Looks in a row after which something was left undone.
    failures: u32,
    discrepancies: Discrepancies,
    /// Partitions that are gone for everybody else, whose directories could not be put aside yet.
    pub(super) leaving: Vec<(Arc<HostedPartition>, ErrorCode)>,
    /// Damaged replicas whose directories could not be put aside yet.
    pub(super) damaged: Vec<Arc<HostedPartition>>,
}

/// A partition that is not what the metadata says.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) subject: Subject,
    pub(super) step: Step,
    /// As the metadata has it; `None` if it has none here.
    pub(super) change: Option<Change>,
    /// What is here of it.
    pub(super) hosted: Option<Arc<HostedPartition>>,
}

impl Difference {
    /// Whether the metadata has this replica's log as lost, although it may be elected.
    pub(super) fn is_needed(&self, node_id: i32) -> bool {
        self.change.as_ref().is_some_and(|change| {
            let state = &change.state;
            let may_be_elected = state.isr.contains(&node_id) || state.elr.contains(&node_id);
            may_be_elected && state.directory(node_id) == Some(DIRECTORY_LOST)
        })
    }
}

/// What one look found.
#[derive(Debug, Default)]
pub(super) struct Look {
    pub(super) differences: Vec<Difference>,
    /// Somebody was at work on them.
    pub(super) busy: BTreeSet<Subject>,
}

impl Reconciliation {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            begun: now,
            next: now + INTERVAL,
            failures: 0,
            discrepancies: Discrepancies::default(),
            leaving: Vec::new(),
            damaged: Vec::new(),
        }
    }

    /// Whether a partition's damaged log is still where a new one would begin.
    pub(super) fn holds_back(&self, topic_id: Uuid, partition: i32) -> bool {
        self.damaged.iter().any(|d| d.topic_id() == topic_id && d.partition() == partition)
    }

    /// When the next look is due.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Something could not be done: it is tried again soon.
    pub(super) fn failed(&mut self) {
        self.next = self.next.min(Instant::now() + pause(self.failures));
    }

    /// A look is over. `left` is how much of what it found is still undone.
    pub(super) fn looked(&mut self, left: usize) {
        self.failures = if left == 0 { 0 } else { self.failures.saturating_add(1) };
        let wait = if left == 0 { INTERVAL } else { pause(self.failures) };
        self.next = Instant::now() + wait;
    }

    pub(super) fn say(
        &mut self,
        broker_id: i32,
        found: Vec<(Subject, String)>,
        busy: &BTreeSet<Subject>,
    ) {
        let now_ms = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        for line in self.discrepancies.looked(now_ms, found, busy) {
            match line {
                Line::Stays { partitions, lasted_ms, reason } => tracing::warn!(
                    target: "kafka.server.ReplicaManager",
                    "[ReplicaManager broker={broker_id}] For {lasted_ms} ms now not as the \
                     metadata says: {partitions}: {reason}. Tried again until it is.",
                ),
                Line::Over { partitions } => tracing::info!(
                    target: "kafka.server.ReplicaManager",
                    "[ReplicaManager broker={broker_id}] As the metadata says again: {partitions}.",
                ),
            }
        }
    }
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(INTERVAL)
}

/// Compares every partition of ours. Touches no file, but may take a moment with many.
pub(super) fn look(broker: &Broker, image: &MetadataImage) -> Look {
    let mut look = Look::default();
    let node_id = broker.config.node_id();
    for topic in image.topics().iter() {
        let hosted_topic = broker.replicas.partitions.topic_by_id(topic.id);
        for (partition, state) in topic.partitions() {
            if !state.replicas.contains(&node_id) {
                continue;
            }
            let hosted = hosted_topic.as_ref().and_then(|topic| topic.partition(partition));
            let is_offline = hosted_topic.as_ref().is_some_and(|topic| topic.is_offline(partition));
            let change =
                || Change { topic: Arc::clone(topic), partition, state: Arc::clone(state) };
            let Some(present) = presence(broker, hosted.as_ref(), is_offline) else {
                look.busy.insert(Subject::from(&change()));
                continue;
            };
            let assigned = assigned(node_id, image, state);
            let step = replica::reconcile(node_id, Some(&assigned), &present);
            if step != Step::Nothing {
                let change = change();
                let subject = Subject::from(&change);
                look.differences.push(Difference { subject, step, change: Some(change), hosted });
            }
        }
    }
    look.strangers(broker, image);
    look
}

/// What is here of a partition; `None` while somebody is at work on it.
fn presence(
    broker: &Broker,
    hosted: Option<&Arc<HostedPartition>>,
    is_offline: bool,
) -> Option<Presence> {
    match hosted {
        Some(hosted) => {
            let fetched_from = broker.fetchers.leader_of(hosted);
            Some(Presence::Open(hosted.standing(fetched_from)?))
        }
        None if is_offline => Some(Presence::Offline),
        None => Some(Presence::Absent),
    }
}

impl Look {
    /// What is hosted and not ours.
    fn strangers(&mut self, broker: &Broker, image: &MetadataImage) {
        let node_id = broker.config.node_id();
        for hosted in broker.replicas.partitions.all() {
            let known = image.topics().by_id(hosted.topic_id());
            let state = known.and_then(|topic| topic.partition(hosted.partition()));
            if state.is_some_and(|state| state.replicas.contains(&node_id)) {
                continue;
            }
            let subject = subject_of(&hosted);
            let Some(present) = presence(broker, Some(&hosted), false) else {
                self.busy.insert(subject);
                continue;
            };
            let step = replica::reconcile(node_id, None, &present);
            if step != Step::Nothing {
                let hosted = Some(hosted);
                self.differences.push(Difference { subject, step, change: None, hosted });
            }
        }
    }
}

fn assigned(node_id: i32, image: &MetadataImage, state: &Partition) -> Assigned {
    let may_lead = |id: &i32| {
        let directory = state.directory(*id).unwrap_or(DIRECTORY_UNASSIGNED);
        *id != node_id && image.cluster().has_online_directory(*id, directory)
    };
    let has_others = state.isr.iter().any(may_lead);
    Assigned {
        leader: state.leader,
        leader_epoch: state.leader_epoch,
        partition_epoch: state.partition_epoch,
        in_sync: state.isr.contains(&node_id),
        can_leave: has_others && image.metadata_version().has_directories(),
        eligible: state.elr.contains(&node_id),
    }
}

impl From<&Change> for Subject {
    fn from(change: &Change) -> Self {
        let (topic, topic_id) = (change.topic.name.to_string(), change.topic.id);
        Self { topic, partition: change.partition, topic_id }
    }
}

pub(super) fn subject_of(hosted: &HostedPartition) -> Subject {
    Subject {
        topic: hosted.topic().to_string(),
        partition: hosted.partition(),
        topic_id: hosted.topic_id(),
    }
}

/// What is known of the differences' reasons, by partition.
pub(super) type Reasons = BTreeMap<(Uuid, i32), String>;

/// Each difference with its reason.
pub(super) fn explained(differences: &[Difference], reasons: &Reasons) -> Vec<(Subject, String)> {
    let explain = |difference: &Difference| {
        let Subject { topic_id, partition, .. } = difference.subject;
        let what = what(difference.step);
        let halted = difference.hosted.as_ref().and_then(|hosted| hosted.why_halted());
        let damage = difference.hosted.as_ref().and_then(|hosted| hosted.damage());
        let why = match difference.step {
            Step::LeaveInSync | Step::Keep => damage.map(|damage| damage.found.clone()),
            Step::Wait => Some(halted.unwrap_or_else(|| {
                "its leader has an epoch that the metadata does not know yet".to_owned()
            })),
            _ => reasons.get(&(topic_id, partition)).cloned(),
        };
        let reason = why.map_or_else(|| what.to_owned(), |why| format!("{what}: {why}"));
        (difference.subject.clone(), reason)
    };
    differences.iter().map(explain).collect()
}

fn what(step: Step) -> &'static str {
    match step {
        Step::Nothing => "as it should be",
        Step::Open => "its log is not open",
        Step::Apply => "it has not taken its role",
        Step::Fetch => "it is not fetched from its leader",
        Step::Unfollow => "it is fetched though nobody is to be followed",
        Step::Remove => "it is not closed",
        Step::Wait => "it is fetched no more",
        Step::LeaveInSync => "it is damaged, and leaves the in-sync set",
        Step::Refill => "it is damaged, and not begun anew from its leader",
        Step::Keep => "it is damaged, and kept until others have all that it may have",
    }
}

/// A failure without the file that it struck first, so that all that fail alike are said at once.
pub(super) fn reason_of(error: &StorageError) -> String {
    match error {
        StorageError::Io { source, .. } => source.to_string(),
        other => other.to_string(),
    }
}

impl NotHosted {
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Storage(error) => reason_of(error),
            Self::Skipped { .. } => {
                "it may have a log in a log directory that is offline".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_looked_at_again_soon_and_then_less_often() {
        let pauses: Vec<u128> = (0..10).map(|failures| pause(failures).as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1280, 2000, 2000]);
        assert_eq!(pause(u32::MAX), INTERVAL);
    }
}

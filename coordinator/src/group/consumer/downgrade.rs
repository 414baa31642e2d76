//! A consumer group becomes a classic group again when only members of the classic protocol are
//! left in it: the last one of the consumer protocol left, was fenced, or gave its instance to a
//! member of the classic protocol.
//!
//! ```text
//! tombstones of the consumer group, its last member's among them | the classic group
//! ```
//! The generation is the group's epoch, and each member has what it was to have. Unless an instance
//! went from hand to hand with the same subscription, a rebalance follows at once. The record says
//! one protocol of each member and no phase: the rest is put into what the record made when it is
//! decided, and goes if it is not written. Answers to `validateOnlineDowngrade…`,
//! `convertToClassicGroup` and `ClassicGroup.fromConsumerGroup`.

use std::collections::BTreeSet;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::classic::{self, ClassicGroup, GroupState, Protocols};
use super::super::log_event::LogEvent;
use super::super::modern::ClusterMetadata;
use super::super::rebalance::group_record;
use super::super::shard::GroupShard;
use super::super::timers::TimerKey;
use super::embedded_protocol::{self, CONSUMER};
use super::event::ConsumerGroupEvent;
use super::group::ConsumerGroup;
use super::member::Member;
use super::obstacle::DowngradeObstacle;
use crate::runtime::Now;

/// Which groups were consumer groups until their last record, as far as a log says while it is
/// being loaded.
#[derive(Debug, Default)]
pub(in super::super) struct Downgrades {
    /// Consumer groups that are gone by the last record.
    gone: BTreeSet<StrBytes>,
    /// Classic groups whose last record followed upon that.
    classic: BTreeSet<StrBytes>,
}

impl Downgrades {
    pub(in super::super) fn consumer_group_gone(&mut self, group: &StrBytes) {
        self.gone.insert(group.clone());
    }

    pub(in super::super) fn classic_group_read(&mut self, group: &StrBytes) {
        if self.gone.remove(group) {
            self.classic.insert(group.clone());
        } else {
            self.classic.remove(group);
        }
    }
}

/// The classic group that a consumer group is to be.
#[derive(Debug)]
pub(super) struct Downgrade {
    classic: ClassicGroup,
    /// Why it rebalances at once.
    rebalance: Option<String>,
    /// Whose timers end.
    members: Vec<StrBytes>,
}

impl Downgrade {
    pub(super) fn record(&self) -> GroupRecord {
        let of = |member: &StrBytes| self.classic.members.get(member);
        group_record(&self.classic, |member| {
            of(member).map(|member| member.assignment.clone()).unwrap_or_default()
        })
    }
}

impl GroupShard {
    /// What the group is without these members; none: it stays a consumer group.
    pub(super) fn downgraded_without(
        &self,
        group: &ConsumerGroup,
        leaving: &[&StrBytes],
        now: Now,
        out: &mut Outputs,
    ) -> Option<Downgrade> {
        let staying = || group.members.values().filter(|member| !leaving.contains(&&member.id));
        if staying().any(|member| member.classic.is_none()) {
            return None;
        }
        let count = staying().count();
        if count == 0 || self.refuses_downgrade(group, count, out) {
            return None;
        }
        let members = staying().map(|member| (&**member, &member.id));
        let classic = self.classic_of(group, members, now, out)?;
        let rebalance = Some(member_leaving(&group.id));
        Some(Downgrade { classic, rebalance, members: group.members.keys().cloned().collect() })
    }

    /// Whether the group may be a classic one when a classic member takes this one's instance.
    pub(super) fn may_downgrade_replacing(
        &self,
        group: &ConsumerGroup,
        replaced: &Member,
        out: &mut Outputs,
    ) -> bool {
        let others = || group.members.values().filter(|member| member.id != replaced.id);
        replaced.classic.is_none()
            && others().all(|member| member.classic.is_some())
            && !self.refuses_downgrade(group, group.members.len(), out)
    }

    /// What the group is with `joining` in the place of `replaced`.
    pub(super) fn downgraded_replacing(
        &self,
        group: &ConsumerGroup,
        replaced: &Member,
        joining: &Member,
        rebalances: bool,
        now: Now,
        out: &mut Outputs,
    ) -> Option<Downgrade> {
        let others = group.members.values().filter(|member| member.id != replaced.id);
        let members = others.map(|member| (&**member, &member.id));
        // It is to have what was the other's.
        let members = members.chain([(joining, &replaced.id)]);
        let classic = self.classic_of(group, members, now, out)?;
        let rebalance = rebalances.then(|| {
            format!("Downgrade group {} from consumer to classic with stale assignment.", group.id)
        });
        let mut members: Vec<StrBytes> = group.members.keys().cloned().collect();
        members.push(joining.id.clone());
        Some(Downgrade { classic, rebalance, members })
    }

    fn refuses_downgrade(&self, group: &ConsumerGroup, count: usize, out: &mut Outputs) -> bool {
        let obstacle = if !self.settings.migration_policy.allows_downgrade() {
            DowngradeObstacle::Disabled
        } else if count > self.settings.max_size {
            DowngradeObstacle::TooLarge
        } else {
            return false;
        };
        let group = group.id.clone();
        out.log(LogEvent::Consumer(ConsumerGroupEvent::NotDowngraded { group, obstacle }));
        true
    }

    /// The group of these members, each with the one whose target it has. Unlike Kafka: where their
    /// protocols cannot be read, or have none in common, it stays a consumer group, and who wanted
    /// to leave is gone all the same; Kafka fails the request, again and again.
    fn classic_of<'a>(
        &self,
        group: &ConsumerGroup,
        members: impl Iterator<Item = (&'a Member, &'a StrBytes)>,
        now: Now,
        out: &mut Outputs,
    ) -> Option<ClassicGroup> {
        let classic = classic_group(group, members, &*self.metadata.image, now, out);
        if classic.is_none() {
            let (group, obstacle) = (group.id.clone(), DowngradeObstacle::Malformed);
            out.log(LogEvent::Consumer(ConsumerGroupEvent::NotDowngraded { group, obstacle }));
        }
        classic
    }

    /// The log has been loaded: a group that was downgraded and has not rebalanced since does so.
    /// Unlike Kafka, which takes it for stable: what the last consumer had would be nobody's, and a
    /// member could be given what another has not given up (docs/decisions/0476).
    pub(in super::super) fn rebalance_downgraded(&mut self, now: Now, out: &mut Outputs) {
        let Downgrades { classic, .. } = std::mem::take(&mut self.downgrades);
        for id in classic {
            if self.classic(&id).is_some_and(|group| group.is_in(GroupState::Stable)) {
                let reason = member_leaving(&id);
                self.prepare_rebalance(&id, reason, now, out);
            }
        }
    }

    /// The records of the downgrade have been decided: the group is what no record says.
    pub(super) fn become_classic(&mut self, downgrade: Downgrade, now: Now, out: &mut Outputs) {
        let Downgrade { classic, rebalance, members } = downgrade;
        let id = classic.id.clone();
        for member in &members {
            self.end_session(&id, member);
            self.end_rebalance(&id, member);
            self.end_classic_waits(&id, member);
        }
        self.metadata.forget(&id);
        self.timers.cancel(&TimerKey::Join { group: id.clone() });
        self.timers.cancel(&TimerKey::Sync { group: id.clone() });
        let members: Vec<StrBytes> = classic.members.keys().cloned().collect();
        let Some(replayed) = self.classic_mut(&id) else { return };
        *replayed = classic;
        for member in &members {
            self.heard_of(&id, member, now);
        }
        if let Some(reason) = rebalance {
            self.prepare_rebalance(&id, reason, now, out);
        }
        out.log(LogEvent::Consumer(ConsumerGroupEvent::Downgraded { group: id }));
    }
}

fn member_leaving(group: &StrBytes) -> String {
    format!("Downgrade group {group} from consumer to classic for member leaving.")
}

fn classic_group<'a>(
    group: &ConsumerGroup,
    members: impl Iterator<Item = (&'a Member, &'a StrBytes)>,
    image: &dyn ClusterMetadata,
    now: Now,
    out: &mut Outputs,
) -> Option<ClassicGroup> {
    let mut classic = ClassicGroup::new(group.id.clone(), now.wall_ms);
    classic.state = GroupState::Stable;
    classic.generation = group.epoch;
    let consumer = StrBytes::from_static_str(CONSUMER);
    let mut targets = Vec::new();
    for (member, target) in members {
        classic.add(classic_member(member)?, &consumer, None);
        targets.push((member.id.clone(), group.target.get(target)));
    }
    let protocol = classic.select_protocol()?;
    classic.protocol_name = Some(protocol.clone());
    classic.subscribed_topics = classic.compute_subscribed_topics(out.log_events());
    for (member, target) in targets {
        let member = classic.members.get_mut(&member)?;
        let version = embedded_protocol::version_of(&member.metadata(&protocol))?;
        let target = target.cloned().unwrap_or_default();
        member.assignment = embedded_protocol::assignment(&target, version, image);
    }
    Some(classic)
}

fn classic_member(member: &Member) -> Option<classic::Member> {
    let classic = member.classic.as_ref()?;
    Some(classic::Member {
        id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        session_timeout_ms: classic.session_timeout_ms,
        protocols: Protocols::new(classic.supported_protocols.clone()),
        assignment: bytes::Bytes::new(),
        awaiting_join: None,
        awaiting_sync: None,
        is_new: false,
    })
}

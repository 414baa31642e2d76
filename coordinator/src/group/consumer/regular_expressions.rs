//! Subscriptions by regular expressions: which are new, and which topics they match.
//!
//! An expression is matched against all topics when it is new, when topics were created, and now
//! and then; the outcome is a record of the group, which all members with that expression share.
//! It follows the heartbeat that asked for it, in a write of its own, so that the member is told of
//! its topics with its next heartbeat. Answers to `maybeUpdateRegularExpressions`,
//! `handleRegularExpressionsResult` and `TopicRegexResolver`.

use std::collections::BTreeSet;

use protocol::records::group::{GroupRecord, RegularExpressionValue};
use protocol::wire::StrBytes;
use regex_lite::Regex;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::shard::{Group, GroupShard};
use super::group::ConsumerGroup;
use super::member::Member;
use super::records;
use super::subscriptions::Subscriptions;
use crate::runtime::Now;

/// However much there is to match, a group's expressions are not matched more often.
const LEAST_INTERVAL_MS: i64 = 10_000;

/// What a heartbeat means for the expressions of its group.
#[derive(Debug, Default)]
pub(super) struct RegexChange {
    pub(super) is_changed: bool,
    /// Which topics the new subscription has is known.
    pub(super) is_resolved: bool,
    /// What is to be matched now.
    pub(super) refresh: BTreeSet<StrBytes>,
}

impl GroupShard {
    pub(super) fn update_regular_expressions(
        &self,
        group: &ConsumerGroup,
        member: &Member,
        updated: &Member,
        now: Now,
        written: &mut Vec<GroupRecord>,
    ) -> Result<RegexChange, GroupError> {
        let subscribed = |regex: &StrBytes| group.regular_expressions.get(regex).copied();
        let (old, new) = (member.regular_expression(), updated.regular_expression());
        let mut change =
            RegexChange { is_changed: member.regex != updated.regex, ..RegexChange::default() };
        let mut is_due = false;
        if change.is_changed {
            if let Some(old) = old.filter(|old| subscribed(old) == Some(1)) {
                written.push(records::regular_expression(&group.id, old, None));
            }
            match new {
                Some(new) if subscribed(new).is_none() => {
                    compile(new)?;
                    is_due = true;
                }
                Some(new) => change.is_resolved = group.resolved.contains_key(new),
                None => change.is_resolved = old.is_some(),
            }
        }
        if !is_due && group.regular_expressions.is_empty() {
            return Ok(change);
        }
        let newest = group.resolved.values().next();
        let last_ms = newest.map_or(i64::MIN, |resolved| resolved.timestamp_ms);
        if now.wall_ms <= last_ms.saturating_add(LEAST_INTERVAL_MS) {
            return Ok(change);
        }
        let mut wanted: BTreeSet<StrBytes> = group.regular_expressions.keys().cloned().collect();
        if let Some(old) = old.filter(|old| Some(*old) != new && subscribed(old) == Some(1)) {
            wanted.remove(old);
        }
        wanted.extend(new.cloned());
        let version = newest.map_or(0, |resolved| resolved.version);
        is_due |= wanted.len() != group.resolved.len()
            || version < self.metadata.newest_topics
            || now.wall_ms
                > last_ms.saturating_add(self.settings.consumer_regex_refresh_interval_ms);
        if is_due {
            change.refresh = wanted;
        }
        Ok(change)
    }

    /// Matches expressions against the topics that who asked may see, and writes what has come of
    /// it.
    pub(super) fn resolve_regular_expressions(
        &mut self,
        id: &StrBytes,
        wanted: &BTreeSet<StrBytes>,
        may_describe: &dyn Fn(&str) -> bool,
        now: Now,
        out: &mut Outputs,
    ) {
        let mut topics = self.metadata.image.topic_names();
        topics.sort();
        let Some(Group::Consumer(group)) = self.groups.latest(id) else { return };
        let mut resolved_group = ConsumerGroup::clone(group);
        let mut written = Vec::new();
        let mut bumps = false;
        for regex in wanted.iter().filter(|regex| group.regular_expressions.contains_key(*regex)) {
            let matcher = compile(regex).ok();
            let matched = topics.iter().filter(|topic| {
                matcher.as_ref().is_some_and(|matcher| matcher.is_match(topic))
                    && may_describe(topic)
            });
            let value = RegularExpressionValue {
                topics: matched.cloned().collect(),
                version: self.metadata.image.version(),
                timestamp_ms: now.wall_ms,
                ..RegularExpressionValue::default()
            };
            let before = group.resolved.get(regex);
            bumps |= match before {
                Some(before) => before.topics != value.topics,
                None => !value.topics.is_empty(),
            };
            resolved_group.resolved.insert(regex.clone(), value.clone().into());
            written.push(records::regular_expression(id, regex, Some(value)));
        }
        let (epoch, hash_before) = (group.epoch, group.metadata_hash);
        let hash = self.metadata.hash_of(&Subscriptions::of(&resolved_group, &[], None));
        if bumps || hash != hash_before {
            let epoch = self.bump(id, epoch, hash, out);
            written.push(records::group_epoch(id, epoch, hash));
            self.metadata.refreshed(id, epoch, now);
        }
        if !written.is_empty() {
            out.write(self, written, None);
        }
    }
}

/// For whole names. Unlike Kafka: what only its engine, RE2/J, has (classes by Unicode property) is
/// refused as no expression at all (docs/decisions/0441).
fn compile(regex: &StrBytes) -> Result<Regex, GroupError> {
    let alone = Regex::new(regex);
    alone.and_then(|_| Regex::new(&format!("^(?:{regex})$"))).map_err(|cause| {
        GroupError::InvalidRegularExpression(format!(
            "SubscribedTopicRegex `{regex}` is not a valid regular expression: {cause}."
        ))
    })
}

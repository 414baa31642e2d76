//! What the members of a group subscribe to, as it will be when a heartbeat or a departure has been
//! written. Answers to `SubscriptionCount` and `ConsumerGroup.subscriptionType`.

use std::collections::BTreeMap;

use protocol::wire::StrBytes;

use super::group::ConsumerGroup;
use super::member::Member;

/// Of one topic.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    /// Members that name it.
    by_name: usize,
    /// Expressions that match it.
    by_regex: usize,
}

#[derive(Debug)]
pub(super) struct Subscriptions {
    topics: BTreeMap<StrBytes, Count>,
    regular_expressions: BTreeMap<StrBytes, usize>,
    members: usize,
}

impl Subscriptions {
    /// Of the group without these members, and with one as it is now.
    pub(super) fn of(group: &ConsumerGroup, without: &[&StrBytes], with: Option<&Member>) -> Self {
        let stays = |member: &&Member| {
            !without.contains(&&member.id) && with.is_none_or(|with| with.id != member.id)
        };
        let mut subscriptions =
            Self { topics: BTreeMap::new(), regular_expressions: BTreeMap::new(), members: 0 };
        let staying = group.members.values().map(|member| &**member).filter(stays);
        for member in staying.chain(with) {
            subscriptions.members += 1;
            for topic in &member.topics {
                subscriptions.topics.entry(topic.clone()).or_default().by_name += 1;
            }
            if let Some(regex) = member.regular_expression() {
                *subscriptions.regular_expressions.entry(regex.clone()).or_default() += 1;
            }
        }
        for (regex, resolved) in &group.resolved {
            if subscriptions.regular_expressions.contains_key(regex) {
                for topic in &resolved.topics {
                    subscriptions.topics.entry(topic.clone()).or_default().by_regex += 1;
                }
            }
        }
        subscriptions
    }

    /// By name.
    pub(super) fn topics(&self) -> impl Iterator<Item = &StrBytes> {
        self.topics.keys()
    }

    /// Whether all members subscribe to the same, as far as Kafka looks.
    pub(super) fn is_homogeneous(&self) -> bool {
        match self.regular_expressions.values().next() {
            None => self.topics.values().all(|count| count.by_name == self.members),
            Some(members) => {
                *members == self.members
                    && self.topics.values().all(|count| count.by_regex == 1 && count.by_name == 0)
            }
        }
    }
}

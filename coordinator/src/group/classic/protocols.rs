//! What a group's members have in common: which protocols all of them support, which one they vote
//! for, and which topics they subscribe to.
//!
//! A protocol is a candidate when every member supports it; each member votes for its first
//! candidate. A tie goes to the name that comes first in a Java HashMap, because there it falls out
//! so.
//!
//! ```text
//! consumer subscription: version i16 | topics array of string | user data nullable bytes | …
//! ```
//! Answers to `ClassicGroup.selectProtocol` and `computeSubscribedTopics`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;

use super::super::log_event::LogEvent;
use super::member::Protocols;
use super::{ClassicGroup, GroupState};
use crate::partition::java_hash;

impl ClassicGroup {
    pub(super) fn count_protocols(&mut self, protocols: &Protocols) {
        for name in protocols.names() {
            *self.supported.entry(name.clone()).or_default() += 1;
        }
    }

    pub(super) fn discount_protocols(&mut self, protocols: &Protocols) {
        for name in protocols.names() {
            if let Some(count) = self.supported.get_mut(name) {
                *count -= 1;
                if *count == 0 {
                    self.supported.remove(name);
                }
            }
        }
    }

    fn is_candidate(&self, protocol: &StrBytes) -> bool {
        self.supported.get(protocol) == Some(&self.members.len())
    }

    /// Whether a member with these may be in the group.
    pub(in super::super) fn supports(&self, protocol_type: &str, protocols: &Protocols) -> bool {
        if self.state == GroupState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && (protocols.names().any(|name| self.is_candidate(name)) ||
                // All members have left while the join phase is open: any protocol will do.
                (self.members.is_empty() && !protocols.is_empty()))
    }

    /// The candidate with the most votes.
    pub(in super::super) fn select_protocol(&self) -> Option<StrBytes> {
        let mut votes: BTreeMap<&StrBytes, usize> = BTreeMap::new();
        for member in self.members.values() {
            let vote = member.protocols.names().find(|name| self.is_candidate(name))?;
            *votes.entry(vote).or_default() += 1;
        }
        votes
            .into_iter()
            .min_by_key(|(name, count)| (std::cmp::Reverse(*count), hash_map_bucket(name)))
            .map(|(name, _)| name.clone())
    }

    /// The topics of all members' subscriptions; None when that cannot be known.
    pub(in super::super) fn compute_subscribed_topics(
        &self,
        log_events: &mut Vec<LogEvent>,
    ) -> Option<BTreeSet<StrBytes>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol_name.as_ref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            let Some(subscribed) = subscription_topics(&member.metadata(protocol)) else {
                log_events.push(LogEvent::SubscriptionUnreadable {
                    group: self.id.clone(),
                    protocol: protocol.clone(),
                });
                return None;
            };
            topics.extend(subscribed);
        }
        Some(topics)
    }
}

/// The bucket of a Java HashMap of up to twelve entries.
fn hash_map_bucket(name: &str) -> u32 {
    let hash = java_hash(name).cast_unsigned();
    (hash ^ (hash >> 16)) & 15
}

/// Reads what every version of a consumer's subscription begins with.
fn subscription_topics(metadata: &[u8]) -> Option<Vec<StrBytes>> {
    let (_version, rest) = metadata.split_first_chunk::<2>()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    let count = usize::try_from(i32::from_be_bytes(*count)).ok()?;
    let mut topics = Vec::new();
    for _ in 0..count {
        let (length, tail) = rest.split_first_chunk::<2>()?;
        let length = usize::try_from(i16::from_be_bytes(*length)).ok()?;
        let (topic, tail) = tail.split_at_checked(length)?;
        topics.push(StrBytes::from_string(std::str::from_utf8(topic).ok()?.to_owned()));
        rest = tail;
    }
    let (length, rest) = rest.split_first_chunk::<4>()?;
    // A negative length is null user data; else it must be there.
    let length = usize::try_from(i32::from_be_bytes(*length)).unwrap_or(0);
    (length <= rest.len()).then_some(topics)
}

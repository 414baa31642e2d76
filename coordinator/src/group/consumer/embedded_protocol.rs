//! The consumers' own protocol inside the classic one: what a member says of itself in JoinGroup,
//! and what it is given in SyncGroup.
//!
//! ```text
//! subscription  version i16 | topics | user data | owned partitions (from 1)
//!               | generation i32 (from 2) | rack (from 3)
//! assignment    version i16 | partitions | user data
//! topics        count i32 | string…           partitions  count i32 | (topic, count i32 | i32…)…
//! string, rack  length i16 (rack: -1 null)    user data   length i32 (-1 null)
//! ```
//! What a later version adds stands behind what is known. The bytes are a client's: nothing is
//! allocated by what they announce, only by what is there. Answers to `ConsumerProtocol`.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{BufMut, Bytes, BytesMut};
use protocol::wire::StrBytes;

use super::super::modern::{Assignment, ClusterMetadata};
use super::member::Owned;

/// The protocol type of consumers.
pub(super) const CONSUMER: &str = "consumer";
const NEWEST: i16 = 3;
const OWNED_SINCE: i16 = 1;
const GENERATION_SINCE: i16 = 2;
const RACK_SINCE: i16 = 3;

/// Partitions by the names of their topics, as members write them.
pub(super) type NamedPartitions = Vec<(StrBytes, Vec<i32>)>;

/// What a member of the classic protocol subscribes to, and has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) topics: Vec<StrBytes>,
    pub(super) owned: NamedPartitions,
    pub(super) rack: Option<StrBytes>,
}

impl Subscription {
    /// None: it is malformed.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        let version = fields.version()?;
        let topics = fields.many(Fields::string)?;
        fields.user_data()?;
        let owned = if version >= OWNED_SINCE { fields.partitions()? } else { Vec::new() };
        if version >= GENERATION_SINCE {
            fields.int()?;
        }
        let rack = if version >= RACK_SINCE { fields.nullable_string()? } else { None };
        Some(Self { topics, owned, rack: rack.filter(|rack| !rack.is_empty()) })
    }
}

/// What the leader of a classic group gave a member.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) partitions: NamedPartitions,
    /// An assignor of the application's own keeps something there.
    pub(super) has_user_data: bool,
}

impl Given {
    /// None: it is malformed.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        fields.version()?;
        let partitions = fields.partitions()?;
        let has_user_data = !fields.user_data()?.is_empty();
        Some(Self { partitions, has_user_data })
    }
}

/// The version that a member's subscription is written in; none: it is malformed.
pub(super) fn version_of(subscription: &[u8]) -> Option<i16> {
    Fields(subscription).version()
}

/// An assignment for a member that speaks this version; topics that are no more are left out.
pub(super) fn assignment(
    partitions: &Assignment,
    version: i16,
    image: &dyn ClusterMetadata,
) -> Bytes {
    let named: Vec<(StrBytes, &BTreeSet<i32>)> = partitions
        .iter()
        .filter_map(|(topic, partitions)| Some((image.topic_by_id(*topic)?.name, partitions)))
        .collect();
    let mut bytes = BytesMut::new();
    bytes.put_i16(version);
    bytes.put_i32(named.len() as i32);
    for (topic, partitions) in named {
        bytes.put_i16(topic.len() as i16);
        bytes.put_slice(topic.as_bytes());
        bytes.put_i32(partitions.len() as i32);
        for partition in partitions {
            bytes.put_i32(*partition);
        }
    }
    bytes.put_i32(-1);
    bytes.freeze()
}

/// Without the epochs.
pub(super) fn partitions_of(owned: &Owned) -> Assignment {
    let topics = owned.iter();
    topics.map(|(topic, partitions)| (*topic, partitions.keys().copied().collect())).collect()
}

/// The same by the ids of topics; those that are no more are left out.
pub(super) fn by_id(named: &NamedPartitions, image: &dyn ClusterMetadata) -> Assignment {
    let mut by_id: Assignment = BTreeMap::new();
    for (topic, partitions) in named {
        if let Some(topic) = image.topic_by_name(topic)
            && !partitions.is_empty()
        {
            by_id.insert(topic.id, partitions.iter().copied().collect());
        }
    }
    by_id
}

/// What is left to be read.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Later ones are read as the newest that is known.
    fn version(&mut self) -> Option<i16> {
        let version = self.short()?;
        (version >= 0).then_some(version.min(NEWEST))
    }

    fn short(&mut self) -> Option<i16> {
        self.take(2)?.try_into().ok().map(i16::from_be_bytes)
    }

    fn int(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    fn string(&mut self) -> Option<StrBytes> {
        self.nullable_string()?
    }

    /// The inner one is none for null.
    fn nullable_string(&mut self) -> Option<Option<StrBytes>> {
        let Ok(length) = usize::try_from(self.short()?) else { return Some(None) };
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        Some(Some(StrBytes::from_string(text)))
    }

    fn many<T>(&mut self, one: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = usize::try_from(self.int()?).ok()?;
        let mut many = Vec::new();
        for _ in 0..count {
            many.push(one(self)?);
        }
        Some(many)
    }

    fn partitions(&mut self) -> Option<NamedPartitions> {
        self.many(|fields| Some((fields.string()?, fields.many(Self::int)?)))
    }

    fn user_data(&mut self) -> Option<&[u8]> {
        let length = self.int()?;
        // Any negative length is null.
        self.take(usize::try_from(length).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::consumer_protocol_assignment as given;
    use protocol::messages::consumer_protocol_subscription as subscription;
    use protocol::messages::{ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName};
    use protocol::wire::{Decodable as _, Encodable as _};

    use super::super::super::tests::consumer_bench::{Cluster, topic_id};
    use super::*;

    fn text(text: &str) -> StrBytes {
        StrBytes::from_string(text.to_owned())
    }

    fn written(version: i16, rack: Option<&str>) -> Vec<u8> {
        let mut message = ConsumerProtocolSubscription::default()
            .with_topics(vec![text("a"), text("b")])
            .with_user_data(Some(Bytes::from_static(b"mine")));
        if version >= 1 {
            let owned = subscription::TopicPartition::default()
                .with_topic(TopicName(text("a")))
                .with_partitions(vec![0, 2]);
            message = message.with_owned_partitions(vec![owned]);
        }
        if version >= 2 {
            message = message.with_generation_id(7);
        }
        if version >= 3 {
            message = message.with_rack_id(rack.map(text));
        }
        let mut bytes = BytesMut::new();
        bytes.put_i16(version);
        message.encode(&mut bytes, version).unwrap();
        bytes.to_vec()
    }

    #[test]
    fn a_subscription_is_read_in_every_version_and_in_later_ones() {
        for version in 0..=3 {
            let read = Subscription::read(&written(version, Some("r"))).unwrap();
            assert_eq!(read.topics, [text("a"), text("b")]);
            assert_eq!(read.owned.is_empty(), version == 0);
            assert_eq!(read.rack, (version == 3).then(|| text("r")));
        }
        let mut later = written(3, None);
        later[1] = 9;
        later.extend(b"more");
        assert_eq!(Subscription::read(&later).unwrap().rack, None);
        assert_eq!(version_of(&later), Some(3));
    }

    #[test]
    fn a_subscription_that_ends_anywhere_too_early_is_malformed() {
        let whole = written(3, Some("r"));
        for end in 0..whole.len() {
            assert_eq!(Subscription::read(&whole[..end]), None, "cut at {end}");
        }
        let announced = [0, 0, 0x7f, 0xff, 0xff, 0xff];
        assert_eq!(Subscription::read(&announced), None);
        assert_eq!(Subscription::read(&[0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }

    #[test]
    fn an_assignment_is_what_kafkas_own_message_is_and_topics_that_are_gone_are_not_in_it() {
        let image = Cluster::of(1, &[("a", 4)]);
        let partitions = Assignment::from([
            (topic_id("a"), BTreeSet::from([1, 3])),
            (topic_id("gone"), BTreeSet::from([0])),
        ]);
        let bytes = assignment(&partitions, 1, &*image);
        let mut rest = bytes.slice(2..);
        let message = ConsumerProtocolAssignment::decode(&mut rest, 1).unwrap();
        let topic = given::TopicPartition::default()
            .with_topic(TopicName(text("a")))
            .with_partitions(vec![1, 3]);
        assert_eq!(
            message,
            ConsumerProtocolAssignment::default().with_assigned_partitions(vec![topic])
        );
        assert!(rest.is_empty());
        let read = Given::read(&bytes).unwrap();
        assert_eq!(read.partitions, [(text("a"), vec![1, 3])]);
        assert!(!read.has_user_data);
        assert_eq!(by_id(&read.partitions, &*image)[&topic_id("a")], BTreeSet::from([1, 3]));
    }
}

//! A number for all that a group's assignment depends on in the metadata: where it differs from the
//! one in the log, the group is assigned anew (KIP-1101).
//!
//! ```text
//! topic   XXH3-64 of 0 i8 | id, halves i64 | name | partitions i32
//!           | for each partition: its number i32 | for each rack, sorted: length i32 | rack
//! group   XXH3-64 of the topics' hashes i64, by their names; 0 without topics
//! ```
//! Numbers are little-endian; a text is its UTF-16 units, then their count as i32. Answers to
//! `Utils.computeTopicHash` and `computeGroupHash`.

use std::collections::BTreeMap;

use protocol::wire::StrBytes;
use twox_hash::XxHash3_64;

use super::metadata::{ClusterMetadata, TopicMetadata};

/// The hashes of topics, as far as they have been asked for.
#[derive(Debug, Default)]
pub(in super::super) struct MetadataHashes {
    topics: BTreeMap<StrBytes, i64>,
}

impl MetadataHashes {
    /// Forgets a topic that has changed.
    pub(in super::super) fn forget(&mut self, topic: &StrBytes) {
        self.topics.remove(topic);
    }

    pub(in super::super) fn clear(&mut self) {
        self.topics.clear();
    }

    /// Of a topic; none if there is no such topic.
    pub(in super::super) fn topic(
        &mut self,
        name: &StrBytes,
        metadata: &dyn ClusterMetadata,
    ) -> Option<i64> {
        let topic = metadata.topic_by_name(name)?;
        let hash = self.topics.entry(name.clone()).or_insert_with(|| topic_hash(&topic, metadata));
        Some(*hash)
    }
}

/// Of the hashes of topics, which stand by name.
pub(in super::super) fn group_hash(topics: impl Iterator<Item = i64>) -> i64 {
    let bytes: Vec<u8> = topics.flat_map(little_endian).collect();
    if bytes.is_empty() { 0 } else { XxHash3_64::oneshot(&bytes) as i64 }
}

fn topic_hash(topic: &TopicMetadata, metadata: &dyn ClusterMetadata) -> i64 {
    let mut bytes = vec![0];
    let (high, low) = topic.id.as_u64_pair();
    bytes.extend(little_endian(high as i64));
    bytes.extend(little_endian(low as i64));
    put_text(&mut bytes, &topic.name);
    put_int(&mut bytes, topic.partitions);
    for partition in 0..topic.partitions {
        put_int(&mut bytes, partition);
        let mut racks = metadata.racks(topic.id, partition);
        racks.sort();
        for rack in racks {
            put_int(&mut bytes, utf_16_length(&rack));
            put_text(&mut bytes, &rack);
        }
    }
    XxHash3_64::oneshot(&bytes) as i64
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    for unit in text.encode_utf16() {
        bytes.extend([unit as u8, (unit >> 8) as u8]);
    }
    put_int(bytes, utf_16_length(text));
}

fn utf_16_length(text: &str) -> i32 {
    text.encode_utf16().count() as i32
}

fn put_int(bytes: &mut Vec<u8>, value: i32) {
    let mut value = value.to_be_bytes();
    value.reverse();
    bytes.extend(value);
}

fn little_endian(value: i64) -> [u8; 8] {
    let mut bytes = value.to_be_bytes();
    bytes.reverse();
    bytes
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::GroupConfig;
    use super::*;

    #[derive(Debug)]
    struct Racks(Vec<Vec<&'static str>>);

    impl ClusterMetadata for Racks {
        fn version(&self) -> i64 {
            0
        }

        fn topic_by_name(&self, _: &str) -> Option<TopicMetadata> {
            None
        }

        fn topic_by_id(&self, _: Uuid) -> Option<TopicMetadata> {
            None
        }

        fn racks(&self, _: Uuid, partition: i32) -> Vec<StrBytes> {
            self.0[partition as usize].iter().map(|rack| StrBytes::from_static_str(rack)).collect()
        }

        fn topic_names(&self) -> Vec<StrBytes> {
            Vec::new()
        }

        fn group_config(&self, _: &str, _: GroupConfig) -> Option<i32> {
            None
        }
    }

    /// As the hasher that Kafka uses gives them (`tests/java/groups/GroupFacts.java hashes`).
    #[test]
    fn topics_have_kafka_s_hashes() {
        for (name, id, racks, hash) in [
            ("orders", (1, -2), vec![vec![], vec![]], 4_704_480_806_436_018_695),
            (
                "bestellungen-ä",
                (-5, 7),
                vec![vec!["b", "a"], vec!["a"], vec![]],
                -7_682_957_884_099_220_981,
            ),
        ] {
            let topic = TopicMetadata {
                id: Uuid::from_u64_pair(id.0 as i64 as u64, id.1 as i64 as u64),
                name: StrBytes::from_static_str(name),
                partitions: racks.len() as i32,
            };
            assert_eq!(topic_hash(&topic, &Racks(racks)), hash, "{name}");
        }
    }

    #[test]
    fn a_group_without_topics_has_0() {
        assert_eq!(group_hash([].into_iter()), 0);
    }
}

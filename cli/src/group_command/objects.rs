//! What the JSON of the three commands of groups has in common: a group in a list, who coordinates
//! it, and which partitions somebody has.
//!
//! Pure. Answers to docs/decisions/0420.

use client::admin::{GroupListing, GroupState, GroupType, Node, TopicPartition};
use serde::Serialize;

use super::partitions_by_topic;

/// A row of `--list`, which has the state and the type whether they are asked for or not.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupObject<'a> {
    group_id: &'a str,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    state: Option<&'static str>,
}

impl<'a> GroupObject<'a> {
    pub(crate) fn of(listing: &'a GroupListing) -> Self {
        let (kind, state) = (listing.kind.map(GroupType::name), listing.state);
        Self { group_id: &listing.group, kind, state: state.map(GroupState::name) }
    }
}

#[derive(Serialize)]
pub(crate) struct CoordinatorObject<'a> {
    id: i32,
    host: Option<&'a str>,
    port: Option<u16>,
}

impl<'a> CoordinatorObject<'a> {
    /// The address is null where no node of the cluster has that id.
    pub(crate) fn of(id: i32, address: Option<&'a client::Address>) -> Self {
        let host = address.map(|address| address.host.as_str());
        Self { id, host, port: address.map(|address| address.port) }
    }

    pub(crate) fn of_node(id: i32, node: Option<&'a Node>) -> Self {
        Self::of(id, node.map(|node| &node.address))
    }
}

/// Partitions of one topic.
#[derive(Serialize)]
pub(crate) struct TopicPartitions<'a> {
    topic: &'a str,
    partitions: Vec<i32>,
}

/// Partitions by their topics, both in order.
pub(crate) fn assignment(partitions: &[TopicPartition]) -> Vec<TopicPartitions<'_>> {
    let topics = partitions_by_topic(partitions);
    topics.map(|(topic, partitions)| TopicPartitions { topic, partitions }).collect()
}

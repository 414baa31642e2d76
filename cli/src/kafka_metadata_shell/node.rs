//! The tree of nodes over an image: which children a node has, and what it prints.
//!
//! Kept true: children are in the order of Java's `String.compareTo`. Answers to the nodes of
//! org.apache.kafka.image.node and to `RootShellNode`, `LocalShellNode`, `ShellNodePrinter`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use protocol::Base64Uuid;
use protocol::record_json::Json;

use super::image::{Entity, ShellImage, Topic};
use super::quota_entity;
use super::texts;

/// `AppInfoParser.getCommitId` of the release whose words these are.
const COMMIT_ID: &str = "26b251a451ce941d";
const FINALIZED: &str = "finalized_";
const MECHANISMS: &[(&str, i64)] = &[("SCRAM-SHA-256", 1), ("SCRAM-SHA-512", 2)];
/// A name that begins with two of these has the longer one.
const RESOURCES: &[(&str, i64)] =
    &[("BROKER_LOGGER", 8), ("BROKER", 4), ("TOPIC", 2), ("GROUP", 32), ("CLIENT_METRICS", 16)];

#[derive(Debug, Clone)]
pub(super) enum Node<'a> {
    /// Whose children are always the same.
    Fixed(&'static [(&'static str, Fixed)]),
    Of(Fixed),
    Mechanism(i64),
    Quota(&'a BTreeMap<String, f64>),
    Config(&'a BTreeMap<String, String>),
    Topic(&'a str, &'a Topic),
    /// A file, and what stands in it.
    Leaf(String),
}

/// Nodes that stand at one place of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fixed {
    Version,
    CommitId,
    Local,
    Image,
    Acls,
    AclsById,
    Quotas,
    Cluster,
    Brokers,
    Controllers,
    Configs,
    Tokens,
    Features,
    ProducerIds,
    NextProducerId,
    Provenance,
    Scram,
    Topics,
    TopicsById,
    TopicsByName,
}

const ROOT: &[(&str, Fixed)] = &[("image", Fixed::Image), ("local", Fixed::Local)];
const LOCAL: &[(&str, Fixed)] = &[("commitId", Fixed::CommitId), ("version", Fixed::Version)];
const IMAGE: &[(&str, Fixed)] = &[
    ("acls", Fixed::Acls),
    ("clientQuotas", Fixed::Quotas),
    ("cluster", Fixed::Cluster),
    ("configs", Fixed::Configs),
    ("delegationToken", Fixed::Tokens),
    ("features", Fixed::Features),
    ("producerIds", Fixed::ProducerIds),
    ("provenance", Fixed::Provenance),
    ("scram", Fixed::Scram),
    ("topics", Fixed::Topics),
];
const ACLS: &[(&str, Fixed)] = &[("byId", Fixed::AclsById)];
const CLUSTER: &[(&str, Fixed)] =
    &[("brokers", Fixed::Brokers), ("controllers", Fixed::Controllers)];
const PRODUCER_IDS: &[(&str, Fixed)] = &[("nextProducerId", Fixed::NextProducerId)];
const TOPICS: &[(&str, Fixed)] = &[("byId", Fixed::TopicsById), ("byName", Fixed::TopicsByName)];

/// The tree of one image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    image: &'a ShellImage,
}

impl<'a> Tree<'a> {
    pub(super) fn new(image: &'a ShellImage) -> Self {
        Self { image }
    }

    pub(super) fn root(self) -> Node<'a> {
        Node::Fixed(ROOT)
    }

    fn node(self, of: Fixed) -> Node<'a> {
        let image = self.image;
        match of {
            Fixed::Local => Node::Fixed(LOCAL),
            Fixed::Image => Node::Fixed(IMAGE),
            Fixed::Acls => Node::Fixed(ACLS),
            Fixed::Cluster => Node::Fixed(CLUSTER),
            Fixed::ProducerIds => Node::Fixed(PRODUCER_IDS),
            Fixed::Topics => Node::Fixed(TOPICS),
            Fixed::Version => Node::Leaf(crate::KAFKA_RELEASE.to_owned()),
            Fixed::CommitId => Node::Leaf(COMMIT_ID.to_owned()),
            Fixed::Provenance => Node::Leaf(texts::provenance(image.provenance)),
            Fixed::NextProducerId => Node::Leaf(image.next_producer_id.to_string()),
            other => Node::Of(other),
        }
    }

    /// The names of a node's children, sorted.
    pub(super) fn children(self, node: &Node<'_>) -> Vec<String> {
        let mut names: Vec<String> = match node {
            Node::Fixed(children) => children.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Node::Of(of) => self.kept(*of),
            Node::Mechanism(number) => {
                let of = self.image.scram.keys().filter(|(mechanism, _)| mechanism == number);
                of.map(|(_, user)| user.clone()).collect()
            }
            Node::Quota(values) => values.keys().cloned().collect(),
            Node::Config(values) => values.keys().cloned().collect(),
            Node::Topic(_, topic) => {
                let own = ["id", "name"].map(str::to_owned);
                own.into_iter().chain(topic.partitions.keys().map(i64::to_string)).collect()
            }
            Node::Leaf(_) => Vec::new(),
        };
        names.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
        names
    }

    fn kept(self, of: Fixed) -> Vec<String> {
        let image = self.image;
        match of {
            Fixed::AclsById => image.acls.keys().cloned().collect(),
            Fixed::Quotas => image.quotas.keys().map(quota_entity::name).collect(),
            Fixed::Brokers => image.brokers.keys().map(i64::to_string).collect(),
            Fixed::Controllers => image.controllers.keys().map(i64::to_string).collect(),
            Fixed::Configs => image.configs.keys().map(resource_name).collect(),
            Fixed::Tokens => image.tokens.keys().cloned().collect(),
            Fixed::Features => {
                let levels = image.features.keys().map(|name| format!("{FINALIZED}{name}"));
                levels.chain(["metadataVersion".to_owned()]).collect()
            }
            Fixed::Scram => MECHANISMS.iter().map(|(name, _)| (*name).to_owned()).collect(),
            Fixed::TopicsById => image.topics.keys().cloned().collect(),
            Fixed::TopicsByName => image.topic_ids.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    pub(super) fn child(self, node: &Node<'a>, name: &str) -> Option<Node<'a>> {
        match node {
            Node::Fixed(children) => {
                let found = children.iter().find(|(child, _)| *child == name);
                found.map(|(_, of)| self.node(*of))
            }
            Node::Of(of) => self.kept_child(*of, name),
            Node::Mechanism(number) => {
                let found = self.image.scram.get(&(*number, name.to_owned()));
                found.map(texts::credential).map(Node::Leaf)
            }
            Node::Quota(values) => {
                values.get(name).map(|value| Node::Leaf(Json::Double(*value).to_string()))
            }
            Node::Config(values) => values.get(name).cloned().map(Node::Leaf),
            Node::Topic(id, topic) => match name {
                "id" => Some(Node::Leaf((*id).to_owned())),
                "name" => Some(Node::Leaf(topic.name.clone())),
                number => {
                    let partition = topic.partitions.get(&java_int(number)?)?;
                    Some(Node::Leaf(partition.text()))
                }
            },
            Node::Leaf(_) => None,
        }
    }

    fn kept_child(self, of: Fixed, name: &str) -> Option<Node<'a>> {
        let image = self.image;
        match of {
            Fixed::AclsById => image.acls.get(&uuid(name)?).map(texts::acl).map(Node::Leaf),
            Fixed::Quotas => {
                let entity: Entity = quota_entity::read(name)?;
                image.quotas.get(&entity).map(Node::Quota)
            }
            Fixed::Brokers => {
                image.brokers.get(&java_int(name)?).map(texts::broker).map(Node::Leaf)
            }
            Fixed::Controllers => {
                image.controllers.get(&java_int(name)?).map(texts::controller).map(Node::Leaf)
            }
            Fixed::Configs => image.configs.get(&resource(name)?).map(Node::Config),
            Fixed::Tokens => image.tokens.get(name).map(texts::token).map(Node::Leaf),
            Fixed::Features => self.feature(name).map(Node::Leaf),
            Fixed::Scram => {
                let found = MECHANISMS.iter().find(|(mechanism, _)| *mechanism == name);
                found.map(|(_, number)| Node::Mechanism(*number))
            }
            Fixed::TopicsById => self.topic(&uuid(name)?),
            Fixed::TopicsByName => self.topic(image.topic_ids.get(name)?),
            _ => None,
        }
    }

    fn topic(self, id: &str) -> Option<Node<'a>> {
        self.image.topics.get_key_value(id).map(|(id, topic)| Node::Topic(id, topic))
    }

    /// A feature that is not finalized has level 0 for who asks for it.
    fn feature(self, name: &str) -> Option<String> {
        if name == "metadataVersion" {
            let known = self.image.metadata_version.and_then(texts::metadata_version);
            let shown = known.map(|version| format!("Optional[{version}]"));
            return Some(shown.unwrap_or_else(|| "Optional.empty".to_owned()));
        }
        let feature = name.strip_prefix(FINALIZED)?;
        Some(self.image.features.get(feature).copied().unwrap_or(0).to_string())
    }

    /// Prints a node and all below it; a name without a node stands alone.
    pub(super) fn print(
        self,
        node: &Node<'a>,
        depth: usize,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let indent = "  ".repeat(depth);
        if let Node::Leaf(text) = node {
            return writeln!(out, "{indent}{text}");
        }
        for name in self.children(node) {
            writeln!(out, "{indent}{name}:")?;
            if let Some(child) = self.child(node, &name) {
                self.print(&child, depth + 1, out)?;
            }
        }
        Ok(())
    }
}

impl Node<'_> {
    pub(super) fn is_directory(&self) -> bool {
        !matches!(self, Self::Leaf(_))
    }
}

/// `Integer.valueOf`.
fn java_int(text: &str) -> Option<i64> {
    text.parse::<i32>().ok().map(i64::from)
}

/// An id in the one form that records have.
fn uuid(text: &str) -> Option<String> {
    Base64Uuid::parse(text).map(|id| id.to_string())
}

fn resource_name((kind, name): &(i64, String)) -> String {
    let of = RESOURCES.iter().find(|(_, number)| number == kind);
    let of = of.map_or("UNKNOWN", |(of, _)| *of);
    if name.is_empty() { of.to_owned() } else { format!("{of}:{name}") }
}

fn resource(name: &str) -> Option<(i64, String)> {
    let (of, kind) = RESOURCES.iter().find(|(of, _)| name.starts_with(of))?;
    let rest = name.strip_prefix(of)?;
    let own = if rest.is_empty() { rest } else { rest.strip_prefix(':')? };
    Some((*kind, own.to_owned()))
}

//! What the sender of a Fetch may read. A follower reads everything or nothing, a consumer by
//! topic; each topic is asked about once, however many of its partitions are read.
//!
//! Kafka: `KafkaApis.handleFetchRequest`. A fetch in the name of a follower that is no node's moves
//! neither the high watermark nor the in-sync set: it never gets to a partition (CVE-2018-1288).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

/// What may be read.
#[derive(Debug)]
pub(super) enum Access {
    Everything,
    Nothing,
    Topics(HashSet<Arc<str>>),
}

impl Access {
    pub(super) fn of_follower(context: &RequestContext) -> Self {
        match context.authorize(Operation::ClusterAction, Resource::Cluster) {
            true => Self::Everything,
            false => Self::Nothing,
        }
    }

    /// `topics` are those of all partitions that are asked for.
    pub(super) fn of_consumer<'a>(
        context: &RequestContext,
        topics: impl Iterator<Item = &'a Arc<str>>,
    ) -> Self {
        if context.is_unrestricted() {
            return Self::Everything;
        }
        let mut references: HashMap<&Arc<str>, usize> = HashMap::new();
        topics.for_each(|topic| *references.entry(topic).or_default() += 1);
        let may_read = |(topic, references): (&'a Arc<str>, usize)| {
            let resource = Resource::Topic(topic);
            let may = context.authorize_all(Operation::Read, resource, references);
            may.then(|| Arc::clone(topic))
        };
        Self::Topics(references.into_iter().filter_map(may_read).collect())
    }

    pub(super) fn is_to(&self, topic: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Topics(topics) => topics.contains(topic),
        }
    }

    /// Whether it is not even told that an id is nobody's.
    pub(super) fn is_to_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }
}
